#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "proxy/logbook/entry.h"

/* written is the line of a record as the log writes it; until the next call. */
static const char *written(enum log_form form, const struct record *r)
{
	static char text[8192];
	struct json_line line = {0};
	struct log_clock clock = {0};

	log_line(&line, form, LOG_REDACT_QUERY, &clock, r);
	assert_in_range(line.len, 1, sizeof(text) - 1);
	memcpy(text, line.text, line.len);
	text[line.len] = '\0';
	free(line.text);
	return text;
}

/* read_back reads a line without its end. */
static enum entry_kind read_back(struct entry *entry, const char *text,
	struct entry_columns *columns)
{
	return entry_read(entry, text, strcspn(text, "\n"), columns);
}

static const char *again(enum log_form form, const struct entry *entry)
{
	static char text[8192];
	struct json_line line = {0};

	entry_write(&line, form, entry);
	assert_in_range(line.len, 1, sizeof(text) - 1);
	memcpy(text, line.text, line.len);
	text[line.len] = '\0';
	free(line.text);
	return text;
}

static const struct sockaddr_in client = {.sin_family = AF_INET,
	.sin_addr = {0x0302010a}};

static struct record all_of_it(void)
{
	return (struct record){.kind = RECORD_EXCHANGE,
		.client = (const struct sockaddr *)&client, .host = "a.test",
		.port = 443, .sni = "a.test", .user = "d\xc3\xa9v, \"1\"",
		.rule = "=Rest", .action = "inspect", .client_tls = "TLSv1.3",
		.origin_tls = "TLSv1.2", .origin_days = 90, .ja4 = "t13d_x_y",
		.user_agent = "a\\b\tc", .user_agent_len = 5, .method = "GET",
		.method_len = 3, .url = "https://a.test/x?secret",
		.url_len = 23, .status = 200, .bytes_in = 1,
		.bytes_out = INT64_MAX, .ms = 7};
}

/* What the log writes is read, and written, as it was. */
static void lines_come_back(void **state)
{
	struct record records[] = {all_of_it(),
		{.kind = RECORD_REFUSED, .host = "b.test",
			.reason = REASON_CLIENT_HANDSHAKE, .ja4 = "j",
			.client_failure = CLIENT_FAILURE_ALERT,
			.client_alert = "unknown_ca", .after_certificate = true},
		{.kind = RECORD_TUNNEL, .user = "'=1", .rule = "''-a",
			.location = "\xef\xbc\x9d" "1"},
		{.kind = RECORD_LOG, .dropped = 3}};
	struct entry_columns columns = {.num = 0};
	struct entry entry = {.line = NULL};
	char line[8192];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (int form = LOG_JSON; form <= LOG_CSV; form++) {
			snprintf(line, sizeof(line), "%s",
				written((enum log_form)form, &records[i]));
			assert_int_equal(read_back(&entry, line, &columns),
				ENTRY_FINE);
			assert_string_equal(again((enum log_form)form, &entry),
				line);
		}
	}
	entry_clear(&entry);
}

/* The same facts, whichever form the log has. */
static void forms_say_the_same(void **state)
{
	struct record r = all_of_it();
	struct entry_columns columns = {.num = 0};
	struct entry json = {.line = NULL}, csv = {.line = NULL};
	char one[8192], other[8192];

	(void)state;
	r.user_agent = "plain";
	r.rule = "'=Rest"; /* the apostrophe is its own */
	snprintf(one, sizeof(one), "%s", written(LOG_JSON, &r));
	snprintf(other, sizeof(other), "%s", written(LOG_CSV, &r));
	assert_int_equal(read_back(&json, one, &columns), ENTRY_FINE);
	assert_int_equal(read_back(&csv, other, &columns), ENTRY_FINE);
	assert_string_equal(csv.value[ENTRY_rule], "'=Rest");
	assert_string_equal(json.value[ENTRY_user], "d\xc3\xa9v, \"1\"");
	assert_string_equal(json.value[ENTRY_bytes_out],
		"9223372036854775807");
	csv.at_ms = json.at_ms;
	csv.value[ENTRY_time] = json.value[ENTRY_time];
	snprintf(one, sizeof(one), "%s", again(LOG_CSV, &json));
	assert_string_equal(again(LOG_CSV, &csv), one);
	snprintf(one, sizeof(one), "%s", again(LOG_JSON, &json));
	assert_string_equal(again(LOG_JSON, &csv), one);
	entry_clear(&json);
	entry_clear(&csv);
}

/* Headings may stand in another order, and have what is not known here. */
static void columns_go_by_their_headings(void **state)
{
	struct entry_columns columns = {.num = 0};
	struct entry entry = {.line = NULL};

	(void)state;
	assert_int_equal(read_back(&entry,
		"Event Time,What,host,URL,port\r\n", &columns), ENTRY_HEADINGS);
	assert_int_equal(read_back(&entry,
		"2026-11-20T23:16:00.000Z,\"a,\"\"\",b.test,b.test,443\r\n",
		&columns), ENTRY_FINE);
	assert_string_equal(entry.value[ENTRY_host], "b.test");
	assert_string_equal(entry.value[ENTRY_port], "443");
	assert_null(entry.value[ENTRY_url]);
	assert_string_equal(entry_what(&entry), "b.test");
	assert_null(entry.value[ENTRY_user]);
	assert_int_equal(read_back(&entry,
		"2026-11-20T23:16:00.000Z,x,b.test,https://b.test/,x\n",
		&columns), ENTRY_FINE);
	assert_string_equal(entry_what(&entry), "https://b.test/");
	assert_null(entry.value[ENTRY_port]); /* that is no number */
	entry_clear(&entry);
}

static void what_is_foreign_is_told(void **state)
{
	static const char *const lines[] = {"x", "{", "[]", "{}", "\"\"",
		"{\"time\": 5}", "{\"time\": \"2026-11-20\"}",
		"{\"time\": \"2026-11-20T23:16:00.000Z\"", ",,,",
		"Event Time", "2026-11-20T23:16:00.000Z,dev1",
		"{\"time\": \"2026-11-20T23:16:00.000Z\"}{}"};
	struct entry_columns columns = {.num = 0};
	struct entry entry = {.line = NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		if (read_back(&entry, lines[i], &columns) != ENTRY_FOREIGN)
			fail_msg("%s", lines[i]);
	}
	assert_int_equal(read_back(&entry, "\r\n", &columns), ENTRY_HEADINGS);
	entry_clear(&entry);
}

/* A line that was cut anywhere is none, or says less; nothing is read beyond it. */
static void cut_lines_do_no_harm(void **state)
{
	struct record r = all_of_it();
	struct entry entry = {.line = NULL};
	char line[8192], *cut;

	(void)state;
	for (int form = LOG_JSON; form <= LOG_CSV; form++) {
		struct entry_columns columns = {.num = 0};

		snprintf(line, sizeof(line), "%s",
			written((enum log_form)form, &r));
		for (size_t len = 1; len + 2 < strlen(line); len++) {
			cut = malloc(len);
			assert_non_null(cut);
			memcpy(cut, line, len);
			assert_int_not_equal(entry_read(&entry, cut, len,
				&columns), ENTRY_FINE);
			free(cut);
		}
	}
	entry_clear(&entry);
}

/* Values of a wrong kind are as if they were not there. */
static void kinds_are_held(void **state)
{
	struct entry_columns columns = {.num = 0};
	struct entry entry = {.line = NULL};

	(void)state;
	assert_int_equal(read_back(&entry, "{\"time\": "
		"\"2026-11-20T23:16:00.000Z\", \"port\": \"443\", \"ms\": -1, "
		"\"host\": 5, \"decrypted\": \"true\", \"user\": null, "
		"\"kind\": \"a\\u0000b\", \"new\": {}}", &columns), ENTRY_FINE);
	assert_null(entry.value[ENTRY_port]);
	assert_null(entry.value[ENTRY_ms]);
	assert_null(entry.value[ENTRY_host]);
	assert_null(entry.value[ENTRY_decrypted]);
	assert_null(entry.value[ENTRY_user]);
	assert_string_equal(entry.value[ENTRY_kind], "a");
	entry_clear(&entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_back),
		cmocka_unit_test(forms_say_the_same),
		cmocka_unit_test(columns_go_by_their_headings),
		cmocka_unit_test(what_is_foreign_is_told),
		cmocka_unit_test(cut_lines_do_no_harm),
		cmocka_unit_test(kinds_are_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
