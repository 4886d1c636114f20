/*
 * explain_walk.h - what the rules say to an inquiry, and how they came to it.
 *
 * Two passes: SSL rules, for https; then URL rules, of the whole URL where the
 * traffic is inspected, of the host alone where it is tunnelled. Where an inquiry
 * may be meant in several ways (CONNECT's host and the SNI, a path and its other
 * reading, each address that the host resolves to) each way is decided, and the
 * strictest counts, as the live proxy has it. An origin's certificate that the SSL
 * rule blocks ends it before the URL rules. What nothing was said of is taken to be
 * as it should: that certificate, the TLS of client and origin.
 *
 * Owns:    its own; borrows from the inquiry and the policy.
 * Threads: the main one.
 */
#ifndef PROXY_CLI_EXPLAIN_WALK_H
#define PROXY_CLI_EXPLAIN_WALK_H

#include "policy/explain.h"
#include "proxy/cli/explain_inquiry.h"
#include "proxy/report/reason.h"

struct config;

enum { PASS_WAYS = 2 * PATH_READINGS * INQUIRY_ADDRESSES };

/* One way to take the inquiry, and its decision. */
struct way {
	const char *host;
	const char *path;                   /* NULL: unknown, or no matter */
	const struct sockaddr *destination; /* NULL: unknown, or no matter */
	struct decision ssl;                /* of the SSL pass */
	struct url_decision url;            /* of the URL pass */
};

struct pass {
	bool asked;
	struct way ways[PASS_WAYS];
	size_t num;
	size_t counts;         /* the strictest, a place in ways */
	struct tried *tried;   /* owned: the walk of that one */
	size_t num_tried;
	unsigned unsure;       /* bits of enum unsure, of all ways */
};

struct categories_found {
	const char **names;    /* owned; the names are the policy's */
	size_t num;
};

struct walk {
	const char *user;      /* whom it is asked for; NULL: nobody */
	bool user_by_source;   /* ... since the address says so */
	bool asks_user;        /* the explicit proxy wants a user first: 407 */
	bool sni_is_host;      /* the address asked for is one of the SNI's: it
	                        * counts where a rule names it */
	bool unresolved;       /* rules ask where the host leads; nobody knows */
	struct categories_found by_host, by_url;
	struct pass ssl, url;
	bool tunnelled;        /* URL rules go by the host alone */
	bool untrusted;        /* the SSL rule blocks that certificate */
	const char *outcome;   /* "block", "isolate", "inspect", "allow" ... */
	const char *by;        /* the rule that says so */
	bool by_url_rule;      /* ... which is a URL rule */
	enum reason reason;    /* what keeps it from the origin; REASON_OK */
};

/* walk_rules asks config's sealed policy. inquiry's addresses are filled in where
 * rules ask for them and none is given. out is to be cleared. */
void walk_rules(const struct config *config, struct inquiry *inquiry,
	struct walk *out);
void walk_clear(struct walk *walk);

/* walk_unsure: a rule asked for what is not known here, but to the proxy; which, in
 * a sentence. NULL: none, and the proxy decides so. */
const char *walk_unsure(const struct walk *walk);

/* pass_rule is the rule that decides, with file and line; NULL: none does, it is
 * the default. */
const struct tried *pass_rule(const struct pass *pass);

/* pass_differs: not all ways lead to the same rule. */
bool pass_differs(const struct pass *pass, bool url_pass);

#endif
