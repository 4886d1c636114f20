/*
 * policy_private.h - what a policy is made of. For this room.
 *
 * Threads: as policy.h.
 */
#ifndef POLICY_POLICY_PRIVATE_H
#define POLICY_POLICY_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "policy/criteria.h"
#include "policy/embedded.h"
#include "policy/host.h"
#include "policy/roster.h"
#include "policy/policy.h"
#include "policy/rule.h"

struct catalog;
struct shortlist;

struct rule_list {
	enum rule_kind kind;
	struct rule *rules; /* owned, in their order */
	unsigned num;
	struct roster names;         /* of the rules */
	struct shortlist *shortlist; /* owned; of enabled rules */
	struct roster services; /* service_name of where those isolate to */
	unsigned asks; /* bits of the criteria that enabled rules ask for */
	bool any, by_address; /* enabled rules; such that go by address */
};

enum { SERVICE_SIZE = HOST_SIZE + 8 };

static inline void service_name(const char *host, uint16_t port,
	char out[SERVICE_SIZE])
{
	snprintf(out, SERVICE_SIZE, "%s:%u", host, port);
}

struct policy {
	struct terms terms;
	struct rule_list ssl, url;
	struct catalog *categories; /* counted; NULL: all are empty */
	struct catalog *hosts;      /* owned: rules' own; NULL: none */
	bool sealed;
};

/* policy_decide and policy_decide_url of facts, taken as they are: of a destination
 * that holds others it is that alone. */
void policy_decide_one(const struct policy *policy, const struct facts *facts,
	struct decision *out);
void policy_decide_url_one(const struct policy *policy,
	const struct facts *facts, struct url_decision *out);

/* policy_embedded: the destinations that list is asked about besides that of facts
 * (embedded.h). */
size_t policy_embedded(const struct rule_list *list, const struct facts *facts,
	struct sockaddr_in out[EMBEDDED_MAX]);

#endif
