/*
 * tools.h - tools.def, as a table: the programs of developers, and what each of them
 * needs.
 *
 * Whether a tool works is not what its command ends with, as what it asks for need
 * not exist: it works when its request has come out of the proxy.
 *
 * Threads: any; nothing changes.
 */
#ifndef PROXY_TOOLS_TOOLS_H
#define PROXY_TOOLS_TOOLS_H

#include <stddef.h>

enum tool_system { TOOL_LINUX, TOOL_MACOS, TOOL_WINDOWS, TOOL_SYSTEMS };

struct tool {
	const char *name;      /* as people call it: "node fetch" */
	const char *program;   /* what has to be there: "node" */
	const char *variables; /* those that count, a blank between */
	/* ask is a command for sh by which it asks for a URL, of which %s are all
	 * the places; it ends in a slash. "": none. */
	const char *ask;
	/* lines to copy, by which the tool itself is set up for good: {bundle} and
	 * {root} are the files, {host}, {port} and {proxy} (a URL) the proxy.
	 * "": the variables are all there is. */
	const char *lines[TOOL_SYSTEMS];
};

const struct tool *tools_all(size_t *out_num);

/* tools_fill puts text in the place of each {word}; the caller frees it. Words it does
 * not know stay. */
struct tools_words {
	const char *bundle, *root, *host, *port, *proxy;
};
char *tools_fill(const char *line, const struct tools_words *words);

#endif
