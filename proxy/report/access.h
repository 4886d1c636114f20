/*
 * access.h - the access log: one line an exchange or tunnel.
 *
 * Workers gather lines in a buffer of their own and hand it to one writing
 * thread, when it is full and within 200 ms: a slow disk or pipe holds up no
 * connection. What a pipe or socket does not take waits: 64 MiB of lines, and what
 * is more is lost. What a disk does not take, for it is full, is lost at once; a
 * line is in the log whole or not at all. What is lost is counted; that lines are
 * is told when it begins, and how many, in a line of the log as well, once all is
 * taken again.
 *
 * Nobody who does not read is waited for where there is more to do: the log opened
 * anew is gone over to at once, with what waits; what is of another format than
 * the new one has two seconds to be taken where it was to go, and all has when the
 * log ends.
 *
 * A file that has grown to the size it is to be rotated at is told of once, by
 * full; whoever can renames it and has it opened anew. Until then lines go on to
 * where they went.
 *
 * Threads: access_log any; an access_buffer belongs to its worker.
 */
#ifndef PROXY_REPORT_ACCESS_H
#define PROXY_REPORT_ACCESS_H

#include <stddef.h>

#include "proxy/report/log_target.h"
#include "proxy/report/record.h"

struct access_log;
struct access_buffer;

/* What the writing thread has to say; each may be NULL. */
struct access_calls {
	void (*full)(void *arg);                   /* the file is */
	void (*tell)(void *arg, const char *text); /* lines are lost, or were */
	void *arg;
};

/* access_open: calls may be NULL.
 * access_reopen goes over to what is wanted now (SIGHUP: the file was rotated);
 * lines that were written in another format still go to where that was. */
int access_open(const struct log_want *want, const struct access_calls *calls,
	struct access_log **out, char *err, size_t err_size)
	__attribute__((warn_unused_result));
int access_reopen(struct access_log *log, const struct log_want *want,
	char *err, size_t err_size) __attribute__((warn_unused_result));

/* access_close writes out what was handed over, then ends; not waiting for ever
 * where nobody reads what it writes. */
void access_close(struct access_log *log);

/* access_dropped counts the lines that were lost since it was opened. */
uint64_t access_dropped(struct access_log *log);

struct access_buffer *access_buffer_new(struct access_log *log);
void access_buffer_free(struct access_buffer *buffer); /* flushes */

void access_write(struct access_buffer *buffer, const struct record *record);

/* access_pending: lines wait to be handed over. */
bool access_pending(const struct access_buffer *buffer);

/* access_flush hands over what there is; the worker calls it by a timer. */
void access_flush(struct access_buffer *buffer);

#endif
