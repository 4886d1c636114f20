#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "policy/network.h"

static char err[200];

static struct network parse(const char *text)
{
	struct network network;

	err[0] = '\0';
	if (network_parse(text, strlen(text), &network, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return network;
}

static void reads_as(const char *text, const char *again)
{
	struct network network = parse(text);
	char out[NETWORK_TEXT_SIZE];

	network_text(&network, out);
	assert_string_equal(out, again);
}

static void one_spelling(void **state)
{
	(void)state;
	reads_as("10.0.0.0/8", "10.0.0.0/8");
	reads_as("0.0.0.0/0", "0.0.0.0/0");
	reads_as("192.0.2.7", "192.0.2.7");
	reads_as("192.0.2.7/32", "192.0.2.7");
	reads_as("2001:DB8:0::/32", "2001:db8::/32");
	reads_as("::1/128", "::1");
	reads_as("::/0", "::/0");
}

static void mapped_addresses_are_ipv4(void **state)
{
	(void)state;
	reads_as("::ffff:10.0.0.0/104", "10.0.0.0/8");
	reads_as("::ffff:192.0.2.7", "192.0.2.7");
	reads_as("::ffff:0:0/96", "0.0.0.0/0");
	reads_as("::fffe:0:0/95", "::fffe:0:0/95");
}

static void refuse(const char *text, size_t len, const char *why)
{
	struct network network;

	err[0] = '\0';
	if (network_parse(text, len, &network, err, sizeof(err)) == 0)
		fail_msg("\"%s\" was taken", text);
	if (!strstr(err, why))
		fail_msg("\"%s\": %s", text, err);
}

static void refuses_host_bits_and_names_the_network(void **state)
{
	(void)state;
	refuse("10.0.0.1/8", 10, "the network is 10.0.0.0/8");
	refuse("192.0.2.129/25", 14, "the network is 192.0.2.128/25");
	refuse("2001:db8::1/64", 14, "the network is 2001:db8::/64");
	refuse("::ffff:10.0.0.1/104", 19, "the network is 10.0.0.0/8");
}

static void refuses_what_is_no_network(void **state)
{
	(void)state;
	refuse("", 0, "is not an address");
	refuse("10.0.0.0/", 9, "is not an address");
	refuse("10.0.0.0/33", 11, "is not an address");
	refuse("10.0.0.0/08", 11, "is not an address");
	refuse("::/129", 6, "is not an address");
	refuse("::/4294967296", 13, "is not an address");
	refuse("1.2.3.4\0005", 9, "is not an address");
	refuse("1.2.3.4/\0008", 10, "is not an address");
	refuse("example.com", 11, "is not an address");
}

static void reads_no_further_than_told(void **state)
{
	struct network network;
	char out[NETWORK_TEXT_SIZE];

	(void)state;
	assert_int_equal(network_parse("10.0.0.0/24", 10, &network, err,
				 sizeof(err)),
		-1);
	assert_int_equal(network_parse("10.0.0.0/24", 8, &network, err,
				 sizeof(err)),
		0);
	network_text(&network, out);
	assert_string_equal(out, "10.0.0.0");
}

static void contains_what_has_its_prefix(void **state)
{
	struct network ten = parse("10.0.0.0/8"), one = parse("10.1.0.0/16");
	struct network odd = parse("10.128.0.0/9"), all = parse("0.0.0.0/0");
	struct network begin = parse("10.0.0.0/16");
	struct network six = parse("::/0"), host = parse("10.127.255.255");

	(void)state;
	assert_true(network_contains(&ten, &ten));
	assert_true(network_contains(&ten, &one));
	assert_false(network_contains(&one, &ten));
	assert_true(network_contains(&ten, &host));
	assert_false(network_contains(&odd, &host));
	assert_true(network_contains(&all, &host));
	assert_false(network_contains(&six, &host));
	assert_false(network_contains(&all, &six));
	assert_false(network_contains(&begin, &ten));
	assert_true(network_contains(&ten, &begin));
}

static void widens(void **state)
{
	struct network network = parse("10.1.2.3");
	char out[NETWORK_TEXT_SIZE];

	(void)state;
	assert_false(network_widen(&network, 32));
	assert_true(network_widen(&network, 24));
	assert_false(network_widen(&network, 24));
	assert_true(network_widen(&network, 9));
	network_text(&network, out);
	assert_string_equal(out, "10.0.0.0/9");
	assert_true(network_widen(&network, 0));
	network_text(&network, out);
	assert_string_equal(out, "0.0.0.0/0");
}

static void of_a_socket_address(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr local = {.sa_family = AF_UNIX};
	struct network network;
	char out[NETWORK_TEXT_SIZE];

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &in.sin_addr), 1);
	assert_true(network_of((struct sockaddr *)&in, &network));
	network_text(&network, out);
	assert_string_equal(out, "192.0.2.7");
	assert_int_equal(inet_pton(AF_INET6, "::ffff:1.2.3.4",
				 &in6.sin6_addr),
		1);
	assert_true(network_of((struct sockaddr *)&in6, &network));
	network_text(&network, out);
	assert_string_equal(out, "1.2.3.4");
	assert_false(network_of(NULL, &network));
	assert_false(network_of(&local, &network));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_spelling),
		cmocka_unit_test(mapped_addresses_are_ipv4),
		cmocka_unit_test(refuses_host_bits_and_names_the_network),
		cmocka_unit_test(refuses_what_is_no_network),
		cmocka_unit_test(reads_no_further_than_told),
		cmocka_unit_test(contains_what_has_its_prefix),
		cmocka_unit_test(widens),
		cmocka_unit_test(of_a_socket_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
