/*
 * reply.h - a response as a command takes it: the status and a bounded body.
 *
 * Threads: the main one.
 */
#ifndef PROXY_CLI_REPLY_H
#define PROXY_CLI_REPLY_H

#include <stddef.h>
#include <utstring.h>

struct h1_in;

enum reply_is { REPLY_SENSELESS = -1, REPLY_MORE, REPLY_WHOLE };

/* reply_heed takes what has come, up to end. A body of more than most bytes is
 * senseless. */
enum reply_is reply_heed(struct h1_in *in, const char *at, const char *end,
	UT_string *body, size_t most, unsigned *status);

#endif
