/*
 * categories.h - the categories and groups that rules name.
 *
 * Threads: one. Errors: told to loader->mistakes.
 */
#ifndef PROXY_CONFIG_CATEGORIES_H
#define PROXY_CONFIG_CATEGORIES_H

#include "proxy/config/fields.h"

/* categories_load reads those of loader->file, and of loader->policy over them,
 * into loader->config, and gives their names to its policy. */
void categories_load(struct loader *loader);
void categories_free(struct config *config);

/* categories_find is the one called name, or NULL; one with a mistake counts. */
struct category *categories_find(const struct config *config,
	const char *name);

/* categories_nearest is what was probably meant by name, or NULL. */
const char *categories_nearest(const struct config *config, const char *name);

/* groups_load gives loader->groups to the policy. groups_find says whether there
 * is one called name; groups_nearest is as categories_nearest. */
void groups_load(struct loader *loader);
bool groups_find(const struct loader *loader, const char *name);
const char *groups_nearest(const struct loader *loader, const char *name);

#endif
