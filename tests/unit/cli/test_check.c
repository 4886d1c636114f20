#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/cli/command.h"

/* check runs the command on text and keeps what it says in said. */
static int check(const char *text, const char *prefix, char said[1024])
{
	char path[] = "/tmp/sallyport-check.XXXXXX", option[64];
	char *argv[] = {option};
	int fd = mkstemp(path), code, out, err;
	FILE *caught = tmpfile();

	assert_true(fd >= 0 && caught);
	dprintf(fd, "%s", text);
	close(fd);
	snprintf(option, sizeof(option), "%s%s", prefix, path);
	fflush(NULL);
	out = dup(1);
	err = dup(2);
	dup2(fileno(caught), 1);
	dup2(fileno(caught), 2);
	code = command_check.run(&command_check, 1, argv);
	fflush(NULL);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	rewind(caught);
	memset(said, 0, 1024);
	assert_true(fread(said, 1, 1023, caught) > 0);
	fclose(caught);
	unlink(path);
	return code;
}

static void fine(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(check("origin: {trust: [system]}\n"
		"categories: {a: {hosts: [b.test]}}\n", "-c", said), EXIT_DONE);
	assert_non_null(strstr(said, ": fine, 0 rules, 1 category\n"));
	assert_int_equal(check("ssl-rules: [{name: a, action: block}]\n",
		"--config=", said), EXIT_DONE);
	assert_non_null(strstr(said, ": fine, 1 rule, 0 categories\n"));
}

static void mistakes(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(check("\nlimts: 1\n", "-c", said), EXIT_WRONG);
	assert_non_null(strstr(said, ":2: there is no key \"limts\"; did you "
		"mean \"limits\"?\n"));
	assert_null(strstr(said, "fine"));
	assert_int_equal(check("# not PEM\norigin: {trust: /dev/null}\n", "-c",
		said), EXIT_WRONG);
	assert_non_null(strstr(said, ":2: origin.trust: /dev/null"));
	assert_int_equal(check("origin:\n trust:\n - /dev/null\n - /dev/null\n",
		"-c", said), EXIT_WRONG);
	assert_non_null(strstr(said, ":3: origin.trust: /dev/null"));
	assert_non_null(strstr(said, ":4: origin.trust: /dev/null"));
	assert_int_equal(check("\nlog: {access: /tmp}\n", "-c", said),
		EXIT_WRONG);
	assert_non_null(strstr(said, ":2: log.access: /tmp is a folder"));
	assert_int_equal(check("a", "--confi=", said), EXIT_WRONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fine),
		cmocka_unit_test(mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
