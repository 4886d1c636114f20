/*
 * clerks.h - a few threads for what blocks, and a short line before them.
 *
 *	clerks_take ──► (the line) ──► job->work, on a clerk's thread
 *	                                   └──► job->done, on the loop
 *
 * libuv's own pool is the whole process's: whoever fills it holds up all others
 * that use it, signing for one.
 *
 * Owns:    its threads. A job is its maker's again at done.
 * Threads: one, the loop's.
 */
#ifndef PROXY_CORE_CLERKS_H
#define PROXY_CORE_CLERKS_H

#include <stdbool.h>

#include "proxy/net/loop.h"

struct clerks;

struct clerk_job { /* embedded in what is to be done */
	void (*work)(struct clerk_job *job);
	void (*done)(struct clerk_job *job); /* may free it */
	/* Private. */
	struct clerk_job *prev, *next;
	struct post post;
};

/* clerks_new starts num threads, before which at most most jobs wait. loop is
 * borrowed. */
struct clerks *clerks_new(struct loop *loop, unsigned num, unsigned most);

/* clerks_take: false, the line is too long. A job that is urgent goes to its
 * head, however long it is. */
bool clerks_take(struct clerks *clerks, struct clerk_job *job, bool urgent)
	__attribute__((warn_unused_result));

/* clerks_drop clears the line: each job in it is told done, without its work. */
void clerks_drop(struct clerks *clerks);

/* clerks_free waits for the work of every job; what is not done by then is if
 * the loop still runs. NULL is none. */
void clerks_free(struct clerks *clerks);

#endif
