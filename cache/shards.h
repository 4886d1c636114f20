/*
 * shards.h - an lru for many threads.
 *
 * The key's hash picks one of the shards, each an lru under its own mutex,
 * which is held for the look-up and for taking a reference, nothing else. The
 * bounds given are of the whole: each shard has its share, rounded down.
 * Values are counted things: ref gives the caller one of its own, unref lets
 * go. ref is called with the mutex held and must not call back; evicted values
 * are unreferenced after it is let go.
 *
 * Owns:    copies of the keys, and a reference to each value.
 * Threads: any.
 */
#ifndef CACHE_SHARDS_H
#define CACHE_SHARDS_H

#include <stddef.h>
#include <stdint.h>

#include "cache/lru.h"

struct shards;

struct shards_type {
	void *(*ref)(void *value);
	void (*unref)(void *value);
};

/* shards_new makes a cache of num_shards shards (at least 1, and no more than
 * max_entries). A value that is larger than a shard's share of max_bytes is
 * never kept. type is copied. */
struct shards *shards_new(unsigned num_shards, size_t max_entries,
	size_t max_bytes, const struct shards_type *type);

/* shards_free lets go of all values; no other thread may be in a call. */
void shards_free(struct shards *shards);

/* shards_get returns a reference of the caller's own, or NULL. */
void *shards_get(struct shards *shards, const void *key, size_t key_len,
	uint64_t now_ms);

/* shards_put puts a reference that the cache takes for itself (by ref); the
 * caller keeps its own. */
void shards_put(struct shards *shards, const void *key, size_t key_len,
	void *value, size_t bytes, uint64_t expires_ms, uint64_t now_ms);

/* shards_stats sums the shards up, each at its own moment. */
struct lru_stats shards_stats(struct shards *shards);

#endif
