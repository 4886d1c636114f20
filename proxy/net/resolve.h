/*
 * resolve.h - names to addresses, by c-ares on the worker's own loop.
 *
 * Many names at once: a name whose server is dead holds up nobody else. Each
 * question is asked once however many wait for it, A and AAAA side by side
 * (RFC 8305, 3: AAAA is given at once, without A if need be; when A is in and
 * AAAA is not, waits 50 ms more). Answers are kept as long as their TTL says
 * (1 s to 5 min), "no such name" for 5 s, failures for 1 s, at most 4,096
 * names; at most 1,024 questions are under way, any more fail. Literal
 * addresses resolve to themselves, names of the hosts file as it says;
 * "localhost" and all below it to loopback (RFC 6761).
 *
 * Owns:    the questions under way and the answers kept.
 * Threads: one; made and used on the loop's thread.
 */
#ifndef PROXY_NET_RESOLVE_H
#define PROXY_NET_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <uv.h>

struct resolver;

enum resolve_status {
	RESOLVE_OK,
	RESOLVE_NO_NAME,  /* it does not exist, or has no address */
	RESOLVE_FAILED,   /* the servers answered with a failure */
	RESOLVE_TIMEOUT,
};

enum { RESOLVE_MAX = 32 }; /* addresses kept of one answer */

struct addresses {
	/* Port 0. IPv6 first, in the order of RFC 6724; IPv4 as the server had
	 * them, since their order is how servers spread load. */
	struct sockaddr_storage at[RESOLVE_MAX];
	size_t num;
	bool partial; /* one family has not been answered yet */
};

struct resolve_waiter { /* embedded in the one who waits; zeroed at first */
	void (*resolved)(struct resolve_waiter *waiter,
		enum resolve_status status, const struct addresses *addresses);
	struct resolve_waiter *prev, *next; /* private */
	void *question;                     /* private; NULL: in no line */
	bool full;                          /* private */
};

/* resolver_new: servers is "addr:port,addr:port", or NULL for the system's
 * resolv.conf. */
int resolver_new(uv_loop_t *loop, const char *servers, struct resolver **out,
	char *err, size_t err_size) __attribute__((warn_unused_result));

/* resolver_close ends it; questions under way are given up, their waiters are
 * not called. closed is called when the loop holds nothing of it any more. */
void resolver_close(struct resolver *resolver, void (*closed)(void *arg),
	void *arg);

/* resolver_ask looks name up (normalized). Never calls resolved from inside:
 * even a kept answer comes on the next turn of the loop. full: do not answer
 * with one family while the other is out (who was given one and wants the
 * other asks again so). */
void resolver_ask(struct resolver *resolver, const char *name, bool full,
	struct resolve_waiter *waiter);

/* resolver_leave takes waiter out of line; resolved will not be called. Does
 * nothing when it is in none. */
void resolver_leave(struct resolve_waiter *waiter);

#endif
