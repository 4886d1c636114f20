#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/domains.h"
#include "policy/policy.h"
#include "policy/shortlist.h"

static char err[300];

static struct domains *set_of(const char *const *entries, size_t num)
{
	struct domains *domains = domains_new();

	for (size_t i = 0; i < num; i++)
		assert_int_equal(
			domains_add(domains, entries[i], err, sizeof(err)), 0);
	domains_seal(domains);
	return domains;
}

static void add(struct shortlist *list, unsigned rule,
	const struct domains *set)
{
	assert_true(shortlist_add(list, rule, &set, set ? 1 : 0));
}

/* The rules on the list for host, as "0 3 7". */
static const char *rules_for(const struct shortlist *list, const char *host,
	const char *address)
{
	static char text[200];
	struct shortlist_search search;
	size_t len = 0;
	unsigned rule;

	text[0] = '\0';
	shortlist_begin(list, host, address, &search);
	while (shortlist_next(&search, &rule))
		len += (size_t)snprintf(text + len, sizeof(text) - len,
			len ? " %u" : "%u", rule);
	return text;
}

static void who_is_on_it(void **state)
{
	static const char *const a[] = {"www.example.com", ".example.org"};
	static const char *const b[] = {".com", "10.0.0.1"};
	struct domains *first = set_of(a, 2), *second = set_of(b, 2);
	struct shortlist *list = shortlist_new();

	(void)state;
	assert_string_equal(rules_for(list, "example.com", NULL), "");
	add(list, 0, first);
	add(list, 1, NULL);
	add(list, 2, second);
	add(list, 3, first);
	add(list, 4, NULL);
	assert_string_equal(rules_for(list, "example.net", NULL), "1 4");
	assert_string_equal(rules_for(list, "www.example.com", NULL),
		"0 1 2 3 4");
	assert_string_equal(rules_for(list, "example.com", NULL), "1 2 4");
	assert_string_equal(rules_for(list, "com", NULL), "1 2 4");
	assert_string_equal(rules_for(list, "xcom", NULL), "1 4");
	assert_string_equal(rules_for(list, "example.org", NULL), "0 1 3 4");
	assert_string_equal(rules_for(list, "a.b.example.org", NULL),
		"0 1 3 4");
	assert_string_equal(rules_for(list, "badexample.org", NULL), "1 4");
	assert_string_equal(rules_for(list, "example.net", "10.0.0.1"),
		"1 2 4");
	assert_string_equal(rules_for(list, "", NULL), "1 4");
	shortlist_free(list);
	domains_free(first);
	domains_free(second);
}

static void more_than_it_holds(void **state)
{
	static const char *const entry[] = {"example.com"};
	struct domains *set = set_of(entry, 1);
	struct shortlist *list = shortlist_new();
	struct shortlist_search search;
	unsigned rule, num = 0;

	(void)state;
	for (unsigned i = 0; i < 2 * SHORTLIST_MAX; i++)
		add(list, i, i % 3 ? set : NULL);
	shortlist_begin(list, "example.com", NULL, &search);
	while (shortlist_next(&search, &rule))
		assert_int_equal(rule, num++);
	assert_int_equal(num, 2 * SHORTLIST_MAX);
	shortlist_free(list);
	domains_free(set);
}

/* --- held against asking every rule ------------------------------------- */

enum { RULES = 60, CATEGORIES = 12, HOSTS = 3000 };

struct plain_rule {
	struct domains *hosts; /* NULL: not given */
	int category;          /* -1: not given */
	enum action action;
};

enum { NAME_SIZE = 100 };

static void add_label(char name[NAME_SIZE], const char *label)
{
	size_t len = strlen(name);

	snprintf(name + len, NAME_SIZE - len, "%s", label);
}

/* Few labels, so that much matches. */
static const char *random_name(bool domain)
{
	static const char *const labels[] = {"a", "b", "c", "d", "e", "f",
		"www", "example"};
	static char name[NAME_SIZE];
	int num = 1 + rand() % 2;

	snprintf(name, sizeof(name), "%s", domain ? "." : "");
	for (int i = 0; i < num; i++) {
		add_label(name, labels[rand() % 8]);
		add_label(name, ".");
	}
	add_label(name, rand() % 2 ? "com" : "test");
	return name;
}

static struct domains *random_set(unsigned seed)
{
	struct domains *domains = domains_new();

	srand(seed);
	for (int i = rand() % 4; i >= 0; i--)
		assert_int_equal(domains_add(domains, random_name(rand() % 3 == 0),
			err, sizeof(err)), 0);
	domains_seal(domains);
	return domains;
}

static bool meets(const struct plain_rule *rule,
	struct domains *const *categories, const char *host)
{
	return (!rule->hosts || domains_match(rule->hosts, host)) &&
		(rule->category < 0 ||
			domains_match(categories[rule->category], host));
}

static int first_of(const struct plain_rule *rules,
	struct domains *const *categories, const char *host,
	const char *address)
{
	for (int i = 0; i < RULES; i++)
		if (meets(&rules[i], categories, host) ||
			(rules[i].action == ACTION_BLOCK && address &&
				meets(&rules[i], categories, address)))
			return i;
	return -1;
}

static void add_random_rule(struct policy *policy, struct plain_rule *out,
	unsigned i)
{
	char name[20], category[20];
	const char *categories[] = {category};
	struct rule_spec spec = {.name = name, .enabled = true};

	srand(i);
	*out = (struct plain_rule){.category = -1,
		.action = rand() % 2 ? ACTION_BLOCK : ACTION_DO_NOT_INSPECT};
	if (rand() % 3) {
		out->hosts = random_set(1000 + i);
		spec.hosts = random_set(1000 + i);
	}
	if (!out->hosts || rand() % 3 == 0) {
		out->category = rand() % CATEGORIES;
		spec.categories = categories;
		spec.num_categories = 1;
	}
	snprintf(name, sizeof(name), "%u", i);
	snprintf(category, sizeof(category), "c%d", out->category);
	spec.options.action = out->action;
	assert_int_equal(policy_add_rule(policy, &spec, err, sizeof(err)), 0);
}

static void decides_as_every_rule_would(void **state)
{
	struct domains *categories[CATEGORIES];
	struct plain_rule rules[RULES];
	struct policy *policy = policy_new();
	unsigned hits = 0;
	char name[20];

	(void)state;
	for (unsigned i = 0; i < CATEGORIES; i++) {
		categories[i] = random_set(i);
		snprintf(name, sizeof(name), "c%u", i);
		assert_int_equal(policy_add_category(policy, name,
			random_set(i), err, sizeof(err)), 0);
	}
	for (unsigned i = 0; i < RULES; i++)
		add_random_rule(policy, &rules[i], i);
	srand(7);
	for (unsigned i = 0; i < HOSTS; i++) {
		char host[100], address[100];
		struct facts facts = {.host = host, .port = 443};
		struct decision decision;
		int rule;

		snprintf(host, sizeof(host), "%s", random_name(false));
		snprintf(address, sizeof(address), "%s", random_name(false));
		facts.address = rand() % 2 ? address : NULL;
		rule = first_of(rules, categories, host, facts.address);
		policy_decide(policy, &facts, &decision);
		snprintf(name, sizeof(name), "%d", rule);
		assert_string_equal(decision.rule_name,
			rule < 0 ? "default" : name);
		hits += rule >= 0;
	}
	assert_in_range(hits, HOSTS / 10, HOSTS - HOSTS / 10);
	for (unsigned i = 0; i < CATEGORIES; i++)
		domains_free(categories[i]);
	for (unsigned i = 0; i < RULES; i++)
		domains_free(rules[i].hosts);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_on_it),
		cmocka_unit_test(more_than_it_holds),
		cmocka_unit_test(decides_as_every_rule_would),
	};

	return cmocka_run_group_tests_name("shortlist", tests, NULL, NULL);
}
