/*
 * desk.h - the admin listener and the control socket: a thread of their own.
 *
 * What blocks (the store, the keeper) is done by its clerks, so that a key that
 * is being made holds up nobody's look at /healthz, and nobody's leaf. A listener
 * that is for this machine alone (loopback) speaks http, any other https.
 *
 * Owns:    its thread, its clerks, and the sockets it is given.
 * Threads: new and free on the main one; what it asks of its host comes from any.
 */
#ifndef PROXY_CORE_DESK_H
#define PROXY_CORE_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <utstring.h>

struct api_policies;
struct desk;
struct keeper_link;
struct leafkeys;
struct live_list;
struct snapshot;

struct desk_host {
	/* A reference to what is in force. */
	struct snapshot *(*snapshot)(void *arg);
	/* The CAs have changed: have everything go by them. */
	int (*changed)(void *arg, char *err, size_t err_size);
	/* Returns once the store has every leaf that has been signed. */
	void (*settle)(void *arg);
	/* Whether new connections are wanted. */
	bool (*serving)(void *arg);
	/* Writes the text of /metrics. */
	void (*metrics)(void *arg, UT_string *out);
	/* Fills list: see api_world. */
	void (*live)(void *arg, struct live_list *list);
	const struct api_policies *policies;
	void *arg;
};

/* The control socket, in the state folder. */
#define DESK_CONTROL "control.sock"

struct desk_order {
	struct desk_host host;
	const int *fds;             /* bound, one an address; taken */
	size_t num_fds;
	const char *state;          /* the folder, as it is reached; borrowed */
	const struct keeper_link *link;
	const struct leafkeys *keys;
};

/* desk_new makes STATE/admin-token where there is none and STATE/control.sock,
 * and starts. */
int desk_new(const struct desk_order *order, struct desk **out, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* desk_free ends it, waiting for what is being done. NULL is none. */
void desk_free(struct desk *desk);

#endif
