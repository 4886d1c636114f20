#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/cli/options.h"

static const char *config, *cert, *id, *more;
static bool json;

static const struct option_row rows[] = {
	{.letter = 'c', .name = "config", .value = &config},
	{.name = "cert", .value = &cert, .needed = true},
};

/* sallyport x [--json] [-c FILE] ID [MORE] */
static const struct option_row with_operands[] = {
	{.letter = 'c', .name = "config", .value = &config},
	{.letter = 'j', .name = "json", .flag = &json},
	{.name = "ID", .value = &id, .needed = true, .operand = true},
	{.name = "MORE", .value = &more, .operand = true},
};

static const struct command command = {.name = "x", .help = ""};

/* read_words takes a line apart at its blanks, as a shell does. */
static int read_words(const char *line, const struct option_row *of,
	size_t num)
{
	static char text[128];
	char *next = text, *argv[16];
	int argc = 0;

	config = cert = id = more = NULL;
	json = false;
	snprintf(text, sizeof(text), "%s", line);
	while (next && *next && argc < 16)
		argv[argc++] = strsep(&next, " ");
	return options_read(&command, argc, argv, of, num);
}

static int read_line(const char *line)
{
	return read_words(line, rows, 2);
}

static int read_operands(const char *line)
{
	return read_words(line, with_operands, 4);
}

static void lists_take_many(void **state)
{
	const char *at[2];
	struct option_list list = {.at = at, .max = 2};
	const struct option_row row = {.name = "file", .list = &list};

	(void)state;
	assert_int_equal(read_words("--file A --file=B", &row, 1),
		OPTIONS_FINE);
	assert_int_equal(list.num, 2);
	assert_string_equal(at[0], "A");
	assert_string_equal(at[1], "B");
	assert_int_equal(read_words("--file C", &row, 1), EXIT_WRONG);
	list.num = 0;
	assert_int_equal(read_words("--file", &row, 1), EXIT_WRONG);
}

static void every_form(void **state)
{
	static const char *const forms[] = {"-c F --cert C", "--cert=C -cF",
		"--config F --cert C", "--cert C --config=F"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(read_line(forms[i]), OPTIONS_FINE);
		assert_string_equal(config, "F");
		assert_string_equal(cert, "C");
	}
	assert_int_equal(read_line("--cert C"), OPTIONS_FINE);
	assert_null(config);
	assert_int_equal(read_line("--cert --config"), OPTIONS_FINE);
	assert_string_equal(cert, "--config");
}

static void wrong_use(void **state)
{
	static const char *const lines[] = {"", "-c F", "--cert", "--cert=",
		"--cert C -c", "--cert C x", "--cert C --no", "--certs C",
		"--cert C --cert D", "-x --cert C", "- --cert C"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(read_line(lines[i]), EXIT_WRONG);
}

static void operands_in_their_order(void **state)
{
	static const char *const forms[] = {"7 x -c F --json",
		"--json 7 -cF x", "-c F 7 x -j", "7 --config=F -j x"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(read_operands(forms[i]), OPTIONS_FINE);
		assert_string_equal(id, "7");
		assert_string_equal(more, "x");
		assert_string_equal(config, "F");
		assert_true(json);
	}
	assert_int_equal(read_operands("7"), OPTIONS_FINE);
	assert_null(more);
	assert_false(json);
	/* one dash alone is a word: standard input, as a rule */
	assert_int_equal(read_operands("7 -"), OPTIONS_FINE);
	assert_string_equal(more, "-");
}

static void wrong_use_of_operands_and_flags(void **state)
{
	static const char *const lines[] = {"", "--json", "7 x y", "-c 7",
		"7 --json=yes", "7 -jx", "7 --ID 8", "7 --ID=8", "7 -x",
		"7 --more y"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (read_operands(lines[i]) != EXIT_WRONG)
			fail_msg("'%s' is taken", lines[i]);
	}
}

static void help_is_no_failure(void **state)
{
	(void)state;
	assert_int_equal(read_line("-h"), EXIT_DONE);
	assert_int_equal(read_line("-c F --help"), EXIT_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_take_many),
		cmocka_unit_test(every_form),
		cmocka_unit_test(wrong_use),
		cmocka_unit_test(operands_in_their_order),
		cmocka_unit_test(wrong_use_of_operands_and_flags),
		cmocka_unit_test(help_is_no_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
