#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/report/rulebook.h"

static struct rulebook *book;
static struct rule_counts *one, *other;

static int set_up(void **state)
{
	(void)state;
	book = rulebook_new();
	one = rule_counts_new(book);
	other = rule_counts_new(book);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rule_counts_free(one);
	rule_counts_free(other);
	rulebook_free(book);
	return 0;
}

/* decided is how often; 0 where there is no such line, either. */
static uint64_t decided(enum rule_list list, const char *name,
	const char *action)
{
	size_t num;
	struct rulebook_line *lines = rulebook_read(book, &num);
	uint64_t found = 0;

	for (size_t i = 0; i < num; i++) {
		if (lines[i].list == list && strcmp(lines[i].name, name) == 0 &&
		    strcmp(lines[i].action, action) == 0)
			found += lines[i].decided;
	}
	free(lines);
	return found;
}

static void workers_are_added_up(void **state)
{
	(void)state;
	rule_counts_add(one, RULES_SSL, "Banks", "block");
	rule_counts_add(one, RULES_SSL, "Banks", "block");
	rule_counts_add(other, RULES_SSL, "Banks", "block");
	rule_counts_add(NULL, RULES_SSL, "Banks", "block");
	assert_int_equal(decided(RULES_SSL, "Banks", "block"), 3);
}

static void alike_is_what_has_all_in_common(void **state)
{
	(void)state;
	rule_counts_add(one, RULES_SSL, "Banks", "block");
	rule_counts_add(one, RULES_URL, "Banks", "block");
	rule_counts_add(one, RULES_URL, "Banks", "block");
	rule_counts_add(one, RULES_SSL, "Banks", "inspect");
	rule_counts_add(one, RULES_SSL, "Bank", "inspect");
	assert_int_equal(decided(RULES_SSL, "Banks", "block"), 1);
	assert_int_equal(decided(RULES_URL, "Banks", "block"), 2);
	assert_int_equal(decided(RULES_SSL, "Banks", "inspect"), 1);
	assert_int_equal(decided(RULES_SSL, "Bank", "inspect"), 1);
}

static void the_longest_name(void **state)
{
	char name[RULEBOOK_NAME];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	rule_counts_add(one, RULES_URL, name, "allow");
	rule_counts_add(one, RULES_URL, name, "allow");
	assert_int_equal(decided(RULES_URL, name, "allow"), 2);
}

static void the_book_is_bounded(void **state)
{
	char name[RULEBOOK_NAME];
	size_t num, all = 0;
	struct rulebook_line *lines;

	(void)state;
	for (unsigned i = 0; i < RULEBOOK_MAX + 100; i++) {
		snprintf(name, sizeof(name), "Rule %u", i);
		rule_counts_add(one, RULES_SSL, name, "inspect");
		rule_counts_add(one, RULES_SSL, name, "inspect");
	}
	rule_counts_add(one, RULES_SSL, "One more", "block");
	assert_int_equal(decided(RULES_SSL, "Rule 7", "inspect"), 2);
	assert_true(decided(RULES_SSL, "(others)", "inspect") >= 200);
	assert_int_equal(decided(RULES_SSL, "(others)", "block"), 1);
	lines = rulebook_read(book, &num);
	assert_true(num <= RULEBOOK_MAX);
	for (size_t i = 0; i < num; i++)
		all += lines[i].decided;
	free(lines);
	assert_int_equal(all, 2 * (RULEBOOK_MAX + 100) + 1);
}

/* --- read while it is written ------------------------------------------- */

enum { TIMES = 20000 };

static void *decide(void *arg)
{
	char name[RULEBOOK_NAME];

	for (unsigned i = 0; i < TIMES; i++) {
		snprintf(name, sizeof(name), "Rule %u", i % 50);
		rule_counts_add(arg, RULES_URL, name, "allow");
	}
	return NULL;
}

static uint64_t all(void)
{
	size_t num;
	struct rulebook_line *lines = rulebook_read(book, &num);
	uint64_t sum = 0;

	for (size_t i = 0; i < num; i++)
		sum += lines[i].decided;
	free(lines);
	return sum;
}

static void nothing_is_lost_or_goes_back(void **state)
{
	uint64_t before = 0, now;
	pthread_t a, b;

	(void)state;
	assert_int_equal(pthread_create(&a, NULL, decide, one), 0);
	assert_int_equal(pthread_create(&b, NULL, decide, other), 0);
	for (unsigned i = 0; i < 200; i++) {
		now = all();
		assert_true(now >= before);
		before = now;
	}
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	assert_int_equal(all(), 2 * TIMES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(workers_are_added_up, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(alike_is_what_has_all_in_common,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_longest_name, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(the_book_is_bounded, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_lost_or_goes_back,
			set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
