#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/admin/put.h"

static void becomes(const char *bytes, size_t len, const char *text)
{
	json_t *made = put_string(bytes, len);

	assert_true(json_is_string(made));
	assert_string_equal(json_string_value(made), text);
	json_decref(made);
}

static void keeps_what_is_utf8(void **state)
{
	(void)state;
	becomes("", 0, "");
	becomes(NULL, 0, "");
	becomes("Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x94\x91", 16,
		"Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x94\x91");
}

/* Each byte that begins no letter becomes one sign (RFC 3629, 3 and 10). */
static void mends_what_is_not(void **state)
{
	(void)state;
#define SIGN "\xef\xbf\xbd"
	becomes("Z\xfcrich", 6, "Z" SIGN "rich");
	becomes("\x80", 1, SIGN);
	becomes("\xc3", 1, SIGN);                      /* cut short */
	becomes("\xe2\x82", 2, SIGN SIGN);
	becomes("\xc0\xaf", 2, SIGN SIGN);             /* too long a form */
	becomes("\xe0\x80\xaf", 3, SIGN SIGN SIGN);
	becomes("\xed\xa0\x80", 3, SIGN SIGN SIGN);    /* a surrogate */
	becomes("\xf4\x90\x80\x80", 4, SIGN SIGN SIGN SIGN);
	becomes("\xff\xfe\xc3\xbc", 4, SIGN SIGN "\xc3\xbc");
	becomes("\xe1\x80\xff", 3, SIGN SIGN SIGN);
	becomes("\xf1\x80\x80\x41", 4, SIGN SIGN SIGN "A");
}

static void keeps_a_nul(void **state)
{
	json_t *made = put_string("a\0b\xff", 4);

	(void)state;
	assert_int_equal(json_string_length(made), 6);
	assert_memory_equal(json_string_value(made), "a\0b" SIGN, 6);
	json_decref(made);
}

static void leaves_out_what_is_not_there(void **state)
{
	json_t *object = json_object();
	char *text;

	(void)state;
	put_text(object, "a", NULL);
	put_text(object, "b", "");
	put_bytes(object, "c", NULL, 0);
	put_time(object, "d", 0);
	assert_int_equal(json_object_size(object), 0);
	put_text(object, "a", "x");
	put_number(object, "b", 0);
	put_time(object, "c", 7);
	put_flag(object, "d", false);
	text = json_dumps(object, JSON_COMPACT);
	assert_string_equal(text, "{\"a\":\"x\",\"b\":0,\"c\":7,\"d\":false}");
	free(text);
	json_decref(object);
}

static void writes_serials(void **state)
{
	static const struct {
		struct der serial;
		const char *text;
	} cases[] = {
		{{(const uint8_t *)"\x7f\x00\xab", 3}, "7F00AB"},
		{{(const uint8_t *)"\x00\xff", 2}, "FF"},
		{{(const uint8_t *)"\x00", 1}, "00"},
		{{(const uint8_t *)"\x01", 1}, "01"},
	};
	json_t *object = json_object();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		put_serial(object, "n", cases[i].serial);
		assert_string_equal(json_string_value(json_object_get(object,
			"n")), cases[i].text);
	}
	json_decref(object);
}

static void writes_pem(void **state)
{
	json_t *object = json_object();

	(void)state;
	put_pem(object, "key", "PUBLIC KEY", (struct der){
		(const uint8_t *)"abc", 3});
	assert_string_equal(json_string_value(json_object_get(object, "key")),
		"-----BEGIN PUBLIC KEY-----\nYWJj\n-----END PUBLIC KEY-----\n");
	json_decref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_is_utf8),
		cmocka_unit_test(mends_what_is_not),
		cmocka_unit_test(keeps_a_nul),
		cmocka_unit_test(leaves_out_what_is_not_there),
		cmocka_unit_test(writes_serials),
		cmocka_unit_test(writes_pem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
