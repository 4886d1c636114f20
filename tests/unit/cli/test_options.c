#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/cli/options.h"

static const char *config, *cert;

static const struct option_row rows[] = {
	{'c', "config", &config, false},
	{0, "cert", &cert, true},
};

static const struct command command = {.name = "x", .help = ""};

/* read_line takes a line apart at its blanks, as a shell does. */
static int read_line(const char *line)
{
	static char text[128];
	char *next = text, *argv[16];
	int argc = 0;

	config = cert = NULL;
	snprintf(text, sizeof(text), "%s", line);
	while (next && *next && argc < 16)
		argv[argc++] = strsep(&next, " ");
	return options_read(&command, argc, argv, rows, 2);
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

static void help_is_no_failure(void **state)
{
	(void)state;
	assert_int_equal(read_line("-h"), EXIT_DONE);
	assert_int_equal(read_line("-c F --help"), EXIT_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form),
		cmocka_unit_test(wrong_use),
		cmocka_unit_test(help_is_no_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
