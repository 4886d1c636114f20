/*
 * client.h - one connection of the load: TCP, perhaps CONNECT, TLS, GET.
 *
 *	DIALLING ─► ASKED_TUNNEL ─► SHAKING ─► HEAD ─► BODY ─► RESTING
 *	    └──────── no CONNECT ──────┘          ◄── the next ──┘
 *
 * It counts what it did in a struct tally; when to begin again is load.c's to
 * say. Only HTTP/1.1 with a Content-Length is understood: what the origin of
 * the benchmark sends. Anything else is a failure, and a run with one does not
 * count.
 */
#ifndef BENCH_LOAD_CLIENT_H
#define BENCH_LOAD_CLIENT_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>

#include "bench/load/histogram.h"

struct plan { /* the same for all clients */
	struct sockaddr_in to;
	const char *host; /* SNI and Host; %05u in it becomes the site */
	const char *path;
	unsigned port;    /* that CONNECT names */
	bool connect;     /* CONNECT first; else TLS at once */
	bool resume;      /* sessions of the connection before */
	SSL_CTX *tls;
	int epoll;
};

struct tally {
	bool counting; /* the window is open */
	unsigned long requests, handshakes, resumed, failed, wrong_issuer;
	unsigned long lost_at_rest;
	unsigned long long body_bytes;
	/* from the request; from the dial, of a connection's first */
	struct histogram request_times, fresh_times;
	char first_failure[160];
};

enum stage { GONE, DIALLING, ASKED_TUNNEL, SHAKING, HEAD, BODY, RESTING };

struct client {
	const struct plan *plan;
	struct tally *tally;
	enum stage stage; /* GONE and RESTING: it is load.c's turn */
	int fd;
	unsigned interest;
	SSL *ssl;
	SSL_SESSION *session;
	char host[128];
	double dialled_s, asked_s;
	bool asked_before; /* on this connection */
	unsigned long long left; /* of the body */
	size_t head_len, in_at, in_len;
	char head[4096];
	char in[32 * 1024];
};

/* client_tls makes the context: TLS 1.3 or 1.2, X25519 or P-256, http/1.1. The
 * first handshakes are verified in full against the certificates of trust, host
 * name and all; of the others the issuer must be one of those seen then. */
SSL_CTX *client_tls(const char *trust);

void client_init(struct client *client, const struct plan *plan,
	struct tally *tally);

/* client_dial begins a new connection; site fills in the host's number. */
void client_dial(struct client *client, unsigned site);

/* client_ask sends the next request on a connection that rests. */
void client_ask(struct client *client);

/* client_step goes on after the socket became ready, as far as it can. */
void client_step(struct client *client);

void client_drop(struct client *client);

double client_now(void); /* seconds, monotonic */

#endif
