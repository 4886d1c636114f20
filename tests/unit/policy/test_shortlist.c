#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/bits.h"
#include "policy/criteria.h"
#include "policy/shortlist.h"

enum { WORDS = 5 };

static void add_hosts(struct shortlist *list, unsigned rule, unsigned set)
{
	shortlist_add(list, rule,
		&(struct criteria){
			.given = CRITERION_BIT(CRITERION_HOSTS), .hosts = set});
}

static void add_categories(struct shortlist *list, unsigned rule,
	unsigned *categories, size_t num, unsigned also)
{
	shortlist_add(list, rule,
		&(struct criteria){
			.given = CRITERION_BIT(CRITERION_CATEGORIES) | also,
			.categories = categories,
			.num_categories = num,
			.hosts = 3});
}

/* The rules on the list for who is in one category and one set of hosts; 999:
 * none. As "0 3 7". */
static const char *rules_for(
	const struct shortlist *list, unsigned category, unsigned hosts)
{
	static char text[200];
	uint64_t of_categories[WORDS] = {0}, of_hosts[WORDS] = {0};
	uint64_t rules[WORDS];
	unsigned rule = 0;
	size_t len = 0;

	if (category != 999)
		bits_set(of_categories, category);
	if (hosts != 999)
		bits_set(of_hosts, hosts);
	memset(rules, 0xff, sizeof(rules));
	shortlist_begin(list, rules, WORDS);
	shortlist_find(list, of_categories, WORDS, of_hosts, WORDS, rules);
	text[0] = '\0';
	for (; bits_next(rules, WORDS, &rule); rule++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
			len ? " %u" : "%u", rule);
	return text;
}

static void who_names_a_host_and_who_names_none(void **state)
{
	struct shortlist *list = shortlist_new();
	unsigned some[] = {1, 70};

	(void)state;
	assert_string_equal(rules_for(list, 1, 3), "");
	add_hosts(list, 0, 3);
	shortlist_add(list, 1, &(struct criteria){.given = 0});
	add_categories(list, 2, some, 2, 0);
	add_hosts(list, 3, 100);
	/* in the categories alone is not enough, with hosts given */
	add_categories(list, 4, some, 2, CRITERION_BIT(CRITERION_HOSTS));
	shortlist_add(list, 200,
		&(struct criteria){.given = CRITERION_BIT(CRITERION_PORTS)});
	assert_string_equal(rules_for(list, 999, 999), "1 200");
	assert_string_equal(rules_for(list, 1, 999), "1 2 200");
	assert_string_equal(rules_for(list, 70, 999), "1 2 200");
	assert_string_equal(rules_for(list, 2, 999), "1 200");
	assert_string_equal(rules_for(list, 999, 3), "0 1 4 200");
	assert_string_equal(rules_for(list, 70, 100), "1 2 3 200");
	assert_string_equal(rules_for(list, 5 * 64 - 1, 5 * 64 - 1), "1 200");
	shortlist_free(list);
	shortlist_free(NULL);
}

static void a_category_that_all_rules_name(void **state)
{
	struct shortlist *list = shortlist_new();
	uint64_t category[1] = {1 << 5}, none[1] = {0};
	uint64_t rules[BITS_WORDS(10000)];
	unsigned five[] = {5}, rule = 0, found = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		add_categories(list, i, five, 1, 0);
	shortlist_begin(list, rules, BITS_WORDS(10000));
	shortlist_find(list, category, 1, none, 1, rules);
	for (; bits_next(rules, BITS_WORDS(10000), &rule); rule++)
		assert_int_equal(rule, found++);
	assert_int_equal(found, 10000);
	shortlist_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_names_a_host_and_who_names_none),
		cmocka_unit_test(a_category_that_all_rules_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
