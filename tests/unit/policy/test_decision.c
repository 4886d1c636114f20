#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy.h"

/* From the laxest to the strictest. */
static const struct decision ladder[] = {
	{.options = {.action = ACTION_DO_NOT_INSPECT}},
	{.options = {.action = ACTION_INSPECT, .untrusted = UNTRUSTED_ALLOW}},
	{.options = {.action = ACTION_INSPECT,
		 .untrusted = UNTRUSTED_PASS_THROUGH}},
	{.options = {.action = ACTION_INSPECT, .untrusted = UNTRUSTED_BLOCK}},
	{.options = {.action = ACTION_BLOCK}},
};

enum { RUNGS = sizeof(ladder) / sizeof(ladder[0]) };

static void every_pair(void **state)
{
	(void)state;
	for (size_t i = 0; i < RUNGS; i++)
		for (size_t j = 0; j < RUNGS; j++)
			assert_ptr_equal(
				decision_stricter(&ladder[i], &ladder[j]),
				&ladder[i > j ? i : j]);
}

/* untrusted counts only where there is inspection. */
static void alike(void **state)
{
	struct decision a = {.options = {.action = ACTION_BLOCK,
				     .untrusted = UNTRUSTED_ALLOW}};
	struct decision b = {.options = {.action = ACTION_BLOCK,
				     .untrusted = UNTRUSTED_BLOCK}};

	(void)state;
	assert_ptr_equal(decision_stricter(&a, &b), &a);
	assert_ptr_equal(decision_stricter(&b, &a), &b);
	a.options.action = b.options.action = ACTION_INSPECT;
	a.options.untrusted = b.options.untrusted;
	assert_ptr_equal(decision_stricter(&a, &b), &a);
	assert_ptr_equal(decision_stricter(&b, &a), &b);
}

/* Of two that do the same, the one whose requests are still decided. */
static void url_rules_are_stricter_than_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < RUNGS; i++) {
		struct decision a = ladder[i], b = ladder[i];

		a.options.url_policies = URL_POLICIES_BYPASS;
		assert_ptr_equal(decision_stricter(&a, &b), &b);
		assert_ptr_equal(decision_stricter(&b, &a), &b);
		if (i + 1 == RUNGS)
			break;
		/* ... but the action says more */
		b = ladder[i + 1];
		b.options.url_policies = URL_POLICIES_BYPASS;
		a.options.url_policies = URL_POLICIES_EVALUATE;
		assert_ptr_equal(decision_stricter(&a, &b), &b);
		assert_ptr_equal(decision_stricter(&b, &a), &b);
	}
}

static void every_pair_of_urls(void **state)
{
	static const struct url_decision rungs[] = {
		{.options = {.action = URL_ALLOW}},
		{.options = {.action = URL_ISOLATE}},
		{.options = {.action = URL_BLOCK}},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++) {
			struct url_decision a = rungs[i], b = rungs[j];

			assert_ptr_equal(url_decision_stricter(&a, &b),
				j > i ? &b : &a);
		}
}

static void words(void **state)
{
	(void)state;
	assert_string_equal(
		action_name(ACTION_DO_NOT_INSPECT), "do-not-inspect");
	assert_string_equal(action_name(ACTION_INSPECT), "inspect");
	assert_string_equal(action_name(ACTION_BLOCK), "block");
	assert_string_equal(untrusted_name(UNTRUSTED_BLOCK), "block");
	assert_string_equal(untrusted_name(UNTRUSTED_ALLOW), "allow");
	assert_string_equal(
		untrusted_name(UNTRUSTED_PASS_THROUGH), "pass-through");
	assert_string_equal(url_action_name(URL_ALLOW), "allow");
	assert_string_equal(url_action_name(URL_ISOLATE), "isolate");
	assert_string_equal(url_action_name(URL_BLOCK), "block");
	assert_string_equal(certificate_name(CERTIFICATE_UNKNOWN), "unknown");
	assert_string_equal(
		certificate_name(CERTIFICATE_WRONG_HOST), "wrong-host");
	assert_string_equal(certificate_name(CERTIFICATE_INVALID), "invalid");
}

static void every_certificate_has_a_word_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CERTIFICATES; i++)
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(
				certificate_name((enum certificate)i),
				certificate_name((enum certificate)k));
}

/* Two names decide: neither lets the other past URL rules, or to older TLS. */
static void both_counts_what_either_asks(void **state)
{
	struct decision a = {.options = {.action = ACTION_INSPECT,
		.untrusted = UNTRUSTED_BLOCK,
		.url_policies = URL_POLICIES_BYPASS,
		.min_client_tls = TLS_1_3}, .rule_name = "a"};
	struct decision b = {.options = {.action = ACTION_INSPECT,
		.untrusted = UNTRUSTED_ALLOW,
		.min_server_tls = TLS_1_3}, .rule_name = "b"};
	struct decision one = decision_both(&a, &b);
	struct decision other = decision_both(&b, &a);

	(void)state;
	assert_string_equal(one.rule_name, "a");
	assert_int_equal(one.options.url_policies, URL_POLICIES_EVALUATE);
	assert_int_equal(one.options.min_client_tls, TLS_1_3);
	assert_int_equal(one.options.min_server_tls, TLS_1_3);
	assert_memory_equal(&one, &other, sizeof(one));
	b.options.url_policies = URL_POLICIES_BYPASS;
	one = decision_both(&a, &b);
	assert_int_equal(one.options.url_policies, URL_POLICIES_BYPASS);
	b.options.action = ACTION_DO_NOT_INSPECT;
	b.options.url_policies = URL_POLICIES_EVALUATE;
	one = decision_both(&a, &b);
	assert_int_equal(one.options.action, ACTION_INSPECT);
	assert_int_equal(one.options.url_policies, URL_POLICIES_EVALUATE);
}

/* DNS may give a name's addresses in any order. */
static void both_is_the_same_in_either_order(void **state)
{
	struct decision a = {.options = {.action = ACTION_INSPECT,
		.block_undecryptable = true, .intermediate_ca = "x"}};
	struct decision b = {.options = {.action = ACTION_INSPECT}};
	struct decision one = decision_both(&a, &b);
	struct decision other = decision_both(&b, &a);

	(void)state;
	assert_true(one.options.block_undecryptable);
	assert_string_equal(one.options.intermediate_ca, "x");
	assert_memory_equal(&one, &other, sizeof(one));
	b.options.intermediate_ca = "a";
	one = decision_both(&a, &b);
	other = decision_both(&b, &a);
	assert_string_equal(one.options.intermediate_ca, "a");
	assert_memory_equal(&one, &other, sizeof(one));
	a.options.action = b.options.action = ACTION_BLOCK;
	a.options.notify = true;
	assert_false(decision_both(&a, &b).options.notify);
	assert_false(decision_both(&b, &a).options.notify);
	b.options.notify = true;
	assert_true(decision_both(&a, &b).options.notify);
}

/* What a rule says that does not inspect is nothing to one that does. */
static void both_heeds_who_inspects(void **state)
{
	struct decision left_alone = {.options = {
		.action = ACTION_DO_NOT_INSPECT, .block_undecryptable = true,
		.intermediate_ca = "a"}};
	struct decision seen = {.options = {.action = ACTION_INSPECT}};
	struct decision told = {.options = {.action = ACTION_BLOCK,
		.notify = true}};
	struct decision one = decision_both(&left_alone, &seen);

	(void)state;
	assert_false(one.options.block_undecryptable);
	assert_null(one.options.intermediate_ca);
	assert_true(decision_both(&told, &seen).options.notify);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_counts_what_either_asks),
		cmocka_unit_test(both_is_the_same_in_either_order),
		cmocka_unit_test(both_heeds_who_inspects),
		cmocka_unit_test(every_pair),
		cmocka_unit_test(alike),
		cmocka_unit_test(url_rules_are_stricter_than_none),
		cmocka_unit_test(every_pair_of_urls),
		cmocka_unit_test(words),
		cmocka_unit_test(every_certificate_has_a_word_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
