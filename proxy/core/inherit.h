/*
 * inherit.h - what the worker process gets from the supervisor.
 *
 * Threads: the main one.
 */
#ifndef PROXY_CORE_INHERIT_H
#define PROXY_CORE_INHERIT_H

#include <stddef.h>

#include "proxy/core/channel.h"

struct keeper_client;

/* The listening sockets of one worker thread, by enum listener_kind. */
struct inherited_fds {
	int *at;        /* owned, and each of them until it is taken */
	size_t num;
	size_t of_kind[NUM_LISTENER_KINDS];
};

struct inheritance {
	struct inherited_fds threads[WORKER_THREADS_MAX];
	struct inherited_fds admin;
	struct keeper_client *keeper;  /* owned */
	char *config;   /* owned: its path; NULL: no file */
	char *state;    /* owned: the state folder, as it can be reached */
	int state_fd;   /* owned */
};

enum inherit_event {
	INHERIT_NOTHING,
	INHERIT_START,
	INHERIT_RELOAD,
	INHERIT_REOPEN,  /* the log has been rotated */
	INHERIT_NO_RELOAD, /* one was asked for, and failed */
	INHERIT_KEEPER,  /* a new one, which holds nothing yet */
	INHERIT_END,     /* the supervisor has gone */
};

/* inherit_next waits for the next message and heeds it. */
enum inherit_event inherit_next(struct inheritance *inheritance);

/* inherit_threads is how many worker threads have sockets. */
unsigned inherit_threads(const struct inheritance *inheritance);

/* inherit_ready tells the supervisor. */
void inherit_ready(void);

/* inherit_reloaded tells it that a reload has ended, well or not. */
void inherit_reloaded(void);

/* inherit_full tells it that the log is. Any thread. */
void inherit_full(void);

void inherit_clear(struct inheritance *inheritance);

#endif
