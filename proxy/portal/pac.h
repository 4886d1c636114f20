/*
 * pac.h - the PAC file: JavaScript that tells a browser where to go.
 *
 * All goes to the proxy but this machine itself, names without a dot, and what
 * portal.direct lists. Sites that are not inspected go through it too: they are
 * decided, counted and logged as others are.
 *
 * Threads: any.
 */
#ifndef PROXY_PORTAL_PAC_H
#define PROXY_PORTAL_PAC_H

#include <utstring.h>

struct config;

/* pac_write: proxy is "host:port". */
void pac_write(UT_string *out, const struct config *config, const char *proxy);

#endif
