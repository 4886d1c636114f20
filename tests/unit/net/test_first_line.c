#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/net/first_line.h"

struct row {
	const char *bytes;
	size_t len; /* 0: to the NUL */
};

#define NUM(a) (sizeof(a) / sizeof((a)[0]))

/* In any two pieces it is the same. */
static void check(const struct row *row, enum first_line_is wanted)
{
	const uint8_t *bytes = (const uint8_t *)row->bytes;
	size_t len = row->len ? row->len : strlen(row->bytes);

	for (size_t cut = 0; cut <= len; cut++) {
		struct first_line line = {0};
		enum first_line_is is = first_line_read(&line, bytes, cut);

		if (is != FIRST_LINE_REQUEST)
			is = first_line_read(&line, bytes + cut, len - cut);
		if (is != wanted)
			fail_msg("\"%s\", cut at %zu: %d", row->bytes, cut, is);
	}
}

static void knows_requests(void **state)
{
	static const struct row rows[] = {
		/* the JDK's: any method, any version */
		{"\0GET /s HTTP/1.1\r\n", 18}, {"\x01GET /s \0", 9},
		{"G(T /s HTTP/1.1\r\n", 0}, {"G\x80T /s XYZ\r\n", 0},
		{"{ http://a/s x\r\n", 0}, {"(\n /s x\r\n", 0},
		{"x\rG(T /s x\r\n", 0}, {"a\tb /s x\r\n", 0},
		{"\r\n( /s x", 0}, {"( /s\xe9 x", 0},
		/* Go's: a method that is SSH's banner */
		{"SSH-2.0-x /secret HTTP/1.1\r\n", 0},
		{"SSH-2.0-x * HTTP/1.1\r\n", 0},
		{"SSH-2.0-x a:b HTTP/1.1\r\n", 0},
		/* Python's: blanks of any kind */
		{"GET\v/s\vHTTP/1.1\r\n", 0}, {"GET\x1c/s HTTP/1.1\n", 0},
		{"GET\xa0/s\x85HTTP/1.1\n", 0}, {"\xa0@GET\ts\thttp/1.1", 0},
		{"GET\f/s\n", 0}, {"GET\v/s\v\r\n", 0}, {"GET\r/s\r\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < NUM(rows); i++)
		check(&rows[i], FIRST_LINE_REQUEST);
}

static void knows_what_is_none(void **state)
{
	static const struct row rows[] = {
		{"SSH-2.0-OpenSSH_9.2 Debian-2\r\n", 0},
		{"SSH-2.0-8.47 FlowSsh: Bitvise SSH Client 8.47\r\n", 0},
		{"SSH-2.0-Go\r\n", 0}, {"SSH-1.99-x\r\n", 0},
		{"*3\r\n$3\r\nSET\r\n", 0}, {"*1\r\nGET /s HTTP/1.1\r\n", 0},
		{"{ \"a\": \"/b\" }\r\n", 0}, {"{ \"a\": \"/b\", x\n", 0},
		{"@RSYNCD: 31.0 sha512 md5\r\n", 0},
		{"\x13" "BitTorrent protocol\0\0\0\0\0\0\0\0 x y\r\n", 34},
		{"<13>Nov 30 host app: \"GET /s HTTP/1.1\" 200\r\n", 0},
		{"GETS\v/s\r\n", 0}, {"GE\v/s\r\n", 0}, {"GET\r\n", 0},
		{"(\x01 /s\x01 x\r\n", 0}, {"( s x\r\n", 0},
		{"( a:/b :/ x\r\n", 0}, {"x /s\r\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < NUM(rows); i++)
		check(&rows[i], FIRST_LINE_NONE);
}

static void says_nothing_too_early(void **state)
{
	static const struct row rows[] = {
		{"", 0}, {"\r\n", 0}, {"\0\0\0\x08\x04\xd2\x16\x2f", 8},
		{"SSH-2.0-x", 0}, {"( /s", 0}, {"( s HTTP", 0},
		{"foo\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < NUM(rows); i++)
		check(&rows[i], FIRST_LINE_OPEN);
}

static void has_no_limit(void **state)
{
	struct first_line line = {0};
	uint8_t bytes[1000];

	(void)state;
	memset(bytes, '(', sizeof(bytes));
	for (int i = 0; i < 1000; i++)
		assert_int_equal(first_line_read(&line, bytes, sizeof(bytes)),
			FIRST_LINE_OPEN);
	assert_int_equal(first_line_read(&line, (const uint8_t *)" /s ", 4),
		FIRST_LINE_REQUEST);
}

/* A protocol of its own that begins with chance bytes is not broken often. */
static void spares_chance_bytes(void **state)
{
	uint32_t seed = 1;
	unsigned requests = 0;
	uint8_t bytes[4096];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct first_line line = {0};

		for (size_t k = 0; k < sizeof(bytes); k++) {
			seed = seed * 1664525 + 1013904223;
			bytes[k] = (uint8_t)(seed >> 24);
		}
		requests += first_line_read(&line, bytes, sizeof(bytes)) ==
			FIRST_LINE_REQUEST;
	}
	assert_in_range(requests, 0, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_requests),
		cmocka_unit_test(knows_what_is_none),
		cmocka_unit_test(says_nothing_too_early),
		cmocka_unit_test(has_no_limit),
		cmocka_unit_test(spares_chance_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
