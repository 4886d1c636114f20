/*
 * worker.h - a thread with a loop of its own, its listeners and its sessions.
 *
 * A connection lives and dies on one worker. The main thread makes the workers
 * and talks to them by posts alone.
 *
 * Threads: new, start, join, flush and free on the main thread; the rest any.
 */
#ifndef PROXY_CORE_WORKER_H
#define PROXY_CORE_WORKER_H

#include <stddef.h>

struct access_log;
struct services;
struct shared;
struct snapshot;
struct tally;
struct worker;

struct worker_order {
	struct shared *shared;     /* borrowed */
	struct snapshot *snapshot; /* shared */
	struct access_log *log;    /* borrowed */
	/* Bound sockets: num_proxy of listen.proxy, then num_transparent of
	 * listen.transparent, then those of listen.proxy-tls; taken. The file may
	 * have come to say otherwise since they were opened. */
	const int *fds;
	size_t num_fds, num_proxy, num_transparent;
	unsigned max_connections;
	/* Tells, from the worker's thread, that it has drained. */
	void (*ended)(void);
};

/* worker_new opens everything a worker needs. -1, with a sentence in err: *out
 * is half made, what it has open stays open, and the process is to end. */
int worker_new(const struct worker_order *order, struct worker **out,
	char *err, size_t err_size) __attribute__((warn_unused_result));

void worker_start(struct worker *worker);

/* worker_tally is what it has counted. Any thread. */
const struct tally *worker_tally(const struct worker *worker);

/* worker_adopt_all hands them a new snapshot, and waits until each goes by it or
 * has ended. */
void worker_adopt_all(struct worker *const *workers, size_t num,
	struct snapshot *snapshot);

/* worker_look has look called with arg on the worker's thread, between two turns of
 * its loop, and waits for that; not at all where it has ended. */
void worker_look(struct worker *worker,
	void (*look)(const struct services *services, void *arg), void *arg);

/* worker_drain closes its listeners and ends once its sessions have, at the
 * latest after the time the configuration gives; worker_stop ends them now. */
void worker_drain(struct worker *worker);
void worker_stop(struct worker *worker);

/* worker_flush hands over what it still has for the log, after worker_join. */
void worker_flush(struct worker *worker);

/* worker_join waits until it has ended, after worker_drain or worker_stop. Only
 * then worker_free: a worker that did not end still has handles open, and
 * freeing it would wait for them without end. */
void worker_join(struct worker *worker);
void worker_free(struct worker *worker);

#endif
