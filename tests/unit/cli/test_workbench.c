#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/cli/workbench.h"

static void comes_and_goes(void **state)
{
	char err[256], path[4096];
	char *folder = workbench_new(err, sizeof(err)), *copy;
	struct stat info;

	(void)state;
	assert_non_null(folder);
	assert_int_equal(stat(folder, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0755);
	snprintf(path, sizeof(path), "%s/sub", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/sub/link", folder);
	assert_int_equal(symlink("/etc", path), 0);
	copy = strdup(folder);
	workbench_free(folder);
	assert_int_equal(access(copy, F_OK), -1);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
	free(copy);
	workbench_free(NULL);
}

static void heeds_tmpdir(void **state)
{
	char err[256] = "";

	(void)state;
	setenv("TMPDIR", "/no/such", 1);
	assert_null(workbench_new(err, sizeof(err)));
	assert_non_null(strstr(err, "/no/such: No such file"));
	unsetenv("TMPDIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_and_goes),
		cmocka_unit_test(heeds_tmpdir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
