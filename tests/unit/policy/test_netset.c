#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "policy/netset.h"

static char err[200];

static void add(struct netset *netset, const char *network)
{
	err[0] = '\0';
	if (netset_add(netset, network, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void refuse(const char *network)
{
	struct netset *netset = netset_new();

	err[0] = '\0';
	if (netset_add(netset, network, err, sizeof(err)) == 0)
		fail_msg("\"%s\" was taken", network);
	assert_non_null(strstr(err, "\""));
	netset_free(netset);
}

static bool match(const struct netset *netset, const char *text)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;

	if (strchr(text, ':')) {
		in6->sin6_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	} else {
		in->sin_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
	}
	return netset_match(netset, (struct sockaddr *)&storage);
}

static void ipv4(void **state)
{
	struct netset *netset = netset_new();

	(void)state;
	add(netset, "10.0.0.0/8");
	add(netset, "192.0.2.7");
	add(netset, "198.51.100.128/25");
	add(netset, "203.0.113.4/30");
	assert_true(match(netset, "10.0.0.0"));
	assert_true(match(netset, "10.255.255.255"));
	assert_false(match(netset, "11.0.0.0"));
	assert_false(match(netset, "9.255.255.255"));
	assert_true(match(netset, "192.0.2.7"));
	assert_false(match(netset, "192.0.2.6"));
	assert_true(match(netset, "198.51.100.128"));
	assert_false(match(netset, "198.51.100.127"));
	assert_true(match(netset, "203.0.113.7"));
	assert_false(match(netset, "203.0.113.8"));
	assert_false(match(netset, "::a00:1"));
	netset_free(netset);
}

static void ipv6(void **state)
{
	struct netset *netset = netset_new();

	(void)state;
	add(netset, "2001:db8::/32");
	add(netset, "2001:DB9:8000::/33");
	add(netset, "::1");
	assert_true(match(netset, "2001:db8::"));
	assert_true(match(netset, "2001:db8:ffff::1"));
	assert_false(match(netset, "2001:db7:ffff::1"));
	assert_true(match(netset, "2001:db9:8000::1"));
	assert_false(match(netset, "2001:db9:7fff::1"));
	assert_true(match(netset, "::1"));
	assert_false(match(netset, "::2"));
	netset_free(netset);
}

static void mapped(void **state)
{
	struct netset *netset = netset_new();

	(void)state;
	add(netset, "10.0.0.0/8");
	add(netset, "::ffff:192.0.2.0/120");
	add(netset, "::ffff:198.51.100.1");
	assert_true(match(netset, "::ffff:10.1.2.3"));
	assert_false(match(netset, "::ffff:11.1.2.3"));
	assert_true(match(netset, "192.0.2.9"));
	assert_true(match(netset, "::ffff:192.0.2.9"));
	assert_false(match(netset, "192.0.3.9"));
	assert_true(match(netset, "198.51.100.1"));
	netset_free(netset);
}

static void all_of_a_family(void **state)
{
	struct netset *four = netset_new(), *six = netset_new();

	(void)state;
	add(four, "0.0.0.0/0");
	add(six, "::/0");
	assert_true(match(four, "255.255.255.255"));
	assert_true(match(four, "::ffff:1.2.3.4"));
	assert_false(match(four, "2001:db8::1"));
	assert_true(match(six, "2001:db8::1"));
	assert_false(match(six, "1.2.3.4"));
	assert_false(match(six, "::ffff:1.2.3.4"));
	netset_free(four);
	netset_free(six);
}

static void other_addresses(void **state)
{
	struct netset *netset = netset_new();
	struct sockaddr local = {.sa_family = AF_UNIX};

	(void)state;
	assert_false(match(netset, "127.0.0.1"));
	add(netset, "0.0.0.0/0");
	add(netset, "::/0");
	assert_false(netset_match(netset, NULL));
	assert_false(netset_match(netset, &local));
	netset_free(netset);
	netset_free(NULL);
}

static void host_bits(void **state)
{
	(void)state;
	refuse("10.0.0.1/8");
	assert_non_null(strstr(err, "10.0.0.0/8"));
	refuse("192.0.2.129/25");
	assert_non_null(strstr(err, "192.0.2.128/25"));
	refuse("1.2.3.4/0");
	refuse("2001:db8::1/64");
	assert_non_null(strstr(err, "2001:db8::/64"));
	refuse("::ffff:10.0.0.1/104");
	assert_non_null(strstr(err, "10.0.0.0/8"));
	refuse("::ffff:10.0.0.1/80");
}

static void no_networks(void **state)
{
	static const char *const rows[] = {
		"",
		"/",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"10.0.0.0/ 8",
		"10.0.0.0/08",
		"10.0.0.0/8 ",
		"10.0.0.0/8/8",
		"10.0.0.0/4294967304",
		"10.0.0.0/a",
		"10/8",
		"10.0.0/24",
		"010.0.0.0/8",
		"10.0.0.0/255.0.0.0",
		"example.com",
		"::/129",
		"::/99999999999999999999",
		"[::1]",
		"fe80::1%eth0",
		"fe80::%eth0/64",
		"2001:db8::/32x",
		":",
		"any",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refuse(rows[i]);
}

static bool within(const char *one, const char *other)
{
	struct netset *a = netset_new(), *b = netset_new();
	bool result;

	if (one)
		add(a, one);
	add(b, "203.0.113.0/24");
	if (other)
		add(b, other);
	result = netset_within(a, b);
	netset_free(a);
	netset_free(b);
	return result;
}

static void one_within_the_other(void **state)
{
	struct netset *both = netset_new(), *wide = netset_new();

	(void)state;
	assert_true(within("10.1.0.0/16", "10.0.0.0/8"));
	assert_true(within("10.0.0.0/8", "10.0.0.0/8"));
	assert_true(within("10.1.2.3", "0.0.0.0/0"));
	assert_true(within("203.0.113.7", NULL));
	assert_true(within("2001:db8:1::/48", "2001:db8::/32"));
	assert_true(within("::ffff:10.1.2.3", "10.0.0.0/8"));
	assert_true(within(NULL, NULL)); /* of none, all */
	assert_false(within("10.0.0.0/8", "10.1.0.0/16"));
	assert_false(within("10.0.0.0/8", "11.0.0.0/8"));
	assert_false(within("10.1.2.3", "::/0"));
	assert_false(within("2001:db8::/32", "0.0.0.0/0"));
	add(both, "10.1.0.0/16");
	add(both, "192.0.2.1");
	add(wide, "10.0.0.0/8");
	assert_false(netset_within(both, wide)); /* each must be */
	assert_false(netset_within(wide, both));
	add(wide, "192.0.2.0/24");
	assert_true(netset_within(both, wide));
	netset_free(both);
	netset_free(wide);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(mapped),
		cmocka_unit_test(all_of_a_family),
		cmocka_unit_test(other_addresses),
		cmocka_unit_test(host_bits),
		cmocka_unit_test(no_networks),
		cmocka_unit_test(one_within_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
