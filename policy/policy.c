#include "policy/policy.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/catalog.h"
#include "policy/memory.h"
#include "policy/policy_private.h"
#include "policy/question.h"
#include "policy/shortlist.h"

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

	policy->ssl.kind = RULE_SSL;
	policy->url.kind = RULE_URL;
	policy->ssl.shortlist = shortlist_new();
	policy->url.shortlist = shortlist_new();
	return policy;
}

static void list_clear(struct rule_list *list)
{
	for (unsigned i = 0; i < list->num; i++)
		rule_clear(&list->rules[i]);
	free(list->rules);
	roster_clear(&list->names);
	roster_clear(&list->services);
	shortlist_free(list->shortlist);
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	list_clear(&policy->ssl);
	list_clear(&policy->url);
	roster_clear(&policy->terms.categories);
	people_clear(&policy->terms.people);
	catalog_builder_free(policy->terms.hosts);
	catalog_unref(policy->categories);
	catalog_unref(policy->hosts);
	free(policy);
}

/* --- building ---- */

static int check_open(const struct policy *policy, char *err, size_t err_size)
{
	if (!policy->sealed)
		return 0;
	snprintf(err, err_size, "the policy is sealed");
	return -1;
}

static int check_new(const struct roster *names, const char *what,
	unsigned most, const char *name, char *err, size_t err_size)
{
	unsigned number;

	if (names->num >= most) {
		snprintf(err, err_size, "more than %u %s", most, what);
		return -1;
	}
	if (!roster_find(names, name, &number))
		return 0;
	snprintf(err, err_size, "there are two %s called \"%.100s\"", what,
		name);
	return -1;
}

int policy_add_category(
	struct policy *policy, const char *name, char *err, size_t err_size)
{
	struct roster *categories = &policy->terms.categories;

	if (check_open(policy, err, err_size) < 0 ||
		check_new(categories, "categories", CATEGORIES_MAX, name, err,
			err_size) < 0)
		return -1;
	roster_put(categories, name);
	return 0;
}

bool policy_find_category(const struct policy *policy, const char *name,
	unsigned *out)
{
	return roster_find(&policy->terms.categories, name, out);
}

int policy_add_group(struct policy *policy, const char *name,
	const char *const *users, size_t num_users, char *err, size_t err_size)
{
	if (check_open(policy, err, err_size) < 0)
		return -1;
	return people_add_group(
		&policy->terms.people, name, users, num_users, err, err_size);
}

/* note_asks keeps what has to be looked up for the list. */
static void note_asks(struct rule_list *list, const struct rule *rule)
{
	char service[SERVICE_SIZE];

	if (!rule->enabled)
		return;
	list->any = true;
	list->by_address |= rule->by_address;
	list->asks |= rule->match.given | rule->not.given;
	shortlist_add(list->shortlist, list->num, &rule->match);
	if (!rule->isolation)
		return;
	service_name(rule->isolation, rule->isolation_port, service);
	roster_put(&list->services, service);
}

static int add_rule(struct policy *policy, struct rule_list *list,
	const struct rule_spec *spec, char *err, size_t err_size)
{
	struct rule rule;

	if (check_open(policy, err, err_size) < 0 ||
		check_new(&list->names, "rules", RULES_MAX, spec->name, err,
			err_size) < 0 ||
		rule_init(&rule, list->kind, spec, &policy->terms, err,
			err_size) < 0)
		return -1;
	note_asks(list, &rule);
	roster_put(&list->names, rule.name);
	list->rules = memory_grow(list->rules, list->num, sizeof(rule));
	list->rules[list->num++] = rule;
	return 0;
}

int policy_add_rule(struct policy *policy, const struct rule_spec *spec,
	char *err, size_t err_size)
{
	return add_rule(policy, &policy->ssl, spec, err, err_size);
}

int policy_add_url_rule(struct policy *policy, const struct rule_spec *spec,
	char *err, size_t err_size)
{
	return add_rule(policy, &policy->url, spec, err, err_size);
}

static int build_hosts(struct policy *policy, char *err, size_t err_size)
{
	struct catalog_builder *builder = policy->terms.hosts;

	policy->terms.hosts = NULL;
	if (!builder)
		return 0;
	policy->hosts = catalog_build(builder, policy->terms.num_hosts);
	if (policy->hosts)
		return 0;
	snprintf(err, err_size,
		"the hosts of the rules are more than there is memory for");
	return -1;
}

/* Decisions have room for the bits of the policy's categories, no more. */
int policy_seal(struct policy *policy, struct catalog *catalog, char *err,
	size_t err_size)
{
	unsigned num = policy->terms.categories.num;

	if (check_open(policy, err, err_size) < 0)
		return -1;
	if (catalog && catalog_num_sets(catalog) > num) {
		snprintf(err, err_size,
			"a catalog of %u categories for a policy of %u",
			catalog_num_sets(catalog), num);
		return -1;
	}
	if (build_hosts(policy, err, err_size) < 0)
		return -1;
	if (catalog)
		policy->categories = catalog_ref(catalog);
	policy->sealed = true;
	return 0;
}

/* --- deciding ---- */

/* What is found for facts in one of the lists. */
struct found {
	const struct rule *rule; /* NULL: none */
	bool names_host;         /* or a rule before it leaves it out */
};

static struct found find(const struct policy *policy,
	const struct rule_list *list, const struct facts *facts)
{
	const unsigned hosts = CRITERION_BIT(CRITERION_HOSTS) |
		CRITERION_BIT(CRITERION_CATEGORIES);
	struct question question;
	struct found found = {NULL, false};

	assert(policy->sealed);
	if (!list->any)
		return found;
	question_init(&question, policy, list, facts);
	found.rule = question_first(&question);
	found.names_host = question.left_out ||
		(found.rule && found.rule->match.given & hosts);
	return found;
}

void policy_decide_one(const struct policy *policy, const struct facts *facts,
	struct decision *out)
{
	struct found found = find(policy, &policy->ssl, facts);

	*out = (struct decision){
		.options = default_options, .names_host = found.names_host};
	if (!found.rule) {
		memcpy(out->rule_name, default_name, sizeof(default_name));
		return;
	}
	out->options = found.rule->options;
	memcpy(out->rule_name, found.rule->name, RULE_NAME_SIZE);
	if (out->options.block_no_sni && facts->tls && !facts->has_sni)
		out->options.action = ACTION_BLOCK;
}

void policy_decide_url_one(const struct policy *policy,
	const struct facts *facts, struct url_decision *out)
{
	struct found found = find(policy, &policy->url, facts);

	*out = (struct url_decision){.options = {.action = URL_ALLOW},
		.names_host = found.names_host};
	if (!found.rule) {
		memcpy(out->rule_name, default_name, sizeof(default_name));
		return;
	}
	out->options = found.rule->url;
	memcpy(out->rule_name, found.rule->name, RULE_NAME_SIZE);
}

static bool asks_destination(const struct rule_list *list)
{
	return list->asks & CRITERION_BIT(CRITERION_DESTINATIONS);
}

size_t policy_embedded(const struct rule_list *list, const struct facts *facts,
	struct sockaddr_in out[EMBEDDED_MAX])
{
	return asks_destination(list) ? embedded_find(facts->destination, out) :
					0;
}

void policy_decide(const struct policy *policy, const struct facts *facts,
	struct decision *out)
{
	struct sockaddr_in inner[EMBEDDED_MAX];
	size_t num = policy_embedded(&policy->ssl, facts, inner);
	struct facts each = *facts;
	struct decision one;

	policy_decide_one(policy, facts, out);
	for (size_t i = 0; i < num; i++) {
		each.destination = (const struct sockaddr *)&inner[i];
		policy_decide_one(policy, &each, &one);
		*out = decision_both(out, &one);
	}
}

void policy_decide_url(const struct policy *policy, const struct facts *facts,
	struct url_decision *out)
{
	struct sockaddr_in inner[EMBEDDED_MAX];
	size_t num = policy_embedded(&policy->url, facts, inner);
	struct facts each = *facts;
	struct url_decision one;

	policy_decide_url_one(policy, facts, out);
	for (size_t i = 0; i < num; i++) {
		each.destination = (const struct sockaddr *)&inner[i];
		policy_decide_url_one(policy, &each, &one);
		*out = *url_decision_stricter(out, &one);
	}
}

bool policy_asks_destination(const struct policy *policy)
{
	return asks_destination(&policy->ssl);
}

bool policy_asks_url_destination(const struct policy *policy)
{
	return asks_destination(&policy->url);
}

bool policy_asks_user_agent(const struct policy *policy)
{
	return (policy->ssl.asks | policy->url.asks) &
		CRITERION_BIT(CRITERION_USER_AGENTS);
}

bool policy_asks_certificate(const struct policy *policy)
{
	return policy->url.asks & CRITERION_BIT(CRITERION_CERTIFICATES);
}

bool policy_has_url_rules(const struct policy *policy)
{
	return policy->url.any;
}

bool policy_knows_user(const struct policy *policy, const char *user)
{
	return people_find(&policy->terms.people, user).user != PERSON_UNNAMED;
}
