/*
 * siphash.h - a keyed hash that is fed byte by byte and can be asked on the way.
 *
 * SipHash-1-3, after "SipHash: a fast short-input PRF" (Aumasson, Bernstein, 2012):
 * lists come from strangers, who would fill one bucket of a table if they could
 * tell which bucket a name goes to. For this room; in a header, since it is
 * called for each byte of each name.
 *
 *	struct siphash s = siphash_begin(key);
 *	siphash_put(&s, 'a');
 *	h = siphash_end(&s);    of "a"
 *	siphash_put(&s, 'b');
 *	h = siphash_end(&s);    of "ab"
 *
 * Threads: any.
 */
#ifndef POLICY_SIPHASH_H
#define POLICY_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash {
	uint64_t v0, v1, v2, v3;
	uint64_t word; /* the bytes since the last whole one */
	size_t len;
};

static inline uint64_t siphash_rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void siphash_mix(struct siphash *s)
{
	s->v0 += s->v1;
	s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
	s->v0 = siphash_rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
	s->v2 = siphash_rotate(s->v2, 32);
}

static inline struct siphash siphash_begin(const uint64_t key[2])
{
	return (struct siphash){
		.v0 = key[0] ^ UINT64_C(0x736f6d6570736575),
		.v1 = key[1] ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key[0] ^ UINT64_C(0x6c7967656e657261),
		.v3 = key[1] ^ UINT64_C(0x7465646279746573),
	};
}

static inline void siphash_absorb(struct siphash *s, uint64_t word)
{
	s->v3 ^= word;
	siphash_mix(s);
	s->v0 ^= word;
}

static inline void siphash_put(struct siphash *s, uint8_t byte)
{
	s->word |= (uint64_t)byte << (8 * (s->len & 7));
	if ((++s->len & 7) != 0)
		return;
	siphash_absorb(s, s->word);
	s->word = 0;
}

/* siphash_end_with returns the hash of all bytes up to here and of some more, at
 * most seven, of which word has the first in its lowest bits and which make len
 * bytes of it all. s is at a multiple of eight. */
static inline uint64_t siphash_end_with(
	struct siphash s, uint64_t word, size_t len)
{
	siphash_absorb(&s, word | (uint64_t)len << 56);
	s.v2 ^= 0xff;
	siphash_mix(&s);
	siphash_mix(&s);
	siphash_mix(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* siphash_end returns the hash of the bytes up to here; more may follow. */
static inline uint64_t siphash_end(const struct siphash *s)
{
	return siphash_end_with(*s, s->word, s->len);
}

#endif
