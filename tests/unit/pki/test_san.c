#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pki/san.h"

enum { DNS = 0x82, EMAIL = 0x81, ADDRESS = 0x87, URI = 0x86 };

static void add(CBB *list, uint8_t tag, const void *data, size_t len)
{
	CBB one;

	assert_true(CBB_add_asn1(list, &one,
		CBS_ASN1_CONTEXT_SPECIFIC | (tag & 0x1fu)));
	assert_true(CBB_add_bytes(&one, data, len));
	assert_true(CBB_flush(list));
}

static void add_dns(CBB *list, const char *name)
{
	add(list, DNS, name, strlen(name));
}

static CRYPTO_BUFFER *copy(struct der san, const char *name)
{
	CRYPTO_BUFFER *out;
	CBB cbb;

	assert_true(CBB_init(&cbb, 64));
	assert_true(san_write_copy(&cbb, san, name));
	out = der_finish(&cbb);
	assert_non_null(out);
	return out;
}

/* A san of one name covers what is asked? */
static bool fits(const char *pattern, const char *name)
{
	CRYPTO_BUFFER *san;
	CBB cbb, list;
	bool covers;

	assert_true(CBB_init(&cbb, 64));
	assert_true(CBB_add_asn1(&cbb, &list, CBS_ASN1_SEQUENCE));
	add_dns(&list, pattern);
	san = der_finish(&cbb);
	covers = san_covers(der_of(san), name);
	CRYPTO_BUFFER_free(san);
	return covers;
}

static void fits_names_as_browsers_do(void **state)
{
	(void)state;
	assert_true(fits("a.test", "a.test"));
	assert_true(fits("A.Test", "a.test"));
	assert_false(fits("a.test", "b.a.test"));
	assert_false(fits("a.test", "aa.test"));
	assert_true(fits("*.a.test", "x.a.test"));
	assert_true(fits("*.a.test", "x_y.a.test"));
	assert_false(fits("*.a.test", "a.test"));
	assert_false(fits("*.a.test", "x.y.a.test"));
	assert_false(fits("*.test", "a.test"));
	assert_false(fits("*", "test"));
	assert_false(fits("x*.a.test", "xy.a.test"));
	assert_false(fits("x.*.test", "x.y.test"));
	assert_false(fits("*.*.test", "x.y.test"));
	assert_false(fits(".a.test", "x.a.test"));
	assert_true(fits("a_b.a.test", "a_b.a.test"));
	assert_false(fits("a test.x", "a test.x"));
	assert_false(fits("192.0.2.1", "192.0.2.1")); /* a name, no address */
	assert_false(fits("a.test", ""));
}

static void fits_addresses(void **state)
{
	static const uint8_t four[] = {192, 0, 2, 1};
	static const uint8_t six[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
	CRYPTO_BUFFER *san;
	CBB cbb, list;

	(void)state;
	assert_true(CBB_init(&cbb, 64));
	assert_true(CBB_add_asn1(&cbb, &list, CBS_ASN1_SEQUENCE));
	add(&list, ADDRESS, four, 4);
	add(&list, ADDRESS, six, 16);
	add(&list, ADDRESS, "12345", 5);
	san = der_finish(&cbb);
	assert_true(san_covers(der_of(san), "192.0.2.1"));
	assert_true(san_covers(der_of(san), "2001:db8::1"));
	assert_false(san_covers(der_of(san), "192.0.2.2"));
	assert_false(san_covers(der_of(san), "2001:db8::2"));
	CRYPTO_BUFFER_free(san);
}

static size_t count(const CRYPTO_BUFFER *san)
{
	CBS in = der_cbs(der_of(san)), list, value;
	size_t num = 0;

	assert_true(CBS_get_asn1(&in, &list, CBS_ASN1_SEQUENCE));
	while (CBS_len(&list) > 0) {
		assert_true(CBS_get_any_asn1(&list, &value, NULL));
		num++;
	}
	return num;
}

static void copies_only_what_is_fit(void **state)
{
	CRYPTO_BUFFER *san, *out;
	CBB cbb, list;

	(void)state;
	assert_true(CBB_init(&cbb, 64));
	assert_true(CBB_add_asn1(&cbb, &list, CBS_ASN1_SEQUENCE));
	add(&list, EMAIL, "a@a.test", 8);
	add(&list, URI, "http://a.test/", 14);
	add_dns(&list, "good.test");
	add_dns(&list, "*.good.test");
	add(&list, DNS, "evil\0.test", 10);
	add_dns(&list, "");
	add_dns(&list, "a..test");
	add_dns(&list, "ends.test.");
	add_dns(&list, "x/y.test");
	add_dns(&list, "b\xc3\xbc" "cher.test");
	add_dns(&list, "*");
	add(&list, ADDRESS, "1234", 4);
	add(&list, ADDRESS, "123", 3);
	san = der_finish(&cbb);
	out = copy(der_of(san), "good.test");
	assert_int_equal(count(out), 3);
	assert_true(san_covers(der_of(out), "good.test"));
	assert_true(san_covers(der_of(out), "x.good.test"));
	assert_true(san_covers(der_of(out), "49.50.51.52"));
	CRYPTO_BUFFER_free(out);
	CRYPTO_BUFFER_free(san);
}

static void falls_back_to_the_name_asked(void **state)
{
	CRYPTO_BUFFER *out;
	const uint8_t junk[] = {0x30, 0x05, 0x82, 0x01, 0x20, 0x81, 0x00};

	(void)state;
	out = copy((struct der){junk, sizeof(junk)}, "a.test");
	assert_int_equal(count(out), 1);
	assert_true(san_covers(der_of(out), "a.test"));
	CRYPTO_BUFFER_free(out);
	out = copy((struct der){NULL, 0}, "2001:db8::1");
	assert_true(san_covers(der_of(out), "2001:db8::1"));
	CRYPTO_BUFFER_free(out);
}

/* Thousands of names: cut, but the one that matters is among the rest, even
 * though it stood last. */
static void caps_the_size(void **state)
{
	CRYPTO_BUFFER *san, *out;
	CBB cbb, list;
	char name[64];

	(void)state;
	assert_true(CBB_init(&cbb, 64));
	assert_true(CBB_add_asn1(&cbb, &list, CBS_ASN1_SEQUENCE));
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "n%04d.many.test", i);
		add_dns(&list, name);
	}
	add_dns(&list, "*.last.test");
	san = der_finish(&cbb);
	out = copy(der_of(san), "the.last.test");
	assert_in_range(CRYPTO_BUFFER_len(out), SAN_MAX - 64, SAN_MAX + 4);
	assert_true(san_covers(der_of(out), "the.last.test"));
	assert_true(san_covers(der_of(out), "n0000.many.test"));
	assert_false(san_covers(der_of(out), "n2999.many.test"));
	CRYPTO_BUFFER_free(out);
	out = copy(der_of(san), "n2999.many.test");
	assert_true(san_covers(der_of(out), "n2999.many.test"));
	CRYPTO_BUFFER_free(out);
	CRYPTO_BUFFER_free(san);
}

static void does_not_write_what_is_no_name(void **state)
{
	CBB cbb;

	(void)state;
	assert_true(CBB_init(&cbb, 64));
	assert_false(san_write_one(&cbb, ""));
	assert_false(san_write_one(&cbb, "a b"));
	CBB_cleanup(&cbb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_names_as_browsers_do),
		cmocka_unit_test(fits_addresses),
		cmocka_unit_test(copies_only_what_is_fit),
		cmocka_unit_test(falls_back_to_the_name_asked),
		cmocka_unit_test(caps_the_size),
		cmocka_unit_test(does_not_write_what_is_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
