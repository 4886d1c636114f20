/*
 * memory.h - small allocations of this room, which do not fail.
 *
 * A configuration is of 16 MB at the most; with no memory left for it there is
 * nothing better to do than stop.
 *
 * Threads: any.
 */
#ifndef PROXY_CONFIG_MEMORY_H
#define PROXY_CONFIG_MEMORY_H

#include <stddef.h>
#include <stdlib.h>

/* must passes on what malloc and the like gave; NULL ends the program. */
static inline void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* grow gives array room for one more behind its count members: doubled each time
 * count is a power of two. */
static inline void *grow(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	return must(reallocarray(array, count ? count * 2 : 1, size));
}

#endif
