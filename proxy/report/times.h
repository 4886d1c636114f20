/*
 * times.h - how long things took: counted by size, for a histogram.
 *
 * Times are in ms of the loop's clock, which a turn of the loop reads once.
 *
 * Threads: times_add the owner's; times_read any.
 */
#ifndef PROXY_REPORT_TIMES_H
#define PROXY_REPORT_TIMES_H

#include <stddef.h>
#include <stdint.h>

#include "proxy/net/count.h"

enum { TIMES_BOUNDS = 14 };

/* The upper bounds, in ms; what took longer than the last is counted behind
 * them. */
extern const uint32_t times_bounds[TIMES_BOUNDS];

struct times { /* zeroed is none */
	struct count counts[TIMES_BOUNDS + 1];
	struct count ms; /* of all */
};

static inline void times_add(struct times *times, uint64_t ms)
{
	size_t at = 0;

	while (at < TIMES_BOUNDS && ms > times_bounds[at])
		at++;
	count_add(&times->counts[at], 1);
	count_add(&times->ms, ms);
}

/* What several owners have counted, each by itself; zeroed is none. */
struct times_sum {
	uint64_t counts[TIMES_BOUNDS + 1], ms;
};

void times_read(const struct times *times, struct times_sum *sum);

#endif
