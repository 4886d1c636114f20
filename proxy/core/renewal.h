/*
 * renewal.h - when the worker is to load anew what it goes by.
 *
 * Somebody wants it (SIGHUP), or a file has changed (watch.h). One follows the
 * other: while the worker is at one, what is wanted waits, and however much that
 * is, it is done once. Who is not through in time, while something waits for that, is
 * not expected to be any more.
 *
 *	if (renewal_next(r, now) & WATCHED_CONFIG) read the configuration, …
 *	renewal_hand(r);  open the files, send them
 *	renewal_ask(r, now);
 *	… renewal_done(r, now), or renewal_is_late(r, now)
 *
 * Owns:    its watcher.
 * Threads: one.
 */
#ifndef PROXY_CORE_RENEWAL_H
#define PROXY_CORE_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/core/watch.h"

struct handover;

enum { RENEWAL_MAX_MS = 30 * 1000 }; /* lists may be long, and machines busy */

struct renewal {
	struct watcher *watcher; /* owned */
	unsigned wanted;         /* enum watch_kind */
	bool busy;               /* the worker is at loading something */
	bool waiting;            /* ... and something waits for the end of that */
	uint64_t until_ms;       /* it is to be through; 0: it may take its time */
};

/* renewal_init: path of the configuration (NULL: none), which is read after it. */
void renewal_init(struct renewal *renewal, const char *path);
void renewal_clear(struct renewal *renewal);

/* renewal_watch has those files watched whose changes count: by reload.watch, of
 * those that handover has, and the configuration itself. */
void renewal_watch(struct renewal *renewal, const struct handover *handover);

/* renewal_want: all of it, whether or not it has changed. */
void renewal_want(struct renewal *renewal);

/* renewal_next is what is to be loaded now, as bits of enum watch_kind; which is
 * not wanted any more by that. That a file has changed is told on stderr. */
unsigned renewal_next(struct renewal *renewal, uint64_t now_ms);

/* renewal_reread: the configuration is read right after that. */
void renewal_reread(struct renewal *renewal);

/* renewal_hand: files are opened, for a worker to load, right after that. */
void renewal_hand(struct renewal *renewal);

/* renewal_ask: it has been asked to, and has so long for it. */
void renewal_ask(struct renewal *renewal, uint64_t now_ms);
void renewal_done(struct renewal *renewal, uint64_t now_ms);

/* renewal_is_late: it is not through, and was to be, since something waits; told
 * once. */
bool renewal_is_late(struct renewal *renewal, uint64_t now_ms);

/* renewal_wait_ms is when to ask again, at the latest, and may be before the
 * descriptor of its watcher has something; below 0: never. */
int renewal_wait_ms(const struct renewal *renewal, uint64_t now_ms);

#endif
