/*
 * nearest.h - what was probably meant.
 *
 * Threads: any.
 */
#ifndef PROXY_CONFIG_NEAREST_H
#define PROXY_CONFIG_NEAREST_H

#include <stddef.h>

/* nearest_distance counts the letters to add, drop, change or swap with their
 * neighbour that make b of a; case does not count. Words over 64 bytes are far
 * from everything. */
unsigned nearest_distance(const char *a, const char *b);

/* nearest is the candidate closest to word, the first of several; NULL when
 * none is close enough to have been meant (a third of the word, and one; of a
 * word under five letters, one). */
const char *nearest(const char *word, const char *const *candidates,
	size_t num);

#endif
