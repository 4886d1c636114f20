/*
 * dress.h - the files and the variables for one target, made together.
 *
 * Owns:    all of it; the files stay where they are.
 * Threads: the main one.
 * Errors:  OPTIONS_FINE, or what the program shall exit with; already told. What had
 *          to be left out is told, too, and that the proxy wants another user.
 */
#ifndef PROXY_CLI_DRESS_H
#define PROXY_CLI_DRESS_H

#include "proxy/cli/target.h"
#include "proxy/tools/environment.h"
#include "proxy/tools/kit.h"

struct dress {
	struct kit kit;
	struct environment env;
};

/* dress_make writes the files to the folder, which is open at that descriptor; target
 * has a root. out is to be cleared whatever the result. */
int dress_make(const struct target *target, const char *folder, int at,
	char *const *before, struct dress *out)
	__attribute__((warn_unused_result));
void dress_clear(struct dress *dress);

/* dress_warn is a kit_order's told, as commands have it: on standard error. */
void dress_warn(void *arg, const char *what);

#endif
