/*
 * reference.h - what a slow reading of the room's headers comes to, in a world
 * that was made up. It shares nothing with the room, not even the spelling of
 * hosts.
 */
#ifndef TESTS_UNIT_POLICY_REFERENCE_H
#define TESTS_UNIT_POLICY_REFERENCE_H

#include "tests/unit/policy/world.h"

/* reference_matches: would this rule decide, if it were asked? */
bool reference_matches(const struct world *world, unsigned list, unsigned num,
	const struct plain_facts *facts);

/* reference_first is the number of the rule that decides; the number of rules
 * where none does. */
unsigned reference_first(const struct world *world, unsigned list,
	const struct plain_facts *facts);

/* reference_action is what the rule that decides comes to, by reference_first:
 * an enum action or url_action. */
unsigned reference_action(const struct world *world, unsigned list,
	unsigned num, const struct plain_facts *facts);

#endif
