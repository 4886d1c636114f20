/*
 * explain_dns.h - where a name leads, asked as the proxy asks: of origin.dns or
 * the servers of resolv.conf, and of the hosts file before.
 *
 * Threads: the main one, which waits.
 */
#ifndef PROXY_CLI_EXPLAIN_DNS_H
#define PROXY_CLI_EXPLAIN_DNS_H

#include "proxy/net/resolve.h"

/* explain_dns gives all addresses of name (normalized, or an address); servers as
 * resolver_new takes them. out->num is 0 where there are none, or nobody says. */
void explain_dns(const char *servers, const char *name, struct addresses *out);

#endif
