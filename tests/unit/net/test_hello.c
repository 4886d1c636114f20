#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bytestring.h>
#include <openssl/mem.h>
#include <openssl/ssl.h>

#include "proxy/net/hello.h"
#include "tests/unit/net/hello_maker.h"

static uint8_t raw[200000];
static struct hello hello;

/* --- reading them ------------------------------------------------------- */

static enum hello_result read_raw(size_t len)
{
	uint8_t *copy = malloc(len + 1);
	enum hello_result result;

	assert_non_null(copy);
	memcpy(copy, raw, len);
	result = hello_read(copy, len, &hello);
	free(copy);
	return result;
}

static enum hello_result read_message(const struct message *m)
{
	return read_raw(wrap(m, 16384, raw, sizeof(raw)));
}

static enum hello_result read_parts(const struct parts *parts)
{
	static struct message m;

	put(parts, &m);
	return read_message(&m);
}

/* --- what they say ------------------------------------------------------ */

static void reads_tls12(void **state)
{
	static struct message m;

	(void)state;
	real(&(struct client){ .min = TLS1_2_VERSION, .max = TLS1_2_VERSION,
		.sni = "Site.Example", .alpn = "\x8http/1.1" }, &m);
	assert_int_equal(read_message(&m), HELLO_WHOLE);
	assert_true(hello.has_sni);
	assert_string_equal(hello.sni, "Site.Example");
	assert_int_equal(hello.sni_len, 12);
	assert_int_equal(hello.alpn_len, 9);
	assert_memory_equal(hello.alpn, "\x8http/1.1", 9);
	assert_true(hello.alpn_http1 && !hello.alpn_h2 && !hello.alpn_other);
	assert_true(hello.ecdsa);
	assert_false(hello.tls13);
}

static void reads_tls13(void **state)
{
	static struct message m;

	(void)state;
	for (int grease = 0; grease < 2; grease++) {
		real(&(struct client){ .min = TLS1_2_VERSION,
			.max = TLS1_3_VERSION, .sni = "a.example",
			.alpn = "\2h2\x8http/1.1\4imap", .grease = grease,
			.ech = grease }, &m);
		assert_int_equal(read_message(&m), HELLO_WHOLE);
		assert_string_equal(hello.sni, "a.example");
		assert_true(hello.alpn_http1 && hello.alpn_h2 &&
			hello.alpn_other);
		assert_true(hello.tls13 && hello.ecdsa);
	}
}

static void reads_what_names_nothing(void **state)
{
	static struct message m;

	(void)state;
	real(&(struct client){ .min = TLS1_3_VERSION, .max = TLS1_3_VERSION },
		&m);
	assert_int_equal(read_message(&m), HELLO_WHOLE);
	assert_false(hello.has_sni);
	assert_int_equal(hello.sni_len, 0);
	assert_int_equal(hello.alpn_len, 0);
	assert_false(hello.alpn_http1 || hello.alpn_h2 || hello.alpn_other);
}

static void tells_who_cannot_verify_ecdsa(void **state)
{
	static const struct client rsa_only[] = {
		{ .min = TLS1_2_VERSION, .max = TLS1_2_VERSION,
			.ciphers = "ECDHE-RSA-AES128-GCM-SHA256" },
		{ .min = TLS1_2_VERSION, .max = TLS1_2_VERSION,
			.sigalgs = "RSA+SHA256" },
		{ .min = TLS1_2_VERSION, .max = TLS1_3_VERSION,
			.sigalgs = "RSA+SHA256:RSA-PSS+SHA256" },
		/* P-384 is another thing, and so is its curve */
		{ .min = TLS1_2_VERSION, .max = TLS1_2_VERSION,
			.sigalgs = "ECDSA+SHA384" },
		{ .min = TLS1_2_VERSION, .max = TLS1_2_VERSION,
			.curves = "X25519:P-384" },
	};
	static const struct client able[] = {
		{ .min = TLS1_2_VERSION, .max = TLS1_2_VERSION,
			.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305",
			.sigalgs = "ECDSA+SHA256" },
		{ .min = TLS1_3_VERSION, .max = TLS1_3_VERSION,
			.curves = "X25519", .sigalgs = "ECDSA+SHA256" },
	};
	static struct message m;

	(void)state;
	for (size_t i = 0; i < sizeof(rsa_only) / sizeof(rsa_only[0]); i++) {
		real(&rsa_only[i], &m);
		assert_int_equal(read_message(&m), HELLO_WHOLE);
		assert_false(hello.ecdsa);
	}
	for (size_t i = 0; i < sizeof(able) / sizeof(able[0]); i++) {
		real(&able[i], &m);
		assert_int_equal(read_message(&m), HELLO_WHOLE);
		assert_true(hello.ecdsa);
	}
}

static void reads_many_alpns(void **state)
{
	static struct message m;
	char few[129] = "", many[268] = "";

	(void)state;
	for (size_t i = 0; i < 32; i++)
		memcpy(few + 4 * i, "\3x/1", 4);
	for (size_t i = 0; i < 64; i++)
		memcpy(many + 4 * i, "\3x/1", 4);
	real(&(struct client){ .min = TLS1_2_VERSION, .max = TLS1_3_VERSION,
		.alpn = few }, &m);
	assert_int_equal(read_message(&m), HELLO_WHOLE);
	assert_int_equal(hello.alpn_len, 128);
	assert_memory_equal(hello.alpn, few, 128);
	assert_true(hello.alpn_other && !hello.alpn_http1);
	real(&(struct client){ .min = TLS1_2_VERSION, .max = TLS1_3_VERSION,
		.alpn = many }, &m);
	assert_int_equal(read_message(&m), HELLO_WHOLE);
	assert_int_equal(hello.alpn_len, HELLO_ALPN_MAX);
	/* too many to pass on; what is among them is seen all the same */
	memcpy(many + 256, "\x8http/1.1", 9);
	real(&(struct client){ .min = TLS1_2_VERSION, .max = TLS1_3_VERSION,
		.alpn = many }, &m);
	assert_int_equal(read_message(&m), HELLO_WHOLE);
	assert_int_equal(hello.alpn_len, 0);
	assert_true(hello.alpn_http1 && hello.alpn_other);
}

static void counts_only_names_that_mean_something(void **state)
{
	(void)state;
	assert_int_equal(read_parts(&(struct parts){ BYTES(extensions,
		"\0\x10\0\x13\0\x11\2\x0a\x0a\2\xfa\xfa\x8http/1.0\1z") }),
		HELLO_WHOLE);
	assert_true(hello.alpn_other);
	assert_int_equal(read_parts(&(struct parts){ BYTES(extensions,
		"\0\x10\0\x11\0\x0f\2\x0a\x0a\2\xfa\xfa\x8http/1.0") }),
		HELLO_WHOLE);
	assert_false(hello.alpn_other || hello.alpn_h2 || hello.alpn_http1);
	assert_int_equal(read_parts(&(struct parts){ BYTES(extensions,
		"\0\x10\0\5\0\3\2\x0a\x1a") }), HELLO_WHOLE);
	assert_true(hello.alpn_other);
}

/* --- how they come ------------------------------------------------------ */

static void whole_only_at_the_end(const struct message *m, size_t size)
{
	size_t len = wrap(m, size, raw, sizeof(raw)), step = len < 4000 ? 1 : 101, n;
	struct hello before;

	for (n = 0; n < len; n += step)
		assert_int_equal(read_raw(n), HELLO_MORE);
	assert_int_equal(read_raw(len - 1), HELLO_MORE);
	assert_int_equal(read_raw(len), HELLO_WHOLE);
	assert_string_equal(hello.sni, "a.example");
	before = hello;
	/* what follows is none of its business */
	memset(raw + len, 0xff, 600);
	assert_int_equal(read_raw(len + 600), HELLO_WHOLE);
	assert_memory_equal(&before, &hello, sizeof(hello));
}

static void however_cut(void **state)
{
	static const size_t sizes[] = { 1, 2, 5, 100, 16384 };
	static struct message m, big;

	(void)state;
	real(&(struct client){ .min = TLS1_2_VERSION, .max = TLS1_3_VERSION,
		.sni = "a.example", .alpn = "\2h2\x8http/1.1" }, &m);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		whole_only_at_the_end(&m, sizes[i]);
		big = m;
		extend_to(&big, 1700);
		whole_only_at_the_end(&big, sizes[i]);
		if (sizes[i] >= 5) { /* else more framing than is taken */
			big = m;
			extend_to(&big, 15000);
			whole_only_at_the_end(&big, sizes[i]);
		}
	}
}

static void not_too_large(void **state)
{
	static struct message m, big;
	size_t len;

	(void)state;
	real(&(struct client){ .min = TLS1_2_VERSION, .max = TLS1_3_VERSION,
		.sni = "a.example" }, &m);
	big = m;
	extend_to(&big, HELLO_MESSAGE_MAX + 4);
	whole_only_at_the_end(&big, 16384);
	big = m;
	extend_to(&big, HELLO_MESSAGE_MAX + 5);
	len = wrap(&big, 16384, raw, sizeof(raw));
	assert_int_equal(read_raw(8), HELLO_MORE);
	assert_int_equal(read_raw(9), HELLO_TOO_LARGE); /* by its word */
	assert_int_equal(read_raw(len), HELLO_TOO_LARGE);
	/* little in much framing, whether it comes at once or not */
	big = m;
	extend_to(&big, 6000);
	len = wrap(&big, 1, raw, sizeof(raw));
	assert_int_equal(len, 36000);
	assert_int_equal(read_raw(HELLO_RAW_MAX), HELLO_MORE);
	assert_int_equal(read_raw(HELLO_RAW_MAX + 1), HELLO_TOO_LARGE);
	assert_int_equal(read_raw(len), HELLO_TOO_LARGE);
}

static void exactly_as_much_framing_as_is_taken(void **state)
{
	static struct message m;
	size_t len;

	(void)state;
	real(&(struct client){ .min = TLS1_2_VERSION, .max = TLS1_3_VERSION,
		.sni = "a.example" }, &m);
	extend_to(&m, 5461); /* 5460 records of 1 byte, and one of 3 */
	m.len = 5461;
	len = wrap(&m, 1, raw, sizeof(raw));
	assert_int_equal(len, HELLO_RAW_MAX - 2);
	assert_int_equal(read_raw(len), HELLO_WHOLE);
	assert_int_equal(read_raw(len - 1), HELLO_MORE);
}

/* --- what is wrong with them -------------------------------------------- */

static void bad_from(size_t first, size_t len)
{
	for (size_t n = 0; n <= len; n++)
		assert_int_equal(read_raw(n),
			n < first ? HELLO_MORE : HELLO_BAD);
}

static void bad_records(void **state)
{
	static struct message m;
	size_t len;

	(void)state;
	real(&(struct client){ .min = TLS1_2_VERSION, .max = TLS1_2_VERSION,
		.sni = "a.example" }, &m);
	len = wrap(&m, 16384, raw, sizeof(raw));
	raw[0] = 0x17;
	bad_from(1, len);
	wrap(&m, 16384, raw, sizeof(raw));
	raw[1] = 2;
	bad_from(2, len);
	wrap(&m, 16384, raw, sizeof(raw));
	memcpy(raw + 3, "\0\0", 2);
	bad_from(5, len);
	wrap(&m, 16384, raw, sizeof(raw));
	memcpy(raw + 3, "\x40\1", 2);
	bad_from(5, len);
	wrap(&m, 16384, raw, sizeof(raw));
	raw[5] = 2;
	bad_from(6, len);
	/* more in the record than the message: seen as soon as its length is */
	wrap(&m, 16384, raw, sizeof(raw));
	raw[4]++;
	bad_from(9, len + 1);
	/* between the first and the second record: an alert, nothing at all */
	len = wrap(&m, 100, raw, sizeof(raw));
	raw[105] = 0x15;
	bad_from(106, len);
	wrap(&m, 100, raw, sizeof(raw));
	raw[106] = 4;
	bad_from(107, len);
	wrap(&m, 100, raw, sizeof(raw));
	memcpy(raw + 108, "\0\0", 2);
	bad_from(110, len);
	/* the last record has more than the message */
	wrap(&m, m.len - 1, raw, sizeof(raw));
	raw[5 + m.len - 1 + 4]++;
	bad_from(5 + m.len - 1 + 5, 5 + m.len - 1 + 7);
}

static void bad_body(void **state)
{
	static const char session33[] = "\x21" R32 "x";
	static const struct parts rows[] = {
		{ .session = session33, .session_len = 34 },
		{ BYTES(session, "\xff") },
		{ BYTES(ciphers, "\0\0") },
		{ BYTES(ciphers, "\0\3\x13\1\x13") },
		{ BYTES(ciphers, "\xff\xff\x13\1") },
		{ BYTES(methods, "\0") },
		{ BYTES(methods, "\5\0") },
		{ BYTES(methods, "\1\0\0") }, /* half a length */
		{ BYTES(extensions, SNI_A), .extensions_add = 1 },
		{ BYTES(extensions, SNI_A), .extensions_add = -1 },
		{ BYTES(extensions, SNI_A "\0") },
		{ BYTES(extensions, SNI_A "\0\x17\0") },
		{ BYTES(extensions, SNI_A "\0\x17\0\1") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (read_parts(&rows[i]) != HELLO_BAD)
			fail_msg("row %zu", i);
	assert_int_equal(read_parts(&(struct parts){ .session = NULL }), HELLO_WHOLE);
	assert_false(hello.has_sni || hello.ecdsa);
	assert_int_equal(read_parts(&(struct parts){ BYTES(extensions, "") }),
		HELLO_WHOLE);
	assert_int_equal(read_parts(&(struct parts){ .session = session33, .session_len = 34,
		BYTES(extensions, SNI_A) }), HELLO_BAD);
	assert_int_equal(read_parts(&(struct parts){ BYTES(extensions, SNI_A) }),
		HELLO_WHOLE);
	assert_string_equal(hello.sni, "a.example");
}

static void bad_names(void **state)
{
	static const struct parts rows[] = {
		/* two names in one; the same extension twice */
		{ BYTES(extensions, "\0\0\0\x1a\0\x18"
			"\0\0\x9" "a.example" "\0\0\x9" "b.example") },
		{ BYTES(extensions, SNI_A SNI_B) },
		{ BYTES(extensions, SNI_A SNI_A) },
		{ BYTES(extensions, SNI("\xe", "\xc", "\0", "\x9",
			"a.examp\0e")) },
		{ BYTES(extensions, SNI("\xe", "\xc", "\1", "\x9",
			"a.example")) },
		{ BYTES(extensions, SNI("\5", "\3", "\0", "\0", "")) },
		{ BYTES(extensions, SNI("\xe", "\xc", "\0", "\x8",
			"a.example")) },
		{ BYTES(extensions, SNI("\xe", "\xb", "\0", "\x9",
			"a.example")) },
		{ BYTES(extensions, SNI("\xf", "\xc", "\0", "\x9",
			"a.example!")) },
		{ BYTES(extensions, SNI("\xe", "\xd", "\0", "\x9",
			"a.example")) },
		{ BYTES(extensions, "\0\0\0\0") },
		{ BYTES(extensions, "\0\0\0\2\0\0") },
		/* ALPN: empty, an empty name, a name cut off, something behind */
		{ BYTES(extensions, "\0\x10\0\0") },
		{ BYTES(extensions, "\0\x10\0\2\0\0") },
		{ BYTES(extensions, "\0\x10\0\6\0\4\2h2\0") },
		{ BYTES(extensions, "\0\x10\0\5\0\3\3h2") },
		{ BYTES(extensions, "\0\x10\0\6\0\3\2h2x") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (read_parts(&rows[i]) != HELLO_BAD)
			fail_msg("row %zu", i);
}

static void length_of_a_name(void **state)
{
	char extension[9 + 256] = "\0\0\1\4\1\2\0\0\xff";
	struct parts parts = { .extensions = extension,
		.extensions_len = 9 + 255 };

	(void)state;
	memset(extension + 9, 'a', 256);
	assert_int_equal(read_parts(&parts), HELLO_WHOLE);
	assert_int_equal(hello.sni_len, 255);
	assert_int_equal(strlen(hello.sni), 255);
	memcpy(extension, "\0\0\1\5\1\3\0\1\0", 9);
	parts.extensions_len = 9 + 256;
	assert_int_equal(read_parts(&parts), HELLO_BAD);
}

static void not_too_many_extensions(void **state)
{
	static struct message m;

	(void)state;
	put(&(struct parts){ BYTES(extensions, SNI_A) }, &m);
	for (unsigned i = 0; i < 255; i++)
		extend(&m, 1000 + i, 0);
	assert_int_equal(read_message(&m), HELLO_WHOLE);
	extend(&m, 999, 0);
	assert_int_equal(read_message(&m), HELLO_BAD);
}

static void any_extension_only_once(void **state)
{
	static struct message m;

	(void)state;
	put(&(struct parts){ BYTES(extensions, SNI_A) }, &m);
	extend(&m, 4711, 0);
	extend(&m, 4712, 3);
	assert_int_equal(read_message(&m), HELLO_WHOLE);
	extend(&m, 4711, 1);
	assert_int_equal(read_message(&m), HELLO_BAD);
}

static void ech_is_read_over(void **state)
{
	static struct message m;

	(void)state;
	put(&(struct parts){ BYTES(extensions, SNI_A) }, &m);
	extend(&m, 0xfe0d, 100);
	assert_int_equal(read_message(&m), HELLO_WHOLE);
	assert_string_equal(hello.sni, "a.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_tls12),
		cmocka_unit_test(reads_tls13),
		cmocka_unit_test(reads_what_names_nothing),
		cmocka_unit_test(tells_who_cannot_verify_ecdsa),
		cmocka_unit_test(reads_many_alpns),
		cmocka_unit_test(counts_only_names_that_mean_something),
		cmocka_unit_test(however_cut),
		cmocka_unit_test(not_too_large),
		cmocka_unit_test(exactly_as_much_framing_as_is_taken),
		cmocka_unit_test(bad_records),
		cmocka_unit_test(bad_body),
		cmocka_unit_test(bad_names),
		cmocka_unit_test(length_of_a_name),
		cmocka_unit_test(not_too_many_extensions),
		cmocka_unit_test(any_extension_only_once),
		cmocka_unit_test(ech_is_read_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
