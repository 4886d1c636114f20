#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>

#include <cmocka.h>

#include "proxy/cli/errand.h"

static int number;

static int run(const char *script)
{
	char *argv[] = {"sh", "-c", (char *)(uintptr_t)script, NULL};
	char *envp[] = {"PATH=/usr/bin:/bin", "WORD=here", NULL};

	return errand_run(argv, envp, &number);
}

static void ends_as_the_command(void **state)
{
	(void)state;
	assert_int_equal(run("exit 0"), 0);
	assert_int_equal(run("exit 77"), 77);
	assert_int_equal(number, 0);
	assert_int_equal(run("kill -USR1 $$"), 128 + SIGUSR1);
	assert_int_equal(number, SIGUSR1);
	assert_int_equal(run("test \"$WORD\" = here"), 0);
}

static void says_what_cannot_be_run(void **state)
{
	char *none[] = {"/no/such/command", NULL};
	char *no_program[] = {"/etc/passwd", NULL};
	char *envp[] = {NULL};

	(void)state;
	assert_int_equal(errand_run(none, envp, &number), 127);
	assert_int_equal(errand_run(no_program, envp, &number), 126);
}

/* What is sent to us goes to it. */
static void passes_signals_on(void **state)
{
	(void)state;
	assert_int_equal(run("trap 'exit 5' TERM; kill -TERM $PPID; "
		"while :; do sleep 0.01; done"), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_as_the_command),
		cmocka_unit_test(says_what_cannot_be_run),
		cmocka_unit_test(passes_signals_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
