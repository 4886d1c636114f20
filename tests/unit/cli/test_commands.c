#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/cli/command.h"

static void words_find_commands(void **state)
{
	(void)state;
	assert_ptr_equal(command_find("run"), &command_run);
	assert_ptr_equal(command_find("ca"), &command_ca);
	assert_ptr_equal(command_find("--help"), &command_help);
	assert_ptr_equal(command_find("-h"), &command_help);
	assert_ptr_equal(command_find("--version"), &command_version);
	assert_null(command_find(""));
	assert_null(command_find("ru"));
	assert_null(command_find("ca root"));
	assert_int_equal(command_unknown("chek"), EXIT_WRONG);
}

/* A screen is 24 lines of 80 columns; one is the shell's. */
static void fits_a_screen(const struct command *command)
{
	const char *line = command->help;
	size_t lines = 0;

	for (; *line; lines++) {
		size_t width = strcspn(line, "\n");

		if (width > 80)
			fail_msg("%s: %s", command->name, line);
		assert_int_equal(line[width], '\n');
		line += width + 1;
	}
	assert_true(lines > 1 && lines < 24);
	assert_true(strlen(command->summary) < 60);
	assert_non_null(strstr(command->help, command->name));
}

static void help_fits_a_screen(void **state)
{
	static const struct command *const groups[] = {
		ca_words, ca_steps, token_words, log_words, trust_words};

	(void)state;
	for (size_t i = 0; commands[i]; i++)
		fits_a_screen(commands[i]);
	for (size_t i = 0; i < 5; i++) {
		for (const struct command *at = groups[i]; at->name; at++)
			fits_a_screen(at);
	}
}

static void words_stand_behind_commands(void **state)
{
	(void)state;
	assert_ptr_equal(command_word(&command_ca, "import"), &ca_words[0]);
	assert_ptr_equal(command_word(&command_ca, "setup"), &ca_steps[0]);
	assert_ptr_equal(command_word(&command_token, "create"), token_words);
	assert_null(command_word(&command_token, "setup"));
	assert_null(command_word(&command_ca, "ca"));
	assert_null(command_word(&command_run, "setup"));
	assert_null(command_word(&ca_steps[0], "setup"));
}

static void help_of_words(void **state)
{
	char ca[] = "ca", setup[] = "setup", help[] = "help", no[] = "no";
	char *right[] = {ca, setup}, *wrong[] = {ca, no}, *more[] = {ca, setup,
		setup}, *behind[] = {help, setup}, *both[] = {help, no};

	(void)state;
	assert_int_equal(command_help.run(&command_help, 2, right), EXIT_DONE);
	assert_int_equal(command_help.run(&command_help, 2, wrong), EXIT_WRONG);
	assert_int_equal(command_help.run(&command_help, 3, more), EXIT_WRONG);
	assert_int_equal(command_ca.run(&command_ca, 1, behind), EXIT_DONE);
	assert_int_equal(command_ca.run(&command_ca, 2, behind), EXIT_DONE);
	assert_int_equal(command_ca.run(&command_ca, 2, both), EXIT_WRONG);
}

static void wrong_subcommands(void **state)
{
	char root[] = "rot", help[] = "--help", *argv[] = {root, help};

	(void)state;
	assert_int_equal(command_ca.run(&command_ca, 0, argv), EXIT_WRONG);
	assert_int_equal(command_ca.run(&command_ca, 1, argv), EXIT_WRONG);
	assert_int_equal(command_ca.run(&command_ca, 1, argv + 1), EXIT_DONE);
	assert_int_equal(command_help.run(&command_help, 1, argv), EXIT_WRONG);
	assert_int_equal(command_help.run(&command_help, 0, argv), EXIT_DONE);
	assert_int_equal(command_version.run(&command_version, 1, argv),
		EXIT_WRONG);
	assert_int_equal(command_version.run(&command_version, 0, argv),
		EXIT_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_find_commands),
		cmocka_unit_test(help_fits_a_screen),
		cmocka_unit_test(words_stand_behind_commands),
		cmocka_unit_test(help_of_words),
		cmocka_unit_test(wrong_subcommands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
