#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pki/tally.h"

enum { PER_S = 100, BEGIN = 1000 };

static const uint8_t one[CA_KEY_ID] = {1}, two[CA_KEY_ID] = {2};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct tally));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void fill(struct tally *tally, const uint8_t id[CA_KEY_ID], int64_t now)
{
	for (int i = 0; i < TALLY_MOST; i++)
		assert_true(tally_add(tally, id, now + i, PER_S));
}

static void counts_each_ca_alone(void **state)
{
	fill(*state, one, BEGIN);
	assert_false(tally_add(*state, one, BEGIN + TALLY_MOST, PER_S));
	fill(*state, two, BEGIN);
	assert_false(tally_add(*state, two, BEGIN + TALLY_MOST, PER_S));
}

/* One is free again when it is as long ago as that, and then the next. */
static void counts_what_was_lately(void **state)
{
	fill(*state, one, BEGIN);
	assert_false(tally_add(*state, one, BEGIN + PER_S - 1, PER_S));
	assert_true(tally_add(*state, one, BEGIN + PER_S, PER_S));
	assert_false(tally_add(*state, one, BEGIN + PER_S, PER_S));
	assert_true(tally_add(*state, one, BEGIN + PER_S + 1, PER_S));
	assert_false(tally_add(*state, one, BEGIN + PER_S + 1, PER_S));
	/* a refusal does not count */
	fill(*state, one, BEGIN + 10 * PER_S);
}

static void goes_on_where_it_lies(void **state)
{
	struct tally copy;

	fill(*state, one, BEGIN);
	copy = *(struct tally *)*state;
	assert_false(tally_add(&copy, one, BEGIN + TALLY_MOST, PER_S));
}

/* A CA that has made none lately gives its place to another; while none is free,
 * none is counted. */
static void has_no_more_than_it_has_room_for(void **state)
{
	uint8_t id[CA_KEY_ID] = {0};

	for (int i = 0; i < TALLY_CAS; i++) {
		memcpy(id, &i, sizeof(i));
		assert_true(tally_add(*state, id, BEGIN + i / 500, PER_S));
	}
	memset(id, 0xff, sizeof(id));
	assert_false(tally_add(*state, id, BEGIN + PER_S - 1, PER_S));
	assert_true(tally_add(*state, id, BEGIN + PER_S, PER_S));
	memset(id, 0, sizeof(id));
	assert_true(tally_add(*state, id, BEGIN + PER_S, PER_S));
}

/* One who asks for a shorter time takes no place from one who counts longer. */
static void counts_each_for_its_own_time(void **state)
{
	uint8_t id[CA_KEY_ID] = {0};

	fill(*state, one, BEGIN);
	for (int i = 0; i < TALLY_CAS - 1; i++) {
		memcpy(id + 4, &i, sizeof(i));
		assert_true(tally_add(*state, id, BEGIN, 1));
	}
	assert_true(tally_add(*state, two, BEGIN + PER_S - 1, 1));
	assert_false(tally_add(*state, one, BEGIN + PER_S - 1, PER_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counts_each_ca_alone, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(counts_what_was_lately, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(goes_on_where_it_lies, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			has_no_more_than_it_has_room_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counts_each_for_its_own_time,
			set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
