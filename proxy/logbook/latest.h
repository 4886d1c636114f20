/*
 * latest.h - the last lines of many: so many, and so many bytes.
 *
 * Owns:    copies, as JSON.
 * Threads: one.
 */
#ifndef PROXY_LOGBOOK_LATEST_H
#define PROXY_LOGBOOK_LATEST_H

#include <stddef.h>
#include <stdint.h>

#include "proxy/logbook/entry.h"

enum { LATEST_BYTES = 256 << 20 };

struct latest { /* zeroed is one of none */
	char **at; /* owned */
	size_t max, num, first, bytes;
	uint64_t seen;
	struct json_line line; /* owned */
};

void latest_open(struct latest *latest, size_t max);
void latest_add(struct latest *latest, const struct entry *entry);

/* latest_at: 0 is the oldest. */
const char *latest_at(const struct latest *latest, size_t place);

/* latest_missing is how many of the last are not there, for their bytes. */
uint64_t latest_missing(const struct latest *latest);
void latest_close(struct latest *latest);

#endif
