#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/tools/java_direct.h"

#define OWN "localhost|127.*|[::1]"

static void is(const char *before, const char *no_proxy, const char *expected)
{
	char *direct = java_direct(before, no_proxy);

	assert_string_equal(direct, expected);
	free(direct);
}

static void this_machine_alone(void **state)
{
	(void)state;
	is(NULL, NULL, OWN);
	is("", "", OWN);
	is(OWN, "localhost,127.0.0.1,::1", OWN);
}

static void names_have_all_below_them(void **state)
{
	(void)state;
	is(NULL, "corp.example", OWN "|corp.example|*.corp.example");
	is(NULL, " .corp.example,", OWN "|corp.example|*.corp.example");
	is(NULL, "*.a,.a a", OWN "|a|*.a");
}

static void addresses_and_networks(void **state)
{
	(void)state;
	is(NULL, "10.1.2.3,2001:db8::7", OWN "|10.1.2.3|[2001:db8::7]");
	is(NULL, "10.0.0.0/8,172.16.1.0/24", OWN "|10.*|172.16.1.*");
	is(NULL, "10.1.2.3/32", OWN "|10.1.2.3");
}

/* More than was meant must not go past the proxy. */
static void what_java_has_no_word_for(void **state)
{
	char far_too_long[600];

	(void)state;
	is(NULL, "172.16.0.0/12,0.0.0.0/0,10.0.0.0/,10.0.0.0/8x,a/8,fd00::/8",
		OWN);
	is(NULL, "a.example:8080,*,.,*.,**,a*b,x\"y,a|b", OWN);
	is("*|.|a b|'q|", NULL, OWN);
	memset(far_too_long, 'a', sizeof(far_too_long) - 1);
	far_too_long[sizeof(far_too_long) - 1] = '\0';
	is(far_too_long, far_too_long, OWN);
}

static void what_went_past_it_before(void **state)
{
	(void)state;
	is("*.corp.example|localhost|10.*", ".corp.example",
		OWN "|*.corp.example|10.*|corp.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_machine_alone),
		cmocka_unit_test(names_have_all_below_them),
		cmocka_unit_test(addresses_and_networks),
		cmocka_unit_test(what_java_has_no_word_for),
		cmocka_unit_test(what_went_past_it_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
