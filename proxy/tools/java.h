/*
 * java.h - the options by which a Java finds a trust store and the proxy.
 *
 * JAVA_TOOL_OPTIONS are read by every Java that starts, and divided at blanks; an
 * option with blanks goes in quotes. A user's name and password are not among
 * them: no property is for that.
 *
 * Threads: any.
 */
#ifndef PROXY_TOOLS_JAVA_H
#define PROXY_TOOLS_JAVA_H

#include <stdint.h>

struct java_aim {
	const char *store; /* path of the trust store; NULL: as it was */
	const char *host;  /* of the proxy; an IPv6 address without brackets */
	uint16_t port;
	const char *direct; /* no_proxy: what goes past it; NULL: nothing more */
	const char *past;   /* likewise, as http.nonProxyHosts has it */
};

/* java_options is what options were before (NULL: none) without trust store and
 * proxy, and with ours; what went past a proxy before still does. The caller frees
 * it. */
char *java_options(const char *before, const struct java_aim *aim);

/* java_without is the options without trust store and proxy; the caller frees it. NULL:
 * they have none of these. */
char *java_without(const char *options);

/* java_option is the value of a property that options set, "javax.net.ssl.trustStore";
 * the last where it is there more than once. The caller frees it; NULL: none. */
char *java_option(const char *options, const char *property);

/* java_roots is where the Java of this environment has its own roots, if there is
 * one; the caller frees it. home is JAVA_HOME, path PATH; either may be NULL. */
char *java_roots(const char *home, const char *path);

#endif
