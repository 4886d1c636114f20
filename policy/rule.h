/*
 * rule.h - one rule, of either list: its criteria and what it asks for. For this
 * room.
 *
 * Owns:    its criteria.
 * Threads: immutable once made.
 */
#ifndef POLICY_RULE_H
#define POLICY_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/criteria.h"
#include "policy/policy.h"

enum rule_kind { RULE_SSL, RULE_URL };

struct rule {
	char name[RULE_NAME_SIZE];
	bool enabled;
	/* What it does lets traffic pass: a not that asks for what is not
	 * known excludes. */
	bool lets_pass;
	bool by_address; /* met by facts->address too: an SSL rule that blocks */
	struct criteria match, not ;
	const char *file; /* borrowed; "": nowhere */
	unsigned line;
	struct verdict_options options; /* of an SSL rule */
	struct url_options url;         /* of a URL rule */
	const char *isolation; /* borrowed: the host it leads to; NULL: none */
	uint16_t isolation_port;
};

/* Why a rule did not match. */
enum part { PART_ENABLED, PART_ISOLATION, PART_MATCH, PART_NOT };

struct reason {
	enum part part;
	enum criterion criterion; /* of match or not, as what follows */
	enum truth truth;         /* what it was */
};

/* rule_init makes rule of spec and takes what spec gives away. On failure rule
 * needs no clearing and nothing was taken. */
int rule_init(struct rule *rule, enum rule_kind kind,
	const struct rule_spec *spec, struct terms *terms, char *err,
	size_t err_size) __attribute__((warn_unused_result));
void rule_clear(struct rule *rule);

/* rule_matches says whether rule decides: it is enabled, does not isolate where the
 * host is a service for that, each criterion of match holds and none of not. name is
 * what is known by facts->host, address what is by facts->address, NULL where there
 * is none. *why is set where it does not; by the name, if both were asked. */
bool rule_matches(const struct rule *rule, const struct known *name,
	const struct known *address, struct reason *why);

#endif
