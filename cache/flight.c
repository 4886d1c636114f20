#include "cache/flight.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cache/hash.h"
#include "cache/memory.h"

#include <uthash.h>

/*
 *   flight -- group (one a key in the air) --> waiter --> waiter --> NULL
 *
 * flight_land takes the whole line out under the mutex. From then on it belongs
 * to the thread that lands, which needs no lock to walk it; a waiter may be
 * freed as soon as its landed begins, so what follows it is read before.
 */
struct group {
	UT_hash_handle hh;
	struct waiter *first; /* borrowed, in the order they came */
	struct waiter **end;  /* where the next one is hung in */
	size_t key_len;
	unsigned char key[];
};

struct flight {
	pthread_mutex_t mutex;
	struct group *groups; /* owned; under mutex */
};

struct flight *flight_new(void)
{
	struct flight *flight = memory_new(sizeof(*flight));

	if (pthread_mutex_init(&flight->mutex, NULL) != 0)
		abort();
	return flight;
}

void flight_free(struct flight *flight)
{
	if (!flight)
		return;
	assert(!flight->groups);
	pthread_mutex_destroy(&flight->mutex);
	free(flight);
}

static void lock(struct flight *flight)
{
	if (pthread_mutex_lock(&flight->mutex) != 0)
		abort();
}

static void unlock(struct flight *flight)
{
	pthread_mutex_unlock(&flight->mutex);
}

static struct group *find(const struct flight *flight, const void *key,
	size_t key_len, unsigned hash)
{
	struct group *group;

	HASH_FIND_BYHASHVALUE(hh, flight->groups, key, key_len, hash, group);
	return group;
}

static void add_group(
	struct flight *flight, const void *key, size_t key_len, unsigned hash)
{
	struct group *group = memory_new(sizeof(*group) + key_len);

	group->end = &group->first;
	group->key_len = key_len;
	if (key_len > 0)
		memcpy(group->key, key, key_len);
	HASH_ADD_KEYPTR_BYHASHVALUE(
		hh, flight->groups, group->key, key_len, hash, group);
}

static void hang_in(struct group *group, struct waiter *waiter)
{
	waiter->next = NULL;
	*group->end = waiter;
	group->end = &waiter->next;
}

int flight_join(struct flight *flight, const void *key, size_t key_len,
	struct waiter *waiter)
{
	unsigned hash = hash_bucket(hash_bytes(key, key_len));
	struct group *group;

	lock(flight);
	group = find(flight, key, key_len, hash);
	if (group)
		hang_in(group, waiter);
	else
		add_group(flight, key, key_len, hash);
	unlock(flight);
	return group ? FLIGHT_WAIT : FLIGHT_LEAD;
}

/* Takes the group of key out of the air; its line is then nobody's but the
 * caller's. */
static struct waiter *take_line(
	struct flight *flight, const void *key, size_t key_len)
{
	unsigned hash = hash_bucket(hash_bytes(key, key_len));
	struct waiter *line = NULL;
	struct group *group;

	lock(flight);
	group = find(flight, key, key_len, hash);
	if (group) {
		HASH_DEL(flight->groups, group);
		line = group->first;
	}
	unlock(flight);
	assert(group); /* landed twice, or never joined */
	free(group);
	return line;
}

size_t flight_land(struct flight *flight, const void *key, size_t key_len,
	void *result, const char *err)
{
	struct waiter *waiter = take_line(flight, key, key_len), *next;
	size_t count = 0;

	for (; waiter; waiter = next) {
		next = waiter->next;
		waiter->landed(waiter, result, err);
		count++;
	}
	return count;
}
