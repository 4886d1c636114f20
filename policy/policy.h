/*
 * policy.h - facts in, decision out.
 *
 * A policy has two ordered lists of rules: SSL rules say what happens to a
 * connection, URL rules to a request in it (or, by host alone, to a tunnel). In
 * each the first rule whose every given criterion holds decides. Where no SSL rule
 * does, the traffic is inspected and an untrusted origin is blocked; where no URL
 * rule does, the request is allowed.
 *
 *	struct policy *p = policy_new();
 *	policy_add_category(p, "banks", err, sizeof(err));
 *	policy_add_group(p, "developers", users, num_users, err, sizeof(err));
 *	policy_add_rule(p, &spec, err, sizeof(err));
 *	...
 *	policy_seal(p, catalog, err, sizeof(err));
 *	policy_decide(p, &facts, &decision);
 *
 * What is in the categories is in the catalog: set number n is the category that
 * was added as the n-th, from 0. So a million entries are read once and shared by
 * all policies that have the same lists.
 *
 * Owns:    all it holds; what is added is copied or taken as each call says.
 * Threads: build on one thread; immutable once it is sealed, then any thread.
 * Errors:  0 done, negative failed with a sentence in err.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/facts.h"

struct catalog;
struct netset;
struct policy;
struct window;

enum { RULE_NAME_SIZE = 64, RULES_MAX = 10000, CATEGORIES_MAX = 10000 };

/* --- what rules do ---- */

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

enum url_policies { URL_POLICIES_EVALUATE, URL_POLICIES_BYPASS };

enum tls_version { TLS_ANY, TLS_1_2, TLS_1_3 };

/* What an SSL rule asks for; the action's details. */
struct verdict_options {
	enum action action;
	enum untrusted untrusted; /* with ACTION_INSPECT */
	bool notify;              /* block: an explained page inside TLS */
	bool block_no_sni;        /* a TLS connection without SNI is blocked */
	/* An origin asks for a client certificate, which only the client has:
	 * blocked (the default); false: the next connection to it is
	 * tunnelled. */
	bool block_undecryptable;
	enum url_policies url_policies; /* bypass: no URL rule is asked */
	enum tls_version min_client_tls, min_server_tls; /* with inspect */
	/* The CA whose certificates are shown; NULL: the default. The caller
	 * sees to it that the name outlives every decision. */
	const char *intermediate_ca;
};

enum url_action { /* in the order of strictness */
	URL_ALLOW,
	URL_ISOLATE, /* redirected to an isolation service */
	URL_BLOCK,
};

struct url_options {
	enum url_action action;
	/* With isolate: where to, "{url}" being the URL. Outlives decisions as
	 * intermediate_ca does. */
	const char *isolate;
};

/* --- rules as they are added ---- */

struct port_range {
	uint16_t first, last;
};

/* What a rule asks about. A criterion that is not given matches all; within one
 * any entry may match. All text is copied. */
struct criteria_spec {
	const char *const *categories; /* names of added categories */
	size_t num_categories;
	const char *const *hosts;      /* as entry.h has them, without paths */
	size_t num_hosts;
	const char *const *users;
	size_t num_users;
	const char *const *groups;     /* names of added groups */
	size_t num_groups;
	struct netset *sources;        /* taken on success; NULL: not given */
	struct netset *destinations;   /* likewise: what the host resolves to */
	const struct port_range *ports;
	size_t num_ports;
	/* Globs, as "git/" and a star, which stands for anything; letters in
	 * either case. */
	const char *const *user_agents;
	size_t num_user_agents;
	struct window *const *times;   /* taken on success: window.h */
	size_t num_times;
	/* Of URL rules alone. */
	const char *const *methods;
	size_t num_methods;
	uint32_t certificates;         /* bits, 1 << enum certificate; 0: not
	                                * given */
};

/* A rule matches where each given criterion of match holds and none of not. What
 * asks for something that is not known (facts.h) does not hold in match. In not it
 * keeps rules that let pass (do-not-inspect, inspect, allow) from matching, and
 * does not keep those that restrict (block, isolate). */
struct rule_spec {
	const char *name; /* 1 to 63 bytes, unique in its list */
	bool enabled;
	struct criteria_spec match, not;
	const char *file; /* where it stands, "", NULL: nowhere; outlives the
	                   * policy */
	unsigned line;
	struct verdict_options options; /* of an SSL rule */
	struct url_options url;         /* of a URL rule */
	/* The host, normalized, and port that url.isolate leads to: what is asked
	 * for there no rule of the list isolates, or nobody would ever arrive.
	 * NULL: none. Outlives the policy. */
	const char *isolation;
	uint16_t isolation_port;
};

/* --- decisions ---- */

/* What was decided: copied out whole, so that it outlives the policy. */
struct decision {
	struct verdict_options options;
	bool names_host; /* it came of the host: the rule asks for hosts or
	                  * categories, and these hold it; or the not of one that
	                  * would have decided else does */
	char rule_name[RULE_NAME_SIZE];
};

struct url_decision {
	struct url_options options;
	bool names_host;
	char rule_name[RULE_NAME_SIZE];
};

/* policy_new makes an empty policy: everything is inspected and allowed. */
struct policy *policy_new(void);

/* policy_free frees policy and all it has taken. */
void policy_free(struct policy *policy);

/* policy_add_category and policy_add_group: a name that is already there is an
 * error. A user may be in any number of groups, and need not exist elsewhere. */
int policy_add_category(struct policy *policy, const char *name, char *err,
	size_t err_size) __attribute__((warn_unused_result));
int policy_add_group(struct policy *policy, const char *name,
	const char *const *users, size_t num_users, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* policy_find_category gives the number of the category of that name; false:
 * there is none. While it is built, too. */
bool policy_find_category(const struct policy *policy, const char *name,
	unsigned *out);

/* policy_add_rule appends an SSL rule, policy_add_url_rule a URL rule. A category
 * or group that was not added, a host that is none, a name that another rule of
 * the list has, and what a list can't ask about, is an error. A rule that is not
 * enabled keeps its place and never matches. */
int policy_add_rule(struct policy *policy, const struct rule_spec *spec,
	char *err, size_t err_size) __attribute__((warn_unused_result));
int policy_add_url_rule(struct policy *policy, const struct rule_spec *spec,
	char *err, size_t err_size) __attribute__((warn_unused_result));

/* policy_seal ends the building. It takes a reference to catalog; NULL: all
 * categories are empty. -1: there is not memory enough, or catalog has more sets
 * than there are categories. Only then the calls below. */
int policy_seal(struct policy *policy, struct catalog *catalog, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* policy_decide finds the SSL rule that decides facts. A rule that blocks also
 * matches where it would with facts->address in the place of facts->host; what a
 * rule lets pass goes by the name alone. Where facts->destination holds others, it
 * is decision_both of all. It never fails; where no rule does, the
 * decision is called "default". A rule with block_no_sni that decides a TLS
 * connection without SNI (facts->tls && !facts->has_sni) gives ACTION_BLOCK. */
void policy_decide(const struct policy *policy, const struct facts *facts,
	struct decision *out);

/* policy_decide_url finds the URL rule. Whether url_policies let it be asked is
 * the caller's to heed. */
void policy_decide_url(const struct policy *policy, const struct facts *facts,
	struct url_decision *out);

/* What enabled rules ask about that takes some trouble to know. */
bool policy_asks_destination(const struct policy *policy);     /* SSL rules */
bool policy_asks_url_destination(const struct policy *policy); /* URL rules */
bool policy_asks_certificate(const struct policy *policy);     /* URL rules */
bool policy_asks_user_agent(const struct policy *policy);      /* either */
bool policy_has_url_rules(const struct policy *policy); /* enabled ones */

/* policy_knows_user: a group or a rule names that user. */
bool policy_knows_user(const struct policy *policy, const char *user);

/* decision_stricter returns the stricter of a and b (block, inspect,
 * do-not-inspect); with the same action, a inspecting: the one with the
 * stricter untrusted (block, pass-through, allow); then the one that evaluates URL
 * rules; all alike, a. url_decision_stricter: block, isolate, allow. */
const struct decision *decision_stricter(
	const struct decision *a, const struct decision *b);
/* decision_both is the stricter, whose URL rules are asked where either says so:
 * for what two names, or two addresses, decide. Where it inspects, its least TLS
 * versions are the higher, what can't be decrypted is blocked where either inspects
 * so, and of two CAs it is not the default; where both block, it notifies if both
 * do; it names the host where either does. But for the rule's name it is no matter
 * which is a. */
struct decision decision_both(
	const struct decision *a, const struct decision *b);
const struct url_decision *url_decision_stricter(
	const struct url_decision *a, const struct url_decision *b);

/* The words of the configuration and the log: "do-not-inspect",
 * "pass-through", "isolate", "wrong-host" ... */
const char *action_name(enum action action);
const char *untrusted_name(enum untrusted untrusted);
const char *url_action_name(enum url_action action);
const char *certificate_name(enum certificate certificate);

#endif
