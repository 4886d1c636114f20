/*
 * load.h - from a configuration to a snapshot.
 *
 * Threads: any that may block.
 */
#ifndef PROXY_CORE_LOAD_H
#define PROXY_CORE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "pki/authority.h"
#include "proxy/config/config.h"

struct mistakes;
struct settings;
struct snapshot;

/* What config names is wrong, which has been told to errors as config_load
 * tells mistakes. */
enum { LOAD_WRONG = 1 };

/* load_workers is how many worker threads there are to be. */
unsigned load_workers(const struct config *config);

/* load_settings takes config and reads all the files that it names: roots, those of
 * clients' certificates too, users and lists (lists.h). Lists that are as they were
 * in before (NULL: none) are not loaded again. What is wrong with single lines of
 * users and lists is a warning. LOAD_WRONG: config is freed. */
int load_settings(struct config *config, const struct settings *before,
	FILE *errors, struct settings **out)
	__attribute__((warn_unused_result));

/* How CAs are opened, besides what the configuration says. */
struct load_cas {
	const char *state;              /* the folder, as it can be reached */
	const struct keeper_link *link;
	const struct authority *before; /* NULL: none */
};

/* load_snapshot takes config and opens what it names: by load_settings, which has
 * before, and its CAs. Where it does not return 0 config is freed: LOAD_WRONG, or
 * -1 and err says what failed. */
int load_snapshot(struct config *config, const struct settings *before,
	uint64_t generation, const struct load_cas *cas, FILE *errors,
	struct snapshot **out, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* load_tell_no_ca: a rule names a CA that is not there. */
void load_tell_no_ca(const struct named_ca *named, struct mistakes *mistakes);

/* load_refresh opens the CAs anew, and gives old with them. */
int load_refresh(struct snapshot *old, const struct load_cas *cas,
	struct snapshot **out, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* load_has_store: there may be keys in the state folder. */
bool load_has_store(const char *state);

/* load_lock takes STATE/lock for as long as the process lives. -1: somebody
 * has it, err says who. */
int load_lock(const char *state, char *err, size_t err_size)
	__attribute__((warn_unused_result));

#endif
