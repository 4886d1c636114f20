/*
 * load.h - from a configuration file to a snapshot.
 *
 * Threads: any that may block.
 */
#ifndef PROXY_CORE_LOAD_H
#define PROXY_CORE_LOAD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "pki/authority.h"
#include "proxy/config/config.h"

struct snapshot;
struct trust;

/* What config names is wrong, which has been told to errors as config_load
 * tells mistakes. */
enum { LOAD_WRONG = 1 };

/* load_trust reads the roots that config names. */
int load_trust(const struct config *config, FILE *errors, struct trust **out)
	__attribute__((warn_unused_result));

/* load_authority_options fills out, which borrows from config and crl_base. */
void load_authority_options(const struct config *config,
	char crl_base[CRL_BASE_SIZE], struct authority_options *out);

/* load_snapshot takes config and opens what it names: roots and CAs. Where it
 * does not return 0 config is freed: LOAD_WRONG, or -1 and err says what
 * failed. */
int load_snapshot(struct config *config, uint64_t generation, FILE *errors,
	struct snapshot **out, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* load_lock takes STATE/lock for as long as the process lives. -1: somebody
 * has it, err says who. */
int load_lock(const char *state, char *err, size_t err_size)
	__attribute__((warn_unused_result));

#endif
