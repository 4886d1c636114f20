/*
 * record.h - what the access log says of one exchange or one tunnel.
 *
 * Filled as facts become known; a pointer that is NULL, a number that is zero
 * where zero says nothing, is left out of the line. Everything is borrowed for
 * the length of access_write. Never holds secrets: no header fields but the
 * target's own, no bodies, and the query of a URL never.
 */
#ifndef PROXY_REPORT_RECORD_H
#define PROXY_REPORT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "proxy/report/reason.h"

enum record_kind {
	RECORD_EXCHANGE, /* one request and its response */
	RECORD_TUNNEL,   /* bytes as they are */
	RECORD_RELAY,    /* decrypted, not HTTP; or after an upgrade */
	RECORD_REFUSED,  /* a connection that came to neither */
};

struct record {
	enum record_kind kind;
	const struct sockaddr *client;
	bool transparent, proxy_tls; /* else the explicit listener */
	const char *host;          /* of the destination */
	uint16_t port;
	const char *sni;
	const char *user;          /* NULL: nobody */
	const char *rule, *action; /* SSL rule that decided */
	const char *url_rule, *url_action; /* likewise */
	bool names_differ;         /* CONNECT's host and the SNI */
	enum reason reason;
	const char *why;           /* a sentence more than the reason's own */
	const char *client_tls, *client_cipher;
	const char *origin_tls, *origin_cipher;
	enum reason untrusted;     /* of an origin let in; REASON_OK: it verified */
	const char *leaf;          /* "cached", "forged" */
	bool client_resumed, origin_resumed, origin_reused;
	const char *method;        /* method_len bytes */
	size_t method_len;
	const char *url;           /* url_len bytes: scheme, host, path */
	size_t url_len;
	unsigned status;
	uint64_t bytes_in, bytes_out; /* from and to the client */
	uint64_t ms, ms_origin;    /* the whole; getting an origin connection */
};

#endif
