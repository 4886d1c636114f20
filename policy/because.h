/*
 * because.h - why a rule did not match, in a sentence. For this room.
 *
 * "user dev1 is in none of the groups admins", "not: host a.test is in category
 * banks": the criterion and the facts, never what else the rule asks for.
 *
 * Threads: any.
 */
#ifndef POLICY_BECAUSE_H
#define POLICY_BECAUSE_H

#include "policy/explain.h"

struct known;
struct reason;
struct rule;
struct terms;

/* because writes the sentence to out. terms are those that rule was made with;
 * by_url says whether its list goes by URLs. */
void because(const struct terms *terms, const struct rule *rule,
	const struct known *known, const struct reason *reason, bool by_url,
	char out[BECAUSE_SIZE]);

#endif
