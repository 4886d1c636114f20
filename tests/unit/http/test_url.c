/* test_url.c */

#include "tests/unit/http/http_test.h"

#include "proxy/http/url.h"

static const struct {
	const char *target;
	enum url_form form;
	const char *scheme, *host, *path;
	uint16_t port;
} targets[] = {
	{"/", URL_ORIGIN, "", "", "/", 0},
	{"/a?b=http://c/", URL_ORIGIN, "", "", "/a?b=http://c/", 0},
	{"//a/b", URL_ORIGIN, "", "", "//a/b", 0},
	{"*", URL_ASTERISK, "", "", "", 0},
	{"http://a", URL_ABSOLUTE, "http", "a", "", 0},
	{"HTTP://A.Example./x", URL_ABSOLUTE, "HTTP", "A.Example.", "/x", 0},
	{"http://a:8080?q", URL_ABSOLUTE, "http", "a", "?q", 8080},
	{"https://[::1]:443/", URL_ABSOLUTE, "https", "::1", "/", 443},
	{"http://1.2.3.4/@:b", URL_ABSOLUTE, "http", "1.2.3.4", "/@:b", 0},
	{"http://a?b@c", URL_ABSOLUTE, "http", "a", "?b@c", 0},
	{"a+b-c.9://h/", URL_ABSOLUTE, "a+b-c.9", "h", "/", 0},
	{"http://b\xc3\xbc"
	 "cher/",
		URL_ABSOLUTE, "http",
		"b\xc3\xbc"
		"cher",
		"/", 0},
};

static const char *const bad_targets[] = {
	"",
	"a",
	"a/b",
	"**",
	"*/",
	"?",
	"http",
	"http:",
	"http:/a",
	"http:a",
	"http://",
	"http:///a",
	"http://?a",
	"http://u@a/",
	"http://u:p@a/",
	"http://a@b:80/",
	"http://a:/",
	"http://a:0/",
	"http://a:65536/",
	"http://a:80x/",
	"http://a:+80/",
	"http://a:80:80/",
	"http://:80/",
	"http://::1/",
	"http://[::1/",
	"http://[::1]x/",
	"http://[]/",
	"http://[a]/",
	"http://[::1%25eth0]/",
	"http://[v1.a]/",
	"http://a#b",
	"/#",
	"/a b",
	"/a\tb",
	"/a\x7f",
	"http://a b/",
	"http://a\\b/",
	"http://a%2eb/",
	"http://a,b/",
	"http://a_b*c/",
	"://a/",
	"1http://a/",
	"ht_tp://a/",
	" http://a/",
	"http ://a/",
	"http://a:99999999999999999999/",
};

static void test_targets(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		struct url url;

		assert_int_equal(
			url_parse_target(text_of(targets[i].target), &url), 0);
		assert_int_equal(url.form, targets[i].form);
		assert_slice(url.scheme, targets[i].scheme);
		assert_slice(url.host, targets[i].host);
		assert_slice(url.path, targets[i].path);
		assert_int_equal(url.port, targets[i].port);
	}
}

static void test_bad_targets(void **state)
{
	struct url url;

	(void)state;
	for (size_t i = 0; i < COUNT(bad_targets); i++) {
		if (url_parse_target(text_of(bad_targets[i]), &url) != -1)
			fail_msg("accepted: %s", bad_targets[i]);
		assert_int_equal(url.form, URL_BAD);
	}
	assert_int_equal(url_parse_target(BYTES("/a\0"), &url), -1);
	assert_int_equal(url_parse_target(BYTES("http://a\0b/"), &url), -1);
	assert_int_equal(url_parse_target((struct slice){NULL, 0}, &url), -1);
}

static void test_authority(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} good[] = {
		{"a", "a", 0},
		{"a:1", "a", 1},
		{"a.b:65535", "a.b", 65535},
		{"a:00443", "a", 443},
		{"[::1]", "::1", 0},
		{"[::ffff:1.2.3.4]:443", "::ffff:1.2.3.4", 443},
		{"x_y-z~:2", "x_y-z~", 2},
	};
	static const char *const bad[] = {
		"",
		":",
		":443",
		"a:",
		"a:0",
		"a:65536",
		"a:-1",
		"a: 1",
		"a:1 ",
		"a:0x1",
		"::1",
		"::1:443",
		"[::1",
		"[::1]443",
		"[::1]:",
		"u@a:1",
		"a/b",
		"a?b",
		"http://a",
		"[]:1",
		"[:]x",
		"a,b",
		"a b",
	};
	struct slice host;
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(url_parse_authority(
					 text_of(good[i].text), &host, &port),
			0);
		assert_slice(host, good[i].host);
		assert_int_equal(port, good[i].port);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (url_parse_authority(text_of(bad[i]), &host, &port) != -1)
			fail_msg("accepted: %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_bad_targets),
		cmocka_unit_test(test_authority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
