/*
 * splice.h - bytes from one socket to another that no program looks at.
 *
 * splice(2) moves them through a pipe without copying them out of the kernel
 * and in again: about half of what a tunnel costs when much goes through. A
 * pipe holds nothing between two calls, so one is enough for a loop.
 *
 * Threads: one a pipe.
 */
#ifndef PROXY_NET_SPLICE_H
#define PROXY_NET_SPLICE_H

#include <stdbool.h>
#include <stddef.h>

#include "proxy/net/buffer.h"

struct splicer { /* splicer_init before use */
	int in, out; /* the pipe's ends; -1: there is none */
};

enum splice_result {
	SPLICE_MOVED,
	SPLICE_NOTHING, /* nothing has come, or it can't be done this way */
	SPLICE_ENDED,   /* from's peer sends no more */
	SPLICE_BROKE,   /* from's connection broke */
};

struct spliced {
	size_t in, out; /* bytes taken from one socket, given to the other */
	bool deaf;      /* the other takes no more: what was left is dropped */
};

/* splicer_init opens the pipe; without one nothing is moved, and each
 * splice_move tries to open one. */
void splicer_init(struct splicer *splicer);
void splicer_clear(struct splicer *splicer);

/* splice_move moves what has come on the non-blocking socket from to the
 * non-blocking socket to, 256 KB at the most; what that does not take now is
 * added to rest. */
enum splice_result splice_move(struct splicer *splicer, int from, int to,
	struct buffer *rest, struct spliced *out);

#endif
