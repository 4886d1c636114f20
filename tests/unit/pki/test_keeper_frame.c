#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pki/keeper_frame.h"

static struct keeper_frame frame;

static struct der text_der(const char *text)
{
	return (struct der){(const uint8_t *)text, strlen(text)};
}

static void carries_fields(void **state)
{
	CRYPTO_BUFFER *buffer, *none;
	struct der field;
	uint64_t number;
	char text[8];
	CBB body;
	CBS in;

	(void)state;
	memset(&frame, 0xff, sizeof(frame));
	frame_begin(&frame, KEEPER_CRL, KEEPER_ASKED, &body);
	assert_true(frame_add(&body, text_der("one")));
	assert_true(frame_add_number(&body, UINT64_MAX - 1));
	assert_true(frame_add(&body, text_der("")));
	assert_true(frame_add(&body, text_der("")));
	assert_true(frame_add(&body, text_der("buffer")));
	assert_true(frame_add(&body, text_der("seven.7")));
	assert_true(frame_end(&frame, &body));

	assert_true(frame_ok(&frame));
	assert_int_equal(frame.kind, KEEPER_CRL);
	assert_int_equal(frame.status, KEEPER_ASKED);
	assert_int_equal(frame.len, 2 + 3 + 8 + 2 + 2 + 2 + 6 + 2 + 7);
	for (size_t i = frame.len; i < sizeof(frame.body); i++)
		assert_int_equal(frame.body[i], 0); /* nothing of before */
	in = frame_body(&frame);
	assert_true(frame_get(&in, &field) && der_same(field,
		text_der("one")));
	assert_true(frame_get_number(&in, &number));
	assert_true(number == UINT64_MAX - 1);
	assert_true(frame_get_text(&in, text, sizeof(text)));
	assert_string_equal(text, "");
	assert_true(frame_get_buffer(&in, &none));
	assert_null(none);
	assert_true(frame_get_buffer(&in, &buffer));
	assert_true(der_same(der_of(buffer), text_der("buffer")));
	assert_true(frame_get_text(&in, text, sizeof(text)));
	assert_string_equal(text, "seven.7");
	assert_int_equal(CBS_len(&in), 0);
	CRYPTO_BUFFER_free(buffer);
}

static void takes_what_goes_in(void **state)
{
	static uint8_t large[UINT16_MAX + 1];
	CBB body;

	(void)state;
	frame_begin(&frame, KEEPER_LEAF, KEEPER_ASKED, &body);
	assert_true(frame_add(&body, (struct der){large, KEEPER_BODY - 2}));
	assert_true(frame_end(&frame, &body));
	assert_int_equal(frame.len, KEEPER_BODY);
	assert_true(frame_ok(&frame));
	frame_begin(&frame, KEEPER_LEAF, KEEPER_ASKED, &body);
	assert_false(frame_add(&body, (struct der){large, KEEPER_BODY - 1}));
	assert_false(frame_end(&frame, &body));
	frame_begin(&frame, KEEPER_LEAF, KEEPER_ASKED, &body);
	assert_false(frame_add(&body, (struct der){large, sizeof(large)}));
	CBB_cleanup(&body);
}

static void knows_its_own(void **state)
{
	static const struct {
		uint32_t version, len;
		bool ok;
	} rows[] = {
		{KEEPER_VERSION, 0, true},
		{KEEPER_VERSION, KEEPER_BODY, true},
		{KEEPER_VERSION, KEEPER_BODY + 1, false},
		{KEEPER_VERSION, UINT32_MAX, false},
		{KEEPER_VERSION + 1, 0, false},
		{0, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		memset(&frame, 0, sizeof(frame));
		frame.version = rows[i].version;
		frame.len = rows[i].len;
		assert_int_equal(frame_ok(&frame), rows[i].ok);
	}
}

/* What is cut anywhere has no last field. */
static void gives_nothing_that_is_cut(void **state)
{
	CRYPTO_BUFFER *buffer;
	struct der field;
	uint64_t number;
	char text[64];
	CBB body;
	CBS in;

	(void)state;
	frame_begin(&frame, KEEPER_LEAF, KEEPER_ASKED, &body);
	assert_true(frame_add(&body, text_der("a field")));
	assert_true(frame_end(&frame, &body));
	for (uint32_t len = 0; len < 2 + 7; len++) {
		frame.len = len;
		in = frame_body(&frame);
		assert_false(frame_get(&in, &field));
		in = frame_body(&frame);
		assert_false(frame_get_text(&in, text, sizeof(text)));
		in = frame_body(&frame);
		assert_false(frame_get_buffer(&in, &buffer));
		assert_null(buffer);
		if (len < 8) {
			in = frame_body(&frame);
			assert_false(frame_get_number(&in, &number));
		}
	}
}

static void gives_no_text_that_is_none(void **state)
{
	char text[5];
	CBB body;
	CBS in;

	(void)state;
	frame_begin(&frame, KEEPER_LEAF, KEEPER_ASKED, &body);
	assert_true(frame_add(&body, text_der("12345"))); /* and a NUL: 6 */
	assert_true(frame_end(&frame, &body));
	in = frame_body(&frame);
	assert_false(frame_get_text(&in, text, sizeof(text)));
	frame_begin(&frame, KEEPER_LEAF, KEEPER_ASKED, &body);
	assert_true(frame_add(&body, (struct der){(const uint8_t *)"a\0b",
		3}));
	assert_true(frame_end(&frame, &body));
	in = frame_body(&frame);
	assert_false(frame_get_text(&in, text, sizeof(text)));
}

static void refuses_in_a_sentence(void **state)
{
	char *sentence = malloc(KEEPER_BODY + 10);

	(void)state;
	memset(&frame, 0xff, sizeof(frame));
	frame.kind = KEEPER_MINT;
	frame_refuse(&frame, KEEPER_LOCKED, "no");
	assert_true(frame_ok(&frame));
	assert_int_equal(frame.kind, KEEPER_MINT);
	assert_int_equal(frame.status, KEEPER_LOCKED);
	assert_int_equal(frame.len, 2);
	assert_memory_equal(frame.body, "no\0\0", 4);
	assert_non_null(sentence);
	memset(sentence, 'x', KEEPER_BODY + 9);
	sentence[KEEPER_BODY + 9] = '\0';
	frame_refuse(&frame, KEEPER_REFUSED, sentence);
	assert_true(frame_ok(&frame));
	assert_int_equal(frame.len, KEEPER_BODY);
	free(sentence);
	frame_wipe(&frame);
	assert_int_equal(frame.version, 0);
	assert_int_equal(frame.body[KEEPER_BODY - 1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_fields),
		cmocka_unit_test(takes_what_goes_in),
		cmocka_unit_test(knows_its_own),
		cmocka_unit_test(gives_nothing_that_is_cut),
		cmocka_unit_test(gives_no_text_that_is_none),
		cmocka_unit_test(refuses_in_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
