/*
 * marks.h - which of very many things have been seen, in eight bytes each.
 *
 * Only their hashes are kept, under a key that nobody knows: who makes the lines of
 * a log cannot have two things taken for one.
 *
 * Owns:    its table. Threads: one.
 */
#ifndef PROXY_LOGBOOK_MARKS_H
#define PROXY_LOGBOOK_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MARKS_MAX = 8 << 20 };

struct marks {
	uint64_t key[2];
	uint64_t *at; /* owned; 0: free */
	size_t num, cap;
};

void marks_open(struct marks *marks);
void marks_close(struct marks *marks);

/* marks_hash is of the kind, and the texts up to NULL; never 0. */
uint64_t marks_hash(const struct marks *marks, int kind, ...)
	__attribute__((sentinel));

/* marks_put: false, there are as many as there may be. */
bool marks_put(struct marks *marks, uint64_t hash)
	__attribute__((warn_unused_result));
bool marks_has(const struct marks *marks, uint64_t hash);

#endif
