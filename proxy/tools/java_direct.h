/*
 * java_direct.h - what goes past the proxy, as Java wants it said.
 *
 * http.nonProxyHosts has no domains, ports or networks: it has names and addresses
 * between bars, with a star at the beginning or the end. A word of no_proxy,
 * "corp.example" or ".corp.example", which is that host and all below it, becomes
 * "corp.example|*.corp.example", and "10.0.0.0/8" "10.*". What can't be said so, as
 * a port, or a network that ends within an octet, is left out: it goes by the proxy.
 *
 * Threads: any.
 */
#ifndef PROXY_TOOLS_JAVA_DIRECT_H
#define PROXY_TOOLS_JAVA_DIRECT_H

/* java_direct is this machine itself, the words of before, a value of
 * http.nonProxyHosts, and those of no_proxy; either may be NULL. The caller frees it. */
char *java_direct(const char *before, const char *no_proxy);

#endif
