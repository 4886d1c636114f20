#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/category.h"
#include "policy/memory.h"
#include "policy/rule.h"
#include "policy/shortlist.h"

struct policy {
	struct categories categories;
	struct rule *rules; /* owned, in their order */
	unsigned num_rules;
	struct shortlist *shortlist; /* owned */
};

/* What decides where no rule does. */
static const struct verdict_options default_options = {
	.action = ACTION_INSPECT,
	.untrusted = UNTRUSTED_BLOCK,
	.block_undecryptable = true,
};

static const char default_name[] = "default";

struct policy *policy_new(void)
{
	struct policy *policy = memory_new(sizeof(*policy));

	policy->shortlist = shortlist_new();
	return policy;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	for (unsigned i = 0; i < policy->num_rules; i++)
		rule_clear(&policy->rules[i]);
	free(policy->rules);
	shortlist_free(policy->shortlist);
	categories_clear(&policy->categories);
	free(policy);
}

int policy_add_category(struct policy *policy, const char *name,
	struct domains *domains, char *err, size_t err_size)
{
	return categories_add(
		&policy->categories, name, domains, err, err_size);
}

static int check_unique(const struct policy *policy, const char *name,
	char *err, size_t err_size)
{
	for (unsigned i = 0; i < policy->num_rules; i++) {
		if (strcmp(policy->rules[i].name, name) != 0)
			continue;
		snprintf(err, err_size, "there are two rules called \"%s\"",
			policy->rules[i].name);
		return -1;
	}
	return 0;
}

/* list_rule: with hosts and categories given, both must be met, so being in the
 * hosts is what it takes to be asked. */
static bool list_rule(struct policy *policy, const struct rule *rule)
{
	const struct domains *hosts = rule->hosts;
	const struct domains *const *sets = hosts ? &hosts : rule->categories;
	size_t num_sets = hosts ? 1 : rule->num_categories;

	return shortlist_add(policy->shortlist, policy->num_rules, sets,
		num_sets);
}

int policy_add_rule(struct policy *policy, const struct rule_spec *spec,
	char *err, size_t err_size)
{
	struct rule rule;

	if (check_unique(policy, spec->name, err, err_size) < 0 ||
		rule_init(&rule, spec, &policy->categories, err, err_size) < 0)
		return -1;
	if (!list_rule(policy, &rule)) {
		rule.hosts = NULL; /* not taken: they are the caller's still */
		rule.sources = NULL;
		rule_clear(&rule);
		snprintf(err, err_size, "rule \"%s\": its hosts are more than "
			"there is memory for", spec->name);
		return -1;
	}
	policy->rules =
		memory_grow(policy->rules, policy->num_rules, sizeof(rule));
	policy->rules[policy->num_rules++] = rule;
	return 0;
}

static const struct rule *first_match(
	const struct policy *policy, const struct facts *facts)
{
	struct shortlist_search search;
	unsigned i;

	shortlist_begin(policy->shortlist, facts->host, facts->address,
		&search);
	while (shortlist_next(&search, &i))
		if (rule_matches(&policy->rules[i], facts))
			return &policy->rules[i];
	return NULL;
}

void policy_decide(const struct policy *policy, const struct facts *facts,
	struct decision *out)
{
	const struct rule *rule = first_match(policy, facts);

	*out = (struct decision){0};
	if (!rule) {
		out->options = default_options;
		memcpy(out->rule_name, default_name, sizeof(default_name));
		return;
	}
	out->options = rule->options;
	memcpy(out->rule_name, rule->name, RULE_NAME_SIZE);
	if (out->options.block_no_sni && facts->tls && !facts->has_sni)
		out->options.action = ACTION_BLOCK;
}
