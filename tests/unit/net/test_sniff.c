#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/net/sniff.h"

struct row {
	const char *bytes;
	size_t len; /* 0: to the NUL */
	enum sniff is;
	size_t from; /* the first length at which it is clear */
};

static size_t row_len(const struct row *row)
{
	return row->len ? row->len : strlen(row->bytes);
}

/* Whatever is said is said from the first byte that tells, and stays. */
static void check(const struct row *row)
{
	const uint8_t *bytes = (const uint8_t *)row->bytes;

	for (size_t n = 0; n <= row_len(row); n++) {
		enum sniff is = sniff(bytes, n);

		if (is != (n < row->from ? SNIFF_MORE : row->is))
			fail_msg("%zu bytes of \"%.20s\": %d", n, row->bytes,
				is);
	}
}

static void knows_tls(void **state)
{
	static const struct row rows[] = {
		{ "\x16\x03\x01\x02\x00\x01", 6, SNIFF_TLS, 1 },
		{ "\x16\x03\xff", 0, SNIFF_TLS, 1 },
		{ "\r\n\x16\x03\x01", 0, SNIFF_TLS, 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

/* To be refused, not tunnelled as what is no TLS: some servers pass over it. */
static void knows_tls_in_disguise(void **state)
{
	static const struct row rows[] = {
		{ "\x14\x03\x03\x00\x01\x01", 6, SNIFF_TLS, 2 },
		{ "\x15\x03\x01\x00\x02\x01\x5a", 7, SNIFF_TLS, 2 },
		{ "\x17\x03\x01\x00\x00", 5, SNIFF_TLS, 2 },
		{ "\x80\x2e\x01\x03\x01\x00\x15", 7, SNIFF_TLS, 3 },
		{ "\xff\xff\x01\x03\x03", 0, SNIFF_TLS, 3 },
		{ "\x80\x2e\x01\x02", 0, SNIFF_TLS, 3 },
		/* any version: Java and Go servers do not look at it */
		{ "\x16\x04\x01", 0, SNIFF_TLS, 1 },
		{ "\x16\x7f\x00", 3, SNIFF_TLS, 1 },
		{ "\x16\x02\x00", 3, SNIFF_TLS, 1 },
		{ "\x15\x04\x01", 0, SNIFF_TLS, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

static void knows_http(void **state)
{
	static const struct row rows[] = {
		{ "GET / HTTP/1.1\r\n", 0, SNIFF_HTTP, 4 },
		{ "M-SEARCH * HTTP/1.1", 0, SNIFF_HTTP, 9 },
		{ "PRI * HTTP/2.0", 0, SNIFF_HTTP, 4 },
		{ "\r\n\nPOST x", 0, SNIFF_HTTP, 8 },
		{ "SS /", 0, SNIFF_HTTP, 3 },
		{ "GET\t/ ", 0, SNIFF_HTTP, 4 },
		{ "\r\n\r\n\r\n\r\n\rGET /", 0, SNIFF_HTTP, 9 },
		{ "!#$%&'*+-.^_`|~09azAZ no", 0, SNIFF_HTTP, 22 },
		/* servers answer these with an error, and then take others */
		{ "SSH- / HTTP/1.1", 0, SNIFF_HTTP, 5 },
		{ "SSH-X / HTTP/1.1", 0, SNIFF_HTTP, 6 },
		{ "SSH-2 / HTTP/1.1", 0, SNIFF_HTTP, 6 },
		/* ... or pass over what is before them */
		{ " GET /", 0, SNIFF_HTTP, 5 },
		{ "\t\v\f\x1c\x1fGET /", 0, SNIFF_HTTP, 9 },
		{ "PROXY / HTTP/1.1", 0, SNIFF_HTTP, 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

static void knows_neither(void **state)
{
	static const struct row rows[] = {
		{ "SSH-2.0-OpenSSH_9.2 Debian", 0, SNIFF_OTHER, 8 },
		{ "SSH-1.99-old", 0, SNIFF_OTHER, 8 },
		{ "\x15\x10", 0, SNIFF_OTHER, 2 },
		{ "\x13\x03\x01", 0, SNIFF_OTHER, 1 },
		{ "\x18\x03\x01", 0, SNIFF_OTHER, 1 },
		{ "\x80\x2e\x02\x03", 0, SNIFF_OTHER, 3 },
		{ "\0GET /", 6, SNIFF_OTHER, 1 },
		{ "GET\0/ ", 6, SNIFF_OTHER, 4 },
		{ "{\"a\": 1}", 0, SNIFF_OTHER, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

/* Its first line is a request in some server's eyes; before that is seen, it is
 * SNIFF_OTHER, and first_line.h goes on. */
static void knows_http_by_its_first_line(void **state)
{
	static const char *const lines[] = {
		"SSH-2.0-x /secret HTTP/1.1\r\n", "\r\nG(T /secret HTTP/1.1\r\n",
		"{ /secret x\r\n", "GET\v/secret\vHTTP/1.1\r\n",
		"\x80GT /secret x\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const uint8_t *line = (const uint8_t *)lines[i];

		assert_int_equal(sniff(line, strlen(lines[i])), SNIFF_HTTP);
		assert_int_equal(sniff(line, 8), SNIFF_OTHER);
	}
}

static void knows_the_proxy_protocol(void **state)
{
	static const struct row rows[] = {
		{ "\r\n\r\n\0\r\nQUIT\n\x21\x11", 14, SNIFF_PROXY, 12 },
		{ "PROXY TCP4 192.0.2.1", 0, SNIFF_PROXY, 11 },
		{ "PROXY TCP6 ::1 ::1", 0, SNIFF_PROXY, 11 },
		{ "PROXY UNKNOWN\r\n", 0, SNIFF_PROXY, 13 },
		{ "PROXY TCP /", 0, SNIFF_HTTP, 10 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
	assert_int_equal(sniff((const uint8_t *)"\r\n\r\n\0\r\nQUIT!", 12),
		SNIFF_OTHER);
}

static void never_waits_for_more_than_its_limit(void **state)
{
	uint8_t bytes[SNIFF_MAX + 1];

	(void)state;
	memset(bytes, 'A', sizeof(bytes));
	for (size_t lines = 0; lines <= 9; lines++) {
		memset(bytes, '\n', lines);
		assert_int_equal(sniff(bytes, SNIFF_MAX),
			SNIFF_HTTP);
		assert_int_equal(sniff(bytes, lines + 4),
			lines < 9 ? SNIFF_MORE : SNIFF_HTTP);
	}
	memset(bytes, '\n', sizeof(bytes));
	assert_int_equal(sniff(bytes, 8), SNIFF_MORE);
	assert_int_equal(sniff(bytes, 9), SNIFF_HTTP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_tls),
		cmocka_unit_test(knows_tls_in_disguise),
		cmocka_unit_test(knows_http),
		cmocka_unit_test(knows_neither),
		cmocka_unit_test(knows_http_by_its_first_line),
		cmocka_unit_test(knows_the_proxy_protocol),
		cmocka_unit_test(never_waits_for_more_than_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
