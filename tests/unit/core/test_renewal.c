#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/core/handover.h"
#include "proxy/core/renewal.h"
#include "tests/support/folder.h"

/* A configuration that names a list, in a folder of each test's own. */
static char path[128];
static struct renewal renewal;
static struct handover handover;
static uint64_t now;

static void write_config(const char *watch)
{
	char line[512];

	snprintf(line, sizeof(line), "printf 'reload: {watch: %s}\\nstate: "
		"%s/s\\ncategories: {c: {file: list}}\\n' >config", watch,
		folder);
	folder_shell(line);
}

static int set_up(void **state)
{
	(void)state;
	folder_make("renewal");
	snprintf(path, sizeof(path), "%s/config", folder);
	memset(&handover, 0, sizeof(handover));
	now = watch_now();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	renewal_clear(&renewal);
	handover_clear(&handover);
	return folder_remove();
}

/* begin is a start, up to a worker that is ready. */
static void begin(const char *watch)
{
	folder_shell("echo a.test >list");
	write_config(watch);
	renewal_init(&renewal, path);
	assert_int_equal(handover_load(&handover, path), 0);
	renewal_watch(&renewal, &handover);
	renewal_hand(&renewal);
	renewal_done(&renewal, now);
}

static unsigned soon(void)
{
	unsigned what = renewal_next(&renewal, now);

	now += WATCH_QUIET_MS;
	return what | renewal_next(&renewal, now);
}

static void waits_while_the_worker_is_at_one(void **state)
{
	(void)state;
	begin("lists");
	assert_int_equal(soon(), 0);
	renewal_want(&renewal);
	renewal_want(&renewal);
	assert_int_equal(soon(), WATCHED_CONFIG);
	assert_int_equal(soon(), 0);
	renewal_hand(&renewal);
	renewal_ask(&renewal, now);
	renewal_want(&renewal);
	folder_shell("echo b.test >list");
	assert_int_equal(soon(), 0);
	renewal_done(&renewal, now);
	/* both are one */
	assert_int_equal(renewal_next(&renewal, now), WATCHED_CONFIG);
	renewal_hand(&renewal);
	renewal_done(&renewal, now);
	assert_int_equal(soon(), 0);
}

static void misses_nothing_meanwhile(void **state)
{
	(void)state;
	begin("lists");
	folder_shell("echo b.test >list");
	assert_int_equal(soon(), WATCHED_LIST);
	renewal_hand(&renewal);
	renewal_ask(&renewal, now);
	folder_shell("echo c.test >list");
	assert_int_equal(soon(), 0);
	assert_int_equal(soon(), 0);
	renewal_done(&renewal, now);
	assert_int_equal(renewal_wait_ms(&renewal, now), WATCH_QUIET_MS);
	assert_int_equal(soon(), WATCHED_LIST);
}

static void heeds_what_is_to_be_watched(void **state)
{
	static const struct {
		const char *watch;
		unsigned list, config;
	} cases[] = {
		{"lists", WATCHED_LIST, 0},
		{"all", WATCHED_LIST, WATCHED_CONFIG},
		{"none", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(cases[i].watch);
		folder_shell("echo b.test >list");
		assert_int_equal(soon(), cases[i].list);
		renewal_hand(&renewal);
		renewal_done(&renewal, now);
		folder_shell("echo >>config");
		assert_int_equal(soon(), cases[i].config);
		renewal_reread(&renewal);
		assert_int_equal(soon(), 0);
		renewal_clear(&renewal);
		handover_clear(&handover);
	}
	begin("none");
	assert_int_equal(renewal_wait_ms(&renewal, now), -1);
}

/* Also what changes between the reading of the configuration and the watching of
 * what it names. */
static void sees_what_changes_while_it_starts(void **state)
{
	(void)state;
	folder_shell("echo a.test >list");
	write_config("all");
	renewal_init(&renewal, path);
	assert_int_equal(handover_load(&handover, path), 0);
	folder_shell("echo >>config");
	renewal_watch(&renewal, &handover);
	renewal_hand(&renewal);
	folder_shell("echo b.test >list");
	renewal_done(&renewal, now);
	assert_int_equal(soon(), WATCHED_LIST | WATCHED_CONFIG);
}

static void expects_it_in_time(void **state)
{
	(void)state;
	begin("none");
	renewal_hand(&renewal); /* a start may take its time */
	renewal_want(&renewal);
	assert_int_equal(renewal_next(&renewal, now), 0);
	assert_false(renewal_is_late(&renewal, now + 100 * RENEWAL_MAX_MS));
	renewal_done(&renewal, now);
	assert_int_equal(renewal_next(&renewal, now), WATCHED_CONFIG);
	renewal_hand(&renewal);
	renewal_ask(&renewal, now);
	/* while nothing waits for it, so may a reload */
	assert_int_equal(renewal_next(&renewal, now), 0);
	assert_int_equal(renewal_wait_ms(&renewal, now), -1);
	assert_false(renewal_is_late(&renewal, now + RENEWAL_MAX_MS));
	renewal_want(&renewal);
	assert_int_equal(renewal_next(&renewal, now), 0);
	assert_int_equal(renewal_wait_ms(&renewal, now + 1000),
		RENEWAL_MAX_MS - 1000);
	assert_false(renewal_is_late(&renewal, now + RENEWAL_MAX_MS - 1));
	assert_int_equal(renewal_wait_ms(&renewal, now + RENEWAL_MAX_MS), 0);
	assert_true(renewal_is_late(&renewal, now + RENEWAL_MAX_MS));
	assert_false(renewal_is_late(&renewal, now + RENEWAL_MAX_MS));
	renewal_ask(&renewal, now);
	renewal_done(&renewal, now);
	assert_false(renewal_is_late(&renewal, now + RENEWAL_MAX_MS));
}

static void expects_it_where_a_list_waits(void **state)
{
	(void)state;
	begin("lists");
	renewal_hand(&renewal);
	renewal_ask(&renewal, now);
	folder_shell("echo b.test >list");
	assert_int_equal(soon(), 0);
	assert_true(renewal_is_late(&renewal, now + RENEWAL_MAX_MS));
}

static void does_without_a_file(void **state)
{
	(void)state;
	renewal_init(&renewal, NULL);
	assert_int_equal(handover_load(&handover, NULL), 0);
	renewal_watch(&renewal, &handover);
	assert_int_equal(renewal_wait_ms(&renewal, now), -1);
	renewal_want(&renewal);
	assert_int_equal(soon(), WATCHED_CONFIG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(waits_while_the_worker_is_at_one),
		TEST(misses_nothing_meanwhile),
		TEST(heeds_what_is_to_be_watched),
		TEST(sees_what_changes_while_it_starts),
		TEST(expects_it_in_time),
		TEST(expects_it_where_a_list_waits),
		TEST(does_without_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
