/*
 * category.h - the named sets of hosts that rules refer to. For this room.
 *
 * Owns: the names and the sets.
 */
#ifndef POLICY_CATEGORY_H
#define POLICY_CATEGORY_H

#include <stddef.h>

struct domains;

struct category {
	char *name;              /* owned */
	struct domains *domains; /* owned */
};

struct categories {            /* zeroed: none */
	struct category *list; /* owned */
	size_t count;
};

/* categories_add takes domains on success and seals it. A name that is
 * already there is an error. */
int categories_add(struct categories *categories, const char *name,
	struct domains *domains, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* categories_find returns the set called name, borrowed, or NULL. */
const struct domains *categories_find(
	const struct categories *categories, const char *name);

void categories_clear(struct categories *categories);

#endif
