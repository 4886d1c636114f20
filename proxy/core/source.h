/*
 * source.h - what a configuration is made of: the text of its file, and the
 * policy version that goes over it.
 *
 * Kept beside what was made of it, since the file may be another by the time
 * that somebody asks, or changes the policy alone.
 *
 * Owns:    copies; source_clear.
 * Threads: one at a time.
 */
#ifndef PROXY_CORE_SOURCE_H
#define PROXY_CORE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "proxy/config/versions.h"

struct config;

struct source {                 /* zeroed is empty */
	char *name;             /* owned; of the file; NULL: there is none */
	char *text;             /* owned */
	size_t len;
	struct version version; /* number 0: the file's own policy */
	char *policy;           /* owned; NULL: as above */
	size_t policy_len;
	bool to_look;           /* as in config_source */
};

/* source_read reads the file called path (NULL: none), and the version that is
 * in force in the state folder. What is wrong is told to errors, -1. */
int source_read(const char *path, const char *state, struct source *out,
	FILE *errors) __attribute__((warn_unused_result));

/* source_with makes out of the same file, with another policy over it; NULL:
 * with none. */
void source_with(const struct source *source, const struct version *version,
	const char *policy, size_t len, struct source *out);

/* source_load is config_load_source of it; a policy without a number is called
 * "policy" there. */
int source_load(const struct source *source, struct config **out,
	FILE *errors) __attribute__((warn_unused_result));

/* source_told writes a sentence on the version that is in force, with whose each
 * list is then; false: it is the file's own. */
enum { SOURCE_TOLD = 512 };
bool source_told(const struct source *source, char out[SOURCE_TOLD]);

/* source_tell_way_out tells errors what to do where the policy that came by the
 * API is wrong, if there is one; state is the folder as people know it. */
void source_tell_way_out(const struct source *source, const char *state,
	FILE *errors);

void source_clear(struct source *source);

#endif
