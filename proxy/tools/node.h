/*
 * node.h - which node knows of a proxy.
 *
 * NODE_USE_ENV_PROXY has fetch() and the modules http and https heed the variables,
 * from 22.21 and 24.5 on (from 24.0, fetch() alone); before that, each program
 * has to.
 *
 * Threads: any.
 */
#ifndef PROXY_TOOLS_NODE_H
#define PROXY_TOOLS_NODE_H

#include <stdbool.h>

/* node_knows_proxies takes what "node --version" prints, "v22.21.0"; true where that is
 * no version. */
bool node_knows_proxies(const char *version);

/* node_is: a program of that name, or path, is run by node. */
bool node_is(const char *program);

#endif
