#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include <cmocka.h>

#include "cache/flight.h"

/* One who waits and remembers what came. */
struct guest {
	struct waiter waiter; /* the first: a waiter is its guest */
	unsigned turn;        /* of all that have landed; 0: not yet */
	void *result;
	const char *err;
};

static unsigned turns;

static void on_landed(struct waiter *waiter, void *result, const char *err)
{
	struct guest *guest = (struct guest *)waiter;

	assert_int_equal(guest->turn, 0);
	guest->turn = ++turns;
	guest->result = result;
	guest->err = err;
}

static int join(struct flight *flight, const char *key, struct guest *guest)
{
	*guest = (struct guest){.waiter.landed = on_landed};
	return flight_join(flight, key, strlen(key), &guest->waiter);
}

static size_t land(struct flight *flight, const char *key, void *result)
{
	turns = 0;
	return flight_land(flight, key, strlen(key), result, NULL);
}

static void first_leads(void **state)
{
	struct flight *flight = flight_new();
	struct guest guests[4];
	int thing;

	(void)state;
	assert_int_equal(join(flight, "k", &guests[0]), FLIGHT_LEAD);
	for (unsigned i = 1; i < 4; i++)
		assert_int_equal(join(flight, "k", &guests[i]), FLIGHT_WAIT);
	assert_int_equal(land(flight, "k", &thing), 3);
	assert_int_equal(guests[0].turn, 0);
	for (unsigned i = 1; i < 4; i++) {
		assert_int_equal(guests[i].turn, i); /* as they came */
		assert_ptr_equal(guests[i].result, &thing);
		assert_null(guests[i].err);
	}
	/* the key is forgotten */
	assert_int_equal(join(flight, "k", &guests[0]), FLIGHT_LEAD);
	assert_int_equal(land(flight, "k", &thing), 0);
	flight_free(flight);
	flight_free(NULL);
}

static void failure_is_for_all(void **state)
{
	struct flight *flight = flight_new();
	struct guest leader, guest;

	(void)state;
	assert_int_equal(join(flight, "k", &leader), FLIGHT_LEAD);
	assert_int_equal(join(flight, "k", &guest), FLIGHT_WAIT);
	turns = 0;
	assert_int_equal(flight_land(flight, "k", 1, NULL, "no luck"), 1);
	assert_null(guest.result);
	assert_string_equal(guest.err, "no luck");
	flight_free(flight);
}

static void keys_are_bytes(void **state)
{
	struct flight *flight = flight_new();
	struct waiter a = {0}, b = {0}, c = {0};
	char key[] = "k\0a";

	(void)state;
	assert_int_equal(flight_join(flight, key, 3, &a), FLIGHT_LEAD);
	key[2] = 'b'; /* the key was copied */
	assert_int_equal(flight_join(flight, key, 3, &b), FLIGHT_LEAD);
	assert_int_equal(flight_join(flight, "", 0, &c), FLIGHT_LEAD);
	assert_int_equal(flight_land(flight, "k\0a", 3, NULL, "e"), 0);
	assert_int_equal(flight_land(flight, "k\0b", 3, NULL, "e"), 0);
	assert_int_equal(flight_land(flight, "", 0, NULL, "e"), 0);
	flight_free(flight);
}

static struct flight *joined_in_landed;
static int joined_as;

/* Frees itself, as one that was only kept for this call. */
static void on_landed_free(struct waiter *waiter, void *result, const char *err)
{
	(void)result;
	(void)err;
	memset(waiter, 0xff, sizeof(*waiter));
	free(waiter);
}

static void on_landed_join(struct waiter *waiter, void *result, const char *err)
{
	(void)result;
	(void)err;
	joined_as = flight_join(joined_in_landed, "k", 1, waiter);
}

static void freed_in_landed(void **state)
{
	struct flight *flight = flight_new();
	struct guest leader;

	(void)state;
	assert_int_equal(join(flight, "k", &leader), FLIGHT_LEAD);
	for (int i = 0; i < 3; i++) {
		struct waiter *waiter = calloc(1, sizeof(*waiter));

		assert_non_null(waiter);
		waiter->landed = on_landed_free;
		assert_int_equal(
			flight_join(flight, "k", 1, waiter), FLIGHT_WAIT);
	}
	assert_int_equal(land(flight, "k", NULL), 3);
	flight_free(flight);
}

static void back_into_it_from_landed(void **state)
{
	struct flight *flight = flight_new();
	struct waiter again = {.landed = on_landed_join};
	struct guest leader, guest;

	(void)state;
	joined_in_landed = flight;
	assert_int_equal(join(flight, "k", &leader), FLIGHT_LEAD);
	assert_int_equal(flight_join(flight, "k", 1, &again), FLIGHT_WAIT);
	assert_int_equal(join(flight, "k", &guest), FLIGHT_WAIT);
	assert_int_equal(land(flight, "k", NULL), 2);
	assert_int_equal(joined_as, FLIGHT_LEAD); /* a new group */
	assert_int_equal(guest.turn, 1);          /* not in the new one */
	assert_int_equal(flight_land(flight, "k", 1, NULL, NULL), 0);
	flight_free(flight);
}

/* A thread that waits; what lands is posted home to it. */
enum { THREADS = 4, ROUNDS = 20000, KEYS = 3 };

static struct flight *shared;
static atomic_uint joined, led, landed;

struct home {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool posted;
	const void *got;
	unsigned seed;
};

struct traveller {
	struct waiter waiter;
	struct home *home;
};

/* Only home is touched after the post: the traveller may be freed then. */
static void on_landed_post(struct waiter *waiter, void *result, const char *err)
{
	struct home *home = ((struct traveller *)waiter)->home;

	(void)err;
	pthread_mutex_lock(&home->mutex);
	if (home->posted)
		abort(); /* twice */
	home->posted = true;
	home->got = result;
	pthread_cond_signal(&home->cond);
	pthread_mutex_unlock(&home->mutex);
}

static const void *await(struct home *home)
{
	const void *got;

	pthread_mutex_lock(&home->mutex);
	while (!home->posted)
		pthread_cond_wait(&home->cond, &home->mutex);
	home->posted = false;
	got = home->got;
	pthread_mutex_unlock(&home->mutex);
	return got;
}

static void lead(unsigned key, struct home *home)
{
	unsigned thing = key; /* borrowed by all during the calls */

	for (int i = rand_r(&home->seed) % 4; i > 0; i--)
		sched_yield();
	atomic_fetch_add(&landed,
		(unsigned)flight_land(shared, &key, sizeof(key), &thing, NULL));
	atomic_fetch_add(&led, 1);
}

static void travel(struct home *home)
{
	unsigned key = (unsigned)rand_r(&home->seed) % KEYS;
	struct traveller *traveller = calloc(1, sizeof(*traveller));

	if (!traveller)
		abort();
	traveller->home = home;
	traveller->waiter.landed = on_landed_post;
	atomic_fetch_add(&joined, 1);
	if (flight_join(shared, &key, sizeof(key), &traveller->waiter) ==
		FLIGHT_LEAD)
		lead(key, home);
	else if (!await(home))
		abort();
	memset(traveller, 0xff, sizeof(*traveller));
	free(traveller);
}

static void *travel_much(void *argument)
{
	struct home *home = argument;

	for (int i = 0; i < ROUNDS; i++)
		travel(home);
	if (home->posted)
		abort();
	return NULL;
}

static void run(void *(*life)(void *), struct home *homes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		homes[i] = (struct home){.seed = i + 1};
		pthread_mutex_init(&homes[i].mutex, NULL);
		pthread_cond_init(&homes[i].cond, NULL);
	}
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(
			pthread_create(&homes[i].thread, NULL, life, &homes[i]),
			0);
	for (unsigned i = 0; i < count; i++) {
		pthread_join(homes[i].thread, NULL);
		pthread_mutex_destroy(&homes[i].mutex);
		pthread_cond_destroy(&homes[i].cond);
	}
}

static int reset(void **state)
{
	(void)state;
	shared = flight_new();
	joined = led = landed = 0;
	return 0;
}

static int clear(void **state)
{
	(void)state;
	flight_free(shared);
	return 0;
}

/* Everyone who joins leads or is landed: one of the two, once. */
static void join_against_land(void **state)
{
	struct home homes[THREADS];

	(void)state;
	run(travel_much, homes, THREADS);
	assert_int_equal(atomic_load(&joined), THREADS * ROUNDS);
	assert_int_equal(atomic_load(&led) + atomic_load(&landed),
		atomic_load(&joined));
	assert_true(atomic_load(&landed) > 0);
}

enum { CROWD = 32 };

static void *join_the_crowd(void *argument)
{
	static int thing;
	struct home *home = argument;
	struct traveller traveller = {.home = home};
	int as;

	traveller.waiter.landed = on_landed_post;
	as = flight_join(shared, "k", 1, &traveller.waiter);
	atomic_fetch_add(&joined, 1);
	if (as == FLIGHT_WAIT) {
		if (await(home) != &thing)
			abort();
		return NULL;
	}
	while (atomic_load(&joined) < CROWD)
		sched_yield();
	atomic_fetch_add(&led, 1);
	atomic_store(
		&landed, (unsigned)flight_land(shared, "k", 1, &thing, NULL));
	return NULL;
}

static void one_of_a_crowd_leads(void **state)
{
	struct home homes[CROWD];

	(void)state;
	run(join_the_crowd, homes, CROWD);
	assert_int_equal(atomic_load(&led), 1);
	assert_int_equal(atomic_load(&landed), CROWD - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_leads),
		cmocka_unit_test(failure_is_for_all),
		cmocka_unit_test(keys_are_bytes),
		cmocka_unit_test(freed_in_landed),
		cmocka_unit_test(back_into_it_from_landed),
		cmocka_unit_test_setup_teardown(
			join_against_land, reset, clear),
		cmocka_unit_test_setup_teardown(
			one_of_a_crowd_leads, reset, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
