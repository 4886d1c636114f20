/*
 * record.h - what the access log says of one exchange or one tunnel.
 *
 * Filled as facts become known; a pointer that is NULL, a number that is zero
 * where zero says nothing, is left out of the line: log_fields.def has what is
 * made of them. Everything is borrowed for the length of access_write. Never
 * holds secrets: no header fields but User-Agent and the target's own, no bodies,
 * no user or password of a URL; its query, which log.redact keeps out.
 *
 * Owns:    nothing. Threads: one.
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
	RECORD_LOG,      /* of the log itself */
	RECORD_KINDS
};

/* Why the client's TLS came to nothing. */
enum client_failure {
	CLIENT_FAILURE_NONE,
	CLIENT_FAILURE_ALERT,      /* it sent one */
	CLIENT_FAILURE_RESET,
	CLIENT_FAILURE_CLOSED,     /* in order */
	CLIENT_FAILURE_TIMEOUT,
	CLIENT_FAILURE_NO_CIPHER,  /* none in common; of groups too */
	CLIENT_FAILURE_NO_VERSION, /* likewise */
	CLIENT_FAILURE_MALFORMED,
	CLIENT_FAILURE_REFUSED,    /* the certificate it showed us */
	CLIENT_FAILURE_UNUSED,     /* it did not fail, and nothing came in it */
};

struct record {
	enum record_kind kind;
	const struct sockaddr *client;
	bool transparent, proxy_tls; /* else the explicit listener */
	const char *location;      /* NULL: no name for where it is */
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
	const char *alpn;          /* alpn_len bytes: agreed on with the client */
	size_t alpn_len;
	const char *ja4;           /* of its hello; NULL: there was none */
	enum client_failure client_failure;
	const char *client_alert;  /* with CLIENT_FAILURE_ALERT */
	bool after_certificate;    /* ... the client had seen its certificate */
	const char *user_agent;    /* user_agent_len bytes */
	size_t user_agent_len;
	const char *connect_agent; /* the CONNECT's that an exchange came in */
	const char *origin_tls, *origin_cipher;
	enum reason untrusted;     /* of an origin let in; REASON_OK: it verified */
	unsigned origin_days;      /* its certificate is valid for; 0: not known */
	bool origin_wildcard;
	const char *leaf;          /* "cached", "forged" */
	bool client_resumed, origin_resumed, origin_reused;
	const char *method;        /* method_len bytes */
	size_t method_len;
	const char *url;           /* url_len bytes: scheme, host, path,
	                            * query */
	size_t url_len;
	unsigned status;
	uint64_t bytes_in, bytes_out; /* from and to the client */
	uint64_t ms, ms_origin;    /* the whole; getting an origin connection */
	uint64_t dropped;          /* lines, with RECORD_LOG */
};

#endif
