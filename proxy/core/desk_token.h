/*
 * desk_token.h - STATE/admin-token: who has it may do all.
 *
 * 64 letters and a newline; an administrator may write another there, of 32 to
 * 64 letters, while no proxy runs.
 *
 * Threads: one.
 */
#ifndef PROXY_CORE_DESK_TOKEN_H
#define PROXY_CORE_DESK_TOKEN_H

#include <stddef.h>

enum { DESK_TOKEN_SIZE = 2 * 32 + 2 };

/* desk_token_need reads it, or makes it where there is none, or nothing in it.
 * out is to be wiped. */
int desk_token_need(const char *state, char out[DESK_TOKEN_SIZE], char *err,
	size_t err_size) __attribute__((warn_unused_result));

#endif
