/*
 * fixed.h - the settings that only a start can change, as fields.def has them.
 *
 * Threads: any.
 */
#ifndef PROXY_CONFIG_FIXED_H
#define PROXY_CONFIG_FIXED_H

#include <stddef.h>

struct config;

/* fixed_next gives the path of the next such setting in which a and b differ,
 * in the order of fields.def; NULL: no more. *at is 0 before the first. */
const char *fixed_next(const struct config *a, const struct config *b,
	size_t *at);

#endif
