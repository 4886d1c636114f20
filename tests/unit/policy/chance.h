/*
 * chance.h - what tests by chance draw from: the same numbers again for the same
 * seed, so that a failure can be seen again.
 *
 * There is one sequence a program; no threads.
 */
#ifndef TESTS_UNIT_POLICY_CHANCE_H
#define TESTS_UNIT_POLICY_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

/* chance_start begins the sequence of this seed; without it, that of 0 runs. */
void chance_start(uint64_t seed);

/* chance draws one of 0 to num - 1; num is not 0. */
unsigned chance(unsigned num);
bool one_in(unsigned num);

#define PICK(pool) pool[chance(sizeof(pool) / sizeof(pool[0]))]

#endif
