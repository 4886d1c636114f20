#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pthread.h>

#include <cmocka.h>

#include "cache/shards.h"

enum { ROOM = 10000000, FAR = 1000000 };

/* key is written again by the last unref, so that a reader without a
 * reference is a race that a sanitizer sees. */
struct thing {
	atomic_int refs;
	unsigned key;
};

static atomic_int alive;
static struct shards *asked_in_unref;

static struct thing *thing_new(unsigned key)
{
	struct thing *thing = malloc(sizeof(*thing));

	assert_non_null(thing);
	atomic_init(&thing->refs, 1);
	thing->key = key;
	atomic_fetch_add(&alive, 1);
	return thing;
}

static void *thing_ref(void *value)
{
	struct thing *thing = value;

	if (atomic_fetch_add(&thing->refs, 1) < 1)
		abort(); /* was dead */
	return thing;
}

static void thing_unref(void *value)
{
	struct thing *thing = value;

	if (asked_in_unref) /* hangs if a mutex is held */
		(void)shards_stats(asked_in_unref);
	if (atomic_fetch_sub(&thing->refs, 1) > 1)
		return;
	thing->key = ~0u;
	free(thing);
	atomic_fetch_sub(&alive, 1);
}

static const struct shards_type type = {thing_ref, thing_unref};

/* Puts a thing of number under key and keeps no reference. */
static void put(struct shards *shards, unsigned key, unsigned number)
{
	struct thing *thing = thing_new(number);

	shards_put(shards, &key, sizeof(key), thing, 100, FAR, 0);
	thing_unref(thing);
}

static struct thing *get(struct shards *shards, unsigned key)
{
	return shards_get(shards, &key, sizeof(key), 0);
}

static void references(void **state)
{
	struct shards *shards = shards_new(4, 100, ROOM, &type);
	struct thing *thing = thing_new(7), *got;

	(void)state;
	shards_put(shards, "k", 1, thing, 100, FAR, 0);
	assert_int_equal(atomic_load(&thing->refs), 2);
	got = shards_get(shards, "k", 1, 0);
	assert_ptr_equal(got, thing);
	assert_int_equal(atomic_load(&thing->refs), 3);
	assert_null(shards_get(shards, "other", 5, 0));
	thing_unref(got);
	shards_free(shards);
	assert_int_equal(atomic_load(&thing->refs), 1);
	thing_unref(thing);
	assert_int_equal(atomic_load(&alive), 0);
	shards_free(NULL);
}

static void got_outlives_the_cache(void **state)
{
	struct shards *shards = shards_new(1, 1, ROOM, &type);
	struct thing *thing;

	(void)state;
	put(shards, 1, 1);
	thing = get(shards, 1);
	put(shards, 2, 2); /* evicts 1 */
	assert_null(get(shards, 1));
	shards_free(shards);
	assert_int_equal(thing->key, 1);
	thing_unref(thing);
	assert_int_equal(atomic_load(&alive), 0);
}

static void bounds_are_of_the_whole(void **state)
{
	struct shards *shards = shards_new(8, 100, ROOM, &type);

	(void)state;
	for (unsigned i = 0; i < 5000; i++)
		put(shards, i, i);
	/* 100 / 8, rounded down, in each of eight */
	assert_int_equal(shards_stats(shards).entries, 12 * 8);
	assert_int_equal(shards_stats(shards).evicted, 5000 - 12 * 8);
	assert_int_equal(atomic_load(&alive), 12 * 8);
	shards_free(shards);
	shards = shards_new(4, 100000, 40000, &type);
	for (unsigned i = 0; i < 5000; i++)
		put(shards, i, i);
	assert_in_range(shards_stats(shards).bytes, 30000, 40000);
	shards_free(shards);
	assert_int_equal(atomic_load(&alive), 0);
}

static void never_kept(void **state)
{
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 8, ROOM};
	struct shards *shards = shards_new(0, 0, ROOM, &type);
	struct thing *thing = thing_new(1);

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		shards_put(shards, "k", 1, thing, sizes[i], FAR, 0);
		assert_int_equal(atomic_load(&thing->refs), 1);
	}
	shards_put(shards, "k", 1, thing, 1, 5, 5);
	assert_int_equal(atomic_load(&thing->refs), 1);
	shards_put(shards, "k", 1, thing, 1, 6, 5);
	assert_int_equal(atomic_load(&thing->refs), 2);
	assert_null(shards_get(shards, "k", 1, 6)); /* past its time */
	assert_int_equal(atomic_load(&thing->refs), 1);
	thing_unref(thing);
	shards_free(shards);
}

/* Each way in which a value goes; the alarm ends a test that hangs. */
static void no_unref_under_a_mutex(void **state)
{
	struct shards *shards = shards_new(1, 1, ROOM, &type);
	struct thing *thing = thing_new(5);

	(void)state;
	alarm(20);
	asked_in_unref = shards;
	put(shards, 1, 1);
	put(shards, 1, 2); /* replaced */
	put(shards, 2, 3); /* evicted */
	shards_put(shards, "t", 1, thing, 1, 10, 0);
	assert_null(shards_get(shards, "t", 1, 10)); /* expired */
	shards_put(shards, "t", 1, thing, 1, 10, 0);
	shards_put(shards, "t", 1, thing, ROOM, 10, 0); /* too large */
	asked_in_unref = NULL;
	alarm(0);
	thing_unref(thing);
	shards_free(shards);
	assert_int_equal(atomic_load(&alive), 0);
}

enum { THREADS = 4, ROUNDS = 20000, KEYS = 64 };

static void one_round(struct shards *shards, unsigned *seed)
{
	unsigned key = (unsigned)rand_r(seed) % KEYS;
	struct thing *thing = get(shards, key);

	if (!thing) {
		put(shards, key, key);
		return;
	}
	if (thing->key != key)
		abort();
	if (rand_r(seed) % 16 == 0)
		put(shards, key, key);
	if (rand_r(seed) % 256 == 0)
		(void)shards_stats(shards);
	thing_unref(thing);
}

struct worker {
	pthread_t thread;
	struct shards *shards;
	unsigned seed;
};

static void *work(void *argument)
{
	struct worker *worker = argument;

	for (int i = 0; i < ROUNDS; i++)
		one_round(worker->shards, &worker->seed);
	return NULL;
}

static void many_threads(void **state)
{
	/* room for half of the keys: evictions happen all the time */
	struct shards *shards = shards_new(3, KEYS / 2, ROOM, &type);
	struct worker workers[THREADS];
	struct lru_stats stats;

	(void)state;
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.shards = shards, .seed = i};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work,
					 &workers[i]),
			0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	stats = shards_stats(shards);
	assert_int_equal(stats.hits + stats.misses, THREADS * ROUNDS);
	assert_true(stats.hits > 0 && stats.evicted > 0);
	assert_int_equal(stats.entries, atomic_load(&alive));
	shards_free(shards);
	assert_int_equal(atomic_load(&alive), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references),
		cmocka_unit_test(got_outlives_the_cache),
		cmocka_unit_test(bounds_are_of_the_whole),
		cmocka_unit_test(never_kept),
		cmocka_unit_test(no_unref_under_a_mutex),
		cmocka_unit_test(many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
