#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/report/log_line.h"
#include "tests/support/man_page.h"

enum { CELLS_MAX = 80 };

static const char *const names[] = {
#define LOG_FIELD(json, column, kind, known, value, help) #json,
#include "proxy/report/log_fields.def"
#undef LOG_FIELD
};

static const char *const columns[] = {
#define LOG_FIELD(json, column, kind, known, value, help) column,
#include "proxy/report/log_fields.def"
#undef LOG_FIELD
};

static const char *const helps[] = {
#define LOG_FIELD(json, column, kind, known, value, help) help,
#include "proxy/report/log_fields.def"
#undef LOG_FIELD
};

enum { FIELDS = sizeof(names) / sizeof(names[0]) };

static char text[1 << 16];

static const char *write_as(enum log_form form, unsigned redact,
	const struct record *r)
{
	struct json_line line = {0};
	struct log_clock clock = {0};

	log_line(&line, form, redact, &clock, r);
	assert_in_range(line.len, 1, sizeof(text) - 1);
	memcpy(text, line.text, line.len);
	text[line.len] = '\0';
	free(line.text);
	return text;
}

/* --- CSV ---------------------------------------------------------------- */

/* split reads a line as RFC 4180 has it. */
static size_t split(const char *line, char *cells[CELLS_MAX])
{
	static char copy[1 << 16];
	char *to = copy;
	size_t num = 0;
	bool quoted = false;

	cells[num++] = to;
	for (; *line && (quoted || *line != '\r'); line++) {
		if (*line == '"' && quoted && line[1] == '"') {
			*to++ = *line++;
		} else if (*line == '"') {
			quoted = !quoted;
		} else if (*line == ',' && !quoted) {
			*to++ = '\0';
			assert_true(num < CELLS_MAX);
			cells[num++] = to;
		} else {
			*to++ = *line;
		}
	}
	*to = '\0';
	assert_string_equal(line, "\r\n");
	return num;
}

static const char *cell(const struct record *r, const char *column)
{
	char *cells[CELLS_MAX];

	assert_int_equal(split(write_as(LOG_CSV, 0, r), cells), FIELDS);
	for (size_t i = 0; i < FIELDS; i++) {
		if (strcmp(columns[i], column) == 0)
			return cells[i];
	}
	fail_msg("no column %s", column);
	return NULL;
}

static void the_header_has_the_columns(void **state)
{
	static const char begin[] =
		"Event Time,User,Policy Action,Location,URL,ssldecrypted,"
		"clienttlsversion,clientsslcipher,clientsslsessreuse,"
		"cltsslfailreason,";
	struct json_line line = {0};
	char *cells[CELLS_MAX];

	(void)state;
	log_line_header(&line, LOG_CSV);
	assert_memory_equal(line.text, begin, sizeof(begin) - 1);
	assert_true(line.len < sizeof(text));
	memcpy(text, line.text, line.len);
	text[line.len] = '\0';
	assert_int_equal(split(text, cells), FIELDS);
	for (size_t i = 0; i < FIELDS; i++)
		assert_string_equal(cells[i], columns[i]);
	free(line.text);
	line = (struct json_line){0};
	log_line_header(&line, LOG_JSON);
	log_line_header(&line, LOG_JOURNAL);
	assert_int_equal(line.len, 0);
}

static void cells_are_quoted(void **state)
{
	static const char *const values[][2] = {
		{"plain", "plain"}, {"", ""}, {"a,b", "a,b"},
		{"say \"hi\"", "say \"hi\""}, {"\"", "\""},
		{"back\\slash", "back\\slash"}, {"both \\\" , ", "both \\\" , "},
		{"two\nlines\r\n", "two\\u000alines\\u000d\\u000a"},
		{"b\xc3\xbc" "cher", "b\xc3\xbc" "cher"},
		{"turn\xe2\x80\xae", "turn\\u202e"},
		{"bad \xff", "bad \\u00ff"}, {"nul\x01", "nul\\u0001"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct record r = { .user = values[i][0] };

		assert_string_equal(cell(&r, "User"), values[i][1]);
	}
}

/* What a client may choose is no formula of who looks at the log. */
static void formulas_are_defused(void **state)
{
	static const char *const values[] = {
		"=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0",
		"\xef\xbc\x9d" "1+1", "\xef\xbc\x8b" "1", "\xef\xbc\x8d" "1",
		"\xef\xbc\xa0SUM(A1)", "'=1", "''\xef\xbc\x9d" "1",
	};
	char want[64];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct record r = { .user = values[i] };

		(void)snprintf(want, sizeof(want), "'%s", values[i]);
		assert_string_equal(cell(&r, "User"), want);
	}
	assert_string_equal(cell(&(struct record){ .user = "\t=1" }, "User"),
		"\\u0009=1");
	assert_string_equal(cell(&(struct record){ .user = "\r=1" }, "User"),
		"\\u000d=1");
	assert_string_equal(cell(&(struct record){ .user = "a=1" }, "User"),
		"a=1");
	assert_string_equal(cell(&(struct record){ .user = "'a" }, "User"),
		"'a");
	assert_string_equal(cell(&(struct record){ .user = "=\",\"" }, "User"),
		"'=\",\"");
}

/* Where semicolons part cells, commas and quotes within do not. */
static void semicolons_begin_no_formula(void **state)
{
	static const char *const values[][2] = {
		{ ";=1", "\\u003b=1" },
		{ "a;=1;b;-2;", "a\\u003b=1;b\\u003b-2;" },
		{ "a;;\xef\xbc\xa0;", "a;\\u003b\xef\xbc\xa0;" },
		{ "a, b;\"=1\"", "a, b\\u003b\"=1\"" },
		{ "a;\"\"+1", "a\\u003b\"\"+1" },
		{ "=1;=2", "'=1\\u003b=2" },
		{ "(X11; Linux; rv:1)", "(X11; Linux; rv:1)" },
		{ "a;\"b", "a;\"b" },
		{ ";", ";" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct record r = { .user = values[i][0] };

		assert_string_equal(cell(&r, "User"), values[i][1]);
	}
}

static void cells_say_yes_no_or_nothing(void **state)
{
	struct record r = { .kind = RECORD_TUNNEL, .host = "a.example" };

	(void)state;
	assert_string_equal(cell(&r, "URL"), "a.example");
	assert_string_equal(cell(&r, "ssldecrypted"), "");
	assert_string_equal(cell(&r, "srvcertchainvalpass"), "");
	assert_string_equal(cell(&r, "status"), "");
	assert_string_equal(cell(&r, "bytes_in"), "0");
	r.ja4 = "t13";
	r.url = "https://a.example/x";
	r.url_len = strlen(r.url);
	assert_string_equal(cell(&r, "ssldecrypted"), "No");
	r.client_tls = r.origin_tls = "TLSv1.3";
	assert_string_equal(cell(&r, "ssldecrypted"), "Yes");
	assert_string_equal(cell(&r, "srvcertchainvalpass"), "Yes");
	assert_string_equal(cell(&r, "is_sslselfsigned"), "No");
	assert_string_equal(cell(&r, "URL"), "https://a.example/x");
	r.reason = REASON_CERT_SELF_SIGNED;
	assert_string_equal(cell(&r, "srvcertchainvalpass"), "No");
	assert_string_equal(cell(&r, "is_sslselfsigned"), "Yes");
}

/* Of a request that calls itself otherwise than its CONNECT did. */
static void both_names_of_a_program_are_there(void **state)
{
	struct record r = { .user_agent = "app/1", .user_agent_len = 5,
		.connect_agent = "app/1" };

	(void)state;
	assert_string_equal(cell(&r, "connect_user_agent"), "");
	r.connect_agent = "Java/17";
	assert_string_equal(cell(&r, "user_agent"), "app/1");
	assert_string_equal(cell(&r, "connect_user_agent"), "Java/17");
	r.user_agent_len = 0;
	assert_string_equal(cell(&r, "connect_user_agent"), "Java/17");
	assert_null(strstr(write_as(LOG_JSON, LOG_REDACT_USER_AGENT, &r),
		"agent"));
}

/* --- what came of it ---------------------------------------------------- */

static void a_failed_handshake_is_called_so(void **state)
{
	static const char failed[] = "Dropped due to failed client SSL handshake";
	struct record r = { .reason = REASON_HANDSHAKE_TIMEOUT };

	(void)state;
	assert_string_not_equal(cell(&r, "Policy Action"), failed);
	r.client_failure = CLIENT_FAILURE_TIMEOUT;
	assert_string_equal(cell(&r, "Policy Action"), failed);
	assert_string_equal(cell(&r, "cltsslfailreason"), "timeout");
	r.reason = REASON_CLIENT_HANDSHAKE;
	r.client_failure = CLIENT_FAILURE_ALERT;
	r.client_alert = "unknown_ca";
	r.after_certificate = true;
	assert_string_equal(cell(&r, "Policy Action"), failed);
	assert_string_equal(cell(&r, "client_alert"), "unknown_ca");
	assert_string_equal(cell(&r, "after_certificate"), "Yes");
	r.reason = REASON_CLIENT_GONE;
	r.client_failure = CLIENT_FAILURE_UNUSED;
	assert_string_not_equal(cell(&r, "Policy Action"), failed);
	assert_string_equal(cell(&r, "cltsslfailreason"), "unused");
}

/* Whatever happens has a line that says so, in every form. */
static void every_reason_has_its_line(void **state)
{
	static const enum reason first = REASON_OK;
	char want[200];

	(void)state;
	for (enum reason i = first; i < REASON_COUNT; i++) {
		struct record r = { .kind = RECORD_REFUSED, .reason = i };

		assert_true(strlen(reason_action(i)) > 3);
		(void)snprintf(want, sizeof(want),
			"\"policy_action\":\"%s\"", reason_action(i));
		assert_non_null(strstr(write_as(LOG_JSON, 0, &r), want));
		(void)snprintf(want, sizeof(want), "\"reason\":\"%s\"",
			reason_word(i));
		assert_non_null(strstr(text, want));
		assert_string_equal(cell(&r, "Policy Action"),
			reason_action(i));
		assert_string_equal(cell(&r, "reason"), reason_word(i));
	}
}

/* --- what is left out --------------------------------------------------- */

static void lines_are_redacted(void **state)
{
	struct sockaddr_in client = { .sin_family = AF_INET };
	struct record r = { .user = "ann", .user_agent = "curl/8",
		.user_agent_len = 6, .client = (struct sockaddr *)&client };

	(void)state;
	r.url = "https://a.example/p?q=secret";
	r.url_len = strlen(r.url);
	(void)write_as(LOG_JSON, 0, &r);
	assert_non_null(strstr(text, "\"https://a.example/p?q=secret\""));
	(void)write_as(LOG_JSON, LOG_REDACT_QUERY, &r);
	assert_non_null(strstr(text, "\"https://a.example/p\""));
	(void)write_as(LOG_JSON, LOG_REDACT_PATH, &r);
	assert_non_null(strstr(text, "\"https://a.example\""));
	assert_non_null(strstr(text, "\"user\":\"ann\""));
	assert_non_null(strstr(text, "\"user_agent\":\"curl/8\""));
	assert_non_null(strstr(text, "\"client\":\"0.0.0.0\""));
	(void)write_as(LOG_JSON, LOG_REDACT_USER | LOG_REDACT_USER_AGENT |
			LOG_REDACT_CLIENT, &r);
	assert_null(strstr(text, "ann"));
	assert_null(strstr(text, "curl"));
	assert_null(strstr(text, "\"client\""));
	r.url = "https://a.example?secret"; /* no path before the query */
	r.url_len = strlen(r.url);
	(void)write_as(LOG_CSV, LOG_REDACT_PATH, &r);
	assert_null(strstr(text, "secret"));
	(void)write_as(LOG_JOURNAL, LOG_REDACT_QUERY, &r);
	assert_null(strstr(text, "secret"));
}

static void a_long_user_agent_is_cut(void **state)
{
	static char agent[5000];
	struct record r = { .user_agent = agent,
		.user_agent_len = sizeof(agent) };

	(void)state;
	memset(agent, 'u', sizeof(agent));
	assert_int_equal(strlen(cell(&r, "user_agent")), 512);
}

/* --- the journal -------------------------------------------------------- */

static void an_entry_of_the_journal(void **state)
{
	struct record r = { .kind = RECORD_EXCHANGE, .host = "a.example",
		.user = "x\nPRIORITY=0", .status = 200 };

	(void)state;
	(void)write_as(LOG_JOURNAL, 0, &r);
	assert_memory_equal(text, "PRIORITY=6\nSYSLOG_IDENTIFIER=sallyport\n"
		"MESSAGE=Allowed: a.example\nSALLYPORT_TIME=", 79);
	assert_non_null(strstr(text, "\nSALLYPORT_USER=x\\u000aPRIORITY=0\n"));
	assert_non_null(strstr(text, "\nSALLYPORT_POLICY_ACTION=Allowed\n"));
	assert_non_null(strstr(text, "\nSALLYPORT_STATUS=200\n"));
	assert_ptr_equal(strstr(text, "\n\n") + 2, text + strlen(text));
}

/* --- the table ---------------------------------------------------------- */

static void names_differ(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIELDS; i++) {
		assert_int_equal(strspn(names[i],
			"abcdefghijklmnopqrstuvwxyz_0123456789"),
			strlen(names[i]));
		assert_null(strpbrk(columns[i], ",\"\r\n"));
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(names[i], names[k]);
			assert_string_not_equal(columns[i], columns[k]);
		}
	}
}

static void all_are_in_the_man_page_in_order(void **state)
{
	char *page = man_page(), item[128];
	const char *at = page;

	(void)state;
	for (size_t i = 0; i < FIELDS; i++) {
		bool same = strcmp(names[i], columns[i]) == 0;

		(void)snprintf(item, sizeof(item), "\n.It Sy %s%s%s\n",
			names[i], same ? "" : " Pq ", same ? "" : columns[i]);
		at = man_page_find(at, item) - 1;
		at = man_page_find(at, helps[i]);
	}
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_has_the_columns),
		cmocka_unit_test(cells_are_quoted),
		cmocka_unit_test(formulas_are_defused),
		cmocka_unit_test(semicolons_begin_no_formula),
		cmocka_unit_test(both_names_of_a_program_are_there),
		cmocka_unit_test(cells_say_yes_no_or_nothing),
		cmocka_unit_test(a_failed_handshake_is_called_so),
		cmocka_unit_test(every_reason_has_its_line),
		cmocka_unit_test(lines_are_redacted),
		cmocka_unit_test(a_long_user_agent_is_cut),
		cmocka_unit_test(an_entry_of_the_journal),
		cmocka_unit_test(names_differ),
		cmocka_unit_test(all_are_in_the_man_page_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
