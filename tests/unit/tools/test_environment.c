#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/tools/environment.h"
#include "proxy/tools/variables.h"

static const struct environment_aim aim = {
	.proxy = "http://127.0.0.1:8080",
	.host = "127.0.0.1",
	.port = 8080,
	.bundle = "/kit/bundle.pem",
	.extra = "/kit/extra.pem",
	.java_store = "/kit/trust.jks",
	.wgetrc = "/kit/wgetrc",
	.apt = "/kit/apt.conf",
};

static char **over(char *const *before)
{
	struct environment env;
	char **all;

	environment_make(&env, &aim, before);
	all = environment_over(&env, before);
	environment_clear(&env);
	return all;
}

static void has(char *const *all, const char *name, const char *value)
{
	const char *is = environment_get(all, name);

	if (!value)
		assert_null(is);
	else
		assert_string_equal(is ? is : "(not set)", value);
}

static void sets_every_kind(void **state)
{
	char *before[] = {"HOME=/home/dev", "PATH=/bin", NULL};
	char **all = over(before);

	(void)state;
	has(all, "HOME", "/home/dev");
	has(all, "https_proxy", aim.proxy);
	has(all, "HTTP_PROXY", aim.proxy);
	has(all, "SSL_CERT_FILE", aim.bundle);
	has(all, "NODE_EXTRA_CA_CERTS", aim.extra);
	has(all, "NODE_USE_ENV_PROXY", "1");
	has(all, "SYSTEM_WGETRC", aim.wgetrc);
	has(all, "APT_CONFIG", aim.apt);
	has(all, "no_proxy", "localhost,127.0.0.1,::1");
	assert_non_null(strstr(environment_get(all, "JAVA_TOOL_OPTIONS"),
		"-Djavax.net.ssl.trustStore=/kit/trust.jks "));
	environment_free(all);
}

/* The way to the proxy, and nothing else. */
static void bare_is_the_proxy_alone(void **state)
{
	char *before[] = {"CURL_CA_BUNDLE=/mine", "https_proxy=http://old:1",
		"JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=/mine", NULL};
	struct environment env;
	char **all;

	(void)state;
	environment_make_bare(&env, &aim, before);
	all = environment_over(&env, before);
	has(all, "https_proxy", aim.proxy);
	has(all, "no_proxy", "localhost,127.0.0.1,::1");
	has(all, "NODE_USE_ENV_PROXY", NULL);
	has(all, "PERL_LWP_ENV_PROXY", NULL);
	has(all, "CURL_CA_BUNDLE", "/mine");
	has(all, "SSL_CERT_FILE", NULL);
	has(all, "APT_CONFIG", NULL);
	has(all, ENVIRONMENT_BEFORE, NULL);
	assert_non_null(strstr(environment_get(all, "JAVA_TOOL_OPTIONS"),
		"trustStore=/mine -Dhttp.proxyHost=127.0.0.1 "));
	assert_null(strstr(environment_get(all, "JAVA_TOOL_OPTIONS"), "kit"));
	environment_free(all);
	environment_clear(&env);
}

static void sets_all_rows(void **state)
{
	char *before[] = {NULL};
	char **all = over(before);
	size_t num;
	const struct variable *rows = variables_all(&num);

	(void)state;
	for (size_t i = 0; i < num; i++) {
		if (rows[i].kind == VARIABLE_JAVA_TOO)
			assert_null(environment_get(all, rows[i].name));
		else
			assert_non_null(environment_get(all, rows[i].name));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(rows[i].name, rows[j].name);
	}
	environment_free(all);
}

static void lists_get_longer(void **state)
{
	char *before[] = {"no_proxy=.corp.example, 10.0.0.0/8,localhost",
		"NO_PROXY=*,.corp.example,db", NULL};
	char **all = over(before);

	(void)state;
	has(all, "NO_PROXY",
		"localhost,127.0.0.1,::1,.corp.example,10.0.0.0/8,db");
	environment_free(all);
}

static void twice_is_once(void **state)
{
	char *before[] = {"REQUESTS_CA_BUNDLE=/corp;%41.pem",
		"no_proxy=.corp.example", "JAVA_TOOL_OPTIONS=-Xmx1g", NULL};
	char **once = over(before), **twice = over(once);

	(void)state;
	for (size_t i = 0; once[i]; i++)
		assert_string_equal(once[i], twice[i]);
	environment_free(once);
	environment_free(twice);
}

/* What other Java options say would count over ours. */
static void other_java_options_say_nothing_of_it(void **state)
{
	char *before[] = {"MAVEN_OPTS=-Xmx1g -Dhttps.proxyHost=old "
		"-Dhttp.nonProxyHosts=*.corp.example|nexus "
		"-Djavax.net.ssl.trustStore=/corp.jks -Dx=y",
		"JDK_JAVA_OPTIONS=-Dx=y", NULL};
	char **once = over(before), **twice = over(once), **back;
	struct environment undo;

	(void)state;
	has(once, "MAVEN_OPTS", "-Xmx1g -Dx=y ");
	has(once, "JDK_JAVA_OPTIONS", "-Dx=y");
	has(once, "GRADLE_OPTS", NULL);
	has(twice, "MAVEN_OPTS", "-Xmx1g -Dx=y ");
	assert_non_null(strstr(environment_get(twice, "JAVA_TOOL_OPTIONS"),
		"|[::1]|*.corp.example|nexus "));
	environment_undo(&undo, twice);
	back = environment_over(&undo, twice);
	for (size_t i = 0; before[i]; i++)
		assert_string_equal(strchr(before[i], '=') + 1,
			environment_get(back, i ? "JDK_JAVA_OPTIONS" :
						  "MAVEN_OPTS"));
	environment_clear(&undo);
	environment_free(once);
	environment_free(twice);
	environment_free(back);
}

/* What somebody has set in the place of ours is not ours to take back. */
static void counted_anew(char **all)
{
	struct environment undo;
	char **back;

	for (size_t i = 0; all[i]; i++) {
		if (strncmp(all[i], "GIT_CONFIG_KEY_0=", 17) == 0)
			snprintf(all[i], strlen(all[i]) + 1, "%s",
				"GIT_CONFIG_KEY_0=a.b");
	}
	environment_undo(&undo, all);
	back = environment_over(&undo, all);
	has(back, "GIT_CONFIG_COUNT", "1");
	has(back, "GIT_CONFIG_KEY_0", "a.b");
	environment_clear(&undo);
	environment_free(back);
}

/* Whose proxy is in a file of git's own, too; what was there stays. */
static void git_is_told_over_its_files(void **state)
{
	char *none[] = {NULL};
	char *before[] = {"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http.proxy",
		"GIT_CONFIG_VALUE_0=http://old:1", NULL};
	char *wrong[] = {"GIT_CONFIG_COUNT=x", NULL};
	char **all = over(none), **twice;
	struct environment undo;

	(void)state;
	has(all, "GIT_CONFIG_COUNT", "1");
	has(all, "GIT_CONFIG_KEY_0", "http.proxy");
	has(all, "GIT_CONFIG_VALUE_0", aim.proxy);
	environment_free(all);
	all = over(before);
	twice = over(all);
	has(twice, "GIT_CONFIG_COUNT", "2");
	has(twice, "GIT_CONFIG_VALUE_0", "http://old:1");
	has(twice, "GIT_CONFIG_KEY_1", "http.proxy");
	has(twice, "GIT_CONFIG_VALUE_1", aim.proxy);
	environment_free(all);
	environment_undo(&undo, twice);
	all = environment_over(&undo, twice);
	has(all, "GIT_CONFIG_COUNT", "1");
	has(all, "GIT_CONFIG_VALUE_0", "http://old:1");
	has(all, "GIT_CONFIG_KEY_1", NULL);
	environment_clear(&undo);
	environment_free(all);
	environment_free(twice);
	all = over(none);
	counted_anew(all);
	environment_free(all);
	all = over(wrong);
	has(all, "GIT_CONFIG_COUNT", "x");
	environment_free(all);
}

static void goes_back(void **state)
{
	char *before[] = {"REQUESTS_CA_BUNDLE=/corp;%41'.pem", "A=b",
		"JAVA_TOOL_OPTIONS=-Xmx1g\nx", NULL};
	char **once = over(before), **back, *was;
	struct environment undo;

	(void)state;
	was = environment_was(once, "REQUESTS_CA_BUNDLE");
	assert_string_equal(was, "/corp;%41'.pem");
	free(was);
	assert_null(environment_was(once, "CURL_CA_BUNDLE"));
	environment_undo(&undo, once);
	back = environment_over(&undo, once);
	has(back, "A", "b");
	has(back, "REQUESTS_CA_BUNDLE", "/corp;%41'.pem");
	has(back, "JAVA_TOOL_OPTIONS", "-Xmx1g\nx");
	has(back, "https_proxy", NULL);
	has(back, ENVIRONMENT_BEFORE, NULL);
	environment_clear(&undo);
	environment_undo(&undo, back);
	assert_int_equal(undo.num, 0);
	environment_clear(&undo);
	environment_free(once);
	environment_free(back);
}

static void names_that_begin_alike(void **state)
{
	char *before[] = {"http_proxy_port=1", "SSL_CERT_FILE2=x", NULL};
	char **all = over(before);

	(void)state;
	has(all, "http_proxy_port", "1");
	has(all, "SSL_CERT_FILE2", "x");
	environment_free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_every_kind),
		cmocka_unit_test(bare_is_the_proxy_alone),
		cmocka_unit_test(sets_all_rows),
		cmocka_unit_test(lists_get_longer),
		cmocka_unit_test(twice_is_once),
		cmocka_unit_test(other_java_options_say_nothing_of_it),
		cmocka_unit_test(git_is_told_over_its_files),
		cmocka_unit_test(goes_back),
		cmocka_unit_test(names_that_begin_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
