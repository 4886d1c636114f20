/*
 * memory.h - small allocations of this room, which do not fail.
 *
 * A configuration is of 16 MB at the most; with no memory left for it there is
 * nothing better to do than stop.
 */
#ifndef PROXY_CONFIG_MEMORY_H
#define PROXY_CONFIG_MEMORY_H

#include <stdlib.h>

/* must passes on what malloc and the like gave; NULL ends the program. */
static inline void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

#endif
