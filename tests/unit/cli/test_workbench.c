#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/cli/workbench.h"

static struct workbench bench;
static char err[256];

static void comes_and_goes(void **state)
{
	char path[4096], *copy;
	struct stat info;

	(void)state;
	assert_int_equal(workbench_open(&bench, err, sizeof(err)), 0);
	assert_int_equal(stat(bench.folder, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0755);
	snprintf(path, sizeof(path), "%s/sub", bench.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/sub/link", bench.folder);
	assert_int_equal(symlink("/etc", path), 0);
	copy = strdup(bench.folder);
	workbench_close(&bench);
	assert_int_equal(access(copy, F_OK), -1);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
	free(copy);
	workbench_close(&bench);
}

/* Killed, its owner removes nothing. */
static void goes_with_us(void **state)
{
	char path[4096] = "";
	int ends[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (workbench_open(&bench, err, sizeof(err)) == 0)
			(void)!write(ends[1], bench.folder,
				strlen(bench.folder));
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(read(ends[0], path, sizeof(path) - 1) > 0);
	for (int i = 0; i < 1000 && access(path, F_OK) == 0; i++)
		usleep(10000);
	assert_int_equal(access(path, F_OK), -1);
	close(ends[0]);
	close(ends[1]);
}

static void heeds_tmpdir(void **state)
{
	(void)state;
	setenv("TMPDIR", "/no/such", 1);
	assert_int_equal(workbench_open(&bench, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "/no/such: No such file"));
	unsetenv("TMPDIR");
}

/* What others may change is no place for it. */
static void heeds_no_open_tmpdir(void **state)
{
	struct workbench above;
	char path[4096];

	(void)state;
	assert_int_equal(workbench_open(&above, err, sizeof(err)), 0);
	snprintf(path, sizeof(path), "%s/open.", above.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	setenv("TMPDIR", path, 1);
	assert_int_equal(workbench_open(&bench, err, sizeof(err)), 0);
	assert_memory_equal(bench.folder, path, strlen(path));
	workbench_close(&bench);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(workbench_open(&bench, err, sizeof(err)), 0);
	assert_null(strstr(bench.folder, "open."));
	workbench_close(&bench);
	snprintf(path, sizeof(path), "%s/open./below", above.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	setenv("TMPDIR", path, 1);
	assert_int_equal(workbench_open(&bench, err, sizeof(err)), 0);
	assert_null(strstr(bench.folder, "open."));
	workbench_close(&bench);
	unsetenv("TMPDIR");
	workbench_close(&above);
}

/* Another folder by the name that ours had is left as it is. */
static void removes_no_other(void **state)
{
	char was[4096], aside[4096], inner[4200];

	(void)state;
	assert_int_equal(workbench_open(&bench, err, sizeof(err)), 0);
	snprintf(was, sizeof(was), "%s", bench.folder);
	snprintf(aside, sizeof(aside), "%s.aside", bench.folder);
	snprintf(inner, sizeof(inner), "%s/ours", was);
	assert_int_equal(mkdir(inner, 0755), 0);
	assert_int_equal(rename(was, aside), 0);
	assert_int_equal(mkdir(was, 0755), 0);
	snprintf(inner, sizeof(inner), "%s/others", was);
	assert_int_equal(mkdir(inner, 0755), 0);
	workbench_close(&bench);
	assert_int_equal(access(inner, F_OK), 0);
	assert_int_equal(rmdir(inner), 0);
	assert_int_equal(rmdir(was), 0);
	assert_int_equal(rmdir(aside), 0); /* empty */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_and_goes),
		cmocka_unit_test(goes_with_us),
		cmocka_unit_test(heeds_tmpdir),
		cmocka_unit_test(heeds_no_open_tmpdir),
		cmocka_unit_test(removes_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
