/*
 * explain_show.h - a walk told to people, and to programs.
 *
 * Threads: the main one.
 */
#ifndef PROXY_CLI_EXPLAIN_SHOW_H
#define PROXY_CLI_EXPLAIN_SHOW_H

#include <jansson.h>
#include <stdio.h>

struct config;
struct inquiry;
struct walk;

/* explain_text ends with the line "decision: OUTCOME by RULE". */
void explain_text(FILE *out, const struct config *config,
	const struct inquiry *inquiry, const struct walk *walk);

/* explain_json is the same as an object, the caller's; its members are told in the
 * manual. A pass that was not asked is null, and so are file and line of the
 * default. */
json_t *explain_json(const struct inquiry *inquiry, const struct walk *walk);

#endif
