/*
 * criteria.h - what a rule's match, or its not, asks about. For this room.
 *
 * Each criterion is asked by itself and answers in three values: some of what is
 * asked about may not be known (facts.h). Names have become numbers, and hosts
 * and categories bits that were looked up once for all rules (question.h).
 *
 * Owns:    copies of what the spec has, and what criteria_take took.
 * Threads: immutable once made.
 */
#ifndef POLICY_CRITERIA_H
#define POLICY_CRITERIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/people.h"
#include "policy/policy.h"

struct catalog_builder;

/* In the order in which they are asked and told. */
enum criterion {
	CRITERION_CATEGORIES,
	CRITERION_HOSTS,
	CRITERION_USERS,
	CRITERION_GROUPS,
	CRITERION_SOURCES,
	CRITERION_DESTINATIONS,
	CRITERION_PORTS,
	CRITERION_USER_AGENTS,
	CRITERION_TIMES,
	CRITERION_METHODS,
	CRITERION_CERTIFICATES,
	CRITERIA,
};

#define CRITERION_BIT(criterion) (1u << (criterion))

enum truth { TRUTH_FAILS, TRUTH_UNKNOWN, TRUTH_HOLDS };

/* What the criteria of a policy refer to. */
struct terms {
	struct roster categories; /* a name's number is the category's */
	struct people people;
	struct catalog_builder *hosts; /* owned: of rules' own; NULL: none */
	unsigned num_hosts;            /* sets in it */
};

struct criteria {             /* zeroed: none given */
	unsigned given;       /* bits, CRITERION_BIT */
	unsigned *categories; /* owned, as all below; numbers, ascending */
	size_t num_categories;
	unsigned hosts;           /* a set's number */
	char *host;               /* one that is in it, at host_port */
	uint16_t host_port;       /* 0: at any */
	unsigned *users, *groups; /* numbers, ascending */
	size_t num_users, num_groups;
	struct netset *sources, *destinations;
	struct port_range *ports;
	size_t num_ports;
	char **user_agents, **methods;
	size_t num_user_agents, num_methods;
	struct window **times;
	size_t num_times;
	uint32_t certificates;
};

/* What facts come to, with host in the place of facts->host. */
struct known {
	const struct facts *facts;
	const char *host;
	const uint64_t *categories; /* bits: those it is in */
	const uint64_t *perhaps;    /* ... and those where the path, which is
	                             * not known, says */
	const uint64_t *hosts;      /* bits: rules' own sets */
	bool at_service;            /* a rule isolates to that host and port */
	struct person person;
};

/* criteria_init makes criteria of spec, but for what spec gives away; terms gets
 * users and hosts that are new. A failure leaves nothing to clear. */
int criteria_init(struct criteria *criteria, const struct criteria_spec *spec,
	struct terms *terms, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* criteria_take takes what spec gives away. */
void criteria_take(struct criteria *criteria, const struct criteria_spec *spec);
void criteria_clear(struct criteria *criteria);

/* criteria_check asks one criterion, which must be given. */
enum truth criteria_check(const struct criteria *criteria,
	enum criterion criterion, const struct known *known);

/* criteria_hold: each that is given holds. Else *out is the first that does not,
 * and *out_truth what it is instead. */
bool criteria_hold(const struct criteria *criteria, const struct known *known,
	enum criterion *out, enum truth *out_truth);

/* criteria_exclude: one that is given holds, or, with wary, is not known. *out is
 * the first of these. */
bool criteria_exclude(const struct criteria *criteria,
	const struct known *known, bool wary, enum criterion *out,
	enum truth *out_truth);

#endif
