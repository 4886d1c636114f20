/*
 * ask_tool.h - have a tool ask for the canary, and judge how far it comes.
 *
 * It runs for TOOL_LIMIT_S at the most, in a session of its own without a terminal, so
 * that it asks nobody anything, in a folder of ours.
 *
 * Owns:    the process, and all it has started that stays in its group.
 * Threads: the main one.
 * Errors:  an answer like others.
 */
#ifndef PROXY_CLI_ASK_TOOL_H
#define PROXY_CLI_ASK_TOOL_H

#include <signal.h>

#include "proxy/cli/tap.h"

enum { TOOL_LIMIT_S = 30, TOOL_SAID = 8 * 1024 };

enum tool_answer {
	TOOL_WORKS,
	TOOL_DISTRUSTS, /* it came to TLS, and no farther */
	TOOL_PASSES_BY, /* it did not come to the proxy */
	TOOL_NOT_LET,   /* the proxy does not let it: the status says why */
	TOOL_TOO_LONG,
	TOOL_ABSENT,    /* it is not there after all, or a module it needs */
	TOOL_UNFIT,     /* what goes by its name has nothing to run: rustup's */
	TOOL_ANSWERS
};

struct tool_said {
	unsigned status;      /* of TOOL_NOT_LET */
	char line[TOOL_SAID]; /* what it said that tells most: one line */
};

/* ask_tool: stop is set when it shall end. */
struct tool_order {
	const char *command; /* for sh */
	const char *folder;  /* to run in */
	char **envp;
	struct tap *tap;
	const volatile sig_atomic_t *stop;
};

enum tool_answer ask_tool(const struct tool_order *order,
	struct tool_said *out);

#endif
