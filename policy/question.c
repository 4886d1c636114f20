#include "policy/question.h"

#include <string.h>

#include "policy/catalog.h"
#include "policy/shortlist.h"

static const unsigned asks_people =
	CRITERION_BIT(CRITERION_USERS) | CRITERION_BIT(CRITERION_GROUPS);

static size_t words_of_categories(const struct policy *policy)
{
	return BITS_WORDS(policy->terms.categories.num);
}

static size_t words_of_hosts(const struct policy *policy)
{
	return BITS_WORDS(policy->terms.num_hosts);
}

static void find(const struct catalog *catalog, bool asked, enum catalog_by by,
	const struct facts *facts, const char *host, uint64_t *bits,
	size_t words)
{
	bits_clear(bits, words);
	if (asked && catalog)
		catalog_find(catalog, by, host, facts->port,
			by == CATALOG_URLS ? facts->path : NULL, bits);
}

/* look_up finds what known->host is in. SSL rules go by the hosts of entries; so
 * do perhaps the URL rules where the path is not known. */
static void look_up(struct question *question, const struct policy *policy,
	struct question_sets *sets, struct known *known)
{
	const struct facts *facts = known->facts;
	unsigned asks = question->list->asks;
	bool categories = asks & CRITERION_BIT(CRITERION_CATEGORIES);
	bool hosts = asks & CRITERION_BIT(CRITERION_HOSTS);
	bool by_url = question->list->kind == RULE_URL;
	size_t words = words_of_categories(policy);

	find(policy->categories, categories,
		by_url ? CATALOG_URLS : CATALOG_HOSTS, facts, known->host,
		sets->categories, words);
	find(policy->hosts, hosts, CATALOG_HOSTS, facts, known->host,
		sets->hosts, words_of_hosts(policy));
	known->categories = sets->categories;
	known->hosts = sets->hosts;
	known->perhaps = sets->categories;
	if (!by_url || facts->path || !categories)
		return;
	find(policy->categories, categories, CATALOG_HOSTS, facts, known->host,
		question->perhaps, words);
	known->perhaps = question->perhaps;
}

static void shorten(struct question *question, const struct policy *policy,
	const struct known *known)
{
	shortlist_find(question->list->shortlist, known->categories,
		words_of_categories(policy), known->hosts,
		words_of_hosts(policy), question->rules);
}

static bool is_service(const struct rule_list *list, const struct facts *facts)
{
	char name[SERVICE_SIZE];
	unsigned number;

	if (list->services.num == 0)
		return false;
	service_name(facts->host, facts->port, name);
	return roster_find(&list->services, name, &number);
}

void question_init(struct question *question, const struct policy *policy,
	const struct rule_list *list, const struct facts *facts)
{
	question->list = list;
	question->name = (struct known){.facts = facts, .host = facts->host};
	question->name.at_service = is_service(list, facts);
	if (list->asks & asks_people)
		question->name.person =
			people_find(&policy->terms.people, facts->user);
	question->left_out = false;
	question->asks_address = list->by_address && facts->address;
	question->address = question->name;
	question->address.host = facts->address;
	shortlist_begin(
		list->shortlist, question->rules, BITS_WORDS(list->num));
	look_up(question, policy, &question->of_name, &question->name);
	shorten(question, policy, &question->name);
	if (!question->asks_address)
		return;
	look_up(question, policy, &question->of_address, &question->address);
	shorten(question, policy, &question->address);
}

bool question_ask(const struct question *question, const struct rule *rule,
	struct reason *why)
{
	return rule_matches(rule, &question->name,
		question->asks_address ? &question->address : NULL, why);
}

static bool leaves_host_out(const struct reason *why)
{
	return why->part == PART_NOT && (why->criterion == CRITERION_HOSTS ||
		why->criterion == CRITERION_CATEGORIES);
}

const struct rule *question_first(struct question *question)
{
	const struct rule *rules = question->list->rules;
	size_t words = BITS_WORDS(question->list->num);
	struct reason why;

	for (unsigned i = 0; bits_next(question->rules, words, &i); i++) {
		if (question_ask(question, &rules[i], &why))
			return &rules[i];
		question->left_out |= leaves_host_out(&why);
	}
	return NULL;
}
