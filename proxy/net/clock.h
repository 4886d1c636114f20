/*
 * clock.h - milliseconds that only go forward, for who waits without a loop.
 *
 * Whoever has a loop asks that (loop_now), whose turn reads the clock once.
 *
 * Threads: any.
 */
#ifndef PROXY_NET_CLOCK_H
#define PROXY_NET_CLOCK_H

#include <stdint.h>
#include <time.h>

/* clock_ms is CLOCK_MONOTONIC; signed, so that what is left until then is. */
static inline int64_t clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
