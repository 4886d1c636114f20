/*
 * exchange.h - one request and its response, between two codecs.
 *
 *	HEAD ──► ROUTE ──► ORIGIN ──► RELAY ──► OVER
 *	             └─ an answer of our own ────┘
 *
 * Waits for a request, has its host say where it goes, gets a connection
 * there, and passes both messages on as they come, either way at its own pace.
 * It knows nothing of HTTP/1's wire form, nor of the session it serves: that
 * one is its host (struct exchange_host).
 *
 * Owns:    the origin connection while it uses it, the answer it sends.
 * Threads: one.
 */
#ifndef PROXY_SESSION_EXCHANGE_H
#define PROXY_SESSION_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/report/reason.h"
#include "proxy/session/answer.h"
#include "proxy/session/codec.h"
#include "proxy/session/origin.h"

struct exchange;

enum route {
	ROUTE_ORIGIN,  /* exchange->want is filled, the head is made fit */
	ROUTE_ANSWER,  /* exchange->answer is filled */
	ROUTE_CONNECT, /* not an exchange: a tunnel is asked for */
	ROUTE_WAIT,    /* not known yet: ask again; never once timed_out */
};

struct exchange_host {
	/* Where does this request go? */
	enum route (*route)(void *host, struct exchange *exchange,
		struct head *head);
	/* A connection for exchange->want, owned by the exchange from now on but
	 * reporting to the host, which calls exchange_run then. */
	struct origin *(*get_origin)(void *host, struct exchange *exchange);
	/* May this READY connection's bytes be shown? REASON_OK, or why not. */
	enum reason (*judge_origin)(void *host, const struct origin *origin);
	/* Speak HTTP on it, to_head: a HEAD; the codec is the host's, until
	 * shut_origin. */
	struct codec *(*open_origin)(void *host, struct origin *origin,
		bool to_head);
	void (*shut_origin)(void *host);
	/* The connection is bound to this client (NTLM): hold it. */
	void (*hold_origin)(void *host, struct origin *origin);
	/* What a refusal's page should tell besides the reason. */
	void (*describe)(void *host, struct refusal *refusal);
	/* No other request is wanted on this connection. */
	bool (*ending)(void *host);
};

enum exchange_step {
	EXCHANGE_HEAD,   /* for a request */
	EXCHANGE_ROUTE,  /* for the host to know where it goes */
	EXCHANGE_ORIGIN, /* for a connection */
	EXCHANGE_RELAY,  /* for either side */
	EXCHANGE_OVER,
};

enum exchange_result {
	EXCHANGE_WAIT,    /* for more facts */
	EXCHANGE_NEXT,    /* done; another may follow */
	EXCHANGE_CLOSE,   /* done; the connection must end, in order */
	EXCHANGE_GONE,    /* the client went away between exchanges */
	EXCHANGE_CUT,     /* broken off: the client must not take it for whole */
	EXCHANGE_CONNECT, /* a tunnel is asked for; the head is in the codec */
	EXCHANGE_UPGRADED,/* bytes from now on; the origin is the host's to take */
};

struct exchange {
	enum exchange_step at;
	struct codec *client;          /* borrowed */
	const struct exchange_host *ops;
	void *host;
	struct services *services;

	struct origin *origin;         /* owned */
	struct codec *server;          /* the origin's side; NULL: not open */
	struct origin_want want;       /* set by route */
	char *other_name;              /* owned: that want may point at */
	char *location;                /* owned: where a redirection goes */
	struct answer answer;

	/* Facts of this exchange. */
	bool page;                     /* a refusal is to be HTML */
	bool to_head, upgrade_asked, old_client, replayable, retried;
	bool expects;                  /* the client waits for 100 (Continue) */
	bool request_ended, response_begun, response_ended, last;
	bool timed_out;                /* set by the host */
	bool asked_cert;               /* the origin wanted a certificate */
	struct origin_facts origin_facts;
	uint64_t asked_at;             /* origin's bytes_out, before it is asked */
	uint64_t bytes_in, bytes_out;  /* of bodies, from and to the client */
	enum reason reason;            /* OK, or why it failed */
	char *why;                     /* owned: words.h */
	unsigned status;
	uint64_t started_ms;
	char *url;                     /* owned: for the log */
	char *url_rule;                /* owned: that decided; NULL: none was
	                                * asked */
	enum url_action url_action;
	uint64_t url_asked;            /* generation of the rules; 0: not yet */
	char method[24];
};

void exchange_init(struct exchange *exchange, struct services *services,
	struct codec *client, const struct exchange_host *ops, void *host);
void exchange_clear(struct exchange *exchange);

/* exchange_run goes as far as the facts allow. */
enum exchange_result exchange_run(struct exchange *exchange);

/* exchange_next makes ready for another request after EXCHANGE_NEXT. */
void exchange_next(struct exchange *exchange);

/* What it would read: interest is derived from these. */
bool exchange_wants_client(const struct exchange *exchange);
bool exchange_wants_origin(const struct exchange *exchange);

/* exchange_refuse ends it with a page, from route. */
enum route exchange_refuse(struct exchange *exchange, enum reason reason,
	const char *why);

#endif
