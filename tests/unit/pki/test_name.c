#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/mem.h>

#include "pki/name.h"

static CRYPTO_BUFFER *write_name(const char *organization, const char *cn)
{
	CRYPTO_BUFFER *name;
	CBB cbb;

	assert_true(CBB_init(&cbb, 64));
	assert_true(name_write(&cbb, organization, cn));
	name = der_finish(&cbb);
	assert_non_null(name);
	return name;
}

static void check_title(const char *organization, const char *cn,
	const char *title)
{
	CRYPTO_BUFFER *name = write_name(organization, cn);
	char got[NAME_TITLE];

	assert_true(name_ok(der_of(name)));
	assert_string_equal(name_title(der_of(name), got), title);
	CRYPTO_BUFFER_free(name);
}

static void has_a_title(void **state)
{
	(void)state;
	check_title("Sallyport", "x.test", "x.test");
	check_title("Sallyport", NULL, "Sallyport");
	check_title(NULL, NULL, "(no name)");
	check_title(NULL, "a\nb\x7f\xc3\xa9", "a?b?\xc3\xa9");
	check_title(NULL, "a\xc2\x9b\xe2\x80\xae\xe2\x82\xac",
		"a?????\xe2\x82\xac"); /* C1; what turns letters */
}

/* Of others' certificates, which nobody has looked at. */
static void has_a_title_though_it_is_not_utf8(void **state)
{
	static const struct {
		const char *cn, *title;
	} cases[] = {{"\xe9x", "?x"}, {"a\xc3", "a?"}, {"\xed\xa0\x80", "???"}};
	char got[NAME_TITLE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CRYPTO_BUFFER *name = write_name(NULL, cases[i].cn);

		assert_string_equal(name_title(der_of(name), got),
			cases[i].title);
		CRYPTO_BUFFER_free(name);
	}
}

/* one_cn is a name of one CN with the tag given. */
static struct der one_cn(unsigned tag, const void *value, uint8_t len,
	uint8_t room[64])
{
	const uint8_t head[] = {0x30, len + 11, 0x31, len + 9, 0x30, len + 7,
		0x06, 3, 0x55, 0x04, 3, (uint8_t)tag, len};

	memcpy(room, head, sizeof(head));
	memcpy(room + sizeof(head), value, len);
	return (struct der){room, sizeof(head) + len};
}

static void check_common(unsigned tag, const void *value, uint8_t len,
	const char *common)
{
	char got[16] = "unset";
	uint8_t room[64];
	struct der name = one_cn(tag, value, len, room);

	assert_int_equal(name_common(name, got, sizeof(got)),
		common ? 0 : -1);
	assert_string_equal(got, common ? common : "");
	if (len > 0) { /* cut short */
		name.len--;
		assert_int_equal(name_common(name, got, sizeof(got)), -1);
	}
}

static void gives_a_common_name_that_is_plain(void **state)
{
	(void)state;
	check_common(CBS_ASN1_UTF8STRING, "dev1", 4, "dev1");
	check_common(CBS_ASN1_PRINTABLESTRING, "dev1", 4, "dev1");
	check_common(CBS_ASN1_IA5STRING, "a@b", 3, "a@b");
	check_common(CBS_ASN1_UTF8STRING, "j\xc3\xa9", 3, "j\xc3\xa9");
	check_common(CBS_ASN1_UTF8STRING, "123456789012345", 15,
		"123456789012345");
	check_common(CBS_ASN1_UTF8STRING, "1234567890123456", 16, NULL);
	check_common(CBS_ASN1_UTF8STRING, "", 0, NULL);
	check_common(CBS_ASN1_UTF8STRING, "dev1\0x", 6, NULL);
	check_common(CBS_ASN1_UTF8STRING, "dev1\0", 5, NULL);
	check_common(CBS_ASN1_UTF8STRING, "a\nb", 3, NULL);
	check_common(CBS_ASN1_UTF8STRING, "a\xc2\x9b", 3, NULL);
	check_common(CBS_ASN1_UTF8STRING, "a\xe2\x80\xae", 4, NULL);
	check_common(CBS_ASN1_UTF8STRING, "j\xe9", 2, NULL);
	check_common(CBS_ASN1_IA5STRING, "j\xe9", 2, NULL);
	/* UTF-16 of U+6465 U+7631, whose bytes spell "dev1" */
	check_common(0x1e, "dev1", 4, NULL);
	check_common(CBS_ASN1_T61STRING, "dev1", 4, NULL);
	check_common(CBS_ASN1_OCTETSTRING, "dev1", 4, NULL);
}

/* What a CA under it is called: no letter is cut in two. */
static void leaves_room_for_what_is_under_it(void **state)
{
	static const char what[] = "2026-11-30.1 (t)";
	char cn[NAME_CN_MAX], got[NAME_TITLE];

	(void)state;
	for (size_t len = 40; len < sizeof(cn); len++) {
		CRYPTO_BUFFER *name, *under;
		CBB cbb;

		snprintf(cn, sizeof(cn), "%.*s", (int)len,
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\xe2\x82\xac"
			"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
			"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac");
		name = write_name("Org", cn);
		assert_true(CBB_init(&cbb, 64) &&
			name_under(&cbb, der_of(name), what));
		under = der_finish(&cbb);
		name_title(der_of(under), got);
		assert_true(strlen(got) <= NAME_CN_MAX);
		assert_string_equal(got + strlen(got) - strlen(what), what);
		if ((len - 38) % 3 == 0)
			assert_true(name_ok(der_of(under)));
		CRYPTO_BUFFER_free(under);
		CRYPTO_BUFFER_free(name);
	}
}

static void leaves_out_a_long_cn(void **state)
{
	char cn[NAME_CN_MAX + 2];
	CRYPTO_BUFFER *name;

	(void)state;
	memset(cn, 'x', sizeof(cn));
	cn[NAME_CN_MAX + 1] = '\0';
	name = write_name(NULL, cn);
	assert_true(name_empty(der_of(name)));
	CRYPTO_BUFFER_free(name);
	cn[NAME_CN_MAX] = '\0';
	name = write_name(NULL, cn);
	assert_false(name_empty(der_of(name)));
	assert_true(name_ok(der_of(name)));
	CRYPTO_BUFFER_free(name);
}

static void refuses_what_readers_would(void **state)
{
	static const struct {
		uint8_t der[20];
		size_t len;
		bool ok;
	} rows[] = {
		{{0x30, 0}, 2, true},
		{{0x30, 0x0c, 0x31, 0x0a, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1,
			'a'}, 14, true},
		/* bytes behind */
		{{0x30, 0, 0}, 3, false},
		/* an empty set; an empty pair; a pair without value */
		{{0x30, 2, 0x31, 0}, 4, false},
		{{0x30, 4, 0x31, 2, 0x30, 0}, 6, false},
		{{0x30, 9, 0x31, 7, 0x30, 5, 6, 3, 0x55, 4, 3}, 11, false},
		/* UTF8String that is none */
		{{0x30, 0x0c, 0x31, 0x0a, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1,
			0xff}, 14, false},
		/* BMPString of one byte */
		{{0x30, 0x0c, 0x31, 0x0a, 0x30, 8, 6, 3, 0x55, 4, 3, 0x1e, 1,
			'a'}, 14, false},
		/* a length of indefinite form; one longer than it need be */
		{{0x30, 0x80, 0, 0}, 4, false},
		{{0x30, 0x81, 0}, 3, false},
		/* not a SEQUENCE */
		{{0x31, 0}, 2, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(name_ok((struct der){rows[i].der,
			rows[i].len}), rows[i].ok);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_a_title),
		cmocka_unit_test(has_a_title_though_it_is_not_utf8),
		cmocka_unit_test(gives_a_common_name_that_is_plain),
		cmocka_unit_test(leaves_room_for_what_is_under_it),
		cmocka_unit_test(leaves_out_a_long_cn),
		cmocka_unit_test(refuses_what_readers_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
