#include "cache/shards.h"

#include <pthread.h>
#include <stdlib.h>

#include "cache/hash.h"
#include "cache/memory.h"

/*
 *   shards -- shard -- lru -- box -- value (counted, by others too)
 *               |              |
 *               +-- dropped <--+  when the lru lets go of it
 *
 * An unref may free a great deal, so none happens under a mutex: the lru's
 * free_value only hangs the box into dropped, and whoever holds the mutex
 * takes that list along and lets go of the values after it has unlocked.
 */
struct box {
	struct shard *shard; /* borrowed: outlives its boxes */
	void *value;         /* shared: one reference */
	struct box *next;    /* in dropped */
};

enum { CACHE_LINE = 64 }; /* a mutex each, so that none slows another's */

struct shard {
	_Alignas(CACHE_LINE) pthread_mutex_t mutex;
	struct lru *lru;     /* owned; under mutex */
	struct box *dropped; /* owned; under mutex, empty when it is free */
};

struct shards {
	struct shards_type type;
	struct shard *list; /* owned */
	unsigned count;
};

static void bury(void *value)
{
	struct box *box = value;

	box->next = box->shard->dropped;
	box->shard->dropped = box;
}

static void lock(struct shard *shard)
{
	if (pthread_mutex_lock(&shard->mutex) != 0)
		abort();
}

static void unlock_and_release(const struct shards *shards, struct shard *shard)
{
	struct box *box = shard->dropped, *next;

	shard->dropped = NULL;
	pthread_mutex_unlock(&shard->mutex);
	for (; box; box = next) {
		next = box->next;
		shards->type.unref(box->value);
		free(box);
	}
}

static void shard_init(
	struct shard *shard, size_t max_entries, size_t max_bytes)
{
	if (pthread_mutex_init(&shard->mutex, NULL) != 0)
		abort();
	shard->lru = lru_new(max_entries, max_bytes, bury);
	shard->dropped = NULL;
}

struct shards *shards_new(unsigned num_shards, size_t max_entries,
	size_t max_bytes, const struct shards_type *type)
{
	struct shards *shards = memory_new(sizeof(*shards));

	shards->type = *type;
	shards->count = num_shards > 0 ? num_shards : 1;
	if (shards->count > max_entries) /* one entry each, and no more */
		shards->count = max_entries > 0 ? (unsigned)max_entries : 1;
	shards->list =
		aligned_alloc(CACHE_LINE, shards->count * sizeof(struct shard));
	if (!shards->list)
		abort();
	for (unsigned i = 0; i < shards->count; i++)
		shard_init(&shards->list[i], max_entries / shards->count,
			max_bytes / shards->count);
	return shards;
}

static void shard_clear(const struct shards *shards, struct shard *shard)
{
	lock(shard);
	lru_free(shard->lru);
	unlock_and_release(shards, shard);
	pthread_mutex_destroy(&shard->mutex);
}

void shards_free(struct shards *shards)
{
	if (!shards)
		return;
	for (unsigned i = 0; i < shards->count; i++)
		shard_clear(shards, &shards->list[i]);
	free(shards->list);
	free(shards);
}

static struct shard *shard_of(
	const struct shards *shards, const void *key, size_t key_len)
{
	unsigned hash = hash_shard(hash_bytes(key, key_len));

	return &shards->list[hash % shards->count];
}

void *shards_get(
	struct shards *shards, const void *key, size_t key_len, uint64_t now_ms)
{
	struct shard *shard = shard_of(shards, key, key_len);
	struct box *box;
	void *value = NULL;

	lock(shard);
	box = lru_get(shard->lru, key, key_len, now_ms);
	if (box) /* here: another thread could drop the last one after */
		value = shards->type.ref(box->value);
	unlock_and_release(shards, shard);
	return value;
}

/* bytes with the box; what would overflow is too large for any cache. */
static size_t boxed(size_t bytes)
{
	return bytes > SIZE_MAX - sizeof(struct box) ?
		SIZE_MAX :
		bytes + sizeof(struct box);
}

void shards_put(struct shards *shards, const void *key, size_t key_len,
	void *value, size_t bytes, uint64_t expires_ms, uint64_t now_ms)
{
	struct shard *shard = shard_of(shards, key, key_len);
	struct box *box = memory_new(sizeof(*box));

	box->shard = shard;
	box->value = shards->type.ref(value);
	lock(shard);
	lru_put(shard->lru, key, key_len, box, boxed(bytes), expires_ms,
		now_ms);
	unlock_and_release(shards, shard);
}

static void add(struct lru_stats *sum, const struct lru_stats *one)
{
	sum->entries += one->entries;
	sum->bytes += one->bytes;
	sum->hits += one->hits;
	sum->misses += one->misses;
	sum->evicted += one->evicted;
	sum->expired += one->expired;
}

struct lru_stats shards_stats(struct shards *shards)
{
	struct lru_stats sum = {0};

	for (unsigned i = 0; i < shards->count; i++) {
		struct shard *shard = &shards->list[i];
		struct lru_stats one;

		lock(shard);
		one = lru_stats(shard->lru);
		unlock_and_release(shards, shard);
		add(&sum, &one);
	}
	return sum;
}
