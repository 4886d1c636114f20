/*
 * keeper_child.h - the keeper, as the supervisor has it: started, told the
 * passphrase and what it signs by, and ended.
 *
 * What it has counted outlives it: each keeper counts in the same memory.
 *
 * Owns:    the child, that memory.
 * Threads: one, and no others in the process: it forks.
 */
#ifndef PROXY_CORE_KEEPER_CHILD_H
#define PROXY_CORE_KEEPER_CHILD_H

#include <stddef.h>
#include <stdint.h>

#include "proxy/core/child.h"

struct handover;
struct passphrase;

struct keeper_child {
	struct child child;
	int tally;           /* memory that each keeper counts in */
	uint32_t num_rules;  /* that keepers were told, so many times */
};

/* keeper_child_prepare makes that memory, before the first start. */
int keeper_child_prepare(struct keeper_child *keeper, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* keeper_child_start starts one, which needs nobody else to go on. -1 and errno:
 * it can't be started (there is no pid), or does not take what it is told. */
int keeper_child_start(struct keeper_child *keeper,
	const struct passphrase *passphrase, const struct handover *handover)
	__attribute__((warn_unused_result));

/* keeper_child_change has one that runs go by handover's rules from now on: the
 * worker is told to reload behind that, and must find it going by what it goes by
 * itself. One that is only slow will do so yet, which is told; -1: it is gone. */
int keeper_child_change(struct keeper_child *keeper,
	const struct handover *handover) __attribute__((warn_unused_result));

/* keeper_child_end: its channel's end tells it; a key that is being made may take a
 * while, but not for ever. */
void keeper_child_end(struct keeper_child *keeper);

#endif
