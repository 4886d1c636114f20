#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/config/config.h"
#include "proxy/portal/pac.h"

static char *write_pac(struct direct *all, size_t num, const char *proxy)
{
	struct config config = {.portal = {all, num}};
	UT_string out;

	utstring_init(&out);
	pac_write(&out, &config, proxy);
	return utstring_body(&out);
}

static void starts_with(const char *text, const char *start)
{
	if (strncmp(text, start, strlen(start)) != 0)
		fail_msg("%s\ndoes not begin with\n%s", text, start);
}

static void with_nothing_listed(void **state)
{
	char *text = write_pac(NULL, 0, "proxy.test:8080");

	(void)state;
	starts_with(text, "var hosts = {};\nvar networks = [];\n");
	assert_non_null(strstr(text, "return \"PROXY proxy.test:8080\";\n"));
	free(text);
	text = write_pac(NULL, 0, "[2001:db8::1]:8080");
	assert_non_null(strstr(text, "\"PROXY [2001:db8::1]:8080\";"));
	free(text);
}

static void lists_hosts_and_networks(void **state)
{
	struct direct all[] = {
		{.host = "a.test"},
		{.network = {2, 8, {10}}},
		{.host = "b.test", .below = true},
		{.network = {2, 0, {0}}},
		{.network = {2, 31, {192, 0, 2, 6}}},
		{.host = "2001:db8::5"},
	};
	char *text = write_pac(all, sizeof(all) / sizeof(*all), "p:1");

	(void)state;
	starts_with(text, "var hosts = {\n\t\"a.test\": 1,\n\t\".b.test\": 1,"
		"\n\t\"2001:db8::5\": 1};\nvar networks = [\n"
		"\t[\"10.0.0.0\", \"255.0.0.0\"],\n"
		"\t[\"0.0.0.0\", \"0.0.0.0\"],\n"
		"\t[\"192.0.2.6\", \"255.255.255.254\"]];\n");
	free(text);
}

/* Names that come here are clean; nothing rests on that. */
static void whatever_comes_stays_a_string(void **state)
{
	struct direct all[] = {
		{.host = "a\"};alert(1);//\\\n</script>\xc3\xbc'"}};
	char *text = write_pac(all, 1, "p\";evil()//:1");

	(void)state;
	starts_with(text, "var hosts = {\n\t\"a\\x22\\x7d\\x3balert\\x281\\x29"
		"\\x3b\\x2f\\x2f\\x5c\\x0a\\x3c\\x2fscript\\x3e\\xc3\\xbc"
		"\\x27\": 1};\n");
	assert_non_null(strstr(text, "return \"PROXY p\\x22\\x3bevil\\x28\\x29"
		"\\x2f\\x2f:1\";\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_nothing_listed),
		cmocka_unit_test(lists_hosts_and_networks),
		cmocka_unit_test(whatever_comes_stays_a_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
