/*
 * rotation.h - a log that is full makes room for a new one.
 *
 * FILE becomes FILE.1, what was that FILE.2, up to as many as are kept; the
 * oldest goes. The supervisor does it, for the worker may not be allowed to: as
 * the worker where that can, else as root, in a folder that is out of the
 * worker's reach. What is asked for is done only to a file that is really full:
 * who asks can't make the old ones go.
 *
 * Threads: one.
 */
#ifndef PROXY_CORE_ROTATION_H
#define PROXY_CORE_ROTATION_H

#include <stdint.h>

#include "proxy/core/identity.h"

/* rotation_turn: path is of at least size bytes. 0: it is FILE.1 now, or not there at
 * all, and a new one is to be opened; -1: it is not full, or that could not be, which
 * is said. */
int rotation_turn(const char *path, uint64_t size, unsigned keep,
	const struct identity *worker) __attribute__((warn_unused_result));

#endif
