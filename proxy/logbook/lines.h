/*
 * lines.h - a file by its lines, in as little memory as the longest may take.
 *
 * Owns:    its descriptor, but standard input, and its buffer.
 * Threads: one.
 */
#ifndef PROXY_LOGBOOK_LINES_H
#define PROXY_LOGBOOK_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum {
	LINE_MAX_BYTES = 8 << 20, /* longer ones are none of the log's; they are
	                           * passed over and counted */
	LINES_ROTATED_MAX = 1000, /* FILE.1 and so on there may be, as of log.keep */
};

struct lines {
	int fd;
	char *buffer; /* owned */
	size_t begin, end, searched, cap;
	bool passing; /* over the rest of one that is too long */
	uint64_t too_long;
	int error;    /* errno of a read */
};

/* lines_file opens a log, "-" being standard input; *out_info: which it is. -1 and
 * errno; a folder is none. */
int lines_file(const char *path, struct stat *out_info)
	__attribute__((warn_unused_result));

/* lines_open takes fd. */
void lines_open(struct lines *lines, int fd);
void lines_close(struct lines *lines);

/* lines_next gives the next, without its end; until the next call. NULL: there is
 * no more, as yet. */
const char *lines_next(struct lines *lines, size_t *out_len);

/* lines_rest is what is behind the last end of a line: one that was not ended.
 * NULL: nothing. */
const char *lines_rest(struct lines *lines, size_t *out_len);

/* lines_drop forgets what has been read and not given. */
void lines_drop(struct lines *lines);

#endif
