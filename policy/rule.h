/*
 * rule.h - one rule: its criteria and what it asks for. For this room.
 *
 * Threads: immutable once made.
 */
#ifndef POLICY_RULE_H
#define POLICY_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

struct categories;

struct rule {
	char name[RULE_NAME_SIZE];
	bool enabled;
	const struct domains **categories; /* owned; the sets: the policy's */
	size_t num_categories;
	struct domains *hosts;    /* owned; NULL: not given */
	struct netset *sources;   /* owned; NULL: not given */
	struct port_range *ports; /* owned */
	size_t num_ports;
	struct verdict_options options;
};

/* rule_init makes rule of spec and takes what spec gives away; the categories
 * it names must be in categories, which must outlive it. On failure rule needs
 * no clearing. */
int rule_init(struct rule *rule, const struct rule_spec *spec,
	const struct categories *categories, char *err, size_t err_size)
	__attribute__((warn_unused_result));

void rule_clear(struct rule *rule);

/* rule_matches says whether rule decides facts: it is enabled and each
 * criterion that it has been given holds. */
bool rule_matches(const struct rule *rule, const struct facts *facts);

#endif
