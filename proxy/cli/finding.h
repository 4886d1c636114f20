/*
 * finding.h - how far a tool came, in the words of doctor's table.
 *
 * Threads: any.
 */
#ifndef PROXY_CLI_FINDING_H
#define PROXY_CLI_FINDING_H

#include <stdbool.h>

#include "proxy/cli/ask_tool.h"

struct finding {
	enum tool_answer answer;
	unsigned status; /* of TOOL_NOT_LET; 0: not known */
};

/* finding_say writes it: "works", "not let in: 407". */
enum { FINDING_WORDS = 32 };
void finding_say(struct finding finding, char out[FINDING_WORDS]);

/* finding_is_same: they are told in the same words. */
bool finding_is_same(struct finding a, struct finding b);

/* finding_means is what the words for an answer mean; NULL: just what they say. */
const char *finding_means(enum tool_answer answer);

#endif
