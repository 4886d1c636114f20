/*
 * answer.h - what Sallyport itself says: refusals, and the portal's pages.
 *
 * Refusals are made from reasons.def: a page for people, Sallyport-Error and
 * Proxy-Status (RFC 9209) for programs. Own pages are the portal's (portal.h), at
 * the magic host sallyport.internal, at the CDP's URL and on our listeners;
 * nothing else is open to all.
 *
 * Owns:    head and body, until answer_clear.
 * Threads: one.
 */
#ifndef PROXY_SESSION_ANSWER_H
#define PROXY_SESSION_ANSWER_H

#include <stdbool.h>
#include <stdint.h>
#include <utstring.h>

#include "proxy/http/message.h"
#include "proxy/portal/portal.h"
#include "proxy/report/reason.h"

struct snapshot;

struct answer {
	struct head *head; /* owned; NULL: empty */
	UT_string body;
};

/* What a refusal tells besides its reason; any may be NULL. */
struct refusal {
	enum reason reason;
	const char *host;
	const char *url, *user; /* NULL: not known yet, nobody */
	const char *rule;
	const char *why;
	bool own;          /* a page of ours was asked for */
	const char *location; /* of a redirection */
	const char *realm; /* of a 407 */
	bool page; /* HTML for a browser, else text */
};

void answer_refuse(struct answer *answer, const struct refusal *refusal);

struct own_request {
	struct slice method, path;
	const char *proxy; /* "host:port", where clients find it: whereabouts.h */
	enum portal_way way;
	bool page; /* as in struct refusal */
	bool html; /* for a browser: the client names HTML (answer_names_html) */
};

/* answer_names_html: an Accept field has HTML by its name. Browsers' do; curl, git,
 * wget and npm take anything, others send none. */
bool answer_names_html(struct slice accept);

/* answer_own gives the page at path, or the refusal 404 or 405. Returns the
 * reason it stands for. */
enum reason answer_own(struct answer *answer, const struct snapshot *snapshot,
	const struct own_request *request);

void answer_clear(struct answer *answer);

#endif
