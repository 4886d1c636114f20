/*
 * sockets.h - what the proxy listens on: bound once, by who started it.
 *
 * The supervisor may bind what the worker may not, and holds the sockets so that
 * a worker that is started again finds its clients waiting. Each worker thread has
 * sockets of its own for the same addresses, the admin listener is one thread's.
 *
 * Owns:    the descriptors, until sockets_close.
 * Threads: one.
 * Errors:  a sentence that names the address, and who has it.
 */
#ifndef PROXY_CORE_SOCKETS_H
#define PROXY_CORE_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

#include "proxy/core/channel.h"

struct config;

/* A thread's are of three lists of 16 addresses at the most; that leaves some for the
 * admin listener's. */
enum { SOCKETS_MAX = WORKER_THREADS_MAX * 56 };

struct sockets {
	int at[SOCKETS_MAX];
	uint32_t numbers[SOCKETS_MAX]; /* listener_number of each */
	size_t num;
};

/* sockets_bind binds all that config names. An admin listener that nobody asked for
 * by name may be missing: that is only told. */
int sockets_bind(struct sockets *sockets, const struct config *config,
	char *err, size_t err_size) __attribute__((warn_unused_result));

/* sockets_tell gives a worker all of them through its channel. -1 and errno. */
int sockets_tell(const struct sockets *sockets, int channel)
	__attribute__((warn_unused_result));

/* sockets_close: a socket listens while anybody has it open, so that the worker's
 * closing it is the end from then on. */
void sockets_close(struct sockets *sockets);

#endif
