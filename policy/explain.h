/*
 * explain.h - why a rule decided: the same walk as policy_decide, told aloud.
 *
 * Every rule down to the one that decides is told, in order, with the first
 * criterion that did not hold. The live decision asks the same function about the
 * same rules; it only passes over those that can't match (shortlist.h).
 *
 * Threads: any.
 */
#ifndef POLICY_EXPLAIN_H
#define POLICY_EXPLAIN_H

#include "policy/policy.h"

enum { BECAUSE_SIZE = 320 };

/* What the rule asked for, and facts do not have. */
enum unsure {
	UNSURE_NOTHING,
	UNSURE_SOURCE,
	UNSURE_DESTINATION,
	UNSURE_CERTIFICATE,
	UNSURE_OTHER,
};

struct tried {
	const char *rule;
	const char *file; /* "": nowhere */
	unsigned line;
	bool matched;
	/* With that it might have come out otherwise. */
	enum unsure unsure;
	/* Where it did not: `user "ann" is in none of the groups developers`.
	 * Shown text alone, one line. */
	char because[BECAUSE_SIZE];
};

typedef void explain_tried(void *arg, const struct tried *tried);

/* explain_ssl and explain_url decide as policy_decide and policy_decide_url do,
 * and tell of each rule: of a destination that holds others (embedded.h), as the one
 * of them has it that counts. */
void explain_ssl(const struct policy *policy, const struct facts *facts,
	explain_tried *tell, void *arg, struct decision *out);
void explain_url(const struct policy *policy, const struct facts *facts,
	explain_tried *tell, void *arg, struct url_decision *out);

/* explain_categories tells the names of the categories that facts are in: by host
 * for SSL rules (by_url false), by URL for URL rules. */
void explain_categories(const struct policy *policy,
	const struct facts *facts, bool by_url,
	void (*tell)(void *arg, const char *name), void *arg);

#endif
