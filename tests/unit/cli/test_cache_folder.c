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

#include "proxy/cli/cache_folder.h"
#include "proxy/cli/workbench.h"

static struct workbench bench;
static char out[CACHE_FOLDER], err[4400];

static char *under(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", bench.folder, name);
	return path;
}

static int before(void **state)
{
	(void)state;
	if (workbench_open(&bench, err, sizeof(err)) != 0)
		return -1;
	setenv("HOME", bench.folder, 1);
	unsetenv("XDG_CACHE_HOME");
	return 0;
}

static int after(void **state)
{
	(void)state;
	workbench_close(&bench);
	return 0;
}

/* made: it is that folder which is handed out, open. */
static void made(const char *name)
{
	int at = cache_folder(name, out, err, sizeof(err));
	struct stat by_path, by_fd;

	assert_true(at >= 0);
	assert_int_equal(fstat(at, &by_fd), 0);
	assert_int_equal(stat(out, &by_path), 0);
	assert_true(by_path.st_ino == by_fd.st_ino);
	close(at);
}

static void is_made(void **state)
{
	struct stat info;

	(void)state;
	for (int i = 0; i < 2; i++) {
		made("n");
		assert_string_equal(out, under(".cache/sallyport/n"));
		assert_int_equal(stat(out, &info), 0);
	}
	setenv("XDG_CACHE_HOME", under("xdg"), 1);
	made("n");
	assert_string_equal(out, under("xdg/sallyport/n"));
}

static void no_link_is_followed(void **state)
{
	(void)state;
	assert_int_equal(mkdir(under(".cache"), 0755), 0);
	assert_int_equal(symlink("/etc", under(".cache/sallyport")), 0);
	assert_int_equal(cache_folder("n", out, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "symbolic link"));
}

static void nobody_else_may_write(void **state)
{
	(void)state;
	assert_int_equal(mkdir(under(".cache"), 0755), 0);
	assert_int_equal(chmod(under(".cache"), 0777), 0);
	assert_int_equal(cache_folder("n", out, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "mode 0777"));
}

static void another_users_home(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(bench.folder, 12345, 12345), 0);
	assert_int_equal(cache_folder("n", out, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "HOME is "));
	assert_non_null(strstr(err, "uid 12345"));
	assert_int_equal(access(under(".cache"), F_OK), -1);
}

static void no_place(void **state)
{
	(void)state;
	unsetenv("HOME");
	assert_int_equal(cache_folder("n", out, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "XDG_CACHE_HOME nor HOME"));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(is_made),
		EACH(no_link_is_followed),
		EACH(nobody_else_may_write),
		EACH(another_users_home),
		EACH(no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
