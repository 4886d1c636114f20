#include "tests/unit/config/told.h"

#include "proxy/config/fields.h"
#include "tests/support/man_page.h"

static void unknown_keys_have_a_nearest(void **state)
{
	(void)state;
	told_error("lissen:\n  proxy: 127.0.0.1:1\n",
		"t.yaml:1: there is no key \"lissen\"; did you mean "
		"\"listen\"?\n");
	told_error("limits:\n  handshake_timeout: 3s\n",
		"t.yaml:2: there is no key \"limits.handshake_timeout\"; did "
		"you mean \"handshake-timeout\"?\n");
	told_error("ssl-rules:\n  - {name: a, action: block, matsch: {}}\n",
		"t.yaml:2: there is no key \"ssl-rules[].matsch\"; did you "
		"mean \"match\"?\n");
	told_error("Workers: 2\n", "t.yaml:1: there is no key \"Workers\"; "
		"did you mean \"workers\"?\n");
	told_error("origin:\n  xyzzy: 1\n",
		"t.yaml:2: there is no key \"origin.xyzzy\"; there are trust, "
		"connect-to, dns, pool, resume\n");
}

static void keys_at_the_wrong_place(void **state)
{
	(void)state;
	told_error("idle-timeout: 5m\n",
		"t.yaml:1: there is no key \"idle-timeout\"; did you mean "
		"\"idle-timeout\" below \"limits\"?\n");
	told_error("limits:\n  workers: 2\n",
		"t.yaml:2: there is no key \"limits.workers\"; did you mean "
		"\"workers\" at the top of the file?\n");
	told_error("listen.proxy: 127.0.0.1:1\n",
		"t.yaml:1: there is no key \"listen.proxy\"; did you mean "
		"\"proxy\" below \"listen\"?\n");
	told_error("ssl-rules[]: 1\n",
		"t.yaml:1: there is no key \"ssl-rules[]\"; did you mean "
		"\"ssl-rules\"?\n");
	told_error("\"\": 1\n", "t.yaml:1: there is no key \"\"; there are "
		"listen, clients, state, workers, origin, issuing, keys, "
		"categories, users, ssl-rules, url-rules, reload, compat, "
		"non-tls, non-http, log, portal, limits\n");
}

static void criteria_are_named_as_they_stand(void **state)
{
	(void)state;
	told_error("ssl-rules:\n"
		"- {name: a, action: block, match: {host: b.test}}\n"
		"- {name: b, action: block, not: {port: 1}}\n"
		"- {name: c, action: block, hosts: b.test}\n"
		"url-rules:\n"
		"- {name: d, action: block, not: {ports: 0}}\n"
		"- {name: e, action: block, methods: GET}\n"
		"- {name: f, match: {action: block}}\n"
		"ports: 1\n",
		"t.yaml:2: there is no key \"ssl-rules[].match.host\"; did "
		"you mean \"hosts\"?\n"
		"t.yaml:3: there is no key \"ssl-rules[].not.port\"; did you "
		"mean \"ports\"?\n"
		"t.yaml:4: there is no key \"ssl-rules[].hosts\"; did you mean "
		"\"hosts\" below \"ssl-rules[].match\"?\n"
		"t.yaml:6: url-rules[].not.ports: \"0\" is not a port or a "
		"range of ports; 443 or 8000-8100, within 1 to 65535\n"
		"t.yaml:7: there is no key \"url-rules[].methods\"; did you "
		"mean \"methods\" below \"url-rules[].match\"?\n"
		"t.yaml:8: there is no key \"url-rules[].match.action\"; did "
		"you mean \"action\" below \"url-rules[]\"?\n"
		"t.yaml:8: the rule \"f\" has no action; allow, block or "
		"isolate\n"
		"t.yaml:9: there is no key \"ports\"; did you mean \"ports\" "
		"below \"ssl-rules[].match\"?\n");
}

static void names_of_the_table_are_no_keys(void **state)
{
	(void)state;
	told_error("CRITERIA: {hosts: a.test}\n", "t.yaml:1: there is no key "
		"\"CRITERIA\"; there are listen, clients, state, workers, "
		"origin, issuing, keys, categories, users, ssl-rules, "
		"url-rules, reload, compat, non-tls, non-http, log, portal, "
		"limits\n");
	told_error("categories.NAME: {hosts: a.test}\n", "t.yaml:1: there is "
		"no key \"categories.NAME\"; did you mean \"categories\"?\n");
}

static void keys_of_versions_to_come(void **state)
{
	(void)state;
	told_error("workers: 1\nreload: {cut: on}\n",
		"t.yaml:2: \"reload.cut\" is not in this version yet\n");
}

static void sections_need_keys(void **state)
{
	(void)state;
	told_error("limits: 5\nlisten: [proxy]\n",
		"t.yaml:1: limits must have keys below it\n"
		"t.yaml:2: listen must have keys below it\n");
	told_error("- a\n- b\n",
		"t.yaml:1: the file must be a map of keys, as "
		"\"workers: 2\"\n");
	config_free(told_nothing("limits:\n# idle-timeout: 5m\norigin:\n"));
}

static void all_is_in_the_man_page_in_order(void **state)
{
	char *text = man_page(), item[128];
	const char *at = text;

	(void)state;
	for (size_t i = 0; i < num_fields; i++) {
		snprintf(item, sizeof(item), "\n.It Sy %s\n", fields[i].path);
		at = man_page_find(at, item) - 1;
		at = man_page_find(at, fields[i].help);
		if (fields[i].needs == NEEDS_start)
			at = man_page_find(at, "A change needs a restart.");
		if (fields[i].fallback[0] != '\0') {
			snprintf(item, sizeof(item), "Default:\n.Ql %s .\n",
				fields[i].fallback);
			at = man_page_find(at, item) - 1;
		}
	}
	free(text);
}

static void words_for_certificates_are_told(void **state)
{
	const char *at = NULL;
	char word[64];

	(void)state;
	for (size_t i = 0; i < num_fields; i++) {
		if (strcmp(fields[i].path, "CRITERIA.certificate") == 0)
			at = fields[i].help;
	}
	assert_non_null(at);
	for (unsigned i = CERTIFICATE_TRUSTED; i < CERTIFICATES; i++) {
		snprintf(word, sizeof(word), "%s%s%s", i > 1 ? ", " : " ",
			certificate_name((enum certificate)i),
			i + 1 < CERTIFICATES ? "," : ".");
		at = strstr(at, word);
		if (!at)
			fail_msg("no \"%s\"", word);
	}
}

static void fallbacks_are_read_as_from_a_file(void **state)
{
	struct mistakes *mistakes;
	struct config *config = told_nothing("");
	struct loader loader = {.config = config};

	(void)state;
	mistakes = &loader.mistakes;
	config->workers = 7;
	config->limits.connections = 7;
	for (size_t i = 0; i < num_fields; i++) {
		struct given all_but_one;

		memset(&all_but_one, 0xff, sizeof(all_but_one));
		all_but_one.bits[i / 64] &= ~(UINT64_C(1) << i % 64);
		if (strcmp(fields[i].path, "workers") == 0)
			fields_default(&loader, OF_config, config,
				&all_but_one);
	}
	assert_int_equal(config->workers, 0);
	assert_int_equal(config->limits.connections, 7);
	assert_int_equal(mistakes->errors, 0);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_keys_have_a_nearest),
		cmocka_unit_test(keys_at_the_wrong_place),
		cmocka_unit_test(criteria_are_named_as_they_stand),
		cmocka_unit_test(names_of_the_table_are_no_keys),
		cmocka_unit_test(keys_of_versions_to_come),
		cmocka_unit_test(sections_need_keys),
		cmocka_unit_test(all_is_in_the_man_page_in_order),
		cmocka_unit_test(words_for_certificates_are_told),
		cmocka_unit_test(fallbacks_are_read_as_from_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
