#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/mem.h>

#include "pki/dertime.h"

static int read_text(unsigned tag, const char *text, time_t *out)
{
	uint8_t der[64] = {(uint8_t)tag, (uint8_t)strlen(text)};
	CBS in;

	memcpy(der + 2, text, strlen(text));
	CBS_init(&in, der, 2 + strlen(text));
	return dertime_read(&in, out);
}

static void reads_both_kinds(void **state)
{
	time_t at;

	(void)state;
	assert_int_equal(read_text(0x17, "700101000000Z", &at), 0);
	assert_int_equal(at, 0);
	assert_int_equal(read_text(0x17, "491231235959Z", &at), 0);
	assert_int_equal(at, 2524607999);
	assert_int_equal(read_text(0x18, "20500101000000Z", &at), 0);
	assert_int_equal(at, 2524608000);
	assert_int_equal(read_text(0x18, "99991231235959Z", &at), 0);
	assert_int_equal(at, 253402300799);
	assert_int_equal(read_text(0x17, "500101000000Z", &at), 0);
	assert_int_equal(at, -631152000); /* 1950 */
	assert_int_equal(read_text(0x17, "240229120000Z", &at), 0);
}

static void refuses_other_forms(void **state)
{
	static const char *const bad[] = {
		"", "Z", "7001010000Z", "700101000000", "700101000000+0000",
		"7001010000000Z", "701301000000Z", "700132000000Z",
		"700100000000Z", "700101240000Z", "700101006000Z",
		"700101000060Z", "70010100000 Z", "-00101000000Z",
		"230229000000Z", "700101000000ZZ", "700101000000.5Z",
		"700101000000z", "700001000000Z", "700431000000Z",
	};
	time_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(read_text(0x17, bad[i], &at), -1);
	assert_int_equal(read_text(0x18, "700101000000Z", &at), -1);
	assert_int_equal(read_text(0x16, "700101000000Z", &at), -1);
}

static void check_written(time_t at, unsigned tag, const char *text)
{
	uint8_t *der;
	size_t len;
	time_t again;
	CBB cbb;
	CBS in;

	assert_true(CBB_init(&cbb, 32));
	assert_true(dertime_write(&cbb, at));
	assert_true(CBB_finish(&cbb, &der, &len));
	assert_int_equal(len, 2 + strlen(text));
	assert_int_equal(der[0], tag);
	assert_memory_equal(der + 2, text, strlen(text));
	CBS_init(&in, der, len);
	assert_int_equal(dertime_read(&in, &again), 0);
	assert_int_equal(again, at);
	OPENSSL_free(der);
}

/* RFC 5280, 4.1.2.5: the kind changes with the year. */
static void writes_by_year(void **state)
{
	(void)state;
	check_written(0, 0x17, "700101000000Z");
	check_written(2524607999, 0x17, "491231235959Z");
	check_written(2524608000, 0x18, "20500101000000Z");
	check_written(-631152000, 0x17, "500101000000Z");
	check_written(-631152001, 0x18, "19491231235959Z");
	check_written(253402300799, 0x18, "99991231235959Z");
}

static void does_not_write_the_year_10000(void **state)
{
	CBB cbb;

	(void)state;
	assert_true(CBB_init(&cbb, 32));
	assert_false(dertime_write(&cbb, 253402300800));
	CBB_cleanup(&cbb);
}

static void says_it_for_people(void **state)
{
	char text[DERTIME_TEXT];

	(void)state;
	assert_string_equal(dertime_text(0, text), "1970-01-01 00:00:00 UTC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_both_kinds),
		cmocka_unit_test(refuses_other_forms),
		cmocka_unit_test(writes_by_year),
		cmocka_unit_test(does_not_write_the_year_10000),
		cmocka_unit_test(says_it_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
