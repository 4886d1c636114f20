#include "tests/unit/config/told.h"

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
	assert_non_null(strstr(told, ": can't be read: No such file"));
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
		"t.yaml:5: categories.NAME.hosts: \"a b\" is not a host, a "
		"domain or an address\n");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_file_is_a_configuration),
		cmocka_unit_test(a_file),
		cmocka_unit_test(all_mistakes_by_line),
		cmocka_unit_test(where_connections_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
