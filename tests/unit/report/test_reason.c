#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/report/reason.h"
#include "tests/support/man_page.h"

static const enum reason first = REASON_OK;

/* RFC 9209, 2.3: the registered types. */
static const char *const types[] = {
	"dns_timeout", "dns_error", "destination_not_found",
	"destination_unavailable", "destination_ip_prohibited",
	"destination_ip_unroutable", "connection_refused",
	"connection_terminated", "connection_timeout",
	"connection_read_timeout", "connection_write_timeout",
	"connection_limit_reached", "tls_protocol_error",
	"tls_certificate_error", "tls_alert_received", "http_request_error",
	"http_request_denied", "http_response_incomplete",
	"http_response_header_section_size", "http_response_header_size",
	"http_response_body_size", "http_response_trailer_section_size",
	"http_response_trailer_size", "http_response_transfer_coding",
	"http_response_content_coding", "http_response_timeout",
	"http_upgrade_failed", "http_protocol_error",
	"proxy_internal_response", "proxy_internal_error",
	"proxy_configuration_error", "proxy_loop_detected",
};

static void words_are_words_and_differ(void **state)
{
	(void)state;
	for (enum reason r = first; r < REASON_COUNT; r++) {
		const char *word = reason_word(r);

		assert_true(strlen(word) > 0);
		assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz-"),
			strlen(word));
		for (enum reason other = first; other < r; other++)
			assert_string_not_equal(word, reason_word(other));
	}
}

static void statuses_are_of_failures(void **state)
{
	(void)state;
	assert_int_equal(REASON_OK, 0);
	assert_int_equal(reason_status(REASON_OK), 200);
	for (enum reason r = REASON_OK + 1; r < REASON_COUNT; r++) {
		if (r == REASON_ISOLATED) /* goes on, elsewhere */
			assert_int_equal(reason_status(r), 302);
		else
			assert_in_range(reason_status(r), 400, 505);
		/* who gets a 407 is to give a password */
		if (reason_status(r) == 407)
			assert_true(r == REASON_USER_NEEDED ||
				r == REASON_WRONG_PASSWORD);
	}
}

static void types_are_registered(void **state)
{
	(void)state;
	for (enum reason r = first; r < REASON_COUNT; r++) {
		const char *type = reason_proxy_error(r);
		size_t i = 0;

		assert_non_null(type);
		while (i < sizeof(types) / sizeof(types[0]) &&
		       strcmp(type, types[i]) != 0)
			i++;
		if (*type && i == sizeof(types) / sizeof(types[0]))
			fail_msg("%s: %s", reason_word(r), type);
	}
}

static void whole_sentences(const char *text)
{
	size_t len = strlen(text);

	if (len == 0)
		return;
	if (!isupper((unsigned char)text[0]) || text[len - 1] != '.')
		fail_msg("\"%s\"", text);
	for (size_t i = 0; i < len; i++)
		assert_in_range(text[i], 0x20, 0x7e);
}

static void people_are_told(void **state)
{
	(void)state;
	for (enum reason r = REASON_OK + 1; r < REASON_COUNT; r++) {
		assert_true(strlen(reason_sentence(r)) > 0);
		whole_sentences(reason_sentence(r));
		whole_sentences(reason_advice(r));
	}
}

static void statuses_are_as_promised(void **state)
{
	static const struct {
		enum reason reason;
		unsigned status;
		const char *word;
	} rows[] = {
		{ REASON_BLOCKED, 403, "blocked-by-rule" },
		{ REASON_BAD_REQUEST, 400, "bad-request" },
		{ REASON_WRONG_HOST, 421, "wrong-host" },
		{ REASON_NAME_NOT_FOUND, 502, "name-not-found" },
		{ REASON_CONNECT_TIMEOUT, 504, "connection-timed-out" },
		{ REASON_NO_RESOURCES, 503, "no-resources" },
		{ REASON_CERT_EXPIRED, 502, "origin-certificate-expired" },
		{ REASON_TLS_IN_TUNNEL, 403, "tls-in-tunnel" },
		{ REASON_METHOD_NOT_ALLOWED, 405, "method-not-allowed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(reason_status(rows[i].reason),
			rows[i].status);
		assert_string_equal(reason_word(rows[i].reason), rows[i].word);
	}
}

static void all_are_in_the_man_page_in_order(void **state)
{
	char *text = man_page(), item[128];
	const char *at = text;

	(void)state;
	for (int i = REASON_OK + 1; i < REASON_COUNT; i++) {
		(void)snprintf(item, sizeof(item), "\n.It Ql %s\n",
			reason_word((enum reason)i));
		at = man_page_find(at, item) - 1;
		at = man_page_find(at, reason_sentence((enum reason)i));
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_words_and_differ),
		cmocka_unit_test(statuses_are_of_failures),
		cmocka_unit_test(types_are_registered),
		cmocka_unit_test(people_are_told),
		cmocka_unit_test(statuses_are_as_promised),
		cmocka_unit_test(all_are_in_the_man_page_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
