#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/config/mistakes.h"

static char *printed(struct mistakes *mistakes)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	mistakes_print(mistakes, out);
	fclose(out);
	return text;
}

static void by_line_then_in_order(void **state)
{
	struct mistakes mistakes = {.file = "f.yaml"};
	char *text;

	(void)state;
	mistakes_error(&mistakes, 9, "late %d", 1);
	mistakes_warning(&mistakes, 2, "hm");
	mistakes_error(&mistakes, 9, "late %d", 2);
	mistakes_error(&mistakes, 0, "all of it");
	assert_int_equal(mistakes.errors, 3);
	text = printed(&mistakes);
	assert_string_equal(text,
		"f.yaml: all of it\n"
		"f.yaml:2: warning: hm\n"
		"f.yaml:9: late 1\n"
		"f.yaml:9: late 2\n");
	free(text);
	mistakes_clear(&mistakes);
	text = printed(&mistakes);
	assert_string_equal(text, "");
	free(text);
}

static void each_file_by_itself(void **state)
{
	char same[] = "f";
	struct mistakes mistakes = {.file = "f"};
	char *text;

	(void)state;
	mistakes_error(&mistakes, 3, "three");
	mistakes.file = "over";
	mistakes_error(&mistakes, 1, "one");
	mistakes.file = NULL;
	mistakes_error(&mistakes, 1, "none");
	mistakes.file = same;
	mistakes_error(&mistakes, 2, "two");
	text = printed(&mistakes);
	assert_string_equal(text, "f:2: two\nf:3: three\nover:1: one\n"
		"configuration:1: none\n");
	free(text);
	mistakes_clear(&mistakes);
}

static void warnings_are_counted_too(void **state)
{
	struct mistakes mistakes = {.file = "f"};
	char *text;

	(void)state;
	for (unsigned i = 1; i <= 103; i++)
		mistakes_warning(&mistakes, i, "hm");
	text = printed(&mistakes);
	assert_non_null(strstr(text, "f:100: warning: hm\n"));
	assert_non_null(strstr(text, "f: warning: and 3 more\n"));
	free(text);
	mistakes_clear(&mistakes);
}

static void thousands_are_counted(void **state)
{
	struct mistakes mistakes = {.file = "f"};
	char *text;

	(void)state;
	mistakes_warning(&mistakes, 1, "hm");
	for (unsigned i = 1; i <= 1000; i++)
		mistakes_error(&mistakes, i, "no");
	text = printed(&mistakes);
	assert_non_null(strstr(text, "f:99: no\n"));
	assert_null(strstr(text, "f:100: no\n"));
	assert_non_null(strstr(text, "f: and 901 more\n"));
	assert_null(strstr(text, "warning: and"));
	free(text);
	mistakes_clear(&mistakes);
}

static void shown_text_is_harmless(void **state)
{
	char longest[100];

	(void)state;
	assert_string_equal(shown("a b \xc3\xa4").text, "a b \xc3\xa4");
	assert_string_equal(shown("a\x1b[31m\n\x7f").text, "a?[31m??");
	assert_string_equal(shown("\xc2\x9b").text, "??");
	assert_string_equal(shown("\xc2").text, "?");
	/* what turns letters, what is not seen; not their neighbours */
	assert_string_equal(shown("a\xe2\x80\xae").text, "a???");
	assert_string_equal(shown("\xe2\x81\xa6\xe2\x80\x8b").text, "??????");
	assert_string_equal(shown("\xe2\x80\x90\xe2\x82\xac").text,
		"\xe2\x80\x90\xe2\x82\xac");
	assert_string_equal(shown("\xe2\x80").text, "??");
	/* joiners are needed to write some languages */
	assert_string_equal(shown("\xd9\x87\xe2\x80\x8c\xd8\xa8").text,
		"\xd9\x87\xe2\x80\x8c\xd8\xa8");
	assert_string_equal(shown("\xd8\x9c\xf3\xa0\x81\x81").text, "??????");
	memset(longest, 'x', sizeof(longest));
	longest[99] = '\0';
	assert_int_equal(strlen(shown(longest).text), 67);
	memcpy(longest + 63, "\xc3\xa4", 2); /* across the end */
	assert_int_equal(strlen(shown(longest).text), 66);
	assert_string_equal(shown(longest).text + 60, "xxx...");
	longest[64] = '\0';
	longest[63] = 'x';
	assert_int_equal(strlen(shown(longest).text), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_line_then_in_order),
		cmocka_unit_test(each_file_by_itself),
		cmocka_unit_test(warnings_are_counted_too),
		cmocka_unit_test(thousands_are_counted),
		cmocka_unit_test(shown_text_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
