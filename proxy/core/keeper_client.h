/*
 * keeper_client.h - asking a keeper that is another process.
 *
 * Its link (keeper_link.h) sends a frame and waits for the answer. There are
 * two ways, so that a signature does not wait for the making of a key. When the
 * keeper has died, who asks waits a little for the next one, which the
 * supervisor starts; that one holds no keys until they have been given to it
 * again, and who wants a leaf signed waits for that too.
 *
 * Threads: any.
 */
#ifndef PROXY_CORE_KEEPER_CLIENT_H
#define PROXY_CORE_KEEPER_CLIENT_H

#include "pki/keeper_link.h"
#include "proxy/core/channel.h"

struct keeper_client;

/* keeper_client_new: source is where the passphrase is from; copied. deaf is
 * called, on any thread, when a keeper that is there does not answer: for half a
 * minute, or for five where a key is to be made. NULL: nobody wants to know. */
struct keeper_client *keeper_client_new(const char *source,
	void (*deaf)(void));
void keeper_client_free(struct keeper_client *client);

/* keeper_client_connect takes a socket to a keeper that has just started. */
void keeper_client_connect(struct keeper_client *client, enum asker way,
	int fd);

/* keeper_client_ready: it holds the keys that leaves are signed with. */
void keeper_client_ready(struct keeper_client *client);

const struct keeper_link *keeper_client_link(
	const struct keeper_client *client);

#endif
