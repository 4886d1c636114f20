#include "cache/lru.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cache/hash.h"
#include "cache/memory.h"

#include <uthash.h>
#include <utlist.h>

struct entry {
	UT_hash_handle hh;
	struct entry *prev, *next; /* by use; the head's prev: the last */
	void *value;               /* owned */
	size_t bytes;              /* all that counts against the bound */
	uint64_t expires_ms;
	size_t key_len;
	unsigned char key[];
};

struct lru {
	struct entry *table; /* owned: by key */
	struct entry *used;  /* the same, last used first */
	size_t max_entries, max_bytes;
	void (*free_value)(void *value);
	struct lru_stats stats;
};

struct lru *lru_new(
	size_t max_entries, size_t max_bytes, void (*free_value)(void *value))
{
	struct lru *lru = memory_new(sizeof(*lru));

	lru->max_entries = max_entries > 0 ? max_entries : 1;
	lru->max_bytes = max_bytes;
	lru->free_value = free_value;
	return lru;
}

static struct entry *find(
	const struct lru *lru, const void *key, size_t key_len)
{
	unsigned hash = hash_bucket(hash_bytes(key, key_len));
	struct entry *entry;

	HASH_FIND_BYHASHVALUE(hh, lru->table, key, key_len, hash, entry);
	return entry;
}

/* Takes entry out and frees it, not its value, which it returns. */
static void *detach(struct lru *lru, struct entry *entry)
{
	void *value = entry->value;

	HASH_DEL(lru->table, entry);
	DL_DELETE(lru->used, entry);
	lru->stats.entries--;
	lru->stats.bytes -= entry->bytes;
	free(entry);
	return value;
}

static void drop(struct lru *lru, struct entry *entry)
{
	lru->free_value(detach(lru, entry));
}

void lru_free(struct lru *lru)
{
	if (!lru)
		return;
	while (lru->used)
		drop(lru, lru->used);
	free(lru);
}

/* The entry of key that is still good; counts what was asked for. */
static struct entry *look_up(
	struct lru *lru, const void *key, size_t key_len, uint64_t now_ms)
{
	struct entry *entry = find(lru, key, key_len);

	if (entry && now_ms >= entry->expires_ms) {
		lru->stats.expired++;
		drop(lru, entry);
		entry = NULL;
	}
	if (entry)
		lru->stats.hits++;
	else
		lru->stats.misses++;
	return entry;
}

void *lru_get(struct lru *lru, const void *key, size_t key_len, uint64_t now_ms)
{
	struct entry *entry = look_up(lru, key, key_len, now_ms);

	if (!entry)
		return NULL;
	DL_DELETE(lru->used, entry);
	DL_PREPEND(lru->used, entry);
	return entry->value;
}

void *lru_take(
	struct lru *lru, const void *key, size_t key_len, uint64_t now_ms)
{
	struct entry *entry = look_up(lru, key, key_len, now_ms);

	return entry ? detach(lru, entry) : NULL;
}

/* Compared by subtraction: a sum could overflow. */
static bool fits(const struct lru *lru, size_t key_len, size_t bytes)
{
	size_t room = lru->max_bytes;

	if (room < sizeof(struct entry))
		return false;
	room -= sizeof(struct entry);
	return key_len <= room && bytes <= room - key_len;
}

static void make_room(struct lru *lru, size_t bytes)
{
	while (lru->used &&
		(lru->stats.entries >= lru->max_entries ||
			lru->stats.bytes > lru->max_bytes - bytes)) {
		lru->stats.evicted++;
		drop(lru, lru->used->prev);
	}
}

static struct entry *entry_new(const void *key, size_t key_len, void *value,
	size_t bytes, uint64_t expires_ms)
{
	struct entry *entry = memory_new(sizeof(*entry) + key_len);

	entry->value = value;
	entry->bytes = sizeof(*entry) + key_len + bytes;
	entry->expires_ms = expires_ms;
	entry->key_len = key_len;
	if (key_len > 0)
		memcpy(entry->key, key, key_len);
	return entry;
}

static void insert(struct lru *lru, struct entry *entry)
{
	unsigned hash = hash_bucket(hash_bytes(entry->key, entry->key_len));

	HASH_ADD_KEYPTR_BYHASHVALUE(
		hh, lru->table, entry->key, entry->key_len, hash, entry);
	DL_PREPEND(lru->used, entry);
	lru->stats.entries++;
	lru->stats.bytes += entry->bytes;
}

/* key may lie in the entry that it replaces, so the new one is made first. */
void lru_put(struct lru *lru, const void *key, size_t key_len, void *value,
	size_t bytes, uint64_t expires_ms, uint64_t now_ms)
{
	struct entry *entry, *before = find(lru, key, key_len);

	if (now_ms >= expires_ms || !fits(lru, key_len, bytes)) {
		if (before)
			drop(lru, before);
		lru->free_value(value);
		return;
	}
	entry = entry_new(key, key_len, value, bytes, expires_ms);
	if (before)
		drop(lru, before);
	make_room(lru, entry->bytes);
	insert(lru, entry);
}

struct lru_stats lru_stats(const struct lru *lru)
{
	return lru->stats;
}
