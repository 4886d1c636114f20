/*
 * ca_ask.h - questions to a person, by standard output and input.
 *
 *	Organization [Example]: _
 *
 * An empty line is the answer that stands in brackets.
 *
 * Threads: the main one.
 */
#ifndef PROXY_CLI_CA_ASK_H
#define PROXY_CLI_CA_ASK_H

#include <stdbool.h>

enum { ASK_ANSWER = 512 };

/* ask offers what inout holds ("": nothing), and has the answer there. False:
 * nobody answers any more. */
bool ask(const char *question, char inout[ASK_ANSWER])
	__attribute__((warn_unused_result));

/* ask_yes is ask for yes or no, until it is one of them. */
bool ask_yes(const char *question, bool *inout)
	__attribute__((warn_unused_result));

#endif
