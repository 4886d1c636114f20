/*
 * portal.h - the pages by which people and programs come to use the proxy.
 *
 *	/                    what this is, how to trust it, a line for each tool
 *	/check               "is my traffic inspected?"
 *	/check?user          ... for who may use the proxy; others are asked for a
 *	                     user, as for any site
 *	/ca/root.pem .der    the root certificate
 *	/ca/root.mobileconfig   ... as a profile for Apple's systems
 *	/crl/ID.crl          what has been revoked
 *	/proxy.pac           where to go, for browsers and systems
 *
 * They are served at the magic host, at the CDP's URL, on the proxy listener and
 * on the admin listener, to everybody: nothing in them is secret, and nothing is
 * asked of who comes but how. (/check?user is another thing only at the magic host,
 * through the proxy in plain HTTP.)
 *
 * Owns:    a page's body, until portal_clear.
 * Threads: any.
 * Errors:  none; a path that is no page's is told from the others.
 */
#ifndef PROXY_PORTAL_PORTAL_H
#define PROXY_PORTAL_PORTAL_H

#include <stdbool.h>
#include <utstring.h>

#include "proxy/http/message.h"
#include "proxy/portal/html.h"

struct authority;
struct config;

#define MAGIC_HOST "sallyport.internal"

/* How a request came. */
enum portal_way {
	PORTAL_STRAIGHT,  /* to one of our listeners, as to any web server */
	PORTAL_PROXIED,   /* through the proxy, not in TLS */
	PORTAL_INSPECTED, /* in TLS that we ended, by a certificate we made */
};

struct portal_request {
	const struct config *config;
	const struct authority *authority;
	const char *proxy;   /* "host:port", where clients find it */
	enum portal_way way;
	struct slice path;   /* with or without a query */
	bool html;           /* for a browser; else text where there is such */
};

struct portal_page {
	const char *type;
	const char *file;      /* as what it is saved; NULL: it is shown */
	long long max_age;     /* seconds that it may be kept; 0: not at all */
	char policy[HTML_POLICY_SIZE]; /* of a page of HTML; else "" */
	UT_string body;        /* owned */
};

/* portal_open fills out, which portal_clear takes back; false: there is no such
 * page, and nothing to clear. */
bool portal_open(const struct portal_request *request, struct portal_page *out)
	__attribute__((warn_unused_result));
void portal_clear(struct portal_page *page);

#endif
