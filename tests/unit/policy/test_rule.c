#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/bits.h"
#include "policy/rule.h"
#include "tests/support/policies.h"

static char err[400];
static struct terms terms;

static const char *const post[] = {"POST"};
static const char *const ann[] = {"ann"};

static int clear_terms(void **state)
{
	(void)state;
	roster_clear(&terms.categories);
	people_clear(&terms.people);
	catalog_builder_free(terms.hosts);
	terms = (struct terms){.num_hosts = 0};
	return 0;
}

static struct rule make(enum rule_kind kind, const struct rule_spec *spec)
{
	struct rule rule;

	if (rule_init(&rule, kind, spec, &terms, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return rule;
}

/* What facts come to by a host that is in these sets of hosts. */
static struct known known_of(const struct facts *facts, const uint64_t *hosts)
{
	static const uint64_t none[1];

	return (struct known){.facts = facts,
		.host = facts->host,
		.categories = none,
		.perhaps = none,
		.hosts = hosts ? hosts : none,
		.person = people_find(&terms.people, facts->user)};
}

static bool matches(
	const struct rule *rule, const struct facts *facts, struct reason *why)
{
	struct known known = known_of(facts, NULL);

	*why = (struct reason){.part = PART_NOT, .criterion = CRITERIA};
	return rule_matches(rule, &known, NULL, why);
}

static void no_criteria_match_all(void **state)
{
	struct rule rule = make(
		RULE_SSL, &(struct rule_spec){.name = "all", .enabled = true});
	struct reason why;

	(void)state;
	assert_true(matches(&rule, &(struct facts){.host = "a.test"}, &why));
	assert_string_equal(rule.file, ""); /* none was given */
	rule_clear(&rule);
}

static void a_disabled_rule_does_not(void **state)
{
	struct rule rule = make(RULE_SSL,
		&(struct rule_spec){.name = "off", .file = "f", .line = 7});
	struct reason why = {.part = PART_NOT};

	(void)state;
	assert_false(matches(&rule, &(struct facts){.host = "a.test"}, &why));
	assert_int_equal(why.part, PART_ENABLED);
	assert_string_equal(rule.file, "f");
	assert_int_equal(rule.line, 7);
	rule_clear(&rule);
}

static void match_and_not(void **state)
{
	static const struct port_range low = {1, 1023}, https = {443, 443};
	struct rule rule = make(RULE_SSL,
		&(struct rule_spec){.name = "low",
			.enabled = true,
			.match = {.ports = &low, .num_ports = 1},
			.not = {.ports = &https,
				.num_ports = 1,
				.users = ann,
				.num_users = 1}});
	struct reason why;

	(void)state;
	assert_true(matches(&rule, &(struct facts){.port = 80}, &why));
	assert_false(matches(&rule, &(struct facts){.port = 8080}, &why));
	assert_int_equal(why.part, PART_MATCH);
	assert_int_equal(why.criterion, CRITERION_PORTS);
	assert_int_equal(why.truth, TRUTH_FAILS);
	/* one of not is enough */
	assert_false(matches(&rule, &(struct facts){.port = 443}, &why));
	assert_int_equal(why.part, PART_NOT);
	assert_int_equal(why.criterion, CRITERION_PORTS);
	assert_int_equal(why.truth, TRUTH_HOLDS);
	assert_false(matches(
		&rule, &(struct facts){.port = 80, .user = "ann"}, &why));
	assert_int_equal(why.criterion, CRITERION_USERS);
	rule_clear(&rule);
}

/* Deny by default: who blocks does so where it is not known that he must not. */
static void the_unknown_in_not(void **state)
{
	static const struct {
		enum rule_kind kind;
		enum action action;
		enum url_action url;
		bool matches;
	} rows[] = {
		{RULE_SSL, ACTION_BLOCK, URL_ALLOW, true},
		{RULE_SSL, ACTION_INSPECT, URL_BLOCK, false},
		{RULE_SSL, ACTION_DO_NOT_INSPECT, URL_BLOCK, false},
		{RULE_URL, ACTION_INSPECT, URL_BLOCK, true},
		{RULE_URL, ACTION_INSPECT, URL_ISOLATE, true},
		{RULE_URL, ACTION_BLOCK, URL_ALLOW, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rule rule = make(rows[i].kind,
			&(struct rule_spec){.name = "r",
				.enabled = true,
				.not = {.sources = networks_of("10.0.0.0/8")},
				.options = {.action = rows[i].action},
				.url = {.action = rows[i].url}});
		struct facts facts = {.host = "a.test"};
		struct reason why;

		assert_int_equal(matches(&rule, &facts, &why), rows[i].matches);
		if (!rows[i].matches)
			assert_int_equal(why.truth, TRUTH_UNKNOWN);
		rule_clear(&rule);
	}
}

/* Criteria of match that ask for what is not known do not hold, whoever asks. */
static void the_unknown_in_match(void **state)
{
	(void)state;
	for (unsigned action = URL_ALLOW; action <= URL_BLOCK; action++) {
		struct rule rule = make(RULE_URL,
			&(struct rule_spec){.name = "r",
				.enabled = true,
				.match = {.methods = post, .num_methods = 1},
				.url = {.action = (enum url_action)action}});
		struct facts facts = {.host = "a.test"};
		struct reason why;

		assert_false(matches(&rule, &facts, &why));
		assert_int_equal(why.part, PART_MATCH);
		assert_int_equal(why.truth, TRUTH_UNKNOWN);
		rule_clear(&rule);
	}
}

static bool by_both(const struct rule *rule, const uint64_t *of_name,
	const uint64_t *of_address)
{
	struct facts facts = {.host = "a.test", .address = "192.0.2.1"};
	struct known name = known_of(&facts, of_name);
	struct known address = known_of(&facts, of_address);
	struct reason why;

	return rule_matches(rule, &name, &address, &why);
}

/* Whoever names another host still goes to that address. */
static void who_blocks_does_so_by_the_address_too(void **state)
{
	static const char *const host[] = {"192.0.2.1"};
	struct rule_spec spec = {.name = "r",
		.enabled = true,
		.match = {.hosts = host, .num_hosts = 1}};
	uint64_t in[1], out[1] = {0};
	struct rule rule;

	(void)state;
	in[0] = ~UINT64_C(0);
	for (unsigned action = 0; action <= ACTION_BLOCK; action++) {
		spec.options.action = (enum action)action;
		rule = make(RULE_SSL, &spec);
		assert_true(by_both(&rule, in, out));
		assert_int_equal(
			by_both(&rule, out, in), action == ACTION_BLOCK);
		assert_false(by_both(&rule, out, out));
		rule_clear(&rule);
	}
	/* all but a host: what names none to be blocked goes by the name */
	spec.not = spec.match;
	spec.match.num_hosts = 0;
	rule = make(RULE_SSL, &spec);
	assert_false(by_both(&rule, in, out));
	assert_true(by_both(&rule, out, in));
	assert_false(by_both(&rule, in, in));
	rule_clear(&rule);
	/* URL rules go by URLs alone */
	spec.url.action = URL_BLOCK;
	rule = make(RULE_URL, &spec);
	assert_false(by_both(&rule, in, out));
	rule_clear(&rule);
}

static void refuse(
	enum rule_kind kind, const struct rule_spec *spec, const char *why)
{
	struct rule rule;

	err[0] = '\0';
	assert_true(rule_init(&rule, kind, spec, &terms, err, sizeof(err)) < 0);
	assert_string_equal(err, why);
}

static void what_makes_no_rule(void **state)
{
	static const char *const nobody[] = {"nobody"};
	struct netset *kept = networks_of("10.0.0.0/8");
	char name[RULE_NAME_SIZE + 1] = "";
	struct rule rule;

	(void)state;
	refuse(RULE_SSL, &(struct rule_spec){.name = ""},
		"a rule's name has 1 to 63 bytes, not 0");
	memset(name, 'n', RULE_NAME_SIZE);
	refuse(RULE_SSL, &(struct rule_spec){.name = name},
		"a rule's name has 1 to 63 bytes, not 64");
	refuse(RULE_SSL,
		&(struct rule_spec){.name = "r",
			.match = {.sources = kept},
			.not = {.categories = nobody, .num_categories = 1}},
		"rule \"r\": there is no category \"nobody\"");
	refuse(RULE_SSL,
		&(struct rule_spec){.name = "r",
			.match = {.sources = kept,
				.methods = post,
				.num_methods = 1}},
		"rule \"r\": methods can't be asked for: not known when SSL "
		"rules decide");
	refuse(RULE_SSL,
		&(struct rule_spec){.name = "r",
			.match = {.sources = kept},
			.not = {.certificates = 1 << CERTIFICATE_TRUSTED}},
		"rule \"r\": certificate can't be asked for: not known when "
		"SSL rules decide");
	netset_free(kept); /* was never taken */
	name[RULE_NAME_SIZE - 1] = '\0';
	rule = make(RULE_URL, &(struct rule_spec){.name = name});
	assert_string_equal(rule.name, name);
	rule_clear(&rule);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_criteria_match_all),
		cmocka_unit_test(a_disabled_rule_does_not),
		cmocka_unit_test(match_and_not),
		cmocka_unit_test(the_unknown_in_not),
		cmocka_unit_test(the_unknown_in_match),
		cmocka_unit_test(who_blocks_does_so_by_the_address_too),
		cmocka_unit_test(what_makes_no_rule),
	};

	return cmocka_run_group_tests(tests, NULL, clear_terms);
}
