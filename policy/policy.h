/*
 * policy.h - facts in, decision out.
 *
 * A policy is an ordered list of SSL-inspection rules and the categories they
 * name. policy_decide walks the rules in order; the first whose every given
 * criterion holds decides; when none does, the traffic is inspected and an
 * untrusted origin is blocked.
 *
 *	struct policy *p = policy_new();
 *	policy_add_category(p, "banks", domains, err, sizeof(err));
 *	policy_add_rule(p, &spec, err, sizeof(err));
 *	...
 *	policy_decide(p, &facts, &decision);
 *
 * Owns:    all it holds; what is added is copied or taken as each call says.
 * Threads: build on one thread; immutable after that, then any thread.
 * Errors:  0 done, negative failed with a sentence in err.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/facts.h"

struct domains;
struct netset;
struct policy;

enum { RULE_NAME_SIZE = 64 };

enum action { /* in the order of strictness: the higher is the stricter */
	ACTION_DO_NOT_INSPECT,
	ACTION_INSPECT,
	ACTION_BLOCK,
};

/* What to do with an origin that fails verification. */
enum untrusted {
	UNTRUSTED_BLOCK,        /* an explained page, 502 */
	UNTRUSTED_ALLOW,        /* as if it were trusted */
	UNTRUSTED_PASS_THROUGH, /* a leaf from a CA that nobody trusts */
};

/* What a rule asks for; the action's details. */
struct verdict_options {
	enum action action;
	enum untrusted untrusted; /* with ACTION_INSPECT */
	bool notify;              /* block: an explained page inside TLS */
	bool block_no_sni;        /* a TLS connection without SNI is blocked */
	/* An origin asks for a client certificate, which only the client has:
	 * blocked (the default); false: the next connection to it is
	 * tunnelled. */
	bool block_undecryptable;
	/* The CA whose certificates are shown; NULL: the default. The caller
	 * sees to it that the name outlives every decision. */
	const char *intermediate_ca;
};

struct port_range {
	uint16_t first, last;
};

/* One rule as it is added. A criterion that is not given matches all; within
 * a criterion any entry may match, between criteria all must. */
struct rule_spec {
	const char *name; /* 1 to 63 bytes, unique */
	bool enabled;
	const char *const *categories; /* names of added categories */
	size_t num_categories;
	struct domains *hosts;  /* taken on success, and sealed; or NULL */
	struct netset *sources; /* taken on success; or NULL: not given */
	const struct port_range *ports; /* copied */
	size_t num_ports;
	struct verdict_options options;
};

/* What was decided: copied out whole, so that it outlives the policy. */
struct decision {
	struct verdict_options options;
	char rule_name[RULE_NAME_SIZE];
};

/* policy_new makes an empty policy: everything is inspected. */
struct policy *policy_new(void);

/* policy_free frees policy and all it has taken. */
void policy_free(struct policy *policy);

/* policy_add_category names a set of hosts; takes domains on success and seals
 * it. A name that is already there is an error. */
int policy_add_category(struct policy *policy, const char *name,
	struct domains *domains, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* policy_add_rule appends a rule. A category that was not added, or a name
 * that another rule has, is an error. A rule that is not enabled keeps its
 * place and never matches. */
int policy_add_rule(struct policy *policy, const struct rule_spec *spec,
	char *err, size_t err_size) __attribute__((warn_unused_result));

/* policy_decide finds the rule that decides facts. A rule that blocks is met by
 * facts->address too; what a rule lets pass goes by the name alone. It never
 * fails; where no
 * rule does, the decision is called "default". A rule with block_no_sni that
 * decides a TLS connection without SNI (facts->tls && !facts->has_sni) gives
 * ACTION_BLOCK. */
void policy_decide(const struct policy *policy, const struct facts *facts,
	struct decision *out);

/* decision_stricter returns the stricter of a and b (block, inspect,
 * do-not-inspect); with the same action, a inspecting: the one with the
 * stricter untrusted (block, pass-through, allow); all alike, a. */
const struct decision *decision_stricter(
	const struct decision *a, const struct decision *b);

/* action_name and untrusted_name return the words of the configuration and
 * the log: "do-not-inspect", "pass-through" ... */
const char *action_name(enum action action);
const char *untrusted_name(enum untrusted untrusted);

#endif
