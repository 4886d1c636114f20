#include "policy/explain.h"

#include <assert.h>

#include "policy/because.h"
#include "policy/catalog.h"
#include "policy/embedded.h"
#include "policy/question.h"

static enum unsure unsure_of(const struct reason *why)
{
	static const enum unsure all[CRITERIA] = {
		[CRITERION_SOURCES] = UNSURE_SOURCE,
		[CRITERION_DESTINATIONS] = UNSURE_DESTINATION,
		[CRITERION_CERTIFICATES] = UNSURE_CERTIFICATE,
	};

	if (why->truth != TRUTH_UNKNOWN)
		return UNSURE_NOTHING;
	return all[why->criterion] ? all[why->criterion] : UNSURE_OTHER;
}

/* unsure_match: a rule that restricts matches also where its not is not known. */
static enum unsure unsure_match(const struct question *question,
	const struct rule *rule)
{
	struct reason why;

	if (!criteria_exclude(&rule->not, &question->name, true,
		    &why.criterion, &why.truth))
		return UNSURE_NOTHING;
	return unsure_of(&why);
}

static enum unsure unsure_no(const struct reason *why)
{
	return why->part == PART_MATCH || why->part == PART_NOT ?
		unsure_of(why) : UNSURE_NOTHING;
}

static struct tried ask(const struct policy *policy,
	const struct question *question, const struct rule *rule)
{
	struct tried tried = {
		.rule = rule->name, .file = rule->file, .line = rule->line};
	struct reason why;

	tried.matched = question_ask(question, rule, &why);
	tried.unsure = tried.matched ? unsure_match(question, rule) :
				       unsure_no(&why);
	if (!tried.matched)
		because(&policy->terms, rule, &question->name, &why,
			question->list->kind == RULE_URL, tried.because);
	return tried;
}

/* Every rule, not only those that are worth asking. */
static const struct rule *walk(const struct policy *policy,
	const struct rule_list *list, const struct facts *facts,
	explain_tried *tell, void *arg)
{
	struct question question;

	assert(policy->sealed);
	question_init(&question, policy, list, facts);
	for (unsigned i = 0; i < list->num; i++) {
		struct tried tried = ask(policy, &question, &list->rules[i]);

		tell(arg, &tried);
		if (tried.matched)
			return &list->rules[i];
	}
	return NULL;
}

void explain_ssl(const struct policy *policy, const struct facts *facts,
	explain_tried *tell, void *arg, struct decision *out)
{
	struct sockaddr_in inner[EMBEDDED_MAX];
	size_t num = policy_embedded(&policy->ssl, facts, inner);
	struct facts counts = *facts, each = *facts;
	struct decision one, strictest;

	policy_decide_one(policy, facts, &strictest);
	for (size_t i = 0; i < num; i++) {
		each.destination = (const struct sockaddr *)&inner[i];
		policy_decide(policy, &each, &one);
		if (decision_stricter(&strictest, &one) == &strictest)
			continue;
		strictest = one;
		counts = each;
	}
	(void)walk(policy, &policy->ssl, &counts, tell, arg);
	policy_decide(policy, facts, out);
}

void explain_url(const struct policy *policy, const struct facts *facts,
	explain_tried *tell, void *arg, struct url_decision *out)
{
	struct sockaddr_in inner[EMBEDDED_MAX];
	size_t num = policy_embedded(&policy->url, facts, inner);
	struct facts counts = *facts, each = *facts;
	struct url_decision one, strictest;

	policy_decide_url_one(policy, facts, &strictest);
	for (size_t i = 0; i < num; i++) {
		each.destination = (const struct sockaddr *)&inner[i];
		policy_decide_url(policy, &each, &one);
		if (url_decision_stricter(&strictest, &one) == &strictest)
			continue;
		strictest = one;
		counts = each;
	}
	(void)walk(policy, &policy->url, &counts, tell, arg);
	policy_decide_url(policy, facts, out);
}

void explain_categories(const struct policy *policy, const struct facts *facts,
	bool by_url, void (*tell)(void *arg, const char *name), void *arg)
{
	const struct roster *names = &policy->terms.categories;
	size_t words = BITS_WORDS(names->num);
	uint64_t bits[CATEGORY_WORDS];

	assert(policy->sealed);
	if (!policy->categories)
		return;
	bits_clear(bits, words);
	catalog_find(policy->categories, by_url ? CATALOG_URLS : CATALOG_HOSTS,
		facts->host, facts->port, by_url ? facts->path : NULL, bits);
	for (unsigned i = 0; bits_next(bits, words, &i); i++)
		tell(arg, roster_text(names, i));
}
