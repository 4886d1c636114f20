/*
 * book.h - the access log, from its oldest line to its newest.
 *
 * A file and those that became of it by rotation, FILE.9 before FILE.1 before
 * FILE; or files as they were named. All are opened before the first is read, the
 * newest first, so that one that is turned meanwhile is neither missed nor read
 * twice.
 *
 * Owns:    what it has opened.
 * Threads: one.
 */
#ifndef PROXY_LOGBOOK_BOOK_H
#define PROXY_LOGBOOK_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proxy/logbook/entry.h"
#include "proxy/logbook/lines.h"

struct page {
	int fd;
	dev_t device;
	ino_t inode;
};

struct book { /* zeroed is empty */
	struct page *pages; /* owned; the one to be read first is the last */
	size_t num;
	struct lines lines;
	bool reading;
	struct entry_columns columns;
	uint64_t foreign; /* lines that were none of the log's, or not whole */
	int error;        /* errno of a read */
};

/* book_add adds a file that is read before those there are; "-" is standard input.
 * -1 and errno. */
int book_add(struct book *book, const char *path) __attribute__((warn_unused_result));

/* book_add_rotated adds FILE.1, FILE.2 and so on, as many as there are. */
int book_add_rotated(struct book *book, const char *path)
	__attribute__((warn_unused_result));

/* book_next reads the next line into entry. False: that was the last. */
bool book_next(struct book *book, struct entry *entry);
void book_close(struct book *book);

#endif
