#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/config/places.h"

static char err[256];

static void endpoint(const char *text, uint16_t port, const char *expected)
{
	struct endpoint out;

	if (place_endpoint(text, port, &out, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_string_equal(out.text, expected);
}

static void no_endpoint(const char *text, const char *why)
{
	struct endpoint out;

	if (place_endpoint(text, 0, &out, err, sizeof(err)) == 0)
		fail_msg("\"%s\" was taken", text);
	if (!strstr(err, why))
		fail_msg("\"%s\" has no \"%s\"", err, why);
}

static void endpoints(void **state)
{
	struct endpoint out;

	(void)state;
	endpoint("127.0.0.1:8080", 0, "127.0.0.1:8080");
	endpoint("[0::1]:80", 0, "[::1]:80");
	endpoint("192.0.2.53", 53, "192.0.2.53:53");
	endpoint("192.0.2.53:5353", 53, "192.0.2.53:5353");
	endpoint("2001:db8::53", 53, "[2001:db8::53]:53");
	endpoint("[2001:db8::53]", 53, "[2001:db8::53]:53");
	no_endpoint("0.0.0.0", "as in 127.0.0.1:8080");
	no_endpoint("[::]", "as in 127.0.0.1:8080");
	no_endpoint("8080", "as in 127.0.0.1:8080");
	no_endpoint(":8080", "does not begin with an address");
	no_endpoint("::1:8080", "in brackets");
	no_endpoint("[::1:8080", "bracket too few");
	no_endpoint("[::1]8080", "bracket too few");
	no_endpoint("[127.0.0.1]:80", "does not begin with an address");
	no_endpoint("localhost:8080", "does not begin with an address");
	no_endpoint("127.1:8080", "does not begin with an address");
	no_endpoint("127.0.0.1:0", "1 to 65535");
	no_endpoint("127.0.0.1:65536", "1 to 65535");
	no_endpoint("127.0.0.1:", "1 to 65535");
	no_endpoint("127.0.0.1:80x", "1 to 65535");
	assert_int_equal(place_endpoint("0.0.0.0:80", 0, &out, err,
		sizeof(err)), 0);
	assert_true(place_is_wildcard(&out));
	assert_int_equal(place_port(&out), 80);
	assert_int_equal(place_endpoint("[::]:81", 0, &out, err,
		sizeof(err)), 0);
	assert_true(place_is_wildcard(&out));
	assert_int_equal(place_port(&out), 81);
	assert_int_equal(place_endpoint("[::1]:81", 0, &out, err,
		sizeof(err)), 0);
	assert_false(place_is_wildcard(&out));
}

static struct connect_to entry(const char *text)
{
	struct connect_to out = {.host = ""};

	if (place_connect_to(text, &out, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return out;
}

static void no_entry(const char *text)
{
	struct connect_to out;

	if (place_connect_to(text, &out, err, sizeof(err)) == 0)
		fail_msg("\"%s\" was taken", text);
	assert_non_null(strstr(err, text));
}

static void connect_to(void **state)
{
	struct connect_to e = entry("Site.test.:443:127.0.0.1:9443");

	(void)state;
	assert_string_equal(e.host, "site.test");
	assert_false(e.below);
	assert_int_equal(e.port, 443);
	assert_string_equal(e.to_host, "127.0.0.1");
	assert_int_equal(e.to_port, 9443);
	e = entry("*.many.test:443:[::1]:9447");
	assert_string_equal(e.host, "many.test");
	assert_true(e.below);
	assert_string_equal(e.to_host, "::1");
	e = entry("::127.0.0.1:");
	assert_string_equal(e.host, "");
	assert_int_equal(e.port, 0);
	assert_int_equal(e.to_port, 0);
	e = entry("[2001:db8::1]:443::8443");
	assert_string_equal(e.host, "2001:db8::1");
	assert_string_equal(e.to_host, "");
	no_entry("a:1:b");
	no_entry("a:1:b:2:");
	no_entry("a:1::");
	no_entry(":::");
	no_entry("a b:1:c:2");
	no_entry("a:x:c:2");
	no_entry("a:1:c:70000");
	no_entry("a:1:*.c:2");
	no_entry("*.:1:c:2");
	no_entry("*.1.2.3.4:1:c:2");
	no_entry("[a]:1:c:2");
	no_entry("[]:1:c:2");
	no_entry("::1:443:c:2");
}

static void ports(void **state)
{
	uint16_t first, last;

	(void)state;
	assert_int_equal(place_ports("443", &first, &last, err, sizeof(err)),
		0);
	assert_true(first == 443 && last == 443);
	assert_int_equal(place_ports("1-65535", &first, &last, err,
		sizeof(err)), 0);
	assert_true(first == 1 && last == 65535);
	for (size_t i = 0; i < 8; i++) {
		static const char *const no[] = {"", "-", "1-", "-1", "0",
			"2-1", "1-2-3", "https"};

		if (place_ports(no[i], &first, &last, err, sizeof(err)) == 0)
			fail_msg("\"%s\" was taken", no[i]);
	}
}

static void crl_urls(void **state)
{
	static const char *const yes[] = {"http://crl.example.org:8080",
		"http://crl.example.org", "http://192.0.2.1/pki",
		"http://[2001:db8::1]:80/a/b"};
	static const char *const no[] = {"", "https://crl.example.org",
		"HTTP://crl.example.org", "http://", "http:///x", "http://:80",
		"http://a:0", "http://a:80x", "http://a/", "http://a/b/",
		"http://a/b?c", "http://a#b", "http://u@a/b", "http://a b",
		"http://[::1", "http://[a]", "http://a/b c", "http://a/\xc3\xa4",
		"http://a:80:80"};
	char longest[220];

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (place_crl_url(yes[i], err, sizeof(err)) != 0)
			fail_msg("%s", err);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (place_crl_url(no[i], err, sizeof(err)) == 0)
			fail_msg("\"%s\" was taken", no[i]);
	}
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "http://a/", 9);
	longest[201] = '\0';
	assert_int_equal(place_crl_url(longest, err, sizeof(err)), -1);
	longest[200] = '\0';
	assert_int_equal(place_crl_url(longest, err, sizeof(err)), 0);
}

static void isolation_services(void **state)
{
	static const char *const yes[] = {
		"https://iso.test/?url={url}", "http://10.0.0.1:81/{url}/x#y",
		"https://[::1]/a?b=c&d={url}&e", "https://i.test?{url}",
	};
	static const char *const no[] = {
		"", "iso.test/{url}", "ftp://iso.test/{url}", "https://{url}/",
		"https://iso.test/", "https://iso.test/{url}{url}",
		"https:///{url}", "https://iso.test:0/{url}",
		"https://a@iso.test/{url}", "https://iso.test/ {url}",
		"https://iso.test/{url}\r\nA: b", "https://iso.test/\"{url}",
		"https://iso.test/{URL}", "HTTPS://iso.test/{url}",
	};
	char longest[1100];

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (place_isolate(yes[i], err, sizeof(err)) != 0)
			fail_msg("%s", err);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (place_isolate(no[i], err, sizeof(err)) == 0)
			fail_msg("\"%s\" was taken", no[i]);
	}
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "https://a/{url}", 15);
	longest[1025] = '\0';
	assert_int_equal(place_isolate(longest, err, sizeof(err)), -1);
	longest[1024] = '\0';
	assert_int_equal(place_isolate(longest, err, sizeof(err)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints),
		cmocka_unit_test(connect_to),
		cmocka_unit_test(ports),
		cmocka_unit_test(crl_urls),
		cmocka_unit_test(isolation_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
