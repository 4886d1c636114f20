/*
 * catalog_private.h - how a catalog lies in memory. For catalog*.c.
 *
 * Each entry has a key:
 *
 *	a host          its text: "example.com"
 *	... with more   text, NUL, port (two bytes, 0: any), path: "example.com\0\0\0/a"
 *	a network       family (KEY_IPV4, KEY_IPV6), bits, the bytes of an address
 *
 * and each key a record. A bucket is a run of records, its number the hash of the
 * key; the hash of a host goes from its end to its beginning, so that one pass has
 * the hashes of all its suffixes, and then on over what is behind the NUL.
 *
 *	buckets  [0][1][2][3] ... [num_buckets]         four bytes each
 *	          |  |  +----------------+
 *	          v  v                   v
 *	block    |record record|record|  |record ...
 *
 *	record   length of the key        varint
 *	         length of what follows the key, times 2, plus 1: it has "more"
 *	         the key
 *	         more: segments of the longest path below the key, times 2,
 *	               plus 1: there are keys with a port
 *	         details: set, times 4, plus DETAIL_BELOW, DETAIL_INSIDE
 *
 * Before that stands a filter, a byte for each key: two bits in one of its words
 * are set for each hash that is there. It is small enough to stay in the cache, so
 * a host that is in no set, as most are, waits for no memory.
 *
 * A key with a path is announced in that without: by a detail with DETAIL_INSIDE,
 * for who asks about hosts, and "more", for who goes on to look for it. Likewise one
 * with a port. So a look-up never goes through the paths of a host: it looks for
 * each beginning of the path that was asked for, as far as any goes.
 */
#ifndef POLICY_CATALOG_PRIVATE_H
#define POLICY_CATALOG_PRIVATE_H

#include <endian.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "policy/catalog.h"
#include "policy/entry.h"
#include "policy/siphash.h"

enum {
	KEY_IPV4 = 1, /* no host begins with these */
	KEY_IPV6 = 2,
	KEY_NETWORK_MAX = 18,
	KEY_MORE = 3, /* NUL and port */
	KEY_MAX = HOST_SIZE + KEY_MORE + ENTRY_PATH_MAX,
	VARINT_MAX = 5,
};

enum {
	DETAIL_BELOW = 1,  /* and all below the host */
	DETAIL_INSIDE = 2, /* not the whole, but a path of it */
	DETAIL_BITS = 2,   /* that these two take */
};

struct catalog {
	atomic_uint refs;
	unsigned num_sets;
	uint64_t key[2];      /* of the hash */
	uint32_t *buckets;    /* owned; where in block each begins */
	uint32_t num_buckets; /* and one more says where the last ends */
	uint8_t *block;       /* owned */
	uint64_t *filter;     /* owned */
	uint32_t num_words;   /* of the filter */
	size_t num_entries;
	size_t *counts;       /* owned; of entries, by set */
	/* Lengths of prefixes that occur, IPv4 and IPv6. */
	bool has_networks[2], has_bits[2][129];
};

/* One record, borrowed from the block. */
struct record {
	const uint8_t *key;
	uint32_t key_len;
	uint32_t num_segments; /* of the longest path below */
	bool has_ports;
	const uint8_t *details, *end;
};

static inline const uint8_t *catalog_varint(const uint8_t *at, uint32_t *out)
{
	uint32_t value = *at & 0x7f;

	for (unsigned shift = 7; *at++ & 0x80; shift += 7)
		value |= (uint32_t)(*at & 0x7f) << shift;
	*out = value;
	return at;
}

/* catalog_backward returns the last eight of the first len bytes, or all if they
 * are fewer: the last of them in the lowest bits. There are room bytes at text. */
static inline uint64_t catalog_backward(const char *text, size_t len, size_t room)
{
	uint64_t word = 0;

	if (len >= 8) {
		memcpy(&word, text + len - 8, 8);
		return be64toh(word);
	}
	if (room >= 8) {
		memcpy(&word, text, 8);
		return be64toh(word) >> 8 >> (56 - 8 * len);
	}
	for (size_t i = 0; i < len; i++)
		word = word << 8 | (uint8_t)text[i];
	return word;
}

/* catalog_hash_host begins with the host, catalog_hash_more goes on with what is
 * behind it. */
static inline struct siphash catalog_hash_host(
	const uint64_t key[2], const char *host, size_t len)
{
	struct siphash s = siphash_begin(key);
	size_t left = len;

	for (; left >= 8; left -= 8)
		siphash_absorb(&s, catalog_backward(host, left, len));
	s.word = catalog_backward(host, left, len);
	s.len = len;
	return s;
}

static inline void catalog_hash_more(
	struct siphash *s, const char *more, size_t len)
{
	for (size_t i = 0; i < len; i++)
		siphash_put(s, (uint8_t)more[i]);
}

/* catalog_place is the place of a hash among num of buckets or words. */
static inline uint32_t catalog_place(uint32_t num, uint32_t hash)
{
	return (uint32_t)((uint64_t)hash * num >> 32);
}

/* catalog_filter_bits are those that a hash has in its word of the filter. They
 * are its lowest, the word and the bucket come of its highest. */
static inline uint64_t catalog_filter_bits(uint32_t hash)
{
	return UINT64_C(1) << (hash & 63) | UINT64_C(1) << (hash >> 6 & 63);
}

static inline uint32_t catalog_hash_end(const struct siphash *s)
{
	return (uint32_t)(siphash_end(s) >> 32);
}

/* catalog_key_more writes the NUL and the port. */
static inline void catalog_key_more(char *key, uint16_t port)
{
	key[0] = '\0';
	key[1] = (char)(port >> 8);
	key[2] = (char)(port & 0xff);
}

/* catalog_key_network writes the key of a network and returns its length. */
size_t catalog_key_network(
	const struct network *network, char key[KEY_NETWORK_MAX]);

#endif
