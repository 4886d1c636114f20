#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/net/ja4.h"

/* A ClientHello as it is put together. */
struct made {
	uint8_t at[4096];
	size_t len;
};

static void put8(struct made *m, unsigned value)
{
	assert_true(m->len < sizeof(m->at));
	m->at[m->len++] = (uint8_t)value;
}

static void put16(struct made *m, unsigned value)
{
	put8(m, value >> 8);
	put8(m, value & 255);
}

static void begin(struct made *m, unsigned version, const uint16_t *ciphers,
	size_t num)
{
	m->len = 0;
	for (int i = 0; i < 4; i++)
		put8(m, i == 0);
	put16(m, version);
	for (int i = 0; i < 32; i++)
		put8(m, 7);
	put8(m, 0);
	put16(m, (unsigned)num * 2);
	for (size_t i = 0; i < num; i++)
		put16(m, ciphers[i]);
	put16(m, 0x0100); /* methods: null */
}

static void extension(struct made *m, unsigned type, const void *data,
	size_t len)
{
	put16(m, type);
	put16(m, (unsigned)len);
	for (size_t i = 0; i < len; i++)
		put8(m, ((const uint8_t *)data)[i]);
}

/* end puts the extensions' length where from is, before them. */
static void end(struct made *m, size_t from)
{
	size_t len = m->len - from - 2;

	m->at[from] = (uint8_t)(len >> 8);
	m->at[from + 1] = (uint8_t)len;
}

static void is(const struct made *m, const char *want)
{
	uint8_t *copy = malloc(m->len);
	char out[JA4_SIZE];

	assert_non_null(copy);
	memcpy(copy, m->at, m->len);
	ja4_write(copy, m->len, out);
	free(copy);
	assert_string_equal(out, want);
}

/* The example of JA4.md: with GREASE among it all, and in its order. */
static const uint16_t ciphers[] = {
	0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
	0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
};
static const uint16_t extensions[] = {
	0x2a2a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d,
	0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0x3a3a,
};
static const uint8_t sigalgs[] = {0, 16, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8,
	6, 6, 1};
static const uint8_t versions[] = {6, 0xfa, 0xfa, 3, 4, 3, 3};

static void example(struct made *m, const char *alpn, size_t alpn_len,
	int without)
{
	size_t from;

	begin(m, 0x0303, ciphers, sizeof(ciphers) / sizeof(ciphers[0]));
	from = m->len;
	put16(m, 0);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		if (extensions[i] == without)
			continue;
		if (extensions[i] == 0x0010)
			extension(m, 0x0010, alpn, alpn_len);
		else if (extensions[i] == 0x000d)
			extension(m, 0x000d, sigalgs, sizeof(sigalgs));
		else if (extensions[i] == 0x002b)
			extension(m, 0x002b, versions, sizeof(versions));
		else
			extension(m, extensions[i], NULL, 0);
	}
	end(m, from);
}

static void the_standards_example(void **state)
{
	static struct made m;

	(void)state;
	example(&m, "\0\x0c\x02h2\x08http/1.1", 14, -1);
	is(&m, "t13d1516h2_8daaf6152771_e5627efa2ab1");
	example(&m, "\0\x0c\x02h2\x08http/1.1", 14, 0x0000);
	is(&m, "t13i1515h2_8daaf6152771_e5627efa2ab1");
}

static void alpn_by_its_first_and_last_letter(void **state)
{
	static const struct {
		const char *alpn;
		size_t len;
		const char *want;
	} rows[] = {
		{"\0\x09\x08http/1.1", 11, "h1"},
		{"\0\x02\x01x", 4, "xx"},
		{"\0\x00", 2, "00"},
		{"\0\x01\x00", 3, "00"},
		{"\0\x02\x01\xab", 4, "ab"},
		{"\0\x03\x02\xab\xcd", 5, "ad"},
		{"\0\x03\x02\x30\xab", 5, "3b"},
		{"\0\x05\x04\x30\x31\xab\xcd", 7, "3d"},
		{"\0\x05\x04\x30\xab\xcd\x31", 7, "01"},
	};
	static struct made m;
	char want[JA4_SIZE] = "t13d1516.._8daaf6152771_e5627efa2ab1";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		example(&m, rows[i].alpn, rows[i].len, -1);
		memcpy(want + 8, rows[i].want, 2);
		is(&m, want);
	}
}

/* The spec's value for the same list without signature algorithms is that of 13
 * extensions and no 000d's content. */
static void without_signature_algorithms(void **state)
{
	static struct made m;
	size_t from;

	(void)state;
	begin(&m, 0x0303, ciphers, sizeof(ciphers) / sizeof(ciphers[0]));
	from = m.len;
	put16(&m, 0);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		extension(&m, extensions[i], NULL, 0);
	end(&m, from);
	is(&m, "t12d151600_8daaf6152771_6d807ffa2a79");
}

static void nothing_to_hash(void **state)
{
	static const uint16_t grease[] = {0x0a0a};
	static struct made m;

	(void)state;
	begin(&m, 0x0301, grease, 1);
	is(&m, "t10i000000_000000000000_000000000000");
	begin(&m, 0x0399, ciphers, sizeof(ciphers) / sizeof(ciphers[0]));
	is(&m, "t00i150000_8daaf6152771_000000000000");
	m.len = 20;
	is(&m, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_standards_example),
		cmocka_unit_test(alpn_by_its_first_and_last_letter),
		cmocka_unit_test(without_signature_algorithms),
		cmocka_unit_test(nothing_to_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
