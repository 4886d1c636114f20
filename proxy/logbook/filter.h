/*
 * filter.h - which lines of the access log are asked for: all must fit that is
 * given.
 *
 * Owns:    client.
 * Threads: one.
 */
#ifndef PROXY_LOGBOOK_FILTER_H
#define PROXY_LOGBOOK_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/logbook/entry.h"

struct netset;

struct filter { /* NULL, 0: any */
	int64_t since_ms, until_ms;
	const char *host;   /* a name or address; stars; .name: it and all below */
	const char *user;   /* stars */
	const char *action; /* of a rule; or what Policy Action begins with */
	const char *reason, *kind;
	struct netset *client; /* owned */
};

bool filter_fits(const struct filter *filter, const struct entry *entry);

/* filter_address reads an address as the log has it. */
struct sockaddr_storage;
bool filter_address(const char *text, struct sockaddr_storage *out);

#endif
