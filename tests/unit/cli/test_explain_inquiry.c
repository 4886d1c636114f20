#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"
#include "proxy/cli/explain_inquiry.h"
#include "proxy/net/address.h"

static int read_it(const struct inquiry_words *words, struct inquiry *out,
	char err[1024])
{
	err[0] = '\0';
	return inquiry_read(words, out, err, 1024);
}

static void assert_url(const char *given, const char *url, const char *host,
	unsigned port, const char *lax)
{
	struct inquiry_words words = {.url = given};
	struct inquiry inquiry;
	char err[1024];

	if (read_it(&words, &inquiry, err) != 0)
		fail_msg("%s: %s", given, err);
	assert_string_equal(inquiry.url, url);
	assert_string_equal(inquiry.host, host);
	assert_int_equal(inquiry.port, port);
	assert_string_equal(inquiry.lax, lax);
	inquiry_clear(&inquiry);
}

static void urls_have_one_spelling(void **state)
{
	(void)state;
	assert_url("https://a.test", "https://a.test/", "a.test", 443, "/");
	assert_url("a.test", "https://a.test/", "a.test", 443, "/");
	assert_url("a.test/B?q=C", "https://a.test/b?q=C", "a.test", 443, "/b");
	assert_url("a.test?q", "https://a.test/?q", "a.test", 443, "/");
	assert_url("a.test:8443/x", "https://a.test:8443/x", "a.test", 8443,
		"/x");
	assert_url("https://a.test:443/", "https://a.test/", "a.test", 443,
		"/");
	assert_url("HTTP://A.Test.:80/x/../y#z", "http://a.test/y", "a.test",
		80, "/y");
	assert_url("http://a.test:443/", "http://a.test:443/", "a.test", 443,
		"/");
	assert_url("https://[2001:DB8::1]/", "https://[2001:db8::1]/",
		"2001:db8::1", 443, "/");
	assert_url("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443/",
		"2001:db8::1", 8443, "/");
	assert_url("a.test/?to=https://b.test/", "https://a.test/?to=https://"
		"b.test/", "a.test", 443, "/");
}

static void letters_beyond_ascii_are_as_a_client_sends_them(void **state)
{
	(void)state;
	assert_url("https://b\xc3\xbc" "cher.example/\xc3\xbc?\xc3\xbc",
		"https://xn--bcher-kva.example/%C3%BC?%C3%BC",
		"xn--bcher-kva.example", 443, "/\xc3\xbc");
	assert_url("b\xc3\xbc" "cher.example", "https://xn--bcher-kva.example/",
		"xn--bcher-kva.example", 443, "/");
}

static void a_path_with_two_readings_has_both(void **state)
{
	struct inquiry_words words = {.url = "https://a.test/x%2F..%2fB;c"};
	struct inquiry inquiry;
	char err[1024];

	(void)state;
	assert_int_equal(read_it(&words, &inquiry, err), 0);
	assert_string_equal(inquiry.exact, "/x%2F..%2Fb;c");
	assert_string_equal(inquiry.lax, "/b");
	assert_string_equal(inquiry.url, "https://a.test/x%2F..%2Fb;c");
	inquiry_clear(&inquiry);
}

static void assert_bad(const struct inquiry_words *words, const char *part)
{
	struct inquiry inquiry;
	char err[1024];

	if (read_it(words, &inquiry, err) == 0)
		fail_msg("%s is taken", words->url);
	if (!strstr(err, part))
		fail_msg("%s is not in: %s", part, err);
	inquiry_clear(&inquiry);
}

static void what_is_no_url_is_told(void **state)
{
	static const char *const bad[] = {"", "https://", "https:///x",
		"a b.test", "https://a.test/a b", "https://user@a.test/",
		"https://a.test:0/", "https://a.test:99999/", "https://a.test:/",
		"https:/a.test", "://a.test", "https://[::1/", "/x", "#",
		"https://a.test/\n", "https://[fe80::1%25eth0]/",
		"https://a%2etest/"};
	char *longest = malloc(INQUIRY_URL_MAX + 100);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(&(struct inquiry_words){.url = bad[i]},
			"is no URL");
	assert_bad(&(struct inquiry_words){.url = "ftp://a.test/"},
		"https:// and http:// alone");
	assert_bad(&(struct inquiry_words){.url = "https://1.2.3/"},
		"neither a name nor an address");
	assert_non_null(longest);
	memset(longest, 'a', INQUIRY_URL_MAX + 99);
	longest[INQUIRY_URL_MAX + 99] = '\0';
	assert_bad(&(struct inquiry_words){.url = longest}, "is no URL");
	free(longest);
}

static void options_are_read(void **state)
{
	struct inquiry_words words = {.url = "a.test:8443", .user = "dev1",
		.from = "::ffff:10.1.2.3", .method = "POST", .to = "[::1]",
		.sni = "B.test.", .certificate = "expired",
		.user_agent = "git/2", .at = "2026-11-30 12:00"};
	struct inquiry inquiry;
	char err[1024], text[46];

	(void)state;
	assert_int_equal(read_it(&words, &inquiry, err), 0);
	assert_string_equal(inquiry.user, "dev1");
	assert_string_equal(inquiry.user_agent, "git/2");
	assert_string_equal(inquiry.method, "POST");
	assert_string_equal(inquiry.sni, "b.test");
	assert_int_equal(inquiry.certificate, CERTIFICATE_EXPIRED);
	assert_int_equal(inquiry.now, 1796040000);
	assert_true(inquiry.has_from);
	address_text((struct sockaddr *)&inquiry.from, text);
	assert_string_equal(text, "10.1.2.3");
	assert_int_equal(inquiry.num_to, 1);
	address_text((struct sockaddr *)&inquiry.to[0], text);
	assert_string_equal(text, "::1");
	assert_int_equal(address_port((struct sockaddr *)&inquiry.to[0]),
		8443);
	inquiry_clear(&inquiry);
}

static void what_is_not_given_is_not_known(void **state)
{
	struct inquiry_words words = {.url = "a.test", .sni = "A.TEST"};
	struct inquiry inquiry;
	char err[1024];

	(void)state;
	assert_int_equal(read_it(&words, &inquiry, err), 0);
	assert_null(inquiry.user);
	assert_null(inquiry.user_agent);
	assert_false(inquiry.has_from);
	assert_int_equal(inquiry.num_to, 0);
	assert_int_equal(inquiry.certificate, CERTIFICATE_UNKNOWN);
	assert_string_equal(inquiry.method, "GET");
	assert_string_equal(inquiry.sni, ""); /* the same name */
	assert_true(inquiry.now >= time(NULL) - 60);
	inquiry_clear(&inquiry);
}

static void an_address_leads_to_itself(void **state)
{
	struct inquiry_words words = {.url = "https://192.0.2.7/"};
	struct inquiry inquiry;
	char err[1024], text[46];

	(void)state;
	assert_int_equal(read_it(&words, &inquiry, err), 0);
	assert_true(inquiry.host_is_address);
	assert_int_equal(inquiry.num_to, 1);
	address_text((struct sockaddr *)&inquiry.to[0], text);
	assert_string_equal(text, "192.0.2.7");
	inquiry_clear(&inquiry);
}

static void wrong_options_are_told(void **state)
{
	const struct {
		struct inquiry_words words;
		const char *part;
	} bad[] = {
		{{.url = "a", .from = "here"}, "--from here: this is no addr"},
		{{.url = "a", .from = "10.0.0.0/8"}, "--from 10.0.0.0/8"},
		{{.url = "a", .to = "b.test"}, "--to b.test"},
		{{.url = "a", .method = "GE T"}, "--method GE T"},
		{{.url = "a", .method = "post"}, "in capitals, which matter"},
		{{.url = "a", .method = "Get"}, "--method Get"},
		{{.url = "a", .method = "GOT"}, "501 (unknown-method)"},
		{{.url = "a", .method = "PRI"}, "501 (unknown-method)"},
		{{.url = "a", .method = "TRACE"}, "405 (method-not-allowed)"},
		{{.url = "a", .method = "CONNECT"}, "405 (method-not-all"},
		{{.url = "a", .method = ""}, "--method"},
		{{.url = "a", .method = "A123456789A123456789A123456789AB"},
			"--method"},
		{{.url = "a", .sni = "10.1.2.3"}, "--sni 10.1.2.3"},
		{{.url = "http://a", .sni = "b"}, "--sni is of TLS"},
		{{.url = "http://a", .certificate = "expired"},
			"--certificate is of TLS"},
		{{.url = "a", .certificate = "unknown"}, "wrong-host"},
		{{.url = "a", .at = "noon"}, "--at noon: write a time"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_bad(&bad[i].words, bad[i].part);
}

static void times(void **state)
{
	static const struct {
		const char *text;
		time_t at; /* -1: bad */
	} rows[] = {
		{"2026-11-30 12:00", 1796040000},
		{"2026-11-30T12:00", 1796040000},
		{"2026-11-30 12:00:05", 1796040005},
		{"2026-11-30 12:00Z", 1796040000},
		{"2026-11-30 12:00 UTC", 1796040000},
		{"2026-11-30 12:00 +01:00", 1796036400},
		{"2026-11-30 12:00-0330", 1796052600},
		{"2024-02-29 00:00", 1709164800},
		{"2026-02-29 00:00", -1},
		{"2026-13-01 00:00", -1},
		{"2026-11-30 25:00", -1},
		{"2026-11-30", -1},
		{"2026-11-30 12:00 CET", -1},
		{"2026-11-30 12:00 +1", -1},
		{"12:00", -1},
		{"", -1},
	};
	time_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int result = inquiry_time(rows[i].text, &at);

		if ((result == 0) != (rows[i].at != -1) ||
			(result == 0 && at != rows[i].at))
			fail_msg("%s: %d, %lld", rows[i].text, result,
				(long long)at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_have_one_spelling),
		cmocka_unit_test(
			letters_beyond_ascii_are_as_a_client_sends_them),
		cmocka_unit_test(a_path_with_two_readings_has_both),
		cmocka_unit_test(what_is_no_url_is_told),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(what_is_not_given_is_not_known),
		cmocka_unit_test(an_address_leads_to_itself),
		cmocka_unit_test(wrong_options_are_told),
		cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
