/*
 * some_proxy.h - a proxy for a command: the one that runs, or one of its own.
 *
 * Owns:    the target, a folder for files, and the proxy it has started, until
 *          some_proxy_end.
 * Threads: the main one.
 * Errors:  OPTIONS_FINE, or what the program shall exit with; already told.
 */
#ifndef PROXY_CLI_SOME_PROXY_H
#define PROXY_CLI_SOME_PROXY_H

#include "proxy/cli/ephemeral.h"
#include "proxy/cli/target.h"
#include "proxy/cli/workbench.h"
#include "proxy/tools/kit.h"

struct some_proxy { /* zeroed: none */
	struct target target;
	struct ephemeral own;
	struct kit origins;
	struct workbench bench; /* for files */
};

/* some_proxy_find: command is the name to be told by; out is to be ended whatever the
 * result. */
int some_proxy_find(const struct target_order *order, const char *command,
	struct some_proxy *out) __attribute__((warn_unused_result));
void some_proxy_end(struct some_proxy *proxy);

#endif
