#include "tests/unit/config/told.h"

#include "proxy/config/values.h"

static void limits_hold(void **state)
{
	struct config *config;

	(void)state;
	told_error("limits:\n"
		"  header-bytes: 4095\n"
		"  connections: 0\n"
		"  idle-timeout: 8d\n"
		"  leaf-cache-bytes: 1\n",
		"t.yaml:2: limits.header-bytes: 4095 is too little; 4KB to 1MB "
		"is allowed\n"
		"t.yaml:3: limits.connections: 0 is too little; 1 to 10000000 "
		"is allowed\n"
		"t.yaml:4: limits.idle-timeout: 8d is too much; 1s to 7d is "
		"allowed\n"
		"t.yaml:5: limits.leaf-cache-bytes: 1 is too little; 64KB to "
		"64GB is allowed\n");
	config = told_nothing("limits: {header-bytes: 1MB, connections: 1, "
		"idle-timeout: 7d, leaf-cache-bytes: 64GB, drain-timeout: 0s}\n"
		"workers: 256\nissuing: {validity: 1h}\n");
	assert_int_equal(config->limits.header_bytes, 1048576);
	assert_int_equal(config->limits.connections, 1);
	assert_true(config->limits.connections_given);
	assert_int_equal(config->limits.idle_timeout_ms, 604800000);
	assert_true(config->limits.leaf_cache_bytes == (size_t)64 << 30);
	assert_int_equal(config->limits.drain_timeout_ms, 0);
	assert_int_equal(config->workers, 256);
	assert_int_equal(config->issuing.validity_s, 3600);
	config_free(config);
}

/* There are no more than that, and no certificate may live longer than browsers
 * take, of which a day is before now. */
static void what_would_be_cut_is_refused(void **state)
{
	struct config *config;

	(void)state;
	told_error("workers: 257\nissuing: {validity: 397d}\n",
		"t.yaml:1: workers: 257 is too much; 0 to 256 is allowed\n"
		"t.yaml:2: issuing.validity: 397d is too much; 1h to 396d is "
		"allowed\n");
	config = told_nothing("issuing: {validity: 396d}\n");
	assert_false(config->limits.connections_given);
	config_free(config);
}

static void forms_are_explained(void **state)
{
	(void)state;
	told_error("workers: many\n"
		"limits: {header-bytes: 64K}\n"
		"issuing:\n"
		"  validity: 14\n"
		"origin:\n"
		"  pool: maybe\n"
		"non-tls: tunel\n"
		"non-http: xyz\n"
		"log: {format: cvs, redact: [query, cookies]}\n",
		"t.yaml:1: workers: \"many\" is not a whole number, as 20000\n"
		"t.yaml:2: limits.header-bytes: \"64K\" is not a size, as "
		"65536, 64KB, 64MB or 1GB\n"
		"t.yaml:4: issuing.validity: \"14\" is not a duration with its "
		"unit, as 500ms, 10s, 5m, 12h or 14d\n"
		"t.yaml:6: origin.pool: \"maybe\" is neither on nor off (nor "
		"true nor false)\n"
		"t.yaml:7: non-tls: there is no \"tunel\"; did you mean "
		"\"tunnel\"?\n"
		"t.yaml:8: non-http: there is no \"xyz\"; it is one of "
		"relay|block\n"
		"t.yaml:9: log.format: there is no \"cvs\"; did you mean \"csv\"?\n"
		"t.yaml:9: log.redact: there is no \"cookies\"; it is some of "
		"query|path|user-agent|user|client\n");
	/* "1.2" is not what was nearly written */
	told_error("ssl-rules: [{name: a, action: inspect, "
		"min-server-tls: 1.1}]\n", "t.yaml:1: "
		"ssl-rules[].min-server-tls: there is no \"1.1\"; it is one of "
		"any|1.2|1.3\n");
	told_error("issuing: {validity: 3600001ms}\n",
		"t.yaml:1: issuing.validity must be whole seconds\n");
}

static void scalars_lists_and_nothing(void **state)
{
	struct config *config;

	(void)state;
	told_error("workers: [1]\n"
		"state: {a: b}\n"
		"clients:\n"
		"non-tls: ''\n"
		"listen: {proxy: []}\n"
		"origin: {trust: {a: b}, dns: [[a]]}\n",
		"t.yaml:1: workers must be one value, not a list\n"
		"t.yaml:2: state must be one value, not a map of keys\n"
		"t.yaml:3: clients has no value; give one, or leave the key "
		"out\n"
		"t.yaml:4: non-tls has no value; give one, or leave the key "
		"out\n"
		"t.yaml:5: listen.proxy is an empty list; give a value, or "
		"leave the key out\n"
		"t.yaml:6: origin.trust must be a value or a list, not a map "
		"of keys\n"
		"t.yaml:6: origin.dns must be one value, not a list\n");
	told_error("origin: {dns: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4, "
		"1.1.1.5, 1.1.1.6, 1.1.1.7, 1.1.1.8, 1.1.1.9]}\n",
		"t.yaml:1: origin.dns is a list of more than 8 values\n");
	config = told_nothing("listen: {proxy: 127.0.0.1:1}\n");
	assert_int_equal(config->proxy.num, 1);
	config_free(config);
}

static void words(void **state)
{
	(void)state;
	assert_int_equal(value_in("a|b|c", "a"), 0);
	assert_int_equal(value_in("a|b|c", "c"), 2);
	assert_int_equal(value_in("a|b|c", "a|b"), -1);
	assert_int_equal(value_in("a|b|c", ""), -1);
	assert_int_equal(value_in("", ""), -1);
}

static void on_and_off(void **state)
{
	struct config *config = told_nothing(
		"origin: {pool: off, resume: true}\nnon-tls: block\n"
		"non-http: block\n");

	(void)state;
	assert_false(config->origin.pool);
	assert_true(config->origin.resume);
	assert_int_equal(config->non_tls, NON_TLS_BLOCK);
	assert_int_equal(config->non_http, NON_HTTP_BLOCK);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(what_would_be_cut_is_refused),
		cmocka_unit_test(forms_are_explained),
		cmocka_unit_test(scalars_lists_and_nothing),
		cmocka_unit_test(words),
		cmocka_unit_test(on_and_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
