/*
 * child.h - a process that the supervisor starts, and starts again.
 *
 * Threads: one, and no others in the process: it forks.
 */
#ifndef PROXY_CORE_CHILD_H
#define PROXY_CORE_CHILD_H

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "proxy/core/identity.h"

/* A process that is started, and started again. */
struct child {
	const char *word;    /* the command, hidden from help */
	struct identity identity;
	pid_t pid;           /* 0: none */
	int channel;         /* owned; -1: none */
	time_t started;
	unsigned failures;   /* one after the other */
	time_t again;        /* when to start it, while there is none */
};

/* child_prepare finds this program, once, for all that is started. */
int child_prepare(char *err, size_t err_size) __attribute__((warn_unused_result));

/* child_start starts it by exec of this program with its word; what it is given
 * from then on goes through its channel. -1 and errno. */
int child_start(struct child *child) __attribute__((warn_unused_result));

/* child_forget: it has ended, status being what waitpid has said. */
void child_forget(struct child *child);
void child_tell_end(const struct child *child, int status);

/* child_rest says when to start it again: at once the first time, then later
 * and later while it does not live long. */
void child_rest(struct child *child);

/* child_now is the clock that again goes by. */
time_t child_now(void);

#endif
