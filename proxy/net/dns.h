/*
 * dns.h - c-ares on a libuv loop.
 *
 * For resolve.c alone: one question, one family, one answer. c-ares' sockets
 * are watched by the loop, its timeouts (2 s a try, two tries a server) looked
 * at ten times a second while questions are out.
 *
 * Threads: one, the loop's.
 */
#ifndef PROXY_NET_DNS_H
#define PROXY_NET_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "proxy/net/names.h"

struct dns;

struct query { /* embedded in the one who asks; zeroed */
	struct half half; /* the answer */
	bool out;         /* asked, not answered */
	void (*answered)(struct query *query);
	struct dns *dns;  /* private */
	int family;       /* private */
};

/* dns_new: servers as resolver_new takes them. */
int dns_new(uv_loop_t *loop, const char *servers, struct dns **out, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* dns_close ends it; nothing is answered any more. closed is called once the
 * loop holds nothing of it. Not to be called from inside answered. */
void dns_close(struct dns *dns, void (*closed)(void *arg), void *arg);

/* dns_ask asks the servers. query is borrowed until answered is called, which
 * may be from inside, or dns_close. */
void dns_ask(struct dns *dns, const char *name, int family,
	struct query *query);

/* dns_hosts looks in the hosts file, for both families; false: not there. */
bool dns_hosts(struct dns *dns, const char *name, struct half *v6,
	struct half *v4);

#endif
