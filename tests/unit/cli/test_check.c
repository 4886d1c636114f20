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
		"categories: {a: {hosts: [b.test]}}\n"
		"url-rules: [{name: a, match: {categories: a}, action: allow}]\n",
		"-c", said), EXIT_DONE);
	assert_non_null(strstr(said, ": fine, 0 rules, 1 URL rule, "
		"1 category, 1 entry\n"));
	assert_null(strstr(said, "warning"));
	assert_int_equal(check("ssl-rules: [{name: a, action: block}]\n",
		"--config=", said), EXIT_DONE);
	assert_non_null(strstr(said, ": fine, 1 rule, 0 URL rules, "
		"0 categories, 0 entries\n"));
}

static void what_is_surely_not_meant(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(check("categories:\n"
		"  empty: {hosts: []}\n"
		"  off: {hosts: a.test}\n"
		"  dev: {urls: github.com/x}\n"
		"ssl-rules:\n"
		"- {name: Off, enabled: no, match: {categories: off}}\n"
		"- {name: Dev, match: {categories: [dev, empty]}, "
		"action: do-not-inspect}\n"
		"- {name: All, action: inspect}\n"
		"- {name: Late, match: {ports: 1}, action: block}\n"
		"url-rules:\n"
		"- {name: One, match: {ports: 1-9}, action: block}\n"
		"- {name: Two, match: {ports: 2}, action: allow}\n",
		"-c", said), EXIT_DONE);
	assert_non_null(strstr(said, ":2: warning: the category \"empty\" is "
		"empty\n"));
	assert_non_null(strstr(said, ":3: warning: no rule that is on uses the "
		"category \"off\"\n"));
	assert_non_null(strstr(said, ":4: warning: the rule \"Dev\" leaves all "
		"of github.com alone, not /x only: SSL rules see no path\n"));
	assert_non_null(strstr(said, ":9: warning: the rule \"Late\" never "
		"decides: \"All\" in line 8 takes all that it matches\n"));
	assert_non_null(strstr(said, ":12: warning: the rule \"Two\" never "
		"decides: \"One\" in line 11 takes all that it matches\n"));
	assert_non_null(strstr(said, ": fine, 4 rules, 2 URL rules, "
		"3 categories, 2 entries\n"));
}

static void files_that_are_not_fit(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(check("categories:\n  a: {file: nowhere.txt}\n", "-c",
		said), EXIT_WRONG);
	assert_non_null(strstr(said, ":2: categories.a.file: /tmp/nowhere.txt "
		"is not there; make it (it may be empty), or take its line "
		"out\n"));
	assert_int_equal(check("categories:\n  a: {file: /dev/zero}\n", "-c",
		said), EXIT_WRONG);
	assert_non_null(strstr(said, ":2: categories.a.file: /dev/zero: it is "
		"a pipe, a socket or a device; "));
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

static void users_whom_nobody_can_be(void **state)
{
	static const char rules[] = "  groups: {g: [dev1, gone, ann]}\n"
		"ssl-rules:\n- {name: a, match: {users: [ann, typo]}, "
		"action: block}\nurl-rules:\n"
		"- {name: b, not: {users: typo}, action: block}\n";
	char said[1024], text[1024];

	(void)state;
	snprintf(text, sizeof(text), "users:\n  sources: {192.0.2.1: dev1, "
		"192.0.2.2: ann}\n%s", rules);
	assert_int_equal(check(text, "-c", said), EXIT_DONE);
	assert_non_null(strstr(said, ":3: warning: nobody can be the user "
		"\"gone\": it is neither in users.htpasswd nor in "
		"users.sources\n"));
	assert_non_null(strstr(said, ":5: warning: nobody can be the user "
		"\"typo\": "));
	assert_null(strstr(said, ":7: "));
	assert_null(strstr(said, "\"ann\""));
	assert_null(strstr(said, "\"dev1\""));
	assert_null(strstr(said, "configuration:"));
	/* certificates bring any name; no CA of theirs is looked at before */
	snprintf(text, sizeof(text), "listen: {proxy-tls: 127.0.0.1:8443}\n"
		"users:\n  client-ca: /etc/ssl/certs/ca-certificates.crt\n%s",
		rules);
	(void)check(text, "-c", said);
	assert_null(strstr(said, "nobody can be"));
}

static void networks_behind_others(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(check("users:\n sources:\n  192.0.2.0/24: ann\n"
		"  192.0.2.7: bob\n  192.0.0.0/16: eve\n  '2001:db8::1': x\n",
		"-c", said), EXIT_DONE);
	assert_non_null(strstr(said, ":4: warning: users.sources: 192.0.2.7 "
		"never counts: 192.0.2.0/24 in line 3 comes first and holds "
		"it\n"));
	assert_null(strstr(said, ":5: "));
	assert_null(strstr(said, ":6: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fine),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(what_is_surely_not_meant),
		cmocka_unit_test(files_that_are_not_fit),
		cmocka_unit_test(users_whom_nobody_can_be),
		cmocka_unit_test(networks_behind_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
