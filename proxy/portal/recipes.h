/*
 * recipes.h - lines to copy, for each system: how it comes to trust the root,
 * what a shell sets, and what each of tools.def's tools is told.
 *
 * Threads: any.
 */
#ifndef PROXY_PORTAL_RECIPES_H
#define PROXY_PORTAL_RECIPES_H

#include <utstring.h>

/* recipes_write: proxy is "host:port"; a system is an h3. */
void recipes_write(UT_string *out, const char *proxy);

#endif
