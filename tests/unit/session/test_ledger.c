#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "proxy/session/ledger.h"

static struct ledger *ledger;

static int set_up(void **state)
{
	(void)state;
	ledger = ledger_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ledger_free(ledger);
	return 0;
}

static void note(const char *ca, const char *site, time_t ends)
{
	struct ledger_line line = {.ends = ends};

	snprintf(line.ca, sizeof(line.ca), "%s", ca);
	snprintf(line.site, sizeof(line.site), "%s", site);
	line.entry.serial_len = 1;
	ledger_note(ledger, &line);
}

static void gives_what_was_noted(void **state)
{
	struct ledger_line *lines;
	size_t num;

	(void)state;
	note("1", "a.test", 10);
	note("1", "b.test", 20);
	lines = ledger_take(ledger, &num);
	assert_int_equal(num, 2);
	assert_string_equal(lines[0].site, "a.test");
	assert_int_equal(lines[1].ends, 20);
	free(lines);
	ledger_end(ledger);
	lines = ledger_take(ledger, &num);
	assert_int_equal(num, 0);
	free(lines);
}

/* Beyond its room, a CA signed for any site, until the last of them ends. */
static void has_an_end(void **state)
{
	struct ledger_line *lines;
	size_t num;

	(void)state;
	for (int i = 0; i < LEDGER_MAX + 1000; i++)
		note(i % 2 ? "1" : "2", "a.test", i);
	lines = ledger_take(ledger, &num);
	assert_int_equal(num, LEDGER_MAX + 2);
	for (size_t i = LEDGER_MAX; i < num; i++) {
		assert_string_equal(lines[i].site, "");
		assert_int_equal(lines[i].entry.serial_len, 0);
		assert_true(lines[i].ends >= LEDGER_MAX + 998);
	}
	free(lines);
}

static void *settle(void *arg)
{
	ledger_settle(ledger);
	__atomic_store_n((bool *)arg, true, __ATOMIC_SEQ_CST);
	return NULL;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* What is noted must be written, not only taken; what comes later need not. */
static void settles_when_all_is_written(void **state)
{
	struct ledger_line *lines;
	bool settled = false;
	pthread_t thread;
	size_t num;

	(void)state;
	ledger_settle(ledger); /* there is nothing to wait for */
	note("1", "a.test", 10);
	assert_int_equal(pthread_create(&thread, NULL, settle, &settled), 0);
	lines = ledger_take(ledger, &num);
	free(lines);
	pause_ms(50);
	assert_false(__atomic_load_n(&settled, __ATOMIC_SEQ_CST));
	note("1", "b.test", 10);
	ledger_written(ledger);
	assert_int_equal(pthread_join(thread, NULL), 0);
	settled = false;
	assert_int_equal(pthread_create(&thread, NULL, settle, &settled), 0);
	pause_ms(50);
	assert_false(__atomic_load_n(&settled, __ATOMIC_SEQ_CST));
	ledger_end(ledger); /* nobody writes any more */
	assert_int_equal(pthread_join(thread, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gives_what_was_noted, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(has_an_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(settles_when_all_is_written,
			set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
