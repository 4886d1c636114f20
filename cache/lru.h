/*
 * lru.h - bounded memory with time limits.
 *
 * Keys are bytes, values are pointers that the cache owns once they are put.
 * Bounded by entries and by bytes: whatever is put, the least recently used
 * go until both bounds hold. An entry past its time is never returned: its
 * time is past as soon as now_ms is expires_ms.
 *
 * Owns:    copies of the keys; the values, until evicted: free_value.
 * Threads: one (see shards.h for many). free_value must not call back.
 */
#ifndef CACHE_LRU_H
#define CACHE_LRU_H

#include <stddef.h>
#include <stdint.h>

struct lru;

struct lru_stats {
	size_t entries, bytes; /* held now */
	uint64_t hits, misses; /* of get and take */
	uint64_t evicted;      /* gone to keep the bounds */
	uint64_t expired;      /* found past their time */
};

/* lru_new makes a cache of at most max_entries (at least 1) and max_bytes. */
struct lru *lru_new(
	size_t max_entries, size_t max_bytes, void (*free_value)(void *value));

/* lru_free frees lru and all it holds. */
void lru_free(struct lru *lru);

/* lru_get returns the value of key, borrowed until the next call on this
 * cache, and makes it the most recently used. NULL: none, or past its time. */
void *lru_get(
	struct lru *lru, const void *key, size_t key_len, uint64_t now_ms);

/* lru_put takes value and puts it in place of what key had before, which goes
 * in any case. bytes is what the value takes; the key and the entry's own size
 * are added. A value larger than the whole cache, or past its time, is freed
 * at once. */
void lru_put(struct lru *lru, const void *key, size_t key_len, void *value,
	size_t bytes, uint64_t expires_ms, uint64_t now_ms);

/* lru_take removes key and hands its value to the caller. NULL: none. */
void *lru_take(
	struct lru *lru, const void *key, size_t key_len, uint64_t now_ms);

/* lru_stats returns the counts of this moment. */
struct lru_stats lru_stats(const struct lru *lru);

#endif
