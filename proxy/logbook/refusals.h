/*
 * refusals.h - who refuses the proxy's certificate, gathered from the log.
 *
 * A program that pins its host's certificate, or does not trust our CA, breaks the
 * handshake off right after it has seen our certificate: with an alert that says
 * so, or by closing; some do all of the handshake and close then. People who close
 * a page, time limits and health checks do that last, too. So both are counted
 * apart, with what speaks against: handshakes broken off before there was a
 * certificate to see, and all connections in which the client sent something,
 * and so accepted it.
 *
 * A program is known by what it says of itself (User-Agent, of the CONNECT) and by
 * its TLS (JA4), on one client. What is not refused for its own sake does not
 * count: an origin's certificate that is passed on as not trusted, and
 * connections whose two names differ. Neither does there what the origin wants.
 *
 * Owns:    all its text. Threads: one.
 */
#ifndef PROXY_LOGBOOK_REFUSALS_H
#define PROXY_LOGBOOK_REFUSALS_H

#include "proxy/logbook/entry.h"
#include "proxy/logbook/marks.h"

enum {
	REFUSALS_MAX = 20000,
	REFUSALS_OF_CLIENT = 500, /* else one that makes up names has all */
	REFUSALS_APART_MS = 10 * 1000, /* of two moments */
	REFUSALS_SOON_MS = 2000,       /* right after the certificate */
};

enum refusal_how { /* by what */
	REFUSAL_BAD_CERTIFICATE,
	REFUSAL_CERTIFICATE_UNKNOWN,
	REFUSAL_UNKNOWN_CA,
	REFUSAL_SURE,         /* those above are for the certificate's sake */
	REFUSAL_OTHER_ALERT = REFUSAL_SURE,
	REFUSAL_RESET,
	REFUSAL_CLOSED,
	REFUSAL_UNUSED,
	REFUSAL_HOWS
};

/* What one program on one client did at one host. */
struct refusal {
	char *client, *host, *agent, *ja4; /* owned; "": not known */
	uint64_t by[REFUSAL_HOWS];
	uint64_t otherwise;  /* broken off without having seen it, or late */
	uint64_t wants;      /* times the origin wanted a client's certificate */
	bool asked;          /* a line of them was asked for */
	unsigned moments;    /* some seconds apart */
	int64_t first_ms, last_ms, moment_ms;
};

struct refusals_of; /* how many rows a client has */

struct refusals {
	struct refusal *at; /* owned */
	size_t num;
	uint32_t *index;    /* owned: a place in at and one, by hash */
	struct refusals_of *of; /* owned: by hash of the client */
	struct marks accepted;
	uint64_t left_out;  /* refusals for which there was no place */
	bool blind;         /* nor was there for what was accepted: nothing can
	                     * be said */
};

void refusals_open(struct refusals *refusals);
void refusals_close(struct refusals *refusals);

/* refusals_add wants all lines of the time that is asked about: what a program
 * accepted elsewhere matters. asked: this one is of those to be told of. */
void refusals_add(struct refusals *refusals, const struct entry *entry,
	bool asked);

const char *refusal_word(enum refusal_how how);
/* refusals_sure sums those that are for the certificate's sake, refusals_unsure the
 * others. */
uint64_t refusals_sure(const uint64_t by[REFUSAL_HOWS]);
uint64_t refusals_unsure(const uint64_t by[REFUSAL_HOWS]);

/* refusals_accepted: the program has accepted our certificate for this host, here
 * or, the same by all that is known of it, on another client. One that says what it
 * is, is known by that: many programs have the same TLS. */
bool refusals_accepted(const struct refusals *refusals,
	const struct refusal *refusal);

/* refusals_maybe_accepted: one has with the same TLS, on this client: what a program
 * says of itself in a CONNECT may not be what it says in requests. */
bool refusals_maybe_accepted(const struct refusals *refusals,
	const struct refusal *refusal);

/* refusals_trusts: it has accepted one for some host, on this client. */
bool refusals_trusts(const struct refusals *refusals,
	const struct refusal *refusal);

/* refusals_trusts_anywhere: or on any. */
bool refusals_trusts_anywhere(const struct refusals *refusals,
	const struct refusal *refusal);

/* refusals_anybody_accepted: some program has, for this host.
 * refusals_namesake_accepted: one has that calls itself the same, but for the
 * version. Whom a rule passes that goes by no more than that, they are passed,
 * too. */
bool refusals_anybody_accepted(const struct refusals *refusals,
	const struct refusal *refusal);
bool refusals_namesake_accepted(const struct refusals *refusals,
	const struct refusal *refusal);

#endif
