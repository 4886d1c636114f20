/*
 * unlock.h - the passphrase of the private keys, found when a proxy starts.
 *
 * Typed by somebody, or found where passphrase.h looks for it; what there is to
 * be said of that is said on stderr.
 *
 * Threads: the main one, before there are others.
 */
#ifndef PROXY_CORE_UNLOCK_H
#define PROXY_CORE_UNLOCK_H

#include <stdbool.h>
#include <stddef.h>

struct config;
struct passphrase;

/* unlock_find: ask as in supervisor.h; NULL: nobody is asked. */
int unlock_find(int (*ask)(char *out, size_t size, bool twice),
	const struct config *config, struct passphrase **out, char *err,
	size_t err_size) __attribute__((warn_unused_result));

#endif
