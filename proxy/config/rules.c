#include "proxy/config/rules.h"

#include <stdlib.h>
#include <string.h>

#include "policy/domains.h"
#include "policy/netset.h"
#include "proxy/config/intern.h"
#include "proxy/config/memory.h"
#include "proxy/config/nearest.h"

enum { MOST_RULES = 10000, MOST_CATEGORIES = 10000, CATEGORY_NAME_MAX = 63 };

static void load_category(struct loader *loader, const struct node *node)
{
	size_t errors = loader->mistakes.errors;
	struct category_draft draft = {NULL};
	uint64_t given = 0;
	char err[256];

	if (node->kind != NODE_MAP) {
		mistakes_error(&loader->mistakes, node->line, "the category "
			"\"%s\" must have the key hosts below it",
			shown(node->key).text);
		return;
	}
	fields_walk(loader, node, "categories.NAME", &draft, &given);
	if (!draft.hosts && errors == loader->mistakes.errors)
		mistakes_error(&loader->mistakes, node->line,
			"the category \"%s\" has no hosts",
			shown(node->key).text);
	if (errors != loader->mistakes.errors)
		goto out;
	if (strlen(node->key) > CATEGORY_NAME_MAX || node->key[0] == '\0' ||
		strcmp(shown(node->key).text, node->key) != 0) {
		mistakes_error(&loader->mistakes, node->line,
			"\"%s\" is no name for a category; 1 to 63 bytes that "
			"can be shown", shown(node->key).text);
		goto out;
	}
	if (policy_add_category(loader->config->policy, node->key,
		draft.hosts, err, sizeof(err)) != 0) {
		mistakes_error(&loader->mistakes, node->line, "%s", err);
		goto out;
	}
	loader->config->num_categories++;
	return;
out:
	domains_free(draft.hosts);
}

static void load_categories(struct loader *loader)
{
	const struct node *all = loader->categories;

	if (!all || node_is_null(all))
		return;
	if (all->kind != NODE_MAP)
		mistakes_error(&loader->mistakes, all->line,
			"categories must have names of categories below it");
	else if (all->num > MOST_CATEGORIES)
		mistakes_error(&loader->mistakes, all->line,
			"more than %d categories", MOST_CATEGORIES);
	else
		for (size_t i = 0; i < all->num; i++)
			load_category(loader, all->at[i]);
}

/* nearest_category is what a rule probably meant by name, or NULL. */
static const char *nearest_category(const struct loader *loader,
	const char *name)
{
	const struct node *all = loader->categories;
	const char *best = NULL;

	for (size_t i = 0; all && i < all->num; i++) {
		const char *two[2] = {all->at[i]->key, best};

		if (nearest(name, two, best ? 2 : 1) == all->at[i]->key)
			best = all->at[i]->key;
	}
	return best;
}

static unsigned line_of(const struct node *rule, const char *key)
{
	const struct node *node = node_get(rule, key);

	return node ? node->line : rule->line;
}

static void tell_no_category(struct loader *loader, unsigned line,
	const char *name)
{
	const char *close = nearest_category(loader, name);

	if (close)
		mistakes_error(&loader->mistakes, line, "there is no category "
			"\"%s\"; did you mean \"%s\"?", shown(name).text,
			close);
	else
		mistakes_error(&loader->mistakes, line, "there is no category "
			"\"%s\"; give it under categories", shown(name).text);
}

static void check_categories(struct loader *loader, const struct node *rule,
	const struct rule_draft *draft)
{
	const struct node *match = node_get(rule, "match");
	const struct node *list = match ? node_get(match, "categories") : NULL;
	const struct node *all = loader->categories;

	for (size_t i = 0; i < draft->categories.num; i++) {
		const char *name = draft->categories.at[i];
		unsigned line = list->kind == NODE_LIST && i < list->num ?
			list->at[i]->line : list->line;

		if (!all || !node_get(all, name))
			tell_no_category(loader, line, name);
	}
}

/* What makes no sense together is not what the administrator thinks it is. */
static void check_options(struct loader *loader, const struct node *rule,
	const struct rule_draft *draft, uint64_t given)
{
	enum action action = draft->options.action;
	struct mistakes *mistakes = &loader->mistakes;

	if (action != ACTION_INSPECT &&
		fields_given(given, "ssl-rules[].untrusted"))
		mistakes_error(mistakes, line_of(rule, "untrusted"),
			"untrusted says nothing with action %s: the origin's "
			"certificate is not looked at; leave it out",
			action_name(action));
	if (action != ACTION_INSPECT &&
		fields_given(given, "ssl-rules[].block-undecryptable"))
		mistakes_error(mistakes, line_of(rule, "block-undecryptable"),
			"block-undecryptable says nothing with action %s: "
			"nothing is decrypted; leave it out",
			action_name(action));
	if (action != ACTION_INSPECT && draft->options.intermediate_ca)
		mistakes_error(mistakes, line_of(rule, "intermediate-ca"),
			"intermediate-ca says nothing with action %s: no "
			"certificate is made; leave it out",
			action_name(action));
	if (action != ACTION_BLOCK && draft->options.notify)
		mistakes_error(mistakes, line_of(rule, "notify"),
			"notify says nothing with action %s: it is for block",
			action_name(action));
	if (action == ACTION_BLOCK && draft->options.block_no_sni)
		mistakes_warning(mistakes, line_of(rule, "block-no-sni"),
			"block-no-sni says nothing with action block: all is "
			"blocked");
}

static bool matches_all(const struct rule_draft *draft)
{
	return draft->categories.num == 0 && !draft->hosts &&
		!draft->sources && draft->ports.num == 0;
}

/* The first enabled rule that leaves nothing for those behind it. */
struct last_rule {
	const char *name;
	unsigned line;
};

static void check_reached(struct loader *loader, const struct node *rule,
	const struct rule_draft *draft, struct last_rule *last)
{
	if (!draft->enabled)
		return;
	if (last->name)
		mistakes_warning(&loader->mistakes, rule->line,
			"the rule \"%s\" never decides: \"%s\" in line %u "
			"matches everything before it", draft->name,
			last->name, last->line);
	else if (matches_all(draft))
		*last = (struct last_rule){draft->name, rule->line};
}

static bool check_needed(struct loader *loader, const struct node *rule,
	const struct rule_draft *draft, uint64_t given)
{
	bool fine = true;

	if (!fields_given(given, "ssl-rules[].name")) {
		mistakes_error(&loader->mistakes, rule->line,
			"this rule has no name");
		fine = false;
	}
	if (!fields_given(given, "ssl-rules[].action")) {
		mistakes_error(&loader->mistakes, rule->line, "the rule \"%s\" "
			"has no action; inspect, do-not-inspect or block",
			draft->name ? draft->name : "");
		fine = false;
	}
	return fine && draft->name;
}

static void check_twice(struct loader *loader, const struct node *rule,
	const struct node *const *named, size_t num)
{
	const char *name = node_get(rule, "name")->text;

	for (size_t i = 0; i < num; i++) {
		if (strcmp(node_get(named[i], "name")->text, name) == 0) {
			mistakes_error(&loader->mistakes,
				line_of(rule, "name"), "the rule in line %u "
				"has the name \"%s\" too", line_of(named[i],
				"name"), shown(name).text);
			return;
		}
	}
}

static void rule_clear(struct rule_draft *draft)
{
	free(draft->categories.at);
	free(draft->ports.at);
	domains_free(draft->hosts);
	netset_free(draft->sources);
}

/* note_ca keeps the CA that the rule names, to be looked for later. */
static void note_ca(struct config *config, const struct node *rule,
	const struct rule_draft *draft)
{
	if (!draft->options.intermediate_ca || !draft->enabled)
		return;
	config->named = must(realloc(config->named,
		(config->num_named + 1) * sizeof(*config->named)));
	config->named[config->num_named++] = (struct named_ca){
		.name = draft->options.intermediate_ca,
		.rule = intern(draft->name),
		.line = line_of(rule, "intermediate-ca"),
	};
}

/* add gives the rule to the policy, which takes its sets. */
static void add(struct loader *loader, const struct node *rule,
	struct rule_draft *draft)
{
	draft->options.intermediate_ca = intern(draft->options.intermediate_ca);
	struct rule_spec spec = {
		.name = draft->name,
		.enabled = draft->enabled,
		.categories = draft->categories.at,
		.num_categories = draft->categories.num,
		.hosts = draft->hosts,
		.sources = draft->sources,
		.ports = draft->ports.at,
		.num_ports = draft->ports.num,
		.options = draft->options,
	};
	char err[256];

	if (policy_add_rule(loader->config->policy, &spec, err,
		sizeof(err)) != 0) {
		mistakes_error(&loader->mistakes, rule->line, "%s", err);
		return;
	}
	note_ca(loader->config, rule, draft);
	draft->hosts = NULL;
	draft->sources = NULL;
	loader->config->num_rules++;
}

/* load_rule says whether the rule has a name that those behind it must not
 * have too. */
static bool load_rule(struct loader *loader, const struct node *rule,
	const struct node *const *named, size_t num_named,
	struct last_rule *last)
{
	size_t errors = loader->mistakes.errors;
	struct rule_draft draft = {.name = NULL};
	uint64_t given = 0;

	if (rule->kind != NODE_MAP) {
		mistakes_error(&loader->mistakes, rule->line,
			"a rule must have keys: name, match, action");
		return false;
	}
	fields_walk(loader, rule, "ssl-rules[]", &draft, &given);
	fields_default(loader, OF_rule_draft, &draft, given);
	check_categories(loader, rule, &draft);
	if (draft.name)
		check_twice(loader, rule, named, num_named);
	if (check_needed(loader, rule, &draft, given) &&
		errors == loader->mistakes.errors) {
		check_options(loader, rule, &draft, given);
		check_reached(loader, rule, &draft, last);
	}
	if (loader->mistakes.errors == 0) /* else for nothing, and more noise */
		add(loader, rule, &draft);
	rule_clear(&draft);
	return draft.name != NULL;
}

static void load_rules(struct loader *loader, const struct node *all)
{
	struct last_rule last = {NULL, 0};
	const struct node **named = calloc(all->num + 1, sizeof(*named));
	size_t num = 0;

	if (!named)
		abort();
	for (size_t i = 0; i < all->num; i++) {
		if (load_rule(loader, all->at[i], named, num, &last))
			named[num++] = all->at[i];
	}
	free(named);
}

void rules_load(struct loader *loader)
{
	const struct node *all = loader->rules;

	load_categories(loader);
	if (!all || node_is_null(all))
		return;
	if (all->kind != NODE_LIST)
		mistakes_error(&loader->mistakes, all->line,
			"ssl-rules must be a list of rules, a dash before each");
	else if (all->num > MOST_RULES)
		mistakes_error(&loader->mistakes, all->line,
			"more than %d rules", MOST_RULES);
	else
		load_rules(loader, all);
}
