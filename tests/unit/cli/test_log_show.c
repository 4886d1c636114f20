#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/cli/log_show.h"
#include "proxy/cli/log_spare.h"

static struct entry entry_of(const char *action, const char *url)
{
	struct entry entry = {.at_ms = INT64_C(1795176000000)};

	entry.value[ENTRY_policy_action] = action;
	entry.value[ENTRY_url] = url;
	entry.value[ENTRY_kind] = "exchange";
	entry.value[ENTRY_reason] = "ok";
	return entry;
}

static const char *line_of(const struct entry *entry, bool colour,
	unsigned width)
{
	static char text[1024];
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	log_show_line(out, entry, colour, width);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void lines_have_their_colour(void **state)
{
	struct entry entry = entry_of("Allowed", "https://a.test/");

	(void)state;
	assert_string_equal(line_of(&entry, true, 0),
		"12:00:00Z\x1b[32m  Allowed\x1b[0m  https://a.test/\n");
	assert_string_equal(line_of(&entry, false, 0),
		"12:00:00Z  Allowed  https://a.test/\n");
	entry.value[ENTRY_kind] = "tunnel";
	assert_non_null(strstr(line_of(&entry, true, 0), "[33m  Tunnelled"));
	entry = entry_of("Blocked by SSL rule", "https://a.test/");
	entry.value[ENTRY_reason] = "blocked-by-rule";
	entry.value[ENTRY_user] = "dev1";
	assert_string_equal(line_of(&entry, true, 0),
		"12:00:00Z\x1b[31m  Blocked by SSL rule\x1b[0m  dev1  "
		"https://a.test/  blocked-by-rule\n");
	entry = entry_of("Dropped: client went away", NULL);
	assert_non_null(strstr(line_of(&entry, true, 0), "\x1b[31m"));
}

static void lines_fit(void **state)
{
	struct entry entry = entry_of("Allowed",
		"https://a.test/\xc3\xa4\xc3\xb6\xc3\xbc");

	(void)state;
	assert_string_equal(line_of(&entry, false, 30),
		"12:00:00Z  Allowed  https://a\xe2\x80\xa6\n");
	assert_string_equal(line_of(&entry, false, 37),
		"12:00:00Z  Allowed  https://a.test/\xc3\xa4\xe2\x80\xa6\n");
	assert_string_equal(line_of(&entry, false, 38),
		"12:00:00Z  Allowed  https://a.test/\xc3\xa4\xc3\xb6\xc3\xbc\n");
	for (unsigned width = 1; width < 40; width++)
		assert_true(strlen(line_of(&entry, false, width)) <=
			width + 1 + 3 + 2);
}

/* Nothing that a terminal obeys gets there: escapes, C1 controls, line ends. */
static void controls_are_masked(void **state)
{
	struct entry entry = entry_of("Allowed", "x\x1b[2J\x07\nb\xc2\x9b" "c\xff");
	struct log_table table = {.out = NULL};
	char text[1024] = "";

	(void)state;
	entry.value[ENTRY_user] = "u\r";
	assert_string_equal(line_of(&entry, false, 0),
		"12:00:00Z  Allowed  u?  x?[2J??b??c?\n");
	table.out = fmemopen(text, sizeof(text), "w");
	log_table_add(&table, &entry);
	log_table_end(&table);
	assert_int_equal(fclose(table.out), 0);
	assert_string_equal(text,
		"Event Time            User  Policy Action  Location  URL\n"
		"2026-11-20 12:00:00Z  u?    Allowed                  "
		"x?[2J??b??c?\n");
}

static const char *row_of(const struct entry *entry, unsigned width)
{
	static char text[1024];
	struct log_table table = {.width = width};

	table.out = fmemopen(text, sizeof(text), "w");
	log_table_add(&table, entry);
	log_table_end(&table);
	assert_int_equal(fclose(table.out), 0);
	return strchr(text, '\n') + 1;
}

static void rows_say_why_and_from_where(void **state)
{
	struct entry entry = entry_of("Blocked by SSL rule", NULL);

	(void)state;
	entry.value[ENTRY_reason] = "blocked-by-rule";
	entry.value[ENTRY_client] = "10.1.2.3";
	assert_non_null(strstr(row_of(&entry, 0),
		"  Blocked by SSL rule (blocked-by-rule)  "));
	assert_non_null(strstr(row_of(&entry, 0), "  (from 10.1.2.3)\n"));
	assert_non_null(strstr(row_of(&entry, 80),
		"  Blocked by SSL rule (blocked-by-rule)  "));
	entry.value[ENTRY_host] = "a.test";
	assert_non_null(strstr(row_of(&entry, 0), "  a.test\n"));
	entry.value[ENTRY_rule] = "No games";
	entry.value[ENTRY_url_rule] = "No ads";
	assert_non_null(strstr(row_of(&entry, 0),
		"  Blocked by SSL rule (No games)  "));
	entry.value[ENTRY_reason] = "blocked-by-url-rule";
	assert_non_null(strstr(row_of(&entry, 0), " (No ads)  "));
	entry.value[ENTRY_reason] = "isolated";
	assert_non_null(strstr(row_of(&entry, 0), " (No ads)  "));
	entry.value[ENTRY_reason] = "client-gone";
	assert_non_null(strstr(row_of(&entry, 0), " (client-gone)  "));
	entry.value[ENTRY_policy_action] = "Dropped due to failed client SSL "
		"handshake";
	entry.value[ENTRY_client_alert] = "unknown_ca";
	assert_non_null(strstr(row_of(&entry, 0),
		"  Dropped due to failed client SSL handshake (unknown_ca)  "));
	assert_non_null(strstr(row_of(&entry, 250),
		"  Dropped due to failed client SSL handshake (unknown_ca)  "));
	assert_non_null(strstr(row_of(&entry, 80),
		"  Dropped due to failed client S\xe2\x80\xa6 (unknown_ca)  "));
	entry.value[ENTRY_client_alert] = NULL;
	entry.value[ENTRY_policy_action] = "Blocked: server certificate not "
		"trusted";
	entry.value[ENTRY_reason] = "certificate-untrusted-root";
	assert_non_null(strstr(row_of(&entry, 250),
		" not trusted (certificate-untrusted-root)  "));
	assert_non_null(strstr(row_of(&entry, 100),
		" (certificate-untrusted-root)  "));
	assert_null(strstr(row_of(&entry, 100), "not trusted"));
}

/* --- rules -------------------------------------------------------------- */

static void agents_become_patterns(void **state)
{
	char agent[SPARE_AGENT_SIZE], longest[80];

	(void)state;
	assert_true(log_spare_agent("curl/8.5.0", agent));
	assert_string_equal(agent, "curl/*");
	assert_true(log_spare_agent("Own-App_2", agent));
	assert_string_equal(agent, "Own-App_2");
	assert_false(log_spare_agent("", agent));
	assert_false(log_spare_agent("Mozilla/5.0 (X11)", agent));
	assert_false(log_spare_agent("*", agent));
	assert_false(log_spare_agent("a\", \"b/1", agent));
	assert_false(log_spare_agent("My App/1", agent));
	memset(longest, 'a', sizeof(longest));
	longest[79] = '\0';
	assert_false(log_spare_agent(longest, agent));
	longest[69] = '\0';
	assert_true(log_spare_agent(longest, agent));
}

#define PIN .kind = VERDICT_PINNED, .trusts = true, .clients = 2
#define PIN_ON(address) .kind = VERDICT_PINNED, .trusts = true, .clients = 1, \
	.client = address

static void rules_are(struct verdict *all, size_t num, const char *want)
{
	char text[2048] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	assert_true(log_spare(out, &(struct verdicts){all, num}) ==
		(want[0] != '\0'));
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, want);
}

static void a_rule_for_each_program_at_a_host(void **state)
{
	char host[200];
	struct verdict all[] = {
		{PIN, .host = "a.test", .agent = "app/1"},
		{PIN, .host = "a.test", .agent = "app/2"},
		{PIN, .host = "a.test", .agent = "tool/1"},
		{PIN, .host = "b.test", .agent = ""},
		{PIN, .host = "b.test", .agent = "app/1"},
		{PIN, .host = host, .agent = "x y"},
		{.kind = VERDICT_NO_TRUST, .host = "c.test", .agent = "app/1"},
		{.kind = VERDICT_WANTS, .host = "d.test", .agent = ""},
	};

	(void)state;
	memset(host, 'h', sizeof(host));
	host[199] = '\0';
	rules_are(all, 5, "ssl-rules:\n"
		"  - name: \"Pinned: a.test\"\n"
		"    match: {hosts: [\"a.test\"], user-agents: [\"app/*\"]}\n"
		"    action: do-not-inspect\n"
		"  - name: \"Pinned: a.test (2)\"\n"
		"    match: {hosts: [\"a.test\"], user-agents: [\"tool/*\"]}\n"
		"    action: do-not-inspect\n"
		"  - name: \"Pinned: b.test\"\n"
		"    match: {hosts: [\"b.test\"]}\n"
		"    action: do-not-inspect\n"
		"  - name: \"Pinned: b.test (4)\"\n"
		"    match: {hosts: [\"b.test\"], user-agents: [\"app/*\"]}\n"
		"    action: do-not-inspect\n");
	rules_are(all + 6, 2, "ssl-rules:\n"
		"  - name: \"Wants client certificates: d.test\"\n"
		"    match: {hosts: [\"d.test\"]}\n"
		"    action: do-not-inspect\n");
	host[64] = '\0';
	rules_are(all + 5, 1, "ssl-rules:\n"
		"  - name: \"Pinned: hhhhhhhhhhhhhhhhhhhhhhhh... (1)\"\n"
		"    match: {hosts: [\"hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh"
		"hhhhhhhhhhhhhhhhhhhhhhhh\"]}\n"
		"    action: do-not-inspect\n");
}

static void one_client_makes_a_rule_for_itself_alone(void **state)
{
	struct verdict all[] = {
		{PIN_ON("10.0.0.1"), .host = "a.test", .agent = "app/1"},
		{PIN_ON("10.0.0.1"), .host = "a.test", .agent = "app/2"},
		{PIN_ON("2001:db8::1"), .host = "a.test", .agent = "app/3"},
	};

	(void)state;
	rules_are(all, 3, "ssl-rules:\n"
		"  - name: \"Pinned: a.test\"\n"
		"    match: {hosts: [\"a.test\"], sources: [\"10.0.0.1\"], "
		"user-agents: [\"app/*\"]}\n"
		"    action: do-not-inspect\n"
		"  - name: \"Pinned: a.test (2)\"\n"
		"    match: {hosts: [\"a.test\"], sources: [\"2001:db8::1\"], "
		"user-agents: [\"app/*\"]}\n"
		"    action: do-not-inspect\n");
}

/* Two clients who refuse on purpose do not open a host for everybody. */
static void no_rule_for_who_accepts_it(void **state)
{
	struct verdict all[] = {
		{PIN, .host = "a.test", .agent = "", .anybody = true},
		{PIN, .host = "b.test", .agent = "Mozilla/5.0 (X11)",
			.anybody = true},
		{PIN, .host = "c.test", .agent = "app/1", .anybody = true,
			.namesake = true},
	};

	(void)state;
	rules_are(all, 3, "");
	all[0].clients = 1;
	all[0].client = "10.0.0.1";
	all[2].namesake = false;
	rules_are(all, 3, "ssl-rules:\n"
		"  - name: \"Pinned: a.test\"\n"
		"    match: {hosts: [\"a.test\"], sources: [\"10.0.0.1\"]}\n"
		"    action: do-not-inspect\n"
		"  - name: \"Pinned: c.test\"\n"
		"    match: {hosts: [\"c.test\"], user-agents: [\"app/*\"]}\n"
		"    action: do-not-inspect\n");
}

static void no_rule_for_these(void **state)
{
	struct verdict all[] = {
		{.kind = VERDICT_PINNED, .clients = 2, .host = "a.test",
			.agent = "app/1"},
		{PIN_ON("\"]}"), .host = "b.test", .agent = "app/1"},
		{.kind = VERDICT_NO_TRUST, .host = "c.test", .agent = "app/1"},
		{PIN, .host = "sallyport.internal", .agent = "app/1"},
		{.kind = VERDICT_WANTS, .host = "sallyport.internal"},
	};

	(void)state;
	rules_are(all, 5, "");
	rules_are(all, 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_their_colour),
		cmocka_unit_test(lines_fit),
		cmocka_unit_test(rows_say_why_and_from_where),
		cmocka_unit_test(controls_are_masked),
		cmocka_unit_test(agents_become_patterns),
		cmocka_unit_test(a_rule_for_each_program_at_a_host),
		cmocka_unit_test(one_client_makes_a_rule_for_itself_alone),
		cmocka_unit_test(no_rule_for_who_accepts_it),
		cmocka_unit_test(no_rule_for_these),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
