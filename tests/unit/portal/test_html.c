#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/portal/html.h"

static void text_stays_text(void **state)
{
	UT_string out;

	(void)state;
	utstring_init(&out);
	html_text(&out, "<a href=\"x\">&amp;\xc3\xbc");
	assert_string_equal(utstring_body(&out),
		"&lt;a href=&quot;x&quot;&gt;&amp;amp;\xc3\xbc");
	utstring_done(&out);
}

/* The hash is that of RFC 6234's "abc". */
static void a_policy_names_what_may_run(void **state)
{
	static const char abc[] =
		"script-src 'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
		"'; connect-src https://a.test; base-uri";
	char policy[HTML_POLICY_SIZE];

	(void)state;
	html_policy(policy, NULL, NULL);
	assert_ptr_equal(strstr(policy, "default-src 'none'; style-src 'sha256-"),
		policy);
	assert_null(strstr(policy, "script-src"));
	assert_null(strstr(policy, "connect-src"));
	html_policy(policy, "abc", "https://a.test");
	assert_non_null(strstr(policy, abc));
	assert_non_null(strstr(policy, "frame-ancestors 'none'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_stays_text),
		cmocka_unit_test(a_policy_names_what_may_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
