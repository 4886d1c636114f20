/*
 * routes.h - which call a method and a path mean: routes.def, as a table.
 *
 * A pattern's {id} is a number; {name} and {key} are any one piece of a path. A
 * path may have a slash behind it.
 *
 * Threads: any; nothing changes.
 */
#ifndef PROXY_ADMIN_ROUTES_H
#define PROXY_ADMIN_ROUTES_H

#include "proxy/http/message.h"

struct call;

enum access {
	ACCESS_OPEN,  /* no login: that is where one is made */
	ACCESS_READ,  /* anybody who has one */
	ACCESS_WRITE, /* who may write */
	ACCESS_LOCAL, /* commands on this machine alone */
};

struct route {
	const char *method, *pattern;
	void (*answer)(struct call *call);
	enum access access;
	const char *summary;
};

enum routes_found {
	ROUTES_FOUND,
	ROUTES_UNKNOWN,      /* nothing is at that path */
	ROUTES_OTHER_METHOD, /* something is, but not by that method */
};

struct routes_match {
	const struct route *route; /* of ROUTES_FOUND */
	struct slice part;         /* what stands for {…}; borrowed */
	const char *allow;         /* the methods of that path. Static */
	bool open;                 /* that path is where logins are made */
};

/* routes_find: HEAD is GET. */
enum routes_found routes_find(struct slice method, struct slice path,
	struct routes_match *out);

/* routes_nearest is the pattern that was probably meant; NULL: none. */
const char *routes_nearest(struct slice path);

#define ROUTE(method, pattern, handler, access, summary) \
	void handler(struct call *call);
#include "proxy/admin/routes.def"
#undef ROUTE

#endif
