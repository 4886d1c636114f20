#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cache/lru.h"

enum { ROOM = 1000000, FAR = 1000000 };

static unsigned freed;
static int last_freed;

/* Values are heap blocks, so that a sanitizer sees each leak, double free
 * and use after the end. */
static void *value_new(int number)
{
	int *value = malloc(sizeof(*value));

	assert_non_null(value);
	*value = number;
	return value;
}

static void free_value(void *value)
{
	last_freed = *(int *)value;
	freed++;
	free(value);
}

static int reset(void **state)
{
	(void)state;
	freed = 0;
	last_freed = -1;
	return 0;
}

static void put(struct lru *lru, const char *key, int number)
{
	lru_put(lru, key, strlen(key), value_new(number), 10, FAR, 0);
}

/* The number of key's value; -1: none. */
static int get_at(struct lru *lru, const char *key, uint64_t now_ms)
{
	int *value = lru_get(lru, key, strlen(key), now_ms);

	return value ? *value : -1;
}

static int get(struct lru *lru, const char *key)
{
	return get_at(lru, key, 0);
}

static void put_and_get(void **state)
{
	struct lru *lru = lru_new(10, ROOM, free_value);
	struct lru_stats stats;

	(void)state;
	put(lru, "a", 1);
	put(lru, "b", 2);
	assert_int_equal(get(lru, "a"), 1);
	assert_int_equal(get(lru, "b"), 2);
	assert_int_equal(get(lru, "c"), -1);
	stats = lru_stats(lru);
	assert_int_equal(stats.entries, 2);
	assert_true(stats.bytes > 20);
	assert_int_equal(stats.hits, 2);
	assert_int_equal(stats.misses, 1);
	assert_int_equal(freed, 0);
	lru_free(lru);
	assert_int_equal(freed, 2);
	lru_free(NULL);
}

static void keys_are_bytes(void **state)
{
	struct lru *lru = lru_new(10, ROOM, free_value);
	char key[] = "k\0one";

	(void)state;
	lru_put(lru, key, 5, value_new(1), 0, FAR, 0);
	key[4] = 'x'; /* the key was copied */
	assert_null(lru_get(lru, key, 5, 0));
	assert_null(lru_get(lru, "k", 1, 0));
	assert_null(lru_get(lru, "k\0on", 4, 0));
	assert_non_null(lru_get(lru, "k\0one", 5, 0));
	lru_put(lru, "", 0, value_new(2), 0, FAR, 0);
	assert_int_equal(*(int *)lru_get(lru, "", 0, 0), 2);
	lru_free(lru);
}

static void replaced(void **state)
{
	struct lru *lru = lru_new(10, ROOM, free_value);
	size_t bytes;

	(void)state;
	put(lru, "a", 1);
	bytes = lru_stats(lru).bytes;
	put(lru, "a", 2);
	assert_int_equal(freed, 1);
	assert_int_equal(last_freed, 1);
	assert_int_equal(get(lru, "a"), 2);
	assert_int_equal(lru_stats(lru).entries, 1);
	assert_int_equal(lru_stats(lru).bytes, bytes);
	assert_int_equal(lru_stats(lru).evicted, 0);
	lru_free(lru);
}

static void least_used_goes_first(void **state)
{
	struct lru *lru = lru_new(3, ROOM, free_value);

	(void)state;
	put(lru, "a", 1);
	put(lru, "b", 2);
	put(lru, "c", 3);
	assert_int_equal(get(lru, "a"), 1); /* b is now the oldest */
	put(lru, "d", 4);
	assert_int_equal(last_freed, 2);
	assert_int_equal(get(lru, "b"), -1);
	put(lru, "c", 5); /* replacing makes no room and uses c */
	assert_int_equal(lru_stats(lru).entries, 3);
	put(lru, "e", 6);
	assert_int_equal(last_freed, 1);
	assert_int_equal(get(lru, "d"), 4);
	assert_int_equal(get(lru, "c"), 5);
	assert_int_equal(lru_stats(lru).evicted, 2);
	lru_free(lru);
}

static void bounded_by_bytes(void **state)
{
	struct lru *lru = lru_new(1000, 10000, free_value);

	(void)state;
	for (int i = 0; i < 200; i++) {
		lru_put(lru, &i, sizeof(i), value_new(i), 900, FAR, 0);
		assert_true(lru_stats(lru).bytes <= 10000);
	}
	assert_in_range(lru_stats(lru).entries, 5, 11);
	assert_int_equal(lru_stats(lru).entries + freed, 200);
	/* one large one takes the place of many */
	lru_put(lru, "large", 5, value_new(1000), 9000, FAR, 0);
	assert_int_equal(get(lru, "large"), 1000);
	assert_int_equal(lru_stats(lru).entries, 1);
	lru_free(lru);
}

/* Not kept, and neither is the older value that it was to replace. */
static void too_large(void **state)
{
	static const size_t sizes[] = {
		10000, 10001, SIZE_MAX, SIZE_MAX - 8, SIZE_MAX - 100};
	struct lru *lru = lru_new(10, 10000, free_value);

	(void)state;
	put(lru, "other", 7);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put(lru, "a", 1);
		freed = 0;
		lru_put(lru, "a", 1, value_new(2), sizes[i], FAR, 0);
		assert_int_equal(freed, 2);
		assert_int_equal(get(lru, "a"), -1);
	}
	assert_int_equal(get(lru, "other"), 7);
	lru_free(lru);
	lru = lru_new(0, 0, free_value);
	put(lru, "a", 1);
	assert_int_equal(lru_stats(lru).entries, 0);
	lru_free(lru);
}

static void at_least_one_entry(void **state)
{
	struct lru *lru = lru_new(0, ROOM, free_value);

	(void)state;
	put(lru, "a", 1);
	put(lru, "b", 2);
	assert_int_equal(get(lru, "a"), -1);
	assert_int_equal(get(lru, "b"), 2);
	lru_free(lru);
}

static void past_their_time(void **state)
{
	struct lru *lru = lru_new(10, ROOM, free_value);

	(void)state;
	lru_put(lru, "a", 1, value_new(1), 10, 1000, 0);
	assert_int_equal(get_at(lru, "a", 999), 1);
	assert_int_equal(get_at(lru, "a", 1000), -1);
	assert_int_equal(freed, 1);
	assert_int_equal(get_at(lru, "a", 0), -1); /* gone for good */
	assert_int_equal(lru_stats(lru).expired, 1);
	assert_int_equal(lru_stats(lru).entries, 0);
	assert_int_equal(lru_stats(lru).bytes, 0);
	lru_put(lru, "a", 1, value_new(2), 10, 1000, 0);
	lru_put(lru, "a", 1, value_new(3), 10, 500, 500);
	assert_int_equal(freed, 3); /* 3 at once, and 2, which it replaces */
	assert_int_equal(get(lru, "a"), -1);
	lru_free(lru);
}

static void take(void **state)
{
	struct lru *lru = lru_new(10, ROOM, free_value);
	int *value;

	(void)state;
	put(lru, "a", 1);
	value = lru_take(lru, "a", 1, 0);
	assert_int_equal(*value, 1);
	assert_int_equal(freed, 0);
	free(value);
	assert_null(lru_take(lru, "a", 1, 0));
	assert_int_equal(lru_stats(lru).bytes, 0);
	lru_put(lru, "b", 1, value_new(2), 10, 1000, 0);
	assert_null(lru_take(lru, "b", 1, 1000));
	assert_int_equal(freed, 1);
	lru_free(lru);
	assert_int_equal(freed, 1);
}

/* Against a plain array that does the same, slowly. */
enum { STEPS = 20000, DIFFERENT = 50, HELD = 20 };

struct model {
	int number[DIFFERENT]; /* -1: not there */
	unsigned used[DIFFERENT];
	unsigned clock;
};

static void model_use(struct model *model, int key)
{
	model->used[key] = ++model->clock;
}

static void model_put(struct model *model, int key, int number)
{
	int count = 0, oldest = -1;

	model->number[key] = -1;
	for (int i = 0; i < DIFFERENT; i++) {
		if (model->number[i] < 0)
			continue;
		count++;
		if (oldest < 0 || model->used[i] < model->used[oldest])
			oldest = i;
	}
	if (count == HELD)
		model->number[oldest] = -1;
	model->number[key] = number;
	model_use(model, key);
}

static void model_step(struct lru *lru, struct model *model, int step)
{
	int key = rand() % DIFFERENT, *value;

	switch (rand() % 4) {
	case 0:
		value = lru_take(lru, &key, sizeof(key), 0);
		assert_int_equal(value ? *value : -1, model->number[key]);
		free(value);
		model->number[key] = -1;
		return;
	case 1:
		lru_put(lru, &key, sizeof(key), value_new(step), 1, FAR, 0);
		model_put(model, key, step);
		return;
	default:
		value = lru_get(lru, &key, sizeof(key), 0);
		assert_int_equal(value ? *value : -1, model->number[key]);
		if (value)
			model_use(model, key);
	}
}

static void same_as_the_model(void **state)
{
	struct lru *lru = lru_new(HELD, ROOM, free_value);
	struct model model = {.clock = 0};

	(void)state;
	for (int i = 0; i < DIFFERENT; i++)
		model.number[i] = -1;
	srand(1);
	for (int step = 0; step < STEPS; step++)
		model_step(lru, &model, step);
	assert_true(lru_stats(lru).evicted > 100);
	lru_free(lru);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(put_and_get, reset),
		cmocka_unit_test_setup(keys_are_bytes, reset),
		cmocka_unit_test_setup(replaced, reset),
		cmocka_unit_test_setup(least_used_goes_first, reset),
		cmocka_unit_test_setup(bounded_by_bytes, reset),
		cmocka_unit_test_setup(too_large, reset),
		cmocka_unit_test_setup(at_least_one_entry, reset),
		cmocka_unit_test_setup(past_their_time, reset),
		cmocka_unit_test_setup(take, reset),
		cmocka_unit_test_setup(same_as_the_model, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
