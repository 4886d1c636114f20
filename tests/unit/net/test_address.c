#include <arpa/inet.h>
#include <ifaddrs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/net/address.h"

static struct sockaddr_storage at(const char *text, uint16_t port)
{
	struct sockaddr_storage out = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return out;
	}
	assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return out;
}

static enum address_verdict check(const struct own_listeners *own,
	const char *text, uint16_t port, bool local, bool configured)
{
	struct sockaddr_storage to = at(text, port);

	return address_check(own, (struct sockaddr *)&to, local, configured);
}

static void expect(const char *text, bool local, bool configured,
	enum address_verdict verdict)
{
	if (check(NULL, text, 80, local, configured) != verdict)
		fail_msg("%s is judged wrongly", text);
}

static const char *const inward[] = {
	"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "169.254.169.254",
	"169.254.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192",
	"::", "::1", "fe80::1", "febf::1", "fd00:ec2::254", "fd20:ce::254",
	"::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:169.254.169.254",
	"::127.0.0.1", "::169.254.169.254", "::ffff:0:127.0.0.1",
	"2002:7f00:1::", "2002:a9fe:a9fe::1", "2002::1",
	"64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::0.0.0.0",
	"64:ff9b:1::127.0.0.1", "64:ff9b:1:7f00:0:100::",
	"64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:5a9:fe:a9fe::",
	"64:ff9b:1:0:a9:fea9:fe00:0", "64:ff9b:1:5:6:7:a9fe:a9fe",
};

static const char *const never[] = {
	"224.0.0.1", "239.255.255.250", "255.255.255.255", "ff02::1", "ff0e::1",
	"::ffff:224.0.0.1", "64:ff9b::255.255.255.255", "2002:e000:1::",
};

static const char *const fine[] = {
	"192.0.2.1", "10.0.0.1", "192.168.1.1", "126.255.255.255", "128.0.0.1",
	"169.253.255.255", "169.255.0.1", "223.255.255.255", "1.0.0.0",
	"100.100.100.201", "2001:db8::1", "fd00::1", "fec0::1", "2002:c000:201::",
	"64:ff9b::192.0.2.1", "64:ff9b:1::192.0.2.1", "64:ff9b:1:c000:2:100::",
	"::ffff:192.0.2.1", "fd00:ec3::1", "2:7f00:1::",
};

static void knows_what_is_inward(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(inward) / sizeof(inward[0]); i++) {
		expect(inward[i], false, false, ADDRESS_NOT_ALLOWED);
		expect(inward[i], true, false, ADDRESS_FINE);
		expect(inward[i], false, true, ADDRESS_FINE);
	}
}

static void refuses_multicast_always(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		expect(never[i], true, true, ADDRESS_NOT_ALLOWED);
}

static void lets_the_others_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		expect(fine[i], false, false, ADDRESS_FINE);
}

static void refuses_other_families(void **state)
{
	struct sockaddr_storage path = { .ss_family = AF_UNIX };

	(void)state;
	assert_int_equal(address_check(NULL, (struct sockaddr *)&path, true,
		true), ADDRESS_NOT_ALLOWED);
}

static void own_listener_by_address(void **state)
{
	struct sockaddr_storage listeners[] = {
		at("127.0.0.1", 8080), at("192.0.2.7", 8443),
	};
	struct own_listeners own;

	(void)state;
	own_listeners_init(&own, listeners, 2);
	assert_int_equal(check(&own, "127.0.0.1", 8080, true, true),
		ADDRESS_OURS);
	assert_int_equal(check(&own, "::ffff:127.0.0.1", 8080, true, true),
		ADDRESS_OURS);
	assert_int_equal(check(&own, "0.0.0.0", 8080, true, true),
		ADDRESS_OURS);
	assert_int_equal(check(&own, "192.0.2.7", 8443, false, false),
		ADDRESS_OURS);
	assert_int_equal(check(&own, "64:ff9b::192.0.2.7", 8443, false, false),
		ADDRESS_OURS);
	assert_int_equal(check(&own, "127.0.0.1", 8081, true, true),
		ADDRESS_FINE);
	assert_int_equal(check(&own, "127.0.0.2", 8080, true, true),
		ADDRESS_FINE);
	assert_int_equal(check(&own, "192.0.2.7", 8080, false, false),
		ADDRESS_FINE);
	own_listeners_clear(&own);
}

static void own_listener_everywhere(void **state)
{
	struct sockaddr_storage listener = at("::", 8080);
	struct own_listeners own;
	struct ifaddrs *all;
	char text[46];

	(void)state;
	own_listeners_init(&own, &listener, 1);
	assert_int_equal(getifaddrs(&all), 0);
	assert_int_equal(check(&own, "127.0.0.5", 8080, true, true),
		ADDRESS_OURS);
	assert_int_equal(check(&own, "::1", 8080, true, true), ADDRESS_OURS);
	assert_int_equal(check(&own, "::", 8080, true, true), ADDRESS_OURS);
	assert_int_equal(check(&own, "198.51.100.1", 8080, false, false),
		ADDRESS_FINE);
	for (struct ifaddrs *a = all; a; a = a->ifa_next) {
		if (!a->ifa_addr || (a->ifa_addr->sa_family != AF_INET &&
				a->ifa_addr->sa_family != AF_INET6))
			continue;
		address_text(a->ifa_addr, text);
		assert_int_equal(check(&own, text, 8080, true, true),
			ADDRESS_OURS);
		assert_int_not_equal(check(&own, text, 8081, true, true),
			ADDRESS_OURS);
	}
	freeifaddrs(all);
	own_listeners_clear(&own);
	own_listeners_clear(&own);
}

static bool local_client(const char *peer, const char *local)
{
	struct sockaddr_storage a = at(peer, 4711), b = at(local, 8080);

	return address_client_is_local((struct sockaddr *)&a,
		(struct sockaddr *)&b);
}

static bool loopback(const char *address)
{
	struct sockaddr_storage a = at(address, 8081);

	return address_is_loopback((struct sockaddr *)&a);
}

static void knows_loopback(void **state)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	(void)state;
	assert_true(loopback("127.0.0.1"));
	assert_true(loopback("127.255.255.254"));
	assert_true(loopback("::1"));
	assert_true(loopback("::ffff:127.0.0.1"));
	assert_false(loopback("0.0.0.0"));
	assert_false(loopback("::"));
	assert_false(loopback("128.0.0.1"));
	assert_false(loopback("192.0.2.7"));
	assert_false(address_is_loopback(&none));
}

static void knows_local_clients(void **state)
{
	(void)state;
	assert_true(local_client("127.0.0.1", "127.0.0.1"));
	assert_true(local_client("::1", "::1"));
	assert_true(local_client("::ffff:127.0.0.1", "::ffff:127.0.0.1"));
	assert_true(local_client("192.0.2.7", "192.0.2.7"));
	assert_true(local_client("192.0.2.7", "::ffff:192.0.2.7"));
	assert_false(local_client("192.0.2.8", "192.0.2.7"));
	assert_false(local_client("fe80::2", "fe80::1"));
}

static const char *text_of(const char *text)
{
	static char out[46];
	struct sockaddr_storage a = at(text, 80);

	address_text((struct sockaddr *)&a, out);
	return out;
}

static void writes_text(void **state)
{
	(void)state;
	assert_string_equal(text_of("192.0.2.1"), "192.0.2.1");
	assert_string_equal(text_of("::ffff:192.0.2.1"), "192.0.2.1");
	assert_string_equal(text_of("2001:DB8:0:0::1"), "2001:db8::1");
}

static const char *with_port(const char *host, size_t size)
{
	static char out[64];

	address_with_port(host, 8443, out, size);
	return out;
}

static void writes_ports(void **state)
{
	(void)state;
	assert_string_equal(with_port("192.0.2.1", 64), "192.0.2.1:8443");
	assert_string_equal(with_port("2001:db8::1", 64), "[2001:db8::1]:8443");
	assert_string_equal(with_port("a.example", 64), "a.example:8443");
	assert_string_equal(with_port("a.example", 4), "a.e");
}

static void compares(void **state)
{
	struct sockaddr_storage a = at("192.0.2.1", 80), b = a;
	struct sockaddr_storage mapped = at("::ffff:192.0.2.1", 80);
	struct sockaddr_storage other = at("192.0.2.1", 81);
	struct sockaddr_storage v6 = at("fe80::1", 80), v6_there = v6;

	(void)state;
	((struct sockaddr_in6 *)&v6_there)->sin6_scope_id = 2;
	assert_true(address_equal((void *)&a, (void *)&b));
	assert_true(address_equal((void *)&a, (void *)&mapped));
	assert_false(address_equal((void *)&a, (void *)&other));
	assert_true(address_equal((void *)&v6, (void *)&v6));
	assert_false(address_equal((void *)&v6, (void *)&v6_there));
	assert_int_equal(address_port((void *)&other), 81);
	assert_int_equal(address_port((void *)&v6), 80);
	assert_int_equal(address_len((void *)&a), sizeof(struct sockaddr_in));
	assert_int_equal(address_len((void *)&v6), sizeof(struct sockaddr_in6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_is_inward),
		cmocka_unit_test(refuses_multicast_always),
		cmocka_unit_test(lets_the_others_pass),
		cmocka_unit_test(refuses_other_families),
		cmocka_unit_test(own_listener_by_address),
		cmocka_unit_test(own_listener_everywhere),
		cmocka_unit_test(knows_loopback),
		cmocka_unit_test(knows_local_clients),
		cmocka_unit_test(writes_text),
		cmocka_unit_test(writes_ports),
		cmocka_unit_test(compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
