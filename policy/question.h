/*
 * question.h - facts as a list of rules asks about them: what is looked up once
 * for all of them. For this room.
 *
 * It lives on the stack of whoever decides, some 15 KB, of which only what the
 * policy has categories and rules for is touched.
 *
 * Owns:    nothing; borrows policy and facts.
 * Threads: one.
 */
#ifndef POLICY_QUESTION_H
#define POLICY_QUESTION_H

#include <stdint.h>

#include "policy/bits.h"
#include "policy/policy_private.h"

enum {
	CATEGORY_WORDS = BITS_WORDS(CATEGORIES_MAX),
	HOST_WORDS = BITS_WORDS(4 * RULES_MAX),
	RULE_WORDS = BITS_WORDS(RULES_MAX),
};

/* What a host is in. */
struct question_sets {
	uint64_t categories[CATEGORY_WORDS], hosts[HOST_WORDS];
};

struct question {
	const struct rule_list *list;
	struct known name, address; /* address: where asks_address */
	bool asks_address;
	bool left_out; /* a rule that question_first passed over would have matched
	                * but for its not, which holds the host */
	struct question_sets of_name, of_address;
	uint64_t perhaps[CATEGORY_WORDS];
	uint64_t rules[RULE_WORDS]; /* bits: those worth asking */
};

/* question_init looks up what the rules of list ask for. */
void question_init(struct question *question, const struct policy *policy,
	const struct rule_list *list, const struct facts *facts);

/* question_first returns the first rule that matches, NULL if none does. */
const struct rule *question_first(struct question *question);

/* question_ask asks one rule, as question_first does. */
bool question_ask(const struct question *question, const struct rule *rule,
	struct reason *why);

#endif
