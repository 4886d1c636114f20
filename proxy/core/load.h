/*
 * load.h - from a configuration file to a snapshot.
 *
 * Threads: any that may block.
 */
#ifndef PROXY_CORE_LOAD_H
#define PROXY_CORE_LOAD_H

#include <stddef.h>
#include <stdint.h>

struct config;
struct snapshot;

/* load_snapshot takes config and opens what it names: roots and CAs. On
 * failure config is freed and err says what is wrong. */
int load_snapshot(struct config *config, uint64_t generation,
	struct snapshot **out, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* load_lock takes STATE/lock for as long as the process lives. -1: somebody
 * has it, err says who. */
int load_lock(const char *state, char *err, size_t err_size)
	__attribute__((warn_unused_result));

#endif
