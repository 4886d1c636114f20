#include "tests/unit/config/told.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "policy/netset.h"

static bool client(const struct config *config, const char *text)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;

	storage.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(storage.ss_family, text,
		storage.ss_family == AF_INET ? (void *)&in->sin_addr :
		(void *)&in6->sin6_addr), 1);
	return netset_match(config->clients, (struct sockaddr *)&storage);
}

static void who_may_use_it(void **state)
{
	struct config *config = told_nothing("");

	(void)state;
	assert_false(config->clients_any);
	assert_true(client(config, "127.0.0.1"));
	assert_true(client(config, "::1"));
	assert_true(client(config, "10.1.2.3"));
	assert_true(client(config, "172.31.255.255"));
	assert_true(client(config, "192.168.0.1"));
	assert_true(client(config, "fd00::1"));
	assert_false(client(config, "172.32.0.1"));
	assert_false(client(config, "192.0.2.1"));
	assert_false(client(config, "2001:db8::1"));
	config_free(config);
	config = told_nothing("clients: [local, 192.0.2.0/24]\n");
	assert_true(client(config, "127.0.0.1"));
	assert_true(client(config, "192.0.2.1"));
	assert_false(client(config, "10.1.2.3"));
	config_free(config);
	config = told_nothing("clients: any\n");
	assert_true(config->clients_any);
	config_free(config);
	told_warning("clients: [any, local]\n",
		"t.yaml:1: warning: clients: beside any the others say "
		"nothing\n");
	told_error("clients: [local, lan]\n",
		"t.yaml:1: clients: \"lan\" is not an address or "
		"a network; there are addresses, networks, and the words any, "
		"local and private\n");
}

static void listeners(void **state)
{
	struct config *config = told_nothing(
		"listen:\n  proxy: [127.0.0.1:1, '[::1]:2']\n"
		"  transparent: 0.0.0.0:3\n");

	(void)state;
	assert_int_equal(config->proxy.num, 2);
	assert_string_equal(config->proxy.at[1].text, "[::1]:2");
	assert_int_equal(config->transparent.num, 1);
	assert_string_equal(config->transparent.at[0].text, "0.0.0.0:3");
	config_free(config);
	told_error("listen:\n  proxy:\n  - 0.0.0.0\n  - 127.0.0.1:1\n"
		"  - localhost:1\n",
		"t.yaml:3: listen.proxy: \"0.0.0.0\" is not an address with a "
		"port; as in 127.0.0.1:8080 or [::]:8080\n"
		"t.yaml:5: listen.proxy: \"localhost:1\" does not begin with "
		"an address; as in 127.0.0.1:8080 or [::]:8080\n");
	told_error("workers: 1\nlisten: {proxy: 127.0.0.1:1, "
		"transparent: 127.0.0.1:1}\n",
		"t.yaml:2: 127.0.0.1:1 is listened on twice\n");
}

static void origins(void **state)
{
	struct config *config = told_nothing("origin:\n"
		"  dns: [127.0.0.1:5353, '::1']\n"
		"  connect-to: [a.test:443:127.0.0.1:1, '::127.0.0.2:']\n");

	(void)state;
	assert_string_equal(config->origin.dns, "127.0.0.1:5353,[::1]:53");
	assert_int_equal(config->origin.num_connect_to, 2);
	config_free(config);
	told_warning("origin:\n  connect-to: [a.test::127.0.0.1:1, b.test:::2, "
		"a.test:443:127.0.0.1:2]\n",
		"t.yaml:2: warning: origin.connect-to: entry 3 never counts, "
		"entry 1 fits first\n");
	told_error("origin:\n  dns: [dns.test]\n  connect-to: ['*']\n",
		"t.yaml:2: origin.dns: \"dns.test\" is not an address, which "
		"may have a port; as in 192.0.2.53 or 127.0.0.1:5353\n"
		"t.yaml:3: origin.connect-to: \"*\" is not "
		"host:port:to-host:to-port; as in site.test:443:127.0.0.1:9443, "
		"where an empty host or port is any, and *.site.test all below "
		"it\n");
	told_error("issuing:\n  crl-url: http://crl.example.org/\n",
		"t.yaml:2: issuing.crl-url: \"http://crl.example.org/\" must "
		"not end in a slash; /crl/ID.crl is put behind it\n");
}

static void what_goes_past_the_proxy(void **state)
{
	struct config *config = told_nothing("portal:\n"
		"  direct: [A.test., .b.test, '*.c.test', 10.0.0.0/8, "
		"'[2001:db8::5]', 192.0.2.7/32]\n");
	const struct direct *all = config->portal.direct;

	(void)state;
	assert_int_equal(config->portal.num_direct, 6);
	assert_string_equal(all[0].host, "a.test");
	assert_false(all[0].below);
	assert_string_equal(all[1].host, "b.test");
	assert_true(all[1].below && all[2].below);
	assert_string_equal(all[3].host, "");
	assert_int_equal(all[3].network.bits, 8);
	assert_string_equal(all[4].host, "2001:db8::5");
	assert_string_equal(all[5].host, "192.0.2.7");
	config_free(config);
	told_error("portal:\n  direct:\n  - a.test/x\n  - b.test:8443\n"
		"  - 2001:db8::/32\n",
		"t.yaml:3: portal.direct: \"a.test/x\": browsers keep paths "
		"from the PAC file; name the host alone\n"
		"t.yaml:4: portal.direct: \"b.test:8443\": a PAC file goes by "
		"hosts; leave the port out\n"
		"t.yaml:5: portal.direct: \"2001:db8::/32\": not all browsers "
		"know IPv6 networks in a PAC file; name hosts or addresses\n");
}

static void names_can_be_shown(void **state)
{
	(void)state;
	told_error("ssl-rules:\n- name: \"a\\nb\"\n  action: block\n",
		"t.yaml:2: ssl-rules[].name: \"a?b\" has characters that "
		"can't be shown\n");
	told_error("ssl-rules:\n- name: 0123456789012345678901234567890123456"
		"789012345678901234567890123\n  action: block\n",
		"t.yaml:2: ssl-rules[].name: longer than 63 bytes\n");
	config_free(told_nothing("ssl-rules:\n- name: 0123456789012345678901234"
		"56789012345678901234567890123456789012\n"
		"  action: block\n  description: ''\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_use_it),
		cmocka_unit_test(listeners),
		cmocka_unit_test(origins),
		cmocka_unit_test(what_goes_past_the_proxy),
		cmocka_unit_test(names_can_be_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
