/*
 * bits.h - sets of small numbers, one bit each. For this room.
 *
 * Most bits of a set are none, so whole lines of words are passed over at once.
 *
 * Owns:    nothing; words are the caller's.
 * Threads: any.
 */
#ifndef POLICY_BITS_H
#define POLICY_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* BITS_WORDS words hold num bits. */
#define BITS_WORDS(num) (((num) + 63u) / 64u)

static inline void bits_clear(uint64_t *bits, size_t words)
{
	memset(bits, 0, words * sizeof(*bits));
}

static inline void bits_set(uint64_t *bits, unsigned number)
{
	bits[number / 64] |= UINT64_C(1) << number % 64;
}

static inline bool bits_has(const uint64_t *bits, unsigned number)
{
	return bits[number / 64] >> number % 64 & 1;
}

/* bits_skip returns the first word from at on that is not zero, or words. */
static inline size_t bits_skip(const uint64_t *bits, size_t words, size_t at)
{
	for (; at + 8 <= words; at += 8) {
		const uint64_t *w = bits + at;

		if (w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7])
			break;
	}
	while (at < words && bits[at] == 0)
		at++;
	return at;
}

/* bits_next gives the first number of the set from *number on; false: there is
 * none. *number starts at 0 and is one more than was given the next time. */
static inline bool bits_next(
	const uint64_t *bits, size_t words, unsigned *number)
{
	size_t at = *number / 64;
	uint64_t word;

	if (at >= words)
		return false;
	word = bits[at] >> *number % 64;
	if (word) {
		*number += (unsigned)__builtin_ctzll(word);
		return true;
	}
	at = bits_skip(bits, words, at + 1);
	if (at >= words)
		return false;
	*number = (unsigned)at * 64 + (unsigned)__builtin_ctzll(bits[at]);
	return true;
}

#endif
