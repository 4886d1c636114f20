#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/tools/shell.h"

static char text[4096];

static const char *set(enum shell shell, const char *value)
{
	FILE *out = fmemopen(text, sizeof(text), "w");

	shell_set(out, shell, "NAME", value);
	fclose(out);
	return text;
}

static const char *unset(enum shell shell)
{
	FILE *out = fmemopen(text, sizeof(text), "w");

	shell_unset(out, shell, "NAME");
	fclose(out);
	return text;
}

static void names_shells(void **state)
{
	(void)state;
	assert_int_equal(shell_of("bash"), SHELL_BASH);
	assert_int_equal(shell_of("/bin/sh"), SHELL_BASH);
	assert_int_equal(shell_of("/usr/bin/zsh"), SHELL_ZSH);
	assert_int_equal(shell_of("fish"), SHELL_FISH);
	assert_int_equal(shell_of("/opt/microsoft/powershell/7/pwsh"),
		SHELL_POWERSHELL);
	assert_int_equal(shell_of("tcsh"), SHELL_UNKNOWN);
	assert_int_equal(shell_of(""), SHELL_UNKNOWN);
}

static void keeps_one_word(void **state)
{
	(void)state;
	assert_string_equal(set(SHELL_BASH, "a b$(x)`y`\"\\"),
		"export NAME='a b$(x)`y`\"\\'\n");
	assert_string_equal(set(SHELL_ZSH, "it's"),
		"export NAME='it'\\''s'\n");
	assert_string_equal(set(SHELL_FISH, "it's \\n $x"),
		"set -gx NAME 'it\\'s \\\\n $x';\n");
	assert_string_equal(set(SHELL_POWERSHELL, "it's $x"),
		"$env:NAME = 'it''s $x'\n");
	assert_string_equal(set(SHELL_POWERSHELL, "\u2019; Remove-Item *"),
		"$env:NAME = '\u2019\u2019; Remove-Item *'\n");
	assert_string_equal(set(SHELL_POWERSHELL, "\u201c\xe2"),
		"$env:NAME = '\u201c\xe2'\n");
}

static void takes_back(void **state)
{
	(void)state;
	assert_string_equal(unset(SHELL_BASH), "unset NAME\n");
	assert_string_equal(unset(SHELL_FISH), "set -e NAME;\n");
	assert_string_equal(unset(SHELL_POWERSHELL),
		"Remove-Item Env:NAME -ErrorAction SilentlyContinue\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_shells),
		cmocka_unit_test(keeps_one_word),
		cmocka_unit_test(takes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
