#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/session/quota.h"

static struct quota_client client(const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct quota_client out;

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		quota_client_of((struct sockaddr *)&v4, &out);
	else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		quota_client_of((struct sockaddr *)&v6, &out);
	else
		fail();
	return out;
}

static void each_has_its_own(void **state)
{
	struct quota *quota = quota_new(2);
	struct quota_client a = client("192.0.2.1"), b = client("192.0.2.2");

	(void)state;
	assert_true(quota_take(quota, &a));
	assert_true(quota_take(quota, &a));
	assert_false(quota_take(quota, &a));
	assert_true(quota_take(quota, &b));
	quota_give(quota, &a);
	assert_true(quota_take(quota, &a));
	assert_false(quota_take(quota, &a));
	quota_free(quota);
}

static void what_was_refused_is_not_held(void **state)
{
	struct quota *quota = quota_new(1);
	struct quota_client a = client("192.0.2.1");

	(void)state;
	assert_true(quota_take(quota, &a));
	for (int i = 0; i < 5; i++)
		assert_false(quota_take(quota, &a));
	quota_give(quota, &a);
	assert_true(quota_take(quota, &a));
	quota_give(quota, &a);
	quota_give(quota, &a); /* nothing is held: nothing happens */
	assert_true(quota_take(quota, &a));
	quota_free(quota);
}

static void a_network_is_one_client(void **state)
{
	struct quota_client a = client("2001:db8:1:2::1");
	struct quota_client b = client("2001:db8:1:2:ffff::9");
	struct quota_client c = client("2001:db8:1:3::1");
	struct quota_client d = client("::ffff:192.0.2.1");
	struct quota_client e = client("192.0.2.1");
	struct quota_client f = client("::ffff:192.0.2.2");

	(void)state;
	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(&a, &c, sizeof(a));
	assert_memory_equal(&d, &e, sizeof(d));
	assert_memory_not_equal(&d, &f, sizeof(d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_own),
		cmocka_unit_test(what_was_refused_is_not_held),
		cmocka_unit_test(a_network_is_one_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
