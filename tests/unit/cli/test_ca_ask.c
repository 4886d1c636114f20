#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/cli/ca_ask.h"

/* person answers the questions that come, and hears nothing. */
static void person(const char *answers)
{
	int pair[2];

	assert_int_equal(pipe(pair), 0);
	assert_int_equal(write(pair[1], answers, strlen(answers)),
		strlen(answers));
	close(pair[1]);
	assert_int_equal(dup2(pair[0], STDIN_FILENO), STDIN_FILENO);
	close(pair[0]);
	clearerr(stdin);
}

static void takes_what_is_offered(void **state)
{
	char answer[ASK_ANSWER] = "offered";

	(void)state;
	person("\n\r\nmine\r\nlast");
	assert_true(ask("?", answer));
	assert_string_equal(answer, "offered");
	assert_true(ask("?", answer));
	assert_string_equal(answer, "offered");
	assert_true(ask("?", answer));
	assert_string_equal(answer, "mine");
	assert_true(ask("?", answer));
	assert_string_equal(answer, "last");
	assert_false(ask("?", answer));
}

/* What is cut short, or no text, would be another answer. */
static void takes_no_nonsense(void **state)
{
	char answer[ASK_ANSWER] = "", text[3 * ASK_ANSWER];
	int len = 0;

	(void)state;
	while (len < ASK_ANSWER)
		text[len++] = 'x';
	snprintf(text + len, sizeof(text) - (size_t)len,
		"\n\xff\n\x1b[A\nright\n%.*s\n", ASK_ANSWER - 1, text);
	person(text);
	assert_true(ask("?", answer));
	assert_string_equal(answer, "right");
	assert_true(ask("?", answer));
	assert_int_equal(strlen(answer), ASK_ANSWER - 1);
	assert_false(ask("?", answer));
}

static void yes_or_no(void **state)
{
	static const bool means[] = {true, true, false, false, true};
	bool answer = true;

	(void)state;
	person("maybe\n1\nYES\n\nn\n\nY\nperhaps\n");
	for (size_t i = 0; i < sizeof(means) / sizeof(*means); i++) {
		assert_true(ask_yes("?", &answer));
		assert_int_equal(answer, means[i]);
	}
	assert_false(ask_yes("?", &answer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_offered),
		cmocka_unit_test(takes_no_nonsense),
		cmocka_unit_test(yes_or_no),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
