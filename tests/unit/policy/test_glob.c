#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "policy/glob.h"

static void without_a_star_it_is_the_whole_text(void **state)
{
	(void)state;
	assert_true(glob_match("", ""));
	assert_false(glob_match("", "a"));
	assert_false(glob_match("a", ""));
	assert_true(glob_match("curl/8.5.0", "curl/8.5.0"));
	assert_false(glob_match("curl", "curl/8.5.0"));
	assert_false(glob_match("curl/8.5.0", "curl"));
}

static void a_star_is_any_run(void **state)
{
	(void)state;
	assert_true(glob_match("*", ""));
	assert_true(glob_match("*", "anything"));
	assert_true(glob_match("**", ""));
	assert_true(glob_match("curl/*", "curl/8.5.0"));
	assert_true(glob_match("curl/*", "curl/"));
	assert_false(glob_match("curl/*", "xcurl/"));
	assert_true(glob_match("*Firefox*", "Mozilla/5.0 Firefox/115.0"));
	assert_true(glob_match("*Firefox*", "Firefox"));
	assert_false(glob_match("*Firefox*", "Mozilla/5.0 Firefo"));
	assert_true(glob_match("*.0", "Firefox/115.0"));
	assert_false(glob_match("*.0", "Firefox/115.01"));
	assert_true(glob_match("a*b*c", "abc"));
	assert_true(glob_match("a*b*c", "a-b-b-c-c"));
	assert_false(glob_match("a*b*c", "acb"));
}

static void literals_do_not_overlap(void **state)
{
	(void)state;
	assert_false(glob_match("ab*ba", "aba"));
	assert_true(glob_match("ab*ba", "abba"));
	assert_false(glob_match("*aa*aa*", "aaa"));
	assert_true(glob_match("*aa*aa*", "aaaa"));
	assert_false(glob_match("*a*a", "a"));
}

static void letters_of_ascii_have_no_case(void **state)
{
	(void)state;
	assert_true(glob_match("CURL/*", "curl/8"));
	assert_true(glob_match("*fireFOX*", "Mozilla Firefox"));
	assert_false(glob_match("[", "{"));
	assert_false(glob_match("@", "`"));
	assert_false(glob_match("\xc3\x84", "\xc3\xa4"));
	assert_true(glob_match("*\xc3\xa4", "x\xc3\xa4"));
}

/* The plainest way there is. */
static int slow(const char *glob, const char *text)
{
	if (*glob == '\0')
		return *text == '\0';
	if (*glob == '*')
		return slow(glob + 1, text) || (*text && slow(glob, text + 1));
	return (*glob | 32) == (*text | 32) && *text &&
		slow(glob + 1, text + 1);
}

static void random_ones_are_as_the_plainest_way_says(void **state)
{
	unsigned seed = 7;
	char glob[9], text[13];
	int held = 0;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		int g = rand_r(&seed) % 9, t = rand_r(&seed) % 13;

		for (int k = 0; k < g; k++)
			glob[k] = "ab*Aab*B"[rand_r(&seed) % 8];
		for (int k = 0; k < t; k++)
			text[k] = "abAB"[rand_r(&seed) % 4];
		glob[g] = text[t] = '\0';
		if (glob_match(glob, text) != slow(glob, text))
			fail_msg("\"%s\" on \"%s\"", glob, text);
		held += glob_match(glob, text);
	}
	assert_true(held > 10000);
}

/* Literals around the 255 bytes that the table has. */
static void long_literals(void **state)
{
	char glob[700], text[1400];

	(void)state;
	for (size_t len = 250; len < 600; len += len < 260 ? 1 : 97) {
		memset(text, 'a', sizeof(text));
		text[sizeof(text) - 1] = '\0';
		memset(glob, 'a', sizeof(glob));
		glob[0] = glob[len + 1] = '*';
		glob[len] = 'b';
		glob[len + 2] = '\0';
		assert_false(glob_match(glob, text));
		text[len + 300] = 'B';
		assert_true(glob_match(glob, text));
		text[len + 300] = 'a';
		text[len - 1] = 'b';
		assert_true(glob_match(glob, text));
		text[len - 1] = 'a';
		text[len - 2] = 'b';
		assert_false(glob_match(glob, text));
		glob[len + 1] = '\0';
		text[len - 2] = 'a';
		text[sizeof(text) - 2] = 'b';
		assert_true(glob_match(glob, text));
	}
}

/* A backtracking search takes years for these. */
static void an_unkind_text_takes_no_longer(void **state)
{
	enum { LEN = 1000000 };
	char *text = malloc(LEN + 1);
	clock_t begun = clock();

	(void)state;
	memset(text, 'a', LEN);
	text[LEN] = '\0';
	assert_false(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
	assert_false(glob_match("*aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab*"
				"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab*",
		text));
	assert_true(clock() - begun < 2 * CLOCKS_PER_SEC);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_star_it_is_the_whole_text),
		cmocka_unit_test(a_star_is_any_run),
		cmocka_unit_test(literals_do_not_overlap),
		cmocka_unit_test(letters_of_ascii_have_no_case),
		cmocka_unit_test(random_ones_are_as_the_plainest_way_says),
		cmocka_unit_test(long_literals),
		cmocka_unit_test(an_unkind_text_takes_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
