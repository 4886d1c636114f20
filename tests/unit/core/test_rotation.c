#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/core/rotation.h"

enum { WORKER = 60700 };

/* Below /run, which only root can write to, as /var/log is. */
static char folder[64], path[128];
static const struct identity worker = {WORKER, WORKER}, nobody_else;

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "%s/sallyport-turn.XXXXXX",
		geteuid() == 0 ? "/run" : "/tmp");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0755), 0);
	snprintf(path, sizeof(path), "%s/a.log", folder);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void make(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* holds: path, or path.number for one from 1 on; "": it is not there. */
static void holds(unsigned number, const char *want)
{
	char name[160], text[64] = "";
	int fd;

	snprintf(name, sizeof(name), "%s", path);
	if (number > 0)
		snprintf(name, sizeof(name), "%s.%u", path, number);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		assert_true(read(fd, text, sizeof(text) - 1) >= 0);
		close(fd);
	}
	assert_string_equal(text, want);
}

static void the_last_is_kept_and_no_more(void **state)
{
	(void)state;
	for (const char *text = "1st\0" "2nd\0" "3rd\0" "4th\0"; *text;
	     text += 4) {
		make(text);
		assert_int_equal(rotation_turn(path, 3, 2, &nobody_else), 0);
	}
	holds(0, "");
	holds(1, "4th");
	holds(2, "3rd");
	holds(3, "");
}

static void one_is_enough(void **state)
{
	(void)state;
	make("1st");
	assert_int_equal(rotation_turn(path, 3, 1, &nobody_else), 0);
	make("2nd");
	assert_int_equal(rotation_turn(path, 3, 1, &nobody_else), 0);
	holds(1, "2nd");
	holds(2, "");
}

/* Who only asks can't make the old ones go. */
static void what_is_not_full_stays(void **state)
{
	(void)state;
	make("1st");
	assert_int_equal(rotation_turn(path, 4, 1, &nobody_else), -1);
	holds(0, "1st");
	assert_int_equal(rotation_turn("/nowhere/a.log", 4, 1, &nobody_else),
		-1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(rotation_turn(path, 4, 1, &nobody_else), -1);
	assert_int_equal(readlink(path, (char[9]){0}, 9), 9);
}

/* As when it was renamed before, and a new one could not be opened. */
static void what_is_not_there_is_to_be_made(void **state)
{
	(void)state;
	assert_int_equal(rotation_turn(path, 4, 2, &nobody_else), 0);
	holds(0, "");
	holds(1, "");
}

static void root_does_it_where_the_worker_may_not(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	make("1st");
	assert_int_equal(rotation_turn(path, 3, 3, &worker), 0);
	holds(1, "1st");
}

/* In a folder that the worker can write to, what is renamed could be anybody's by
 * a trick: there it is only the worker's to rename. */
static void root_keeps_out_of_the_workers_folders(void **state)
{
	char deep[96];

	(void)state;
	if (geteuid() != 0)
		skip();
	make("1st");
	assert_int_equal(chown(folder, WORKER, WORKER), 0);
	assert_int_equal(rotation_turn(path, 3, 3, &worker), 0); /* as it */
	snprintf(deep, sizeof(deep), "%s/deep", folder);
	assert_int_equal(mkdir(deep, 0700), 0);
	snprintf(path, sizeof(path), "%s/a.log", deep);
	make("2nd");
	assert_int_equal(rotation_turn(path, 3, 3, &worker), -1);
	holds(0, "2nd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_last_is_kept_and_no_more,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_is_enough, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_there_is_to_be_made,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_full_stays, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			root_does_it_where_the_worker_may_not, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			root_keeps_out_of_the_workers_folders, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
