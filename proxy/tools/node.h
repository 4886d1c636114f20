/*
 * node.h - which node uses a proxy by itself.
 *
 * NODE_USE_ENV_PROXY has fetch() and the modules http and https heed the variables,
 * from 22.21 and 24.5 on (from 24.0, fetch() alone); before that, each program has
 * to, as npm, yarn and pnpm do.
 *
 * Threads: any.
 */
#ifndef PROXY_TOOLS_NODE_H
#define PROXY_TOOLS_NODE_H

#include <stdbool.h>
#include <stddef.h>

/* What everybody is told of it, in the same words. */
#define NODE_RULE \
	"fetch() and https.request() of node use the proxy from 22.21 and " \
	"24.5 on (on 24.0 to 24.4 fetch() alone, on 23 neither)"
#define NODE_WAYS \
	"else \"node -r global-agent/bootstrap\" has https.request() use it, and " \
	"undici's EnvHttpProxyAgent fetch(): packages of npm"

enum node_reach { NODE_NONE, NODE_FETCH, NODE_ALL };

/* node_reach takes what "node --version" prints, "v22.21.0"; NODE_ALL where that is no
 * version. */
enum node_reach node_reach(const char *version);

/* node_version is what that program prints as its version; "" where that does not come
 * soon: it may be somebody's script that fetches one first. */
void node_version(const char *program, char *out, size_t size);

/* node_is: a program of that name, or path, is node itself. */
bool node_is(const char *program);

#endif
