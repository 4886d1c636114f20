/*
 * live.h - what a worker's connections are at, for people who wonder.
 *
 * Threads: live_list the worker's; what it gives, any.
 */
#ifndef PROXY_SESSION_LIVE_H
#define PROXY_SESSION_LIVE_H

#include <stddef.h>
#include <stdint.h>

#include "policy/host.h"

struct services;

enum { LIVE_USER = 64 };

struct live {
	uint64_t age_ms;              /* since CONNECT, or since it came */
	uint64_t step_ms;             /* likewise, of its step */
	char client[46];              /* its address */
	uint16_t client_port;
	const char *listener;         /* as in the access log */
	char user[LIVE_USER];         /* perhaps cut; "": nobody */
	char host[HOST_SIZE];         /* "": not known yet */
	uint16_t port;
	const char *step, *waits;     /* words; waits for what */
	uint64_t bytes_in, bytes_out; /* of the client's socket */
};

struct live_list {
	struct live *at;  /* room for most; the caller's */
	size_t num, most;
	size_t all;       /* how many there are */
};

/* live_list adds those of a worker to list, the oldest first, as far as there is
 * room. */
void live_list(const struct services *services, struct live_list *list);

#endif
