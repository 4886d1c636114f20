#include <errno.h>
#include <fcntl.h>
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

#include "proxy/config/handed.h"

static char folder[64], path[80];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/sallyport-handed.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	handed_forget();
	unlink(path);
	return rmdir(folder);
}

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* open_file is a descriptor of text, which no name leads to. */
static int open_file(const char *text)
{
	int fd;

	write_file(text);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	return fd;
}

static void reads(const char *name, const char *text)
{
	size_t len = 99;
	char *got = NULL;

	assert_int_equal(handed_read(name, 100, &got, &len), 0);
	assert_string_equal(got, text);
	assert_int_equal(len, strlen(text));
	free(got);
}

static void fails(const char *name, size_t max, int why)
{
	char *got = NULL;
	size_t len;

	errno = 0;
	assert_int_equal(handed_read(name, max, &got, &len), -1);
	assert_int_equal(errno, why);
	errno = 0;
	if (why != EFBIG) {
		assert_int_equal(handed_open(name, O_RDONLY, 0), -1);
		assert_int_equal(errno, why);
	}
}

static void opens_what_nobody_handed_over(void **state)
{
	int fd;

	(void)state;
	fails(path, 100, ENOENT);
	write_file("by its name");
	reads(path, "by its name");
	fd = handed_open(path, O_RDONLY, 0);
	assert_true(fd > 2);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	assert_int_equal(unlink(path), 0);
	fd = handed_open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd > 2);
	close(fd);
}

/* Any number of times, from the start, though nobody could open it now. */
static void gives_what_was_handed_over(void **state)
{
	int one, two;
	char letter;

	(void)state;
	handed_put("/secret/file", open_file("within"), 0);
	reads("/secret/file", "within");
	reads("/secret/file", "within");
	one = handed_open("/secret/file", O_RDONLY, 0);
	two = handed_open("/secret/file", O_RDONLY, 0);
	assert_true(one > 2 && two > 2 && one != two);
	assert_true(fcntl(one, F_GETFD) & FD_CLOEXEC);
	close(one); /* each is the caller's own */
	assert_int_equal(read(two, &letter, 1), 1);
	assert_int_equal(letter, 'w');
	close(two);
	reads("/secret/file", "within");
}

static void takes_the_place_of_the_one_before(void **state)
{
	int old = open_file("old");

	(void)state;
	handed_put("/secret/file", old, 0);
	handed_put("/secret/other", open_file("other"), 0);
	handed_put("/secret/file", open_file("new"), 0);
	assert_int_equal(fcntl(old, F_GETFD), -1); /* closed */
	reads("/secret/file", "new");
	reads("/secret/other", "other");
	handed_put("/secret/file", -1, EACCES);
	fails("/secret/file", 100, EACCES);
}

/* Who could not be opened is not tried again: with other rights, it might
 * be another file. */
static void tells_why_it_could_not_be_opened(void **state)
{
	(void)state;
	write_file("there");
	handed_put(path, -1, EACCES);
	fails(path, 100, EACCES);
	handed_put(path, -1, ENOENT);
	fails(path, 100, ENOENT);
}

static void reads_no_more_than_may_be(void **state)
{
	size_t len;
	char *got;

	(void)state;
	handed_put("/secret/file", open_file("12345678"), 0);
	fails("/secret/file", 7, EFBIG);
	assert_int_equal(handed_read("/secret/file", 8, &got, &len), 0);
	assert_int_equal(len, 8);
	free(got);
	handed_put("/secret/file", open_file(""), 0);
	reads("/secret/file", "");
}

static void refused(const char *name)
{
	size_t len;
	char *got;

	errno = 0;
	assert_int_equal(handed_read(name, 100, &got, &len), -1);
	assert_int_equal(errno, HANDED_NO_FILE);
	assert_non_null(strstr(handed_why(errno), "pipe"));
	assert_string_equal(handed_why(ENOENT), strerror(ENOENT));
}

/* An end of a pipe at which nobody writes is the end of what there is to read,
 * or a wait for ever. */
static void reads_nothing_but_files(void **state)
{
	size_t len;
	char *got;
	int ends[2];

	(void)state;
	reads("/dev/null", "");
	refused("/dev/zero");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	close(ends[1]);
	handed_put("/secret/pipe", ends[0], 0);
	refused("/secret/pipe");
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(path);
	errno = 0;
	assert_int_equal(handed_read(folder, 100, &got, &len), -1);
	assert_int_equal(errno, EISDIR);
}

static void knows_the_folder(void **state)
{
	char *given;

	(void)state;
	assert_false(handed_over());
	assert_null(handed_folder());
	handed_set_folder("/etc/one");
	given = handed_folder();
	handed_set_folder("/etc/two"); /* what was given stays what it was */
	assert_string_equal(given, "/etc/one");
	free(given);
	assert_true(handed_over());
	given = handed_folder();
	assert_string_equal(given, "/etc/two");
	free(given);
}

/* A file that the configuration names no more is nobody's to read. */
static void closes_what_is_not_handed_over_again(void **state)
{
	int stays = open_file("stays"), goes = open_file("goes");

	(void)state;
	handed_put("/secret/stays", stays, 0);
	handed_put("/secret/goes", goes, 0);
	handed_end(); /* nothing was begun */
	reads("/secret/goes", "goes");
	handed_begin();
	handed_put("/secret/stays", open_file("still"), 0);
	handed_end();
	reads("/secret/stays", "still");
	assert_int_equal(fcntl(goes, F_GETFD), -1);
	fails("/secret/goes", 100, ENOENT);
}

static void forgets(void **state)
{
	int fd = open_file("within");

	(void)state;
	handed_set_folder("/etc");
	handed_put("/secret/file", fd, 0);
	handed_forget();
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_false(handed_over());
	fails("/secret/file", 100, ENOENT);
	handed_forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opens_what_nobody_handed_over,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(gives_what_was_handed_over,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(closes_what_is_not_handed_over_again,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			takes_the_place_of_the_one_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			tells_why_it_could_not_be_opened, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_no_more_than_may_be,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_nothing_but_files,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(knows_the_folder, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(forgets, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
