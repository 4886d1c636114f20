/*
 * quota.h - how much of one thing each client may hold at a time.
 *
 * Names being looked up and addresses being dialled are bounded for all
 * together (resolve.h); without a share for each, one client that asks for dead
 * names could take them all. Counted by the client's address.
 *
 * Owns:    a count for each client that holds anything.
 * Threads: one, its worker's.
 */
#ifndef PROXY_SESSION_QUOTA_H
#define PROXY_SESSION_QUOTA_H

#include <stdbool.h>
#include <sys/socket.h>

struct quota;

/* A client's address as quotas count it: IPv4 as mapped, IPv6 by its /64, since
 * one machine has all of that. */
struct quota_client {
	unsigned char bytes[16];
};

void quota_client_of(const struct sockaddr *address,
	struct quota_client *out);

/* quota_address_of is the address itself: IPv6 whole. */
void quota_address_of(const struct sockaddr *address,
	struct quota_client *out);

struct quota *quota_new(unsigned max);
void quota_free(struct quota *quota);

/* quota_take takes one of client's share; false: it has none left. What was
 * taken is given back with quota_give. */
bool quota_take(struct quota *quota, const struct quota_client *client)
	__attribute__((warn_unused_result));
void quota_give(struct quota *quota, const struct quota_client *client);

#endif
