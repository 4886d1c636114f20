/* SipHash, after "SipHash: a fast short-input PRF" (Aumasson, Bernstein,
 * 2012): two rounds a word, four at the end. */
#include "cache/hash.h"

#include <endian.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t process_key[2];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static void mix(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static void absorb(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	mix(s);
	mix(s);
	s->v0 ^= word;
}

/* The bytes that are left, and above them the length's low byte. */
static uint64_t last_word(const uint8_t *bytes, size_t left, size_t len)
{
	uint64_t word = (uint64_t)len << 56;

	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

static uint64_t finish(struct state *s)
{
	s->v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		mix(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t hash_keyed(const uint64_t key[2], const void *data, size_t len)
{
	struct state s = {
		.v0 = key[0] ^ UINT64_C(0x736f6d6570736575),
		.v1 = key[1] ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key[0] ^ UINT64_C(0x6c7967656e657261),
		.v3 = key[1] ^ UINT64_C(0x7465646279746573),
	};
	const uint8_t *bytes = data;
	size_t left = len;

	for (; left >= 8; left -= 8, bytes += 8) {
		uint64_t word;

		memcpy(&word, bytes, sizeof(word));
		absorb(&s, le64toh(word));
	}
	absorb(&s, last_word(bytes, left, len));
	return finish(&s);
}

/* 16 bytes come whole (getrandom(2): up to 256 are never cut short). */
static void draw_key(void)
{
	if (getrandom(process_key, sizeof(process_key), 0) !=
		sizeof(process_key))
		abort();
}

uint64_t hash_bytes(const void *data, size_t len)
{
	pthread_once(&once, draw_key);
	return hash_keyed(process_key, data, len);
}
