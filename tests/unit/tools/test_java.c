#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/tools/java.h"

static const struct java_aim aim = {"/kit/trust.jks", "127.0.0.1", 8080, NULL,
	NULL};

static void finds_properties(void **state)
{
	const char *options = "-Xmx1g -Djavax.net.ssl.trustStore=/old "
		"\"-Djavax.net.ssl.trustStore=/my \"'store' "
		"-Djavax.net.ssl.trustStorePassword=se'c r'et";
	char *value = java_option(options, "javax.net.ssl.trustStore");

	(void)state;
	assert_string_equal(value, "/my store");
	free(value);
	value = java_option(options, "javax.net.ssl.trustStorePassword");
	assert_string_equal(value, "sec ret");
	free(value);
	assert_null(java_option(options, "javax.net"));
	assert_null(java_option(NULL, "x"));
	assert_null(java_option("  ", "x"));
}

static void keeps_what_is_not_its_own(void **state)
{
	char *once, *twice;

	(void)state;
	once = java_options("-Xmx1g  -Dhttp.proxyHost=old "
		"'-Dname=with blanks' -Dhttp.proxyHosts=x "
		"-Dhttp.nonProxyHosts=*.old.example", &aim);
	assert_ptr_equal(strstr(once, "-Xmx1g '-Dname=with blanks' "
		"-Dhttp.proxyHosts=x -Djavax.net.ssl.trustStore="
		"/kit/trust.jks "), once);
	assert_null(strstr(once, "=old"));
	assert_non_null(strstr(once, " -Dhttp.nonProxyHosts=localhost|127.*|"
		"[::1]|*.old.example"));
	assert_non_null(strstr(once, /* Maven's own */
		" -Daether.connector.http.useSystemProperties=true"));
	twice = java_options(once, &aim);
	assert_string_equal(once, twice);
	free(once);
	free(twice);
}

/* A proxy alone: whom it trusts stays as it was. */
static void without_a_store(void **state)
{
	const struct java_aim bare = {NULL, "h", 1, NULL, NULL};
	char *options = java_options("-Djavax.net.ssl.trustStore=/mine "
		"-Djavax.net.ssl.trustStorePassword=p -Dhttps.proxyHost=old",
		&bare);

	(void)state;
	assert_ptr_equal(strstr(options, "-Djavax.net.ssl.trustStore=/mine "
		"-Djavax.net.ssl.trustStorePassword=p -Dhttp.proxyHost=h "),
		options);
	assert_null(strstr(options, "old"));
	free(options);
}

static void quotes_paths(void **state)
{
	const struct java_aim odd[] = {
		{"/a b/trust.jks", "h", 1, NULL, NULL}, {"/a\"b/t", "h", 1, NULL, NULL},
		{"/a' b/t", "h", 1, NULL, NULL}, {"/\"' \\", "h", 1, NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char *options = java_options(NULL, &odd[i]);
		char *store = java_option(options, "javax.net.ssl.trustStore");

		assert_string_equal(store, odd[i].store);
		free(store);
		free(options);
	}
}

static void has_no_roots_where_there_is_none(void **state)
{
	(void)state;
	assert_null(java_roots("/no/such/home", "/bin"));
	assert_null(java_roots(NULL, "/no/such:/neither:"));
	assert_null(java_roots(NULL, NULL));
	assert_null(java_roots("", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_properties),
		cmocka_unit_test(keeps_what_is_not_its_own),
		cmocka_unit_test(without_a_store),
		cmocka_unit_test(quotes_paths),
		cmocka_unit_test(has_no_roots_where_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
