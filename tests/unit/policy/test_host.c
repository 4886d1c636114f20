#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/host.h"

struct row {
	const char *in, *out;
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The input is copied to a block of its own size, so that a sanitizer sees
 * every byte read beyond it; the output must be a fixed point. */
static enum host_kind normalize(const char *in, size_t len, char out[HOST_SIZE])
{
	char *copy = malloc(len ? len : 1), again[HOST_SIZE];
	enum host_kind kind;

	assert_non_null(copy);
	memcpy(copy, in, len);
	memset(out, 'x', HOST_SIZE);
	kind = host_normalize(copy, len, out);
	free(copy);
	if (kind == HOST_BAD) {
		assert_string_equal(out, "");
		return kind;
	}
	assert_int_equal(host_normalize(out, strlen(out), again), kind);
	assert_string_equal(again, out);
	return kind;
}

static void check_rows(
	const struct row *rows, size_t count, enum host_kind kind)
{
	for (size_t i = 0; i < count; i++) {
		char out[HOST_SIZE];

		if (normalize(rows[i].in, strlen(rows[i].in), out) != kind)
			fail_msg("\"%s\" is of another kind", rows[i].in);
		assert_string_equal(out, rows[i].out);
	}
}

static void check_bad(const char *const *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char out[HOST_SIZE];

		if (normalize(rows[i], strlen(rows[i]), out) != HOST_BAD)
			fail_msg("\"%s\" became \"%s\"", rows[i], out);
	}
}

static void names(void **state)
{
	static const struct row rows[] = {
		{"example.com", "example.com"},
		{"EXAMPLE.Com", "example.com"},
		{"example.com.", "example.com"},
		{"localhost", "localhost"},
		{"_dmarc.example.com", "_dmarc.example.com"},
		{"my_host", "my_host"},
		{"-a.example.com", "-a.example.com"},
		{"a-.example.com", "a-.example.com"},
		{"r3---sn-4g5e6nsz.example", "r3---sn-4g5e6nsz.example"},
		{"1and1.com", "1and1.com"},
		{"127.0.0.1.example", "127.0.0.1.example"},
		{"1.2.3.4a", "1.2.3.4a"},
		{"0xg", "0xg"},
		{"dead.beef", "dead.beef"},
		{"xn--mnchen-3ya.de", "xn--mnchen-3ya.de"},
		{"XN--MNCHEN-3YA.DE", "xn--mnchen-3ya.de"},
		{"xn--a.example", "xn--a.example"},
	};

	(void)state;
	check_rows(rows, COUNT(rows), HOST_NAME);
}

static void unicode_names(void **state)
{
	static const struct row rows[] = {
		{"m\303\274nchen.de", "xn--mnchen-3ya.de"},
		{"M\303\234NCHEN.de.", "xn--mnchen-3ya.de"},
		{"mu\314\210nchen.de", "xn--mnchen-3ya.de"},
		{"fa\303\237.de", "xn--fa-hia.de"}, /* not fass.de */
		{"_x.m\303\274nchen.de", "_x.xn--mnchen-3ya.de"},
		/* fullwidth letters, ideographic full stop */
		{"\357\275\205xample\343\200\202com", "example.com"},
		/* soft hyphen, Kelvin sign */
		{"ex\302\255ample.com", "example.com"},
		{"\342\204\252.de", "k.de"},
	};

	(void)state;
	check_rows(rows, COUNT(rows), HOST_NAME);
}

static void addresses(void **state)
{
	static const struct row rows[] = {
		{"192.0.2.7", "192.0.2.7"},
		{"192.0.2.7.", "192.0.2.7"},
		{"0.0.0.0", "0.0.0.0"},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"[2001:db8::1]", "2001:db8::1"},
		{"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
		{"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
		{"::", "::"},
		{"[::1]", "::1"},
		{"::ffff:192.0.2.7", "192.0.2.7"},
		{"[::FFFF:c000:207]", "192.0.2.7"},
		{"0:0:0:0:0:ffff:127.0.0.1", "127.0.0.1"},
		{"64:ff9b::192.0.2.7", "64:ff9b::c000:207"},
		/* fullwidth 127 */
		{"\357\274\221\357\274\222\357\274\227.0.0.1", "127.0.0.1"},
	};

	(void)state;
	check_rows(rows, COUNT(rows), HOST_ADDRESS);
}

/* Each is an IPv4 address to some resolver, by its old spellings. */
static void disguised_addresses(void **state)
{
	static const char *const rows[] = {
		"127.1",
		"127.0.1",
		"2130706433",
		"0x7f000001",
		"0x7f.1",
		"127.0.0.0x1",
		"0x",
		"a.0x",
		"017700000001",
		"0177.0.0.1",
		"127.0.0.01",
		"127.0.0.256",
		"1.2.3.4.5",
		"127.1.",
		"example.1",
		"0X7F.1",
		"1..1",
		"0xdeadbeefdeadbeef",
		"\357\274\221\357\274\222\357\274\227.1",
		"127\343\200\2021",
	};

	(void)state;
	check_bad(rows, COUNT(rows));
}

static void no_hosts(void **state)
{
	static const char *const rows[] = {
		"",
		".",
		"..",
		".example.com",
		"example..com",
		"example.com..",
		"exa mple.com",
		" example.com",
		"example.com ",
		"a\tb",
		"a\nb",
		"example.com\r",
		"a\177b",
		"*.example.com",
		"example.com:443",
		"http://example.com",
		"user@example.com",
		"example.com/",
		"a,b",
		"a\\b",
		"a\"b",
		"a'b",
		"a<b",
		"a&b",
		"a;b",
		"a=b",
		"example%2ecom",
		"%65xample.com",
		"a%00b",
		"fe80::1%eth0",
		"[fe80::1%25eth0]",
		"fe80::1%1",
		"[fe80::1",
		"fe80::1]",
		"[]",
		"[",
		"]",
		"[[::1]]",
		"[192.0.2.7]",
		"[example.com]",
		"[::1].",
		"::1.",
		"[::1]:443",
		"::g",
		":::",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"::ffff:1.2.3",
		"::ffff:127.1",
		"[v1.fe80::a]",
		"xn--",
		"xn--.example",
		"xn--abc-.example",
		"xn--a-_.example",
		"XN---.example",
	};

	(void)state;
	check_bad(rows, COUNT(rows));
}

static void no_unicode_hosts(void **state)
{
	static const char *const rows[] = {
		"\374.de", /* Latin-1 */
		"\303.de",
		"\303\274\377.de", /* cut, stray */
		"\300\256.de",
		"\355\240\200.de", /* overlong, surrogate */
		"\303\274..de",
		".\303\274.de",
		"\343\200\202",
		"\302\255.de",                 /* a soft hyphen alone */
		"\303\274\357\274\217a.de",    /* fullwidth slash */
		"\357\274\205.\303\274",       /* fullwidth percent */
		"\357\274\273::1\357\274\275", /* fullwidth brackets */
		"a\357\274\232443",            /* fullwidth colon */
		"\303\274\342\200\213b\342\200\215.de", /* joiner */
		"xn--\303\274.de",
	};

	(void)state;
	check_bad(rows, COUNT(rows));
}

static void embedded_nul(void **state)
{
	static const char name[] = "example.com\0.evil.test";
	static const char last[] = "example.com";
	char out[HOST_SIZE];

	(void)state;
	assert_int_equal(normalize(name, sizeof(name) - 1, out), HOST_BAD);
	assert_int_equal(normalize(last, sizeof(last), out), HOST_BAD);
	assert_int_equal(normalize("\0", 1, out), HOST_BAD);
	assert_int_equal(normalize("\303\274\0.de", 6, out), HOST_BAD);
}

/* Labels of size bytes with dots between, len bytes in all. */
static void fill(char *name, size_t len, size_t size)
{
	for (size_t i = 0; i < len; i++)
		name[i] = (i + 1) % (size + 1) == 0 ? '.' : 'a';
}

static void lengths(void **state)
{
	static char name[5000];
	char out[HOST_SIZE];

	(void)state;
	fill(name, 63, 63);
	assert_int_equal(normalize(name, 63, out), HOST_NAME);
	memset(name, 'a', 64);
	assert_int_equal(normalize(name, 64, out), HOST_BAD);
	fill(name, 253, 49);
	assert_int_equal(normalize(name, 253, out), HOST_NAME);
	assert_int_equal(strlen(out), 253);
	name[253] = '.';
	assert_int_equal(normalize(name, 254, out), HOST_NAME);
	name[253] = 'a';
	assert_int_equal(normalize(name, 254, out), HOST_BAD);
	fill(name, sizeof(name), 49);
	assert_int_equal(normalize(name, sizeof(name) - 1, out), HOST_BAD);
	for (size_t i = 0; i + 1 < sizeof(name); i += 2)
		memcpy(name + i, "\303\274", 2);
	for (size_t len = 1023; len < 1027; len++)
		assert_int_equal(normalize(name, len, out), HOST_BAD);
	assert_int_equal(normalize(name, sizeof(name), out), HOST_BAD);
}

static void in_place(void **state)
{
	char host[HOST_SIZE] = "[::FFFF:192.0.2.7]";

	(void)state;
	assert_int_equal(
		host_normalize(host, strlen(host), host), HOST_ADDRESS);
	assert_string_equal(host, "192.0.2.7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(unicode_names),
		cmocka_unit_test(addresses),
		cmocka_unit_test(disguised_addresses),
		cmocka_unit_test(no_hosts),
		cmocka_unit_test(no_unicode_hosts),
		cmocka_unit_test(embedded_nul),
		cmocka_unit_test(lengths),
		cmocka_unit_test(in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
