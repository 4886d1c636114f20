#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/net/buffer.h"

static void is_text(const struct buffer *buffer, const char *text)
{
	assert_int_equal(buffer_len(buffer), strlen(text));
	assert_memory_equal(buffer_at(buffer), text, strlen(text));
}

static void keeps_the_order(void **state)
{
	struct buffer buffer = {0};

	(void)state;
	buffer_add(&buffer, "one", 3);
	buffer_add(&buffer, "", 0);
	buffer_add(&buffer, "two", 3);
	is_text(&buffer, "onetwo");
	buffer_eat(&buffer, 2);
	is_text(&buffer, "etwo");
	buffer_add(&buffer, "three", 5);
	is_text(&buffer, "etwothree");
	buffer_clear(&buffer);
	assert_int_equal(buffer_len(&buffer), 0);
}

static void empty_owns_nothing(void **state)
{
	struct buffer buffer = {0};

	(void)state;
	buffer_clear(&buffer);
	buffer_add(&buffer, NULL, 0);
	assert_null(buffer.data);
	buffer_add(&buffer, "text", 4);
	assert_non_null(buffer.data);
	buffer_eat(&buffer, 3);
	assert_non_null(buffer.data);
	buffer_eat(&buffer, 1);
	assert_null(buffer.data);
	assert_int_equal(buffer.cap, 0);
	buffer_eat(&buffer, 0);
	buffer_add(&buffer, "again", 5);
	is_text(&buffer, "again");
	buffer_clear(&buffer);
}

static void reserves_what_it_says(void **state)
{
	struct buffer buffer = {0};
	uint8_t *at;

	(void)state;
	for (size_t len = 1; len < 100000; len = len * 3 + 1) {
		at = buffer_reserve(&buffer, len);
		memset(at, 'x', len);
		assert_int_equal(buffer_len(&buffer), 0);
		buffer_commit(&buffer, len);
		assert_int_equal(buffer_len(&buffer), len);
		buffer_eat(&buffer, len);
	}
	at = buffer_reserve(&buffer, 10);
	memcpy(at, "only", 4);
	buffer_commit(&buffer, 4);
	is_text(&buffer, "only");
	buffer_clear(&buffer);
}

/* A queue that never runs empty moves its bytes down instead of growing. */
static void does_not_grow_by_being_used(void **state)
{
	struct buffer buffer = {0};
	uint8_t next = 0, want = 0;
	size_t cap;

	(void)state;
	for (int i = 0; i < 300; i++, next++)
		buffer_add(&buffer, &next, 1);
	cap = buffer.cap;
	for (int i = 0; i < 100000; i++, next++, want++) {
		buffer_add(&buffer, &next, 1);
		assert_int_equal(buffer_at(&buffer)[0], want);
		buffer_eat(&buffer, 1);
	}
	assert_int_equal(buffer_len(&buffer), 300);
	assert_int_equal(buffer.cap, cap);
	for (; buffer_len(&buffer) > 0; want++) {
		assert_int_equal(buffer_at(&buffer)[0], want);
		buffer_eat(&buffer, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_order),
		cmocka_unit_test(empty_owns_nothing),
		cmocka_unit_test(reserves_what_it_says),
		cmocka_unit_test(does_not_grow_by_being_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
