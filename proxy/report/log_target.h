/*
 * log_target.h - where the lines of the access log go.
 *
 * stdout, stderr or a file: the lines as they are, below a line of headings where
 * the form has one and the file is empty or ends in another form. syslog: each
 * line a datagram to /dev/log, from "sallyport". journald: each entry a datagram
 * to the journal's own socket. none: nowhere.
 *
 * A line is there whole or not at all: of what a full disk has cut the beginning is
 * taken back; where it can't be (a pipe, a file that may only be appended to), its
 * end comes before the next line. Whoever listens at a socket or reads a pipe may
 * go and come: what is not taken then is lost, and counted.
 *
 * Nothing here waits, but for a disk: what can't be taken yet is left to who asks,
 * and may be lost by whom there is no time to wait for.
 *
 * Owns:    its descriptor, but stdout and stderr.
 * Threads: one.
 */
#ifndef PROXY_REPORT_LOG_TARGET_H
#define PROXY_REPORT_LOG_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/report/log_line.h"

struct log_want {
	/* stdout, stderr, none, syslog, journald (tests have syslog:PATH, too:
	 * another socket), or a file: made 0600, appended to. */
	const char *where;
	enum log_form format; /* the journal has one of its own */
	unsigned redact;      /* LOG_REDACT_... */
	uint64_t rotate;      /* size at which a file is full; 0: never */
};

enum log_target_kind { TARGET_NONE, TARGET_FILE, TARGET_SYSLOG, TARGET_JOURNAL };

struct log_target {
	enum log_target_kind kind;
	enum log_form form;
	char *name;      /* owned: as the configuration has it */
	int fd;          /* -1: none */
	bool own_fd;
	bool is_stderr;  /* what is said there would come to the same place */
	bool is_regular, is_socket;
	char path[108];  /* of a socket */
	struct json_line titles; /* owned: to be written first */
	size_t titles_at;
	bool asked, begun;
	bool within;     /* what was written last ends within a line ... */
	bool cut;        /* ... that will not be gone on with */
	uint64_t size, rotate, full_at; /* of a regular file */
	uint64_t lost;   /* lines that were not taken */
	int error;       /* errno of the last that was not; 0: the last was */
};

/* log_target_open: NULL: err says why. */
struct log_target *log_target_open(const struct log_want *want, char *err,
	size_t err_size);
void log_target_close(struct log_target *target);
bool log_target_is_none(const struct log_target *target);

/* log_target_begin writes the headings, the first time. */
void log_target_begin(struct log_target *target);

/* log_target_after: target goes on where before has been written to. True: it is
 * the very same, and a line that before has begun goes on there. */
bool log_target_after(struct log_target *target,
	const struct log_target *before);

/* log_target_write writes lines, and says how many of the bytes are done with:
 * written, or lost. The rest, if any, is for when poll says that fd can be
 * written to. */
size_t log_target_write(struct log_target *target, const char *data, size_t len)
	__attribute__((warn_unused_result));

/* log_target_lose gives up what would have come next. */
void log_target_lose(struct log_target *target, const char *data, size_t len);

/* log_target_is_full: the file has grown to its size; true once, and again when
 * it has grown by a tenth since. */
bool log_target_is_full(struct log_target *target);

#endif
