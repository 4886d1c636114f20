/*
 * count.h - numbers that one thread adds to and any thread may read.
 *
 * With one writer an addition needs no locked instruction: it costs what it does
 * in a plain variable. Who reads gets a number that was right a moment ago.
 *
 * Threads: count_add and count_sub the owner's; count_read any.
 */
#ifndef PROXY_NET_COUNT_H
#define PROXY_NET_COUNT_H

#include <stdatomic.h>
#include <stdint.h>

struct count { /* zeroed is none */
	_Atomic uint64_t number;
};

static inline uint64_t count_read(const struct count *count)
{
	return atomic_load_explicit(&count->number, memory_order_relaxed);
}

static inline void count_add(struct count *count, uint64_t more)
{
	atomic_store_explicit(&count->number, count_read(count) + more,
		memory_order_relaxed);
}

static inline void count_sub(struct count *count, uint64_t less)
{
	atomic_store_explicit(&count->number, count_read(count) - less,
		memory_order_relaxed);
}

/* Bytes that came, and that went. */
struct traffic {
	struct count in, out;
};

#endif
