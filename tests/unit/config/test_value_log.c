#include "policy/netset.h"
#include "tests/unit/config/told.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const char *at(const struct config *config, const char *ip)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	assert_int_equal(inet_pton(AF_INET, ip, &address.sin_addr), 1);
	return config_location_at(config, (struct sockaddr *)&address);
}

static void what_is_said_counts(void **state)
{
	struct config *config = told_nothing("log:\n"
		"  access: syslog\n"
		"  format: csv\n"
		"  rotate: 100MB\n"
		"  keep: 7\n"
		"  redact: [user, path]\n"
		"  locations:\n"
		"    Berlin: [10.1.0.0/16, 10.2.0.0/16]\n"
		"    'Road Warrior': 10.0.0.0/8\n");

	(void)state;
	assert_string_equal(config->access_log, "syslog");
	assert_int_equal(config->log.format, LOG_FORMAT_CSV);
	assert_int_equal(config->log.rotate, 100 << 20);
	assert_int_equal(config->log.keep, 7);
	assert_int_equal(config->log.redact, 1 << REDACT_USER | 1 << REDACT_PATH);
	assert_string_equal(at(config, "10.2.3.4"), "Berlin");
	assert_string_equal(at(config, "10.3.3.4"), "Road Warrior");
	assert_null(at(config, "192.0.2.1"));
	config_free(config);
}

static void queries_are_left_out_unless_said(void **state)
{
	struct config *config = told_nothing("");

	(void)state;
	assert_int_equal(config->log.format, LOG_FORMAT_JSON);
	assert_int_equal(config->log.redact, 1 << REDACT_QUERY);
	assert_int_equal(config->log.rotate, 0);
	assert_int_equal(config->log.keep, 5);
	config_free(config);
	config = told_nothing("log: {redact: [], access: journald}\n");
	assert_int_equal(config->log.redact, 0);
	assert_string_equal(config->access_log, "journald");
	config_free(config);
}

static void mistakes_are_told(void **state)
{
	(void)state;
	told_error("log:\n"
		"  redact: [query, header]\n"
		"  rotate: 1KB\n"
		"  locations:\n"
		"    Berlin: [10.1.0.0/99]\n"
		"    \"\": [10.1.0.0/16]\n",
		"t.yaml:2: log.redact: there is no \"header\"; it is some of "
		"query|path|user-agent|user|client\n"
		"t.yaml:3: log.rotate: 1KB is too little; 64KB to 1000GB is allowed\n"
		"t.yaml:5: log.locations: \"10.1.0.0/99\" is not an "
		"address or a network\n"
		"t.yaml:6: log.locations: \"\" is no name of a place: 1 to 127 "
		"bytes that can be shown\n");
	told_error("log: {locations: [10.0.0.0/8]}\n", "t.yaml:1: log.locations "
		"must be a map, as {Berlin: [10.1.0.0/16]}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_counts),
		cmocka_unit_test(queries_are_left_out_unless_said),
		cmocka_unit_test(mistakes_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
