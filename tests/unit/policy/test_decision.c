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
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair),
		cmocka_unit_test(alike),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
