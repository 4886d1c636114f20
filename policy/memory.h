/*
 * memory.h - small allocations of this room, which do not fail.
 *
 * Rules and lists are as long as the administrator writes them; with no
 * memory left for one of these there is nothing better to do than stop. The
 * names of a category, a million at times, are not got from here.
 */
#ifndef POLICY_MEMORY_H
#define POLICY_MEMORY_H

#include <stdlib.h>
#include <string.h>

/* memory_new returns size zeroed bytes. */
static inline void *memory_new(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		abort();
	return memory;
}

/* memory_grow returns array with room for one more behind its count members:
 * doubled each time count is a power of two. */
static inline void *memory_grow(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	array = reallocarray(array, count ? count * 2 : 1, size);
	if (!array)
		abort();
	return array;
}

/* memory_copy returns a copy of count members; NULL when there are none. */
static inline void *memory_copy(const void *array, size_t count, size_t size)
{
	void *copy;

	if (count == 0)
		return NULL;
	copy = reallocarray(NULL, count, size);
	if (!copy)
		abort();
	return memcpy(copy, array, count * size);
}

#endif
