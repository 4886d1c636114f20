#include "tests/unit/config/told.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

static void no_file_is_a_configuration(void **state)
{
	struct config *config = NULL;

	(void)state;
	assert_int_equal(config_load(NULL, &config, stderr), 0);
	assert_null(config->path);
	assert_int_equal(config->proxy.num, 1);
	assert_string_equal(config->proxy.at[0].text, "127.0.0.1:8080");
	assert_int_equal(config->transparent.num, 0);
	assert_non_null(config->clients);
	assert_non_null(config->state);
	assert_int_equal(config->workers, 0);
	assert_true(config->origin.trust_system);
	assert_int_equal(config->origin.num_trust_files, 0);
	assert_int_equal(config->origin.num_connect_to, 0);
	assert_null(config->origin.dns);
	assert_true(config->origin.pool);
	assert_true(config->origin.resume);
	assert_int_equal(config->issuing.validity_s, 14 * 24 * 3600);
	assert_null(config->issuing.crl_url);
	assert_null(config->passphrase_file);
	assert_int_equal(config->proxy_tls.num, 0);
	assert_false(config->users.given);
	assert_true(config->users.required);
	assert_string_equal(config->users.realm, "Sallyport");
	assert_null(config->users.htpasswd);
	assert_null(config->users.client_ca);
	assert_int_equal(config->num_categories, 0);
	assert_int_equal(config->num_url_rules, 0);
	assert_int_equal(config->watch, WATCH_LISTS);
	assert_non_null(config->policy);
	assert_int_equal(config->non_tls, NON_TLS_TUNNEL);
	assert_int_equal(config->non_http, NON_HTTP_RELAY);
	assert_string_equal(config->access_log, "stdout");
	assert_int_equal(config->limits.connections, 20000);
	assert_int_equal(config->limits.header_bytes, 65536);
	assert_int_equal(config->limits.handshake_timeout_ms, 10000);
	assert_int_equal(config->limits.idle_timeout_ms, 300000);
	assert_int_equal(config->limits.peek_timeout_ms, 1000);
	assert_int_equal(config->limits.connect_timeout_ms, 10000);
	assert_int_equal(config->limits.drain_timeout_ms, 30000);
	assert_int_equal(config->limits.leaf_cache_entries, 10000);
	assert_int_equal(config->limits.leaf_cache_bytes, 64 << 20);
	config_free(config);
	config_free(NULL);
}

static void a_file(void **state)
{
	char path[] = "/tmp/sallyport-config.XXXXXX", told[256] = "";
	FILE *errors = fmemopen(told, sizeof(told), "w");
	struct config *config = NULL;
	int fd = mkstemp(path);
	size_t num = 0;

	(void)state;
	for (; num < 3000; num++) /* more than one read */
		assert_int_equal(write(fd, "# 4\n", 4), 4);
	assert_int_equal(write(fd, "workers: 3", 10), 10);
	close(fd);
	assert_int_equal(config_load(path, &config, errors), 0);
	assert_int_equal(config->workers, 3);
	assert_string_equal(config->path, path);
	config_free(config);
	unlink(path);
	config = NULL;
	assert_int_equal(config_load(path, &config, errors), -1);
	assert_null(config);
	assert_int_equal(config_load("/", &config, errors), -1);
	fclose(errors);
	assert_non_null(strstr(told, ": can't be read: No such file or "
		"directory; -c names the configuration, and without it"));
	assert_non_null(strstr(told, "/: can't be read: Is a directory"));
}

static void all_mistakes_by_line(void **state)
{
	(void)state;
	told_error("workers: x\n"
		"ssl-rules:\n"
		"- {name: a, action: blok}\n"
		"limts: {}\n"
		"categories: {c: {hosts: ['a b']}}\n",
		"t.yaml:1: workers: \"x\" is not a whole number, as 20000\n"
		"t.yaml:3: ssl-rules[].action: there is no \"blok\"; did you "
		"mean \"block\"?\n"
		"t.yaml:4: there is no key \"limts\"; did you mean "
		"\"limits\"?\n"
		"t.yaml:5: categories.c.hosts: \"a b\" has a blank or a "
		"control in it\n");
	told_error("a: [\n", "t.yaml:2: not YAML: did not find expected node "
		"content\n");
}

static void where_connections_go(void **state)
{
	struct config *config = told_nothing("origin:\n  connect-to:\n"
		"  - site.test:443:127.0.0.1:1\n"
		"  - '*.many.test:443:127.0.0.1:2'\n"
		"  - :80:127.0.0.1:3\n"
		"  - site.test::127.0.0.1:4\n");
	static const struct {
		const char *host;
		uint16_t port, to_port;
	} rows[] = {
		{"site.test", 443, 1}, {"site.test", 444, 4},
		{"site.test", 80, 3}, {"a.site.test", 443, 0},
		{"a.many.test", 443, 2}, {"b.a.many.test", 443, 2},
		{"many.test", 443, 0}, {"amany.test", 443, 0},
		{".many.test", 443, 0}, {"other.test", 80, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct connect_to *entry = config_connect_to(config,
			rows[i].host, rows[i].port);

		assert_int_equal(entry ? entry->to_port : 0, rows[i].to_port);
	}
	config_free(config);
}

static const char *user_at(const struct config *config, const char *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, address, &in.sin_addr) == 1)
		return config_user_at(config, (struct sockaddr *)&in);
	assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
	return config_user_at(config, (struct sockaddr *)&in6);
}

static void who_comes_from_where(void **state)
{
	struct config *config = told_nothing("users:\n  sources:\n"
		"    10.1.2.3: dev1\n"
		"    10.1.2.0/24: dev2\n"
		"    10.0.0.0/8: dev3\n"
		"    '2001:db8::/32': dev4\n");

	(void)state;
	assert_true(config->users.given);
	assert_int_equal(config->users.num_sources, 4);
	assert_string_equal(user_at(config, "10.1.2.3"), "dev1");
	assert_string_equal(user_at(config, "10.1.2.4"), "dev2");
	assert_string_equal(user_at(config, "10.1.3.4"), "dev3");
	assert_string_equal(user_at(config, "2001:db8::1"), "dev4");
	assert_string_equal(user_at(config, "::ffff:10.1.2.3"), "dev1");
	assert_null(user_at(config, "11.1.2.3"));
	assert_null(config_user_at(config, NULL));
	config_free(config);
	told_error("users: {sources: {10.1.2.3/8: a, b: c, 10.1.1.1: [d],"
		" 10.1.1.2: \"\", 10.1.1.3: \"\\n\"}}\n",
		"t.yaml:1: users.sources: \"10.1.2.3/8\" has bits set beyond "
		"its prefix; the network is 10.0.0.0/8\n"
		"t.yaml:1: users.sources: \"b\" is not an address or a "
		"network\n"
		"t.yaml:1: users.sources must be one value, not a list\n"
		"t.yaml:1: users.sources has no value; give one, or leave the "
		"key out\n"
		"t.yaml:1: users.sources: \"?\" has characters that can't be "
		"shown\n");
	told_error("users: {sources: [10.1.2.3]}\n", "t.yaml:1: users.sources "
		"must be a map, as {10.1.2.3: dev1}\n");
	told_error("users: {sources: {}}\n", "t.yaml:1: users.sources is "
		"empty; give one, or leave the key out\n");
}

static void there_is_a_way_to_be_somebody(void **state)
{
	static const char nobody[] = "t.yaml:2: users gives no way to be one, "
		"so that all would be refused; give htpasswd, client-ca or "
		"sources, or required: false\n";
	struct config *config;

	(void)state;
	told_error("\nusers:\n", nobody);
	told_error("\nusers: {groups: {a: [b]}}\n", nobody);
	told_error("\nusers: {required: true, realm: x}\n", nobody);
	config = told_nothing("users: {required: false, realm: Here}\n");
	assert_true(config->users.given);
	assert_false(config->users.required);
	assert_string_equal(config->users.realm, "Here");
	config_free(config);
	told_error("users: {htpasswd: /nowhere/users}\n", "t.yaml:1: "
		"users.htpasswd: /nowhere/users is not there; make it by: "
		"htpasswd -cB FILE USER\n");
	config = told_nothing("users:\n  htpasswd: /dev/null\n");
	assert_string_equal(config->users.htpasswd, "/dev/null");
	assert_int_equal(config->users.htpasswd_line, 2);
	config_free(config);
	told_error("users: {required: off, realm: 'a\"b'}\n", "t.yaml:1: "
		"users.realm: \"a\"b\" may have ASCII letters, digits and "
		"signs, but no quotes and backslashes\n");
}

static void certificates_are_shown_inside_tls(void **state)
{
	struct config *config = told_nothing(
		"listen: {proxy-tls: '[::1]:8443'}\n"
		"users:\n  client-ca: /dev/null\n");

	(void)state;
	assert_int_equal(config->proxy_tls.num, 1);
	assert_string_equal(config->proxy_tls.at[0].text, "[::1]:8443");
	assert_string_equal(config->users.client_ca, "/dev/null");
	assert_int_equal(config->users.client_ca_line, 3);
	config_free(config);
	config_free(told_nothing("listen: {proxy-tls: 127.0.0.1:8443}\n"));
	told_warning("users:\n  client-ca: /dev/null\n", "t.yaml:2: warning: "
		"users.client-ca says nothing without listen.proxy-tls: "
		"certificates are shown there alone\n");
	told_error("listen:\n  proxy: 127.0.0.1:1\n  proxy-tls: 127.0.0.1:1\n",
		"t.yaml:1: 127.0.0.1:1 is listened on twice\n");
}

static void what_is_watched(void **state)
{
	struct config *config = told_nothing("reload: {watch: all}\n");

	(void)state;
	assert_int_equal(config->watch, WATCH_ALL);
	config_free(config);
	told_error("reload: {watch: list}\n", "t.yaml:1: reload.watch: there "
		"is no \"list\"; did you mean \"lists\"?\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_file_is_a_configuration),
		cmocka_unit_test(a_file),
		cmocka_unit_test(all_mistakes_by_line),
		cmocka_unit_test(where_connections_go),
		cmocka_unit_test(who_comes_from_where),
		cmocka_unit_test(there_is_a_way_to_be_somebody),
		cmocka_unit_test(certificates_are_shown_inside_tls),
		cmocka_unit_test(what_is_watched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
