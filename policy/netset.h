/*
 * netset.h - a set of networks.
 *
 * "10.0.0.0/8", "192.0.2.7", "2001:db8::/32". IPv4-mapped IPv6 addresses are
 * looked up as IPv4. Host bits that are set beyond the prefix are an error:
 * they are a typing mistake that would silently mean another network.
 *
 * Threads: build on one thread; immutable after that.
 */
#ifndef POLICY_NETSET_H
#define POLICY_NETSET_H

#include <stdbool.h>
#include <stddef.h>

struct netset;
struct sockaddr;

struct netset *netset_new(void);
void netset_free(struct netset *netset);

/* netset_add adds one address or network. What is neither, or has host bits
 * set, is refused with a sentence in err. */
int netset_add(struct netset *netset, const char *network, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* netset_match says whether address (IPv4 or IPv6; anything else, and NULL,
 * is in no set) is in one of the networks. */
bool netset_match(const struct netset *netset, const struct sockaddr *address);

/* netset_within says whether all that is in one is in other, network by network: a
 * false may be wrong where several networks of other together hold one. */
bool netset_within(const struct netset *one, const struct netset *other);

#endif
