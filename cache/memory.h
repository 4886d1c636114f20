/*
 * memory.h - small allocations of this room, which do not fail.
 *
 * What a cache holds is bounded by the caches themselves and keys by those
 * who make them; with no memory left for one of these there is nothing better
 * to do than stop.
 *
 * Threads: any.
 */
#ifndef CACHE_MEMORY_H
#define CACHE_MEMORY_H

#include <stdlib.h>

#define uthash_fatal(msg) abort() /* in place of exit; before uthash.h */

/* memory_new returns size zeroed bytes. */
static inline void *memory_new(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		abort();
	return memory;
}

#endif
