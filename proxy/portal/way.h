/*
 * way.h - how a request came, and what that says of the traffic of who asks.
 *
 * A page that came in plain HTTP can't tell whether its reader trusts the root:
 * a script asks for the same in TLS and says so, and a link does without one.
 *
 * Threads: any.
 */
#ifndef PROXY_PORTAL_WAY_H
#define PROXY_PORTAL_WAY_H

#include "proxy/portal/anchor.h"

/* way_show writes what it says as HTML, way_tell in lines for a program. */
void way_show(UT_string *out, enum portal_way way);
void way_tell(UT_string *out, enum portal_way way, const struct anchor *root);

/* check_page is /check for people. */
void check_page(UT_string *out, enum portal_way way, const struct anchor *root);

/* The script of all pages, and what it asks for. */
extern const char way_script[];
#define WAY_REACH "https://" MAGIC_HOST

#endif
