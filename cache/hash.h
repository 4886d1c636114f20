/*
 * hash.h - the hash of this room's tables. For this room.
 *
 * Keys come from peers, who would fill one bucket if they could tell which
 * bucket a key goes to. So the hash is keyed (SipHash-2-4), with a key drawn
 * once a process.
 *
 * Threads: any.
 */
#ifndef CACHE_HASH_H
#define CACHE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* hash_bytes returns the hash of the len bytes at data: the same for the same
 * bytes, as long as the process lives. */
uint64_t hash_bytes(const void *data, size_t len);

/* hash_keyed is SipHash-2-4 under the given key. */
uint64_t hash_keyed(const uint64_t key[2], const void *data, size_t len);

/* hash_bucket is the part of a hash for a table's buckets; hash_shard the
 * part to pick a shard by. They share no bits: else each shard's table would
 * use but a few of its buckets. */
static inline unsigned hash_bucket(uint64_t hash)
{
	return (unsigned)(hash & 0xffffffff);
}

static inline unsigned hash_shard(uint64_t hash)
{
	return (unsigned)(hash >> 32);
}

#endif
