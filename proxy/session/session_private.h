/*
 * session_private.h - a session's inside, for the files that are its steps.
 *
 *	explicit      ┌──────────────────────────────────────────────┐
 *	──► SERVE ────┤ CONNECT                                      │ HTTP
 *	              ▼                                              │
 *	──► PEEK ──► RESOLVE ──► DECIDE ──► LEAF ──► FORGE ──► HANDSHAKE ──► INSIDE
 *	transparent │              │                                 │
 *	            └──────────────┴──► TUNNEL ──► RELAY ◄───────────┘ not HTTP
 *
 * All end in LINGER (what was said must arrive) or CLOSE.
 *
 * Callbacks state facts (bytes in hand, origin's state, a leaf) and call
 * session_run; steps look at the facts and go on, wait or fail; what to read and
 * when to wake up is derived afterwards (attention.h). Lifetime is a count of
 * open handles and of requests that can't be called off.
 */
#ifndef PROXY_SESSION_SESSION_PRIVATE_H
#define PROXY_SESSION_SESSION_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "policy/host.h"
#include "policy/policy.h"
#include "proxy/config/config.h"
#include "proxy/net/address.h"
#include "proxy/net/first_line.h"
#include "proxy/net/hello.h"
#include "proxy/net/resolve.h"
#include "proxy/net/sniff.h"
#include "proxy/net/stream.h"
#include "proxy/report/record.h"
#include "proxy/session/client_failure.h"
#include "proxy/session/client_tls.h"
#include "proxy/session/exchange.h"
#include "proxy/session/h1_side.h"
#include "proxy/session/leaves.h"
#include "proxy/session/services.h"
#include "proxy/session/words.h"

enum session_step {
	AT_SERVE,     /* HTTP, by exchanges */
	AT_PEEK,      /* what does the client speak? */
	AT_RESOLVE,   /* is CONNECT's address the SNI's? */
	AT_DECIDE,    /* tunnel, inspect, block */
	AT_TUNNEL,    /* a connection for bytes as they are */
	AT_LEAF,      /* cached, or the origin first */
	AT_FORGE,     /* somebody signs it */
	AT_HANDSHAKE, /* the client's */
	AT_INSIDE,    /* what is in the TLS? */
	AT_RELAY,     /* bytes both ways */
	AT_LINGER,    /* until what we said has arrived */
	AT_CLOSE,
};

enum wait {
	GO,
	WAIT_CLIENT,
	WAIT_DNS,
	WAIT_ORIGIN,
	WAIT_LEAF,
	WAIT_PEERS,
	WAIT_CLOSE,
};

/* Whose requests these are. */
enum realm {
	REALM_PROXY,     /* on the explicit listener */
	REALM_PLAIN,     /* plain HTTP in a tunnel */
	REALM_INSPECTED, /* inside forged TLS */
};

/* How it is known who uses a connection. */
enum known { BY_ADDRESS, BY_CERTIFICATE, BY_PASSWORD };

/* Bytes lent to a step during a callback; what it leaves is offered again. */
struct hand {
	const uint8_t *at;
	size_t len;
};

struct session {
	struct services *services;     /* borrowed */
	struct session *prev, *next;   /* services->sessions */
	enum session_step at;
	enum wait wait;
	bool running, again, timed_out, closing;
	uint64_t flushed_ms;           /* AT_LINGER: all has been sent */
	unsigned refs;
	uv_timer_t timer;
	uint64_t started_ms, entered_ms, due_ms, head_since_ms;

	/* The client. */
	struct stream client;
	union address peer;
	union address local;           /* our end; zeroed: an outer has it */
	bool transparent, client_local, allowed;
	bool counted;                  /* in services->connections */
	bool inner;                    /* of an outer, which is counted */
	struct hand hand;

	/* Who uses it. */
	struct certified *certified;   /* owned: by the listener's TLS; NULL:
	                                * it showed no certificate */
	char *user;                    /* owned: who asks; NULL: nobody */
	enum known known;              /* ... and how that is known */
	uint64_t known_of;             /* ... of which generation's users */
	struct login *login;           /* owned: who.c */
	char *user_agent;              /* owned: CONNECT's */

	/* What it wants. */
	struct buffer peek;            /* owned: bytes not yet given on */
	uint64_t first_byte_ms;
	bool line_open;                /* what is relayed may yet be HTTP */
	struct first_line line;
	bool silent;                   /* said nothing for peek-timeout */
	struct hello *hello;           /* owned, until the handshake is over */
	char host[HOST_SIZE];          /* CONNECT's; transparent: where to */
	uint16_t port;
	bool host_is_address, has_original, tunnel, joined;
	union address original;        /* transparent: where it was going */
	char ja4[JA4_SIZE];            /* of its hello; "": there was none */
	char sni[HOST_SIZE];           /* normalized; "": none */
	const char *name;              /* what it is shown: sni or host */
	struct resolve_waiter dns;
	bool dns_asked, dns_done, dns_counted, sni_is_host, sni_looked_up;
	struct addresses *found;       /* owned: by the look-up; NULL: nothing */
	/* Where it would be dialled, once a rule asks for that; no other address
	 * is. Of that name; NULL: not asked. */
	struct addresses *destinations; /* owned */
	char *destinations_of;         /* owned: words.h */

	/* What was decided. */
	enum realm realm;
	bool own_pages;                /* the magic host */
	bool decided, names_differ;
	struct decision decision;
	char *url_rule;                /* owned: of a tunnel; NULL: none asked */
	enum url_action url_action;
	uint64_t generation;           /* of the snapshot that decided */
	enum reason deny;              /* inspected: every request gets its page */
	char *deny_why;                /* owned: words.h */
	enum reason untrusted;         /* of the origin it was denied for: what the
	                                * rule let in all the same */

	/* The origin, when no exchange has it. */
	struct origin *origin;         /* owned */
	struct hand origin_hand;
	bool origin_spoke;

	/* The leaf. */
	struct leaf_request *leaf;     /* owned, until there is a site */
	bool leaf_pending, leaf_forged, leaf_cached;
	enum leaf_outcome outcome;
	struct site *site;             /* owned */
	bool handshake_begun;
	struct client_tls_end client_end;
	struct alpn_answer alpn;       /* to the client */
	uint8_t *alpn_name;            /* owned: the origin's choice */
	uint8_t *origin_alpn;          /* owned: offered to the origin */
	size_t origin_alpn_len;
	struct origin_want want;       /* of what is inspected; tls: it is set */

	/* HTTP. */
	struct h1_side front;          /* in use while front.in is there */
	struct h1_side back;           /* the origin's; exchange.server */
	struct exchange exchange;

	/* The log. */
	enum record_kind kind;
	enum reason reason;
	char *why;                     /* owned: words.h */
	bool logged;
};

/* --- session.c ---------------------------------------------------------- */

void session_run(struct session *s);

/* session_go moves on to a step. */
enum wait session_go(struct session *s, enum session_step at);

/* session_fail ends the connection for a reason; the first one counts. */
enum wait session_fail(struct session *s, enum reason reason,
	const char *why);

/* session_forget_origin drops a connection that is of no use to what the client
 * does next. */
void session_forget_origin(struct session *s);

/* session_want is a connection for this client to host:port, in plain. */
void session_want(const struct session *s, const char *host, uint16_t port,
	struct origin_want *out);

/* session_unref lets go of one count. */
void session_unref(struct session *s);

/* session_eat takes len of the client's bytes in hand. */
void session_eat(struct session *s, size_t len);

extern const struct origin_ops session_origin_ops;

static inline const struct sockaddr *address_at(const struct addresses *all,
	size_t i)
{
	return (const struct sockaddr *)&all->at[i];
}

static inline uint64_t session_now(const struct session *s)
{
	return loop_now(s->services->loop);
}

static inline const struct config *session_config(const struct session *s)
{
	return s->services->snapshot->config;
}

static inline enum tally_listener session_listener(const struct session *s)
{
	return s->transparent ? TALLY_TRANSPARENT : TALLY_PROXY;
}

static inline bool origin_is(const struct origin *origin,
	enum origin_state state)
{
	return origin && origin->state == state;
}

/* --- the steps ---------------------------------------------------------- */

enum wait step_serve(struct session *s);     /* serve.c */
enum wait step_peek(struct session *s);      /* peek.c */
enum wait step_resolve(struct session *s);   /* decide.c */
enum wait step_decide(struct session *s);
enum wait step_leaf(struct session *s);      /* intercept.c */
enum wait step_forge(struct session *s);
enum wait step_handshake(struct session *s);
enum wait step_inside(struct session *s);    /* peek.c */
enum wait step_tunnel(struct session *s);    /* tunnel.c */
enum wait step_relay(struct session *s);

/* serve.c: begin to serve HTTP on the client's stream. */
enum wait serve_begin(struct session *s, enum realm realm);

/* who.c: who asks. WHO_REFUSED: *out is what route is to return. */
enum who { WHO_KNOWN, WHO_WAIT, WHO_REFUSED };
enum who who_asks(struct session *s, struct exchange *x,
	const struct head *head, enum route *out);
/* who_comes knows a client by its address, where nothing better is known. */
void who_comes(struct session *s);
/* who_is_gone: after a reload, who used it is not one of the users any more, or not
 * in that way: the password or the certificate is no longer good, another user comes
 * from that address, or nobody may who was nobody. */
bool who_is_gone(const struct session *s);
/* who_stays: who used it still may, until the next reload. A nobody may be somebody
 * from now on. */
bool who_stays(struct session *s);
/* who_forget calls off what who_asks waits for. */
void who_forget(struct session *s);

/* urls.c: what the URL rules say. A request: ROUTE_ORIGIN where it may go on.
 * late: of one whose origin is known, if there is a rule that must wait for
 * that. */
struct urls_asked {
	const char *scheme, *host; /* normalized */
	uint16_t port;
	struct slice path;         /* with its query, as it came */
};
enum route urls_route(struct session *s, struct exchange *x,
	const struct head *head, const struct urls_asked *asked);
enum reason urls_judge(struct session *s, const struct origin *origin);
/* urls_block_host: bytes to host are blocked, whatever is asked with them; then
 * the session's rule is noted. */
bool urls_block_host(struct session *s, const char *host);
/* urls_block_tunnel is urls_block_host of the names a tunnel was decided by,
 * unless its SSL rule bypasses URL rules. */
bool urls_block_tunnel(struct session *s);

/* route.c: exchange_host's route; host is the session. */
enum route route_request(void *host, struct exchange *x, struct head *head);

/* decide.c: what the rules say of a name at this port. */
void decide_name(const struct session *s, const char *name, bool tls,
	bool has_sni, struct decision *out);
/* decide_tls decides the connection by the name or names it gave. */
void decide_tls(struct session *s, struct decision *out);
/* decide_refuse_tls sends a fatal alert before any handshake (RFC 8446, 6), and ends
 * the connection. */
enum wait decide_refuse_tls(struct session *s, uint8_t alert,
	enum reason reason, const char *why);
/* decide_note: the session's decision has been made; a connection's counts once,
 * however often it is asked again. */
void decide_note(struct session *s);
/* decide_facts is what is known of the client. */
struct facts decide_facts(const struct session *s);
/* decide_host_is_blocked: CONNECT's host is, whatever is spoken there but TLS and
 * HTTP; *why. It is the session's decision once it is known that neither is. */
bool decide_host_is_blocked(struct session *s, struct decision *decision,
	enum reason *why);
bool decide_asks_destination(const struct session *s);
/* decide_find_destinations: true once it is known where host is to be dialled, or
 * that it can't be known; else it is being looked up. */
bool decide_find_destinations(struct session *s, const char *host,
	uint16_t port);
bool decide_is_magic(const char *name);
/* decide_forget_dns calls off the look-up of step_resolve, if there is one. */
void decide_forget_dns(struct session *s);

/* intercept.c: the origin this session was decided for. */
struct origin_want *intercept_want(struct session *s);
void intercept_get_origin(struct session *s);
enum reason intercept_judge(struct session *s, const struct origin *origin);
/* intercept_undecryptable remembers that this session's origin, verified, wants
 * a client certificate; not where the client named two sites. */
void intercept_undecryptable(struct session *s);
bool intercept_is_undecryptable(const struct session *s);

/* tunnel.c: a plain connection to where the client wants to go. */
void tunnel_dial(struct session *s);

/* journal.c: the access log. */
void journal_exchange(struct session *s);
/* journal_cut writes the line of an exchange that is under way as the session
 * ends. */
void journal_cut(struct session *s);
void journal_session(struct session *s);

#endif
