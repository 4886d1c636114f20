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

#include "proxy/core/watch.h"
#include "tests/support/folder.h"

/* Real files in a folder of each test's own; the clock is the test's. */
static struct watcher *w;
static uint64_t now;

static int set_up(void **state)
{
	(void)state;
	folder_make("watch");
	folder_shell("echo one >list; echo two >other; echo c >config");
	w = watch_new();
	assert_true(watch_fd(w) >= 0);
	now = watch_now();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	watch_free(w);
	return folder_remove();
}

static void watch_these(const char *a, const char *b)
{
	watch_begin(w);
	watch_add(w, folder_at(a), WATCHED_LIST);
	if (b)
		watch_add(w, folder_at(b), WATCHED_LIST);
	watch_end(w);
	watch_mark(w, WATCHED_LIST);
}

/* after lets that much time pass, and looks. */
static unsigned after(uint64_t ms)
{
	now += ms;
	return watch_look(w, now);
}

/* soon: events that have come have been quiet for long enough. */
static unsigned soon(void)
{
	unsigned news = after(0);

	return news | after(WATCH_QUIET_MS);
}

static int open_to_write(const char *name, int flags)
{
	int fd = open(folder_at(name), O_WRONLY | flags, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* changed: that it is another is told within a moment, and once it has been
 * marked not again. */
static void changed(const char *how)
{
	folder_shell(how);
	if (soon() != WATCHED_LIST)
		fail_msg("no news by: %s", how);
	assert_string_equal(watch_changed(w), folder_at("list"));
	watch_mark(w, WATCHED_LIST);
	assert_null(watch_changed(w));
	if (soon() != 0 || after(WATCH_LOOK_MS) != 0)
		fail_msg("news twice by: %s", how);
}

static void unchanged(const char *how)
{
	folder_shell(how);
	if (soon() != 0 || after(WATCH_LOOK_MS) != 0 ||
	    after(WATCH_LOOK_MS) != 0 || after(WATCH_LOOK_MS) != 0)
		fail_msg("news by: %s", how);
}

static void tells_of_a_file_that_is_written_or_replaced(void **state)
{
	(void)state;
	watch_these("list", NULL);
	assert_int_equal(soon(), 0);
	changed("echo three >list");
	changed("echo four >>list");
	changed("echo five >new && mv new list");
	changed("rm list && echo six >list");
	changed("cp -p other new && mv new list");
	changed("ln -f other list");
	changed("echo seven >twin; ln twin third; rm list; ln third list");
	/* content and time as they were, but written */
	changed("echo one >list && touch -d @1000000000 list");
	changed("echo six >list && touch -d @1000000000 list");
}

static void tells_nothing_where_nothing_has_changed(void **state)
{
	(void)state;
	watch_these("list", NULL);
	unchanged("cat list >/dev/null; echo x >stranger; echo y >other");
	unchanged("mkdir d; mv stranger d; rm -r d");
}

static void waits_until_it_has_been_quiet(void **state)
{
	(void)state;
	watch_these("list", NULL);
	folder_shell("echo three >list");
	assert_int_equal(after(0), 0);
	assert_int_equal(watch_wait_ms(w, now), WATCH_QUIET_MS);
	assert_int_equal(after(WATCH_QUIET_MS - 1), 0);
	folder_shell("echo four >list");
	assert_int_equal(after(1), 0);
	assert_int_equal(after(WATCH_QUIET_MS - 1), 0);
	assert_int_equal(after(1), WATCHED_LIST);
}

static void waits_no_longer_than_that(void **state)
{
	uint64_t waited = 0;
	unsigned news = 0;

	(void)state;
	watch_these("list", NULL);
	folder_shell("echo three >list");
	while (news == 0 && waited <= 2 * WATCH_LONGEST_MS) {
		folder_shell("echo x >stranger");
		waited += 200;
		news = after(200);
	}
	assert_int_equal(news, WATCHED_LIST);
	assert_in_range(waited, WATCH_LONGEST_MS, WATCH_LONGEST_MS + 400);
}

static void waits_for_who_writes_to_end(void **state)
{
	int fd;

	(void)state;
	watch_these("list", "other");
	fd = open_to_write("list", O_TRUNC);
	assert_int_equal(write(fd, "ha", 2), 2);
	assert_int_equal(soon(), 0);
	/* nor is another one opened now, since all are */
	folder_shell("echo three >other");
	assert_int_equal(soon(), 0);
	assert_int_equal(write(fd, "lf", 2), 2);
	assert_int_equal(after(WATCH_LOOK_MS), 0);
	close(fd);
	assert_int_equal(soon(), WATCHED_LIST);
}

static void waits_for_a_new_file_to_be_whole(void **state)
{
	int fd;

	(void)state;
	watch_these("list", NULL);
	folder_shell("rm list");
	fd = open_to_write("list", O_CREAT | O_EXCL);
	assert_int_equal(write(fd, "ha", 2), 2);
	assert_int_equal(soon(), 0);
	assert_int_equal(write(fd, "lf", 2), 2);
	assert_int_equal(soon(), 0);
	close(fd);
	assert_int_equal(soon(), WATCHED_LIST);
}

static void takes_what_nobody_closes_once_it_is_still(void **state)
{
	int fd;

	(void)state;
	watch_these("list", NULL);
	fd = open_to_write("list", O_APPEND);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(after(WATCH_LOOK_MS), 0);
	assert_int_equal(write(fd, "y", 1), 1);
	assert_int_equal(after(WATCH_LOOK_MS), 0);
	assert_int_equal(after(WATCH_LOOK_MS), 0);
	assert_int_equal(after(WATCH_LOOK_MS), WATCHED_LIST);
	close(fd);
}

static void follows_links(void **state)
{
	(void)state;
	folder_shell("mkdir one two three; echo a >one/l; echo bb >two/l; "
		"ln -s one data; ln -s data/l list2; mv list2 list");
	watch_these("list", NULL);
	assert_int_equal(soon(), 0);
	changed("echo c >one/l");                       /* where it leads to */
	changed("ln -s two data2 && mv -T data2 data"); /* in the middle */
	changed("echo dd >two/l");
	changed("ln -sf one/l list");                   /* the link itself */
	changed("rm list && ln -s two/l list");
	changed("rm list && ln -s one/l list");
	changed("echo ee >one/new && mv one/new one/l");
	unchanged("echo fff >two/l");
}

static void finds_folders_that_were_replaced(void **state)
{
	(void)state;
	folder_shell("mkdir d new; mv list d/list; echo x >new/list; ln -s d/list "
		"list");
	watch_begin(w);
	watch_add(w, folder_at("d/list"), WATCHED_LIST);
	watch_end(w);
	watch_mark(w, WATCHED_LIST);
	folder_shell("mv d old && mv new d");
	assert_int_equal(soon(), WATCHED_LIST);
	watch_mark(w, WATCHED_LIST);
	folder_shell("echo y >d/list"); /* it is watched */
	assert_int_equal(soon(), WATCHED_LIST);
	watch_mark(w, WATCHED_LIST);
	folder_shell("rm -r d");
	assert_int_equal(soon(), 0);
	folder_shell("mkdir d; echo z >d/list");
	assert_int_equal(after(WATCH_LOOK_MS), WATCHED_LIST);
	watch_mark(w, WATCHED_LIST);
	folder_shell("echo yy >d/list");
	assert_int_equal(soon(), WATCHED_LIST);
}

static void keeps_what_vanishes(void **state)
{
	(void)state;
	watch_these("list", "other");
	unchanged("mv list away");
	folder_shell("echo x >other");
	assert_int_equal(soon(), WATCHED_LIST);
	assert_string_equal(watch_changed(w), folder_at("other"));
	folder_shell("echo back >list");
	assert_int_equal(soon(), WATCHED_LIST);
}

static void takes_one_that_appears(void **state)
{
	int fd;

	(void)state;
	watch_these("later", NULL);
	assert_int_equal(soon(), 0);
	fd = open_to_write("later", O_CREAT);
	assert_int_equal(soon(), 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(soon(), 0);
	close(fd);
	assert_int_equal(soon(), WATCHED_LIST);
}

static void tells_lists_and_the_configuration_apart(void **state)
{
	(void)state;
	watch_begin(w);
	watch_add(w, folder_at("list"), WATCHED_LIST);
	watch_add(w, folder_at("config"), WATCHED_CONFIG);
	watch_add(w, folder_at("other"), WATCHED_LIST);
	watch_add(w, folder_at("other"), WATCHED_CONFIG);
	watch_end(w);
	watch_mark(w, WATCHED_LIST);
	watch_mark(w, WATCHED_CONFIG);
	folder_shell("echo x >config");
	assert_int_equal(soon(), WATCHED_CONFIG);
	folder_shell("echo x >list");
	assert_int_equal(soon(), WATCHED_CONFIG | WATCHED_LIST);
	watch_mark(w, WATCHED_LIST);
	assert_int_equal(after(WATCH_LOOK_MS), WATCHED_CONFIG);
	watch_mark(w, WATCHED_CONFIG);
	assert_int_equal(after(WATCH_LOOK_MS), 0);
	folder_shell("echo both >other");
	assert_int_equal(soon(), WATCHED_CONFIG | WATCHED_LIST);
}

static void knows_what_is_in_use_from_one_set_to_the_next(void **state)
{
	(void)state;
	watch_these("list", "other");
	folder_shell("echo x >list");
	watch_begin(w);
	watch_add(w, folder_at("list"), WATCHED_LIST);
	watch_end(w);
	assert_int_equal(soon(), WATCHED_LIST);
	watch_mark(w, WATCHED_LIST);
	folder_shell("echo x >other");
	assert_int_equal(soon(), 0);
	watch_begin(w);
	watch_end(w);
	assert_int_equal(watch_wait_ms(w, now), -1);
	folder_shell("echo y >list");
	assert_int_equal(soon(), 0);
}

static void watches_so_many_folders_and_looks_at_the_rest(void **state)
{
	char name[32];

	(void)state;
	folder_shell("for i in $(seq 1 300); do mkdir $i; echo $i >$i/list; done");
	watch_begin(w);
	for (int i = 1; i <= 300; i++) {
		snprintf(name, sizeof(name), "%d/list", i);
		watch_add(w, folder_at(name), WATCHED_LIST);
	}
	watch_end(w);
	watch_mark(w, WATCHED_LIST);
	assert_int_equal(soon(), 0);
	assert_int_equal(watch_wait_ms(w, now) > WATCH_QUIET_MS, 1);
	folder_shell("echo x >3/list");
	assert_int_equal(soon(), WATCHED_LIST);
	watch_mark(w, WATCHED_LIST);
	folder_shell("echo x >300/list");
	assert_int_equal(soon(), 0);
	assert_int_equal(after(WATCH_LOOK_MS), 0);
	assert_int_equal(after(WATCH_LOOK_MS), 0);
	assert_int_equal(after(WATCH_LOOK_MS), WATCHED_LIST);
	watch_mark(w, WATCHED_LIST);
	folder_shell("echo y >300/new && mv 300/new 300/list"); /* who knows */
	assert_int_equal(after(WATCH_LOOK_MS), 0);
	assert_int_equal(after(WATCH_LOOK_MS), 0);
	assert_int_equal(after(WATCH_LOOK_MS), WATCHED_LIST);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(tells_of_a_file_that_is_written_or_replaced),
		TEST(tells_nothing_where_nothing_has_changed),
		TEST(waits_until_it_has_been_quiet),
		TEST(waits_no_longer_than_that),
		TEST(waits_for_who_writes_to_end),
		TEST(waits_for_a_new_file_to_be_whole),
		TEST(takes_what_nobody_closes_once_it_is_still),
		TEST(follows_links),
		TEST(finds_folders_that_were_replaced),
		TEST(keeps_what_vanishes),
		TEST(takes_one_that_appears),
		TEST(tells_lists_and_the_configuration_apart),
		TEST(knows_what_is_in_use_from_one_set_to_the_next),
		TEST(watches_so_many_folders_and_looks_at_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
