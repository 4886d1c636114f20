/*
 * log_target.h - where the lines of the access log go.
 *
 * stdout, stderr or a file: the lines as they are, below a line of headings where
 * the form has one and the file is empty or had another form. syslog: each line a datagram to
 * /dev/log, from "sallyport". journald: each entry a datagram to the journal's
 * own socket. none: nowhere.
 *
 * Whoever listens at a socket may go and come: what it does not take is lost.
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
	/* stdout, stderr, none, syslog, journald (of these two also syslog:PATH,
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
	int fd;          /* -1: none */
	bool own_fd, begun;
	char path[108];  /* of a socket */
	bool is_regular, turned; /* turned: what is there has another form */
	uint64_t size, rotate, full_at; /* of a regular file */
};

/* log_target_open: NULL: err says why. */
struct log_target *log_target_open(const struct log_want *want, char *err,
	size_t err_size);
void log_target_close(struct log_target *target);
bool log_target_is_none(const struct log_target *target);

/* log_target_begin writes the headings, the first time. */
void log_target_begin(struct log_target *target);

/* log_target_after: target goes on in another form where before has been written
 * to; in the same file the headings come between. */
void log_target_after(struct log_target *target,
	const struct log_target *before);

/* log_target_write waits until all is written; whole lines. */
void log_target_write(struct log_target *target, const char *data, size_t len);

/* log_target_is_full: the file has grown to its size; true once, and again when
 * it has grown by a tenth since. */
bool log_target_is_full(struct log_target *target);

#endif
