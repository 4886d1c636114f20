#include "policy/shadow.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "policy/bits.h"
#include "policy/catalog.h"
#include "policy/netset.h"
#include "policy/policy_private.h"
#include "policy/question.h"
#include "policy/window.h"

/* Comparing sets goes through all entries of their catalog; through so many that
 * it takes about a second, and no more is found. */
static const uint64_t effort_max = 50 * 1000 * 1000;

struct search {
	const struct policy *policy;
	uint64_t categories_effort, hosts_effort;
	/* Own sets of hosts, and categories, that have the example of the rule
	 * that is asked about; others can't hold all of its hosts. */
	uint64_t hosts[HOST_WORDS], categories[CATEGORY_WORDS];
};

/* --- one criterion: all that meets a meets b ---- */

static bool numbers_within(
	const unsigned *a, size_t num_a, const unsigned *b, size_t num_b)
{
	size_t k = 0;

	for (size_t i = 0; i < num_a; i++) {
		while (k < num_b && b[k] < a[i])
			k++;
		if (k == num_b || b[k] != a[i])
			return false;
	}
	return true;
}

/* spend says whether there is effort left to go through a catalog. */
static bool spend(uint64_t *effort, const struct catalog *catalog)
{
	size_t entries = catalog_num_entries(catalog);

	if (*effort + entries > effort_max)
		return false;
	*effort += entries;
	return true;
}

static bool has_entries(const struct catalog *catalog, unsigned category)
{
	return catalog && category < catalog_num_sets(catalog) &&
		catalog_count(catalog, category) > 0;
}

/* What is in an empty category is in any, but nobody would say so. */
static bool category_within(struct search *search, unsigned a, unsigned b)
{
	const struct catalog *catalog = search->policy->categories;

	if (a == b)
		return true;
	return has_entries(catalog, a) && has_entries(catalog, b) &&
		spend(&search->categories_effort, catalog) &&
		catalog_within(catalog, a, catalog, b);
}

static bool categories_within(struct search *search, const struct criteria *a,
	const struct criteria *b)
{
	if (numbers_within(a->categories, a->num_categories, b->categories,
		    b->num_categories))
		return true;
	for (size_t i = 0; i < a->num_categories; i++) {
		size_t k = 0;

		while (k < b->num_categories &&
			!category_within(
				search, a->categories[i], b->categories[k]))
			k++;
		if (k == b->num_categories)
			return false;
	}
	return true;
}

static bool hosts_within(struct search *search, const struct criteria *a,
	const struct criteria *b)
{
	const struct catalog *hosts = search->policy->hosts;

	return spend(&search->hosts_effort, hosts) &&
		catalog_within(hosts, a->hosts, hosts, b->hosts);
}

/* One category that has each of the hosts, whole: one of which it has but a path
 * does not count. */
static bool hosts_within_categories(struct search *search,
	const struct criteria *a, const struct criteria *b)
{
	const struct policy *policy = search->policy;

	for (size_t i = 0; policy->categories && i < b->num_categories; i++)
		if (bits_has(search->categories, b->categories[i]) &&
			spend(&search->hosts_effort, policy->hosts) &&
			catalog_within(policy->hosts, a->hosts,
				policy->categories, b->categories[i]))
			return true;
	return false;
}

static bool range_within(
	const struct port_range *range, const struct criteria *b)
{
	for (size_t i = 0; i < b->num_ports; i++)
		if (range->first >= b->ports[i].first &&
			range->last <= b->ports[i].last)
			return true;
	return false;
}

static bool ports_within(const struct criteria *a, const struct criteria *b)
{
	for (size_t i = 0; i < a->num_ports; i++)
		if (!range_within(&a->ports[i], b))
			return false;
	return true;
}

static bool same_glob(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0 || strcmp(b, "*") == 0;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool texts_within(char *const *a, size_t num_a, char *const *b,
	size_t num_b, bool (*same)(const char *a, const char *b))
{
	for (size_t i = 0; i < num_a; i++) {
		size_t k = 0;

		while (k < num_b && !same(a[i], b[k]))
			k++;
		if (k == num_b)
			return false;
	}
	return true;
}

static bool times_within(const struct criteria *a, const struct criteria *b)
{
	for (size_t i = 0; i < a->num_times; i++) {
		size_t k = 0;

		while (k < b->num_times &&
			!window_within(a->times[i], b->times[k]))
			k++;
		if (k == b->num_times)
			return false;
	}
	return true;
}

static bool within(struct search *search, enum criterion criterion,
	const struct criteria *a, const struct criteria *b)
{
	switch (criterion) {
	case CRITERION_CATEGORIES:
		return categories_within(search, a, b);
	case CRITERION_HOSTS:
		return hosts_within(search, a, b);
	case CRITERION_USERS:
		return numbers_within(
			a->users, a->num_users, b->users, b->num_users);
	case CRITERION_GROUPS:
		return numbers_within(
			a->groups, a->num_groups, b->groups, b->num_groups);
	case CRITERION_SOURCES:
		return netset_within(a->sources, b->sources);
	case CRITERION_DESTINATIONS:
		return netset_within(a->destinations, b->destinations);
	case CRITERION_PORTS:
		return ports_within(a, b);
	case CRITERION_USER_AGENTS:
		return texts_within(a->user_agents, a->num_user_agents,
			b->user_agents, b->num_user_agents, same_glob);
	case CRITERION_TIMES:
		return times_within(a, b);
	case CRITERION_METHODS:
		return texts_within(a->methods, a->num_methods, b->methods,
			b->num_methods, same_text);
	case CRITERION_CERTIFICATES:
		return !(a->certificates & ~b->certificates);
	case CRITERIA:
		break;
	}
	return false;
}

/* --- two rules ---- */

static const unsigned by_hosts = CRITERION_BIT(CRITERION_HOSTS);
static const unsigned by_categories = CRITERION_BIT(CRITERION_CATEGORIES);

static const unsigned may_be_unknown = CRITERION_BIT(CRITERION_CATEGORIES) |
	CRITERION_BIT(CRITERION_SOURCES) |
	CRITERION_BIT(CRITERION_DESTINATIONS) |
	CRITERION_BIT(CRITERION_METHODS) |
	CRITERION_BIT(CRITERION_CERTIFICATES);

/* What earlier asks for, later must ask for too; or for hosts, where earlier asks
 * for categories. Where later is not excluded by what is not known and earlier
 * is, there is nothing to compare. */
static bool comparable(const struct search *search, const struct rule *earlier,
	const struct rule *later)
{
	unsigned given = later->match.given;

	if (given & by_hosts)
		given |= by_categories;
	if (!earlier->enabled || earlier->match.given & ~given ||
		earlier->not.given & ~later->not.given)
		return false;
	if (earlier->lets_pass && !later->lets_pass &&
		earlier->not.given & may_be_unknown)
		return false;
	return !(earlier->match.given & by_hosts) ||
		bits_has(search->hosts, earlier->match.hosts);
}

/* a may have been asked for hosts alone, and b for categories. */
static bool criterion_within(struct search *search, enum criterion criterion,
	const struct criteria *a, const struct criteria *b)
{
	if (a->given & CRITERION_BIT(criterion) &&
		within(search, criterion, a, b))
		return true;
	return criterion == CRITERION_CATEGORIES && a->given & by_hosts &&
		hosts_within_categories(search, a, b);
}

/* Hosts and categories stand first and take longest, so from the last on. */
static bool match_within(struct search *search, const struct criteria *a,
	const struct criteria *b)
{
	for (unsigned i = CRITERIA; i-- > 0;)
		if (b->given & CRITERION_BIT(i) &&
			!criterion_within(search, (enum criterion)i, a, b))
			return false;
	return true;
}

static bool not_within(struct search *search, const struct criteria *a,
	const struct criteria *b)
{
	for (unsigned i = CRITERIA; i-- > 0;)
		if (a->given & CRITERION_BIT(i) &&
			!within(search, (enum criterion)i, a, b))
			return false;
	return true;
}

/* true: it may, or there is no effort left to see that it may not. */
static bool may_hold_address(
	uint64_t *effort, const struct catalog *catalog, unsigned set)
{
	return !spend(effort, catalog) || catalog_has_address(catalog, set);
}

static bool categories_hold_address(
	struct search *search, const struct criteria *criteria)
{
	const struct catalog *catalog = search->policy->categories;

	for (size_t i = 0; i < criteria->num_categories; i++)
		if (has_entries(catalog, criteria->categories[i]) &&
			may_hold_address(&search->categories_effort, catalog,
				criteria->categories[i]))
			return true;
	return false;
}

/* later goes by an address that earlier does not look at: by that it may be met,
 * and earlier not, by the name. */
static bool address_divides(struct search *search, const struct rule *earlier,
	const struct rule *later)
{
	const struct criteria *match = &later->match;

	if (!later->by_address || earlier->by_address ||
		!((earlier->match.given | earlier->not.given) &
			(by_hosts | by_categories)))
		return false;
	if (match->given & by_hosts &&
		!may_hold_address(&search->hosts_effort, search->policy->hosts,
			match->hosts))
		return false;
	return !(match->given & by_categories) ||
		categories_hold_address(search, match);
}

/* may_name_host: neither hosts nor categories keep the rule from matching it. */
static bool may_name_host(const struct policy *policy, const struct rule *rule,
	const char *host, uint16_t port)
{
	uint64_t hosts[HOST_WORDS] = {0}, categories[CATEGORY_WORDS] = {0};
	const struct criteria *match = &rule->match;

	if (match->given & by_hosts) {
		catalog_find(
			policy->hosts, CATALOG_HOSTS, host, port, NULL, hosts);
		if (!bits_has(hosts, match->hosts))
			return false;
	}
	if (!(match->given & by_categories) || !policy->categories)
		return true;
	catalog_find(policy->categories, CATALOG_HOSTS, host, port, NULL,
		categories);
	for (size_t i = 0; i < match->num_categories; i++)
		if (bits_has(categories, match->categories[i]))
			return true;
	return false;
}

/* isolation_divides: earlier leaves the services to later, which does not isolate
 * itself. */
static bool isolation_divides(const struct search *search,
	const struct rule *earlier, const struct rule *later)
{
	const struct rule_list *list = &search->policy->url;

	if (!earlier->isolation || later->isolation)
		return false;
	for (unsigned i = 0; i < list->num; i++) {
		const struct rule *rule = &list->rules[i];

		if (rule->enabled && rule->isolation &&
			may_name_host(search->policy, later, rule->isolation,
				rule->isolation_port))
			return true;
	}
	return false;
}

static bool shadows(struct search *search, const struct rule *earlier,
	const struct rule *later)
{
	return comparable(search, earlier, later) &&
		match_within(search, &later->match, &earlier->match) &&
		not_within(search, &earlier->not, &later->not) &&
		!address_divides(search, earlier, later) &&
		!isolation_divides(search, earlier, later);
}

static void find_hosts(struct search *search, const struct rule *rule)
{
	const struct policy *policy = search->policy;
	const struct criteria *match = &rule->match;

	if (!(match->given & by_hosts))
		return;
	bits_clear(search->hosts, BITS_WORDS(policy->terms.num_hosts));
	catalog_find(policy->hosts, CATALOG_HOSTS, match->host,
		match->host_port, NULL, search->hosts);
	if (!policy->categories)
		return;
	bits_clear(search->categories, BITS_WORDS(policy->terms.categories.num));
	catalog_find(policy->categories, CATALOG_URLS, match->host,
		match->host_port, NULL, search->categories);
}

/* excludes_itself: all that one criterion of match takes, not leaves out. */
static bool excludes_itself(struct search *search, const struct rule *rule)
{
	const struct criteria *match = &rule->match, *not = &rule->not;

	for (unsigned i = CRITERIA; i-- > 0;)
		if (not ->given & CRITERION_BIT(i) &&
			criterion_within(
				search, (enum criterion)i, match, not ))
			return true;
	return false;
}

static const struct rule *find_shadow(struct search *search,
	const struct rule *rules, const struct rule *later)
{
	find_hosts(search, later);
	if (excludes_itself(search, later))
		return later;
	for (const struct rule *earlier = rules; earlier < later; earlier++)
		if (shadows(search, earlier, later))
			return earlier;
	return NULL;
}

void shadow_each(const struct policy *policy, bool url_rules, shadow_tell *tell,
	void *arg)
{
	const struct rule_list *list = url_rules ? &policy->url : &policy->ssl;
	struct search search = {.policy = policy};

	assert(policy->sealed);
	for (unsigned i = 0; i < list->num; i++) {
		const struct rule *rule = &list->rules[i], *by;

		by = rule->enabled ? find_shadow(&search, list->rules, rule) :
				     NULL;
		if (by)
			tell(arg, rule->name, rule->line, by->name, by->line);
	}
}

/* --- categories ---- */

static bool names(const struct criteria *criteria, unsigned category)
{
	for (size_t i = 0; i < criteria->num_categories; i++)
		if (criteria->categories[i] == category)
			return true;
	return false;
}

static bool list_names(const struct rule_list *list, unsigned category)
{
	for (unsigned i = 0; i < list->num; i++)
		if (list->rules[i].enabled &&
			(names(&list->rules[i].match, category) ||
				names(&list->rules[i].not, category)))
			return true;
	return false;
}

bool policy_category_used(const struct policy *policy, unsigned category)
{
	return list_names(&policy->ssl, category) ||
		list_names(&policy->url, category);
}
