/*
 * trail.h - a log that is being written, line by line as they come.
 *
 * A file that is turned (FILE becomes FILE.1) is read to its end before the one
 * that took its place, and those in between, where it was turned more than once
 * meanwhile; one that is cut is read from its beginning again.
 *
 * Owns:    its descriptor.
 * Threads: one.
 */
#ifndef PROXY_LOGBOOK_TRAIL_H
#define PROXY_LOGBOOK_TRAIL_H

#include <stdbool.h>
#include <sys/stat.h>

#include "proxy/logbook/entry.h"
#include "proxy/logbook/lines.h"

struct trail {
	const char *path; /* borrowed */
	struct lines lines;
	struct entry_columns columns;
	struct stat info; /* of what is read */
	bool is_input;
	bool turned;      /* it was not called path any more, last time */
};

/* trail_open opens path, "-" being standard input, not far from its end. -1 and
 * errno. */
int trail_open(struct trail *trail, const char *path)
	__attribute__((warn_unused_result));

/* trail_next reads the next line into entry; what is none of the log's is passed
 * over. False: nothing as yet, ask again in a while; of standard input, no more. */
bool trail_next(struct trail *trail, struct entry *entry);
void trail_close(struct trail *trail);

#endif
