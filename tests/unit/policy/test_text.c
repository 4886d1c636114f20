#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/text.h"

static char out[200];

static const char *name(const char *text)
{
	struct text t = text_begin(out, sizeof(out));

	text_add_name(&t, text);
	return out;
}

static const char *fact(const char *text)
{
	struct text t = text_begin(out, sizeof(out));

	text_add_fact(&t, text);
	return out;
}

static void names_are_as_they_were_written(void **state)
{
	(void)state;
	assert_string_equal(name("B\xc3\xbc"
				 "cher, \"x\""),
		"B\xc3\xbc"
		"cher, \"x\"");
	assert_string_equal(name("a\nb\x7f\x1b[0m"), "a\\x0ab\\x7f\\x1b[0m");
	assert_string_equal(name(""), "");
}

static void facts_are_quoted_unless_plain(void **state)
{
	(void)state;
	assert_string_equal(fact("dev1@corp.example"), "dev1@corp.example");
	assert_string_equal(fact("2001:db8::1"), "2001:db8::1");
	assert_string_equal(fact("/a/%2F~b+c"), "/a/%2F~b+c");
	assert_string_equal(fact(""), "\"\"");
	assert_string_equal(fact("a b"), "\"a b\"");
	assert_string_equal(fact("a\"b\\c"), "\"a\\\"b\\\\c\"");
	assert_string_equal(
		fact("a\r\n\t\x1b\x7f"), "\"a\\x0d\\x0a\\x09\\x1b\\x7f\"");
	/* a letter that turns the text round, and half of one */
	assert_string_equal(fact("\xe2\x80\xae"
				 "x\xc3"),
		"\"\\xe2\\x80\\xaex\\xc3\"");
}

static void facts_are_cut(void **state)
{
	char text[100], expected[100];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[80] = '\0';
	assert_string_equal(fact(text), text);
	text[80] = 'a';
	text[81] = '\0';
	memset(expected, 'a', 80);
	memcpy(expected + 80, "...", 4);
	assert_string_equal(fact(text), expected);
}

/* Whatever comes in whatever room: no byte outside of it, and an end. */
static void the_room_is_enough_for_all(void **state)
{
	char small[64];

	(void)state;
	for (size_t size = 4; size < 40; size++) {
		struct text text;

		memset(small, '!', sizeof(small));
		text = text_begin(small, size);
		for (unsigned i = 0; i < 8; i++) {
			text_add(&text, "word ");
			text_add_name(&text, "\xc3\xbc\n");
			text_add_fact(&text, "\x1b");
		}
		assert_int_equal(strlen(small), text.len);
		assert_true(text.len < size);
		assert_true(text.cut);
		assert_string_equal(small + text.len - 3, "...");
		for (size_t i = size; i < sizeof(small); i++)
			assert_int_equal(small[i], '!');
	}
}

static void a_letter_is_not_cut_in_two(void **state)
{
	char small[10];
	struct text text = text_begin(small, sizeof(small));

	(void)state;
	text_add_name(&text,
		"abcde\xc3\xbc"
		"f");
	assert_string_equal(small, "abcde...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_as_they_were_written),
		cmocka_unit_test(facts_are_quoted_unless_plain),
		cmocka_unit_test(facts_are_cut),
		cmocka_unit_test(the_room_is_enough_for_all),
		cmocka_unit_test(a_letter_is_not_cut_in_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
