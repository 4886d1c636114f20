#include "proxy/config/rules.h"

#include <stdlib.h>
#include <string.h>

#include "policy/netset.h"
#include "policy/window.h"
#include "proxy/config/categories.h"
#include "proxy/config/intern.h"
#include "proxy/config/memory.h"
#include "proxy/config/places.h"

/* The two lists of rules. */
struct rule_kind {
	const char *list, *section;
	const char *actions; /* to choose from, in words */
	enum field_owner owner;
};

static const struct rule_kind ssl_kind = {
	"ssl-rules", "ssl-rules[]", "inspect, do-not-inspect or block",
	OF_ssl_draft,
};

static const struct rule_kind url_kind = {
	"url-rules", "url-rules[]", "allow, block or isolate", OF_url_draft,
};

/* One rule, while it is read. */
struct reading {
	struct loader *loader;
	const struct rule_kind *kind;
	const struct node *node;
	const char *from;      /* for good: the document's name, or "" */
	struct given given;
	union {
		struct ssl_draft ssl;
		struct url_draft url;
	} draft;
	struct rule_draft *rule; /* of draft */
};

static unsigned line_of(const struct node *rule, const char *key)
{
	const struct node *node = node_get(rule, key);

	return node ? node->line : rule->line;
}

static bool has(const struct reading *reading, const char *key)
{
	char path[64];

	snprintf(path, sizeof(path), "%s.%s", reading->kind->section, key);
	return fields_given(&reading->given, path);
}

/* --- criteria ----------------------------------------------------------- */

static unsigned line_of_item(const struct node *list, size_t i)
{
	return list->kind == NODE_LIST && i < list->num ? list->at[i]->line :
							  list->line;
}

static void tell_missing(struct loader *loader, unsigned line,
	const char *what, const char *name, const char *close,
	const char *where)
{
	if (close)
		mistakes_error(&loader->mistakes, line, "there is no %s \"%s\";"
			" did you mean \"%s\"?", what, shown(name).text,
			shown(close).text);
	else
		mistakes_error(&loader->mistakes, line, "there is no %s \"%s\";"
			" give it under %s", what, shown(name).text, where);
}

/* may_guess: what was probably meant takes long to find among thousands of names,
 * and helps with the first few mistakes. */
static bool may_guess(const struct loader *loader)
{
	enum { GUESSES = 10 };

	return loader->mistakes.errors < GUESSES;
}

static void check_categories(struct loader *loader, const struct node *list,
	const struct name_list *names)
{
	for (size_t i = 0; i < names->num; i++) {
		const char *name = names->at[i];

		if (!categories_find(loader->config, name))
			tell_missing(loader, line_of_item(list, i), "category",
				name, may_guess(loader) ? categories_nearest(
					loader->config, name) : NULL,
				"categories");
	}
}

static void check_groups(struct loader *loader, const struct node *list,
	const struct name_list *names)
{
	for (size_t i = 0; i < names->num; i++) {
		const char *name = names->at[i];

		if (!groups_find(loader, name))
			tell_missing(loader, line_of_item(list, i), "group",
				name, may_guess(loader) ?
					groups_nearest(loader, name) : NULL,
				"users.groups");
	}
}

static void note_users(const struct reading *reading, const struct node *list,
	const struct name_list *names)
{
	for (size_t i = 0; i < names->num; i++)
		config_note_user(reading->loader->config, names->at[i],
			reading->from, line_of_item(list, i));
}

/* check_known: an SSL rule sees no request, and decides before there is an origin
 * whose certificate could be looked at. */
static void check_known(struct reading *reading, const struct node *criteria,
	const char *section)
{
	static const char *const unknown[] = {"methods", "certificate"};

	for (size_t i = 0; i < 2; i++) {
		const struct node *node = node_get(criteria, unknown[i]);

		if (node && reading->kind == &ssl_kind)
			mistakes_error(&reading->loader->mistakes, node->line,
				"ssl-rules[].%s.%s is not known when SSL rules "
				"decide; ask about it in url-rules", section,
				unknown[i]);
	}
}

static void check_criteria(struct reading *reading, const char *section,
	const struct criteria_draft *draft)
{
	const struct node *node = node_get(reading->node, section);

	if (!node || node->kind != NODE_MAP)
		return;
	check_known(reading, node, section);
	check_categories(reading->loader, node_get(node, "categories"),
		&draft->categories);
	check_groups(reading->loader, node_get(node, "groups"),
		&draft->groups);
	note_users(reading, node_get(node, "users"), &draft->users);
}

static void criteria_clear(struct criteria_draft *draft)
{
	free(draft->categories.at);
	free(draft->hosts.at);
	free(draft->users.at);
	free(draft->groups.at);
	free(draft->user_agents.at);
	free(draft->methods.at);
	free(draft->ports.at);
	netset_free(draft->sources);
	netset_free(draft->destinations);
	for (size_t i = 0; i < draft->times.num; i++)
		window_free(draft->times.at[i]);
	free(draft->times.at);
}

/* criteria_taken: the policy has what it takes. */
static void criteria_taken(struct criteria_draft *draft)
{
	draft->sources = draft->destinations = NULL;
	draft->times.num = 0;
}

static struct criteria_spec spec_of(const struct criteria_draft *draft)
{
	return (struct criteria_spec){
		.categories = draft->categories.at,
		.num_categories = draft->categories.num,
		.hosts = draft->hosts.at,
		.num_hosts = draft->hosts.num,
		.users = draft->users.at,
		.num_users = draft->users.num,
		.groups = draft->groups.at,
		.num_groups = draft->groups.num,
		.sources = draft->sources,
		.destinations = draft->destinations,
		.ports = draft->ports.at,
		.num_ports = draft->ports.num,
		.user_agents = draft->user_agents.at,
		.num_user_agents = draft->user_agents.num,
		.times = draft->times.at,
		.num_times = draft->times.num,
		.methods = draft->methods.at,
		.num_methods = draft->methods.num,
		.certificates = draft->certificates,
	};
}

/* --- options ------------------------------------------------------------ */

/* What makes no sense together is not what the administrator thinks it is. */
static const struct {
	const char *key;
	unsigned actions; /* bits: with which it says something */
	const char *why;
} ssl_options[] = {
	{"untrusted", 1 << ACTION_INSPECT,
		"the origin's certificate is not looked at"},
	{"block-undecryptable", 1 << ACTION_INSPECT, "nothing is decrypted"},
	{"intermediate-ca", 1 << ACTION_INSPECT, "no certificate is made"},
	{"min-client-tls", 1 << ACTION_INSPECT,
		"client and origin speak TLS with each other, or not at all"},
	{"min-server-tls", 1 << ACTION_INSPECT,
		"client and origin speak TLS with each other, or not at all"},
	{"url-policies", 1 << ACTION_INSPECT | 1 << ACTION_DO_NOT_INSPECT,
		"there is nothing left to decide"},
};

static void check_ssl_options(struct reading *reading)
{
	const struct verdict_options *options = &reading->draft.ssl.options;
	struct mistakes *mistakes = &reading->loader->mistakes;
	const char *action = action_name(options->action);

	for (size_t i = 0; i < sizeof(ssl_options) / sizeof(*ssl_options);
		i++) {
		const char *key = ssl_options[i].key;

		if (has(reading, key) && !(ssl_options[i].actions &
			1u << options->action))
			mistakes_error(mistakes, line_of(reading->node, key),
				"%s says nothing with action %s: %s; leave it "
				"out", key, action, ssl_options[i].why);
	}
	if (options->action != ACTION_BLOCK && options->notify)
		mistakes_error(mistakes, line_of(reading->node, "notify"),
			"notify says nothing with action %s: it is for block",
			action);
	if (options->action == ACTION_BLOCK && options->block_no_sni)
		mistakes_warning(mistakes,
			line_of(reading->node, "block-no-sni"),
			"block-no-sni says nothing with action block: all is "
			"blocked");
}

static void check_url_options(struct reading *reading)
{
	const struct url_options *options = &reading->draft.url.options;
	struct mistakes *mistakes = &reading->loader->mistakes;

	if (options->action != URL_ISOLATE && options->isolate)
		mistakes_error(mistakes, line_of(reading->node, "isolate"),
			"isolate says nothing with action %s; leave it out",
			url_action_name(options->action));
	if (options->action == URL_ISOLATE && !options->isolate)
		mistakes_error(mistakes, reading->node->line, "the rule \"%s\" "
			"has action isolate, but does not say where to; give "
			"isolate, as https://iso.example/?url={url}",
			reading->rule->name);
}

static bool check_needed(const struct reading *reading)
{
	struct mistakes *mistakes = &reading->loader->mistakes;
	unsigned line = reading->node->line;

	if (!has(reading, "name"))
		mistakes_error(mistakes, line, "this rule has no name");
	if (!has(reading, "action") && reading->rule->enabled)
		mistakes_error(mistakes, line, "the rule \"%s\" has no action; "
			"%s", reading->rule->name ? reading->rule->name : "",
			reading->kind->actions);
	return has(reading, "action") && reading->rule->name;
}

/* --- a rule ------------------------------------------------------------- */

/* note_spared: a path in what an SSL rule leaves alone is not what it looks like;
 * who reads the lists tells. */
static void note_spared(struct reading *reading)
{
	const struct name_list *names = &reading->rule->match.categories;

	for (size_t i = 0; i < names->num; i++) {
		struct category *category = categories_find(
			reading->loader->config, names->at[i]);

		if (category && !category->spared)
			category->spared = must(strdup(reading->rule->name));
	}
}

/* note_ca keeps the CA that the rule names, to be looked for later. */
static void note_ca(const struct reading *reading)
{
	const char *ca = reading->draft.ssl.options.intermediate_ca;
	struct config *config = reading->loader->config;

	if (!ca)
		return;
	config->named = grow(config->named, config->num_named,
		sizeof(*config->named));
	config->named[config->num_named++] = (struct named_ca){
		.name = ca,
		.rule = intern(reading->rule->name),
		.from = reading->from,
		.line = line_of(reading->node, "intermediate-ca"),
	};
}

static int add_ssl(struct reading *reading, struct rule_spec *spec, char *err,
	size_t err_size)
{
	struct verdict_options *options = &reading->draft.ssl.options;
	struct config *config = reading->loader->config;

	options->intermediate_ca = intern(options->intermediate_ca);
	spec->options = *options;
	if (policy_add_rule(config->policy, spec, err, err_size) != 0)
		return -1;
	config->num_rules++;
	if (spec->enabled)
		note_ca(reading);
	if (spec->enabled && options->action == ACTION_DO_NOT_INSPECT)
		note_spared(reading);
	return 0;
}

static int add_url(struct reading *reading, struct rule_spec *spec, char *err,
	size_t err_size)
{
	struct config *config = reading->loader->config;
	char host[HOST_SIZE];

	spec->url = reading->draft.url.options;
	spec->url.isolate = intern(spec->url.isolate);
	if (spec->url.isolate) {
		place_isolation(spec->url.isolate, host, &spec->isolation_port);
		spec->isolation = intern(host);
	}
	if (policy_add_url_rule(config->policy, spec, err, err_size) != 0)
		return -1;
	config->num_url_rules++;
	return 0;
}

/* add gives the rule to the policy, which takes its sets. */
static void add(struct reading *reading)
{
	struct rule_draft *rule = reading->rule;
	struct rule_spec spec = {
		.name = rule->name,
		.enabled = rule->enabled,
		.match = spec_of(&rule->match),
		.not = spec_of(&rule->not),
		.file = reading->from,
		.line = reading->node->line,
	};
	char err[256];
	int result = reading->kind == &ssl_kind ?
		add_ssl(reading, &spec, err, sizeof(err)) :
		add_url(reading, &spec, err, sizeof(err));

	if (result != 0) {
		mistakes_error(&reading->loader->mistakes, reading->node->line,
			"%s", err);
		return;
	}
	criteria_taken(&rule->match);
	criteria_taken(&rule->not);
}

static void read_rule(struct reading *reading)
{
	struct loader *loader = reading->loader;
	size_t errors = loader->mistakes.errors;

	fields_walk(loader, reading->node, reading->kind->section,
		reading->kind->section, &reading->draft, &reading->given);
	fields_default(loader, reading->kind->owner, &reading->draft,
		&reading->given);
	check_criteria(reading, "match", &reading->rule->match);
	check_criteria(reading, "not", &reading->rule->not);
	if (!check_needed(reading) || errors != loader->mistakes.errors)
		return;
	if (reading->kind == &ssl_kind)
		check_ssl_options(reading);
	else
		check_url_options(reading);
}

/* --- all ---------------------------------------------------------------- */

/* The rules of a list that have names. */
struct named {
	const char *name;
	unsigned line;
};

static void check_twice(struct reading *reading, struct named *named,
	size_t *num)
{
	const char *name = reading->rule->name;
	unsigned line = line_of(reading->node, "name");

	for (size_t i = 0; i < *num; i++) {
		if (strcmp(named[i].name, name) != 0)
			continue;
		mistakes_error(&reading->loader->mistakes, line, "the rule in "
			"line %u has the name \"%s\" too", named[i].line,
			shown(name).text);
		return;
	}
	named[(*num)++] = (struct named){name, line};
}

/* check_taken: of what no rule decides it is said that "default" does. */
static void check_taken(const struct reading *reading)
{
	if (strcmp(reading->rule->name, "default") == 0)
		mistakes_error(&reading->loader->mistakes,
			line_of(reading->node, "name"),
			"no rule can be called \"default\": the log and others "
			"call so what no rule decides; \"Default\" is another "
			"name");
}

static void load_rule(struct loader *loader, const struct rule_kind *kind,
	const struct node *node, struct named *named, size_t *num_named)
{
	struct reading reading = {
		.loader = loader,
		.kind = kind,
		.node = node,
		.from = intern(loader->mistakes.file ?
			loader->mistakes.file : ""),
	};

	reading.rule = kind == &ssl_kind ? &reading.draft.ssl.rule :
					   &reading.draft.url.rule;
	if (node->kind != NODE_MAP) {
		mistakes_error(&loader->mistakes, node->line,
			"a rule must have keys: name, match, action");
		return;
	}
	read_rule(&reading);
	if (reading.rule->name) {
		check_taken(&reading);
		check_twice(&reading, named, num_named);
	}
	if (loader->mistakes.errors == 0) /* else for nothing, and more noise */
		add(&reading);
	criteria_clear(&reading.rule->match);
	criteria_clear(&reading.rule->not);
}

static void load_list(struct loader *loader, const struct rule_kind *kind,
	const struct node *all)
{
	struct named *named;
	size_t num = 0;

	if (all->kind != NODE_LIST) {
		mistakes_error(&loader->mistakes, all->line,
			"%s must be a list of rules, a dash before each",
			kind->list);
		return;
	}
	if (all->num > RULES_MAX) {
		mistakes_error(&loader->mistakes, all->line,
			"more than %d rules", RULES_MAX);
		return;
	}
	named = must(calloc(all->num + 1, sizeof(*named)));
	for (size_t i = 0; i < all->num; i++)
		load_rule(loader, kind, all->at[i], named, &num);
	free(named);
}

/* load_kind: what goes over the configuration takes the place of its list, also
 * with none. */
static void load_kind(struct loader *loader, const struct rule_kind *kind,
	const struct node *file, const struct node *policy)
{
	bool over = policy && !node_is_null(policy);
	const struct node *all = over ? policy : file;

	if (!all || node_is_null(all))
		return;
	loader->mistakes.file = over ? loader->policy.name : loader->file.name;
	if (kind == &ssl_kind)
		loader->config->rules_from = intern(loader->mistakes.file);
	else
		loader->config->url_rules_from = intern(loader->mistakes.file);
	load_list(loader, kind, all);
}

void rules_load(struct loader *loader)
{
	load_kind(loader, &ssl_kind, loader->file.ssl_rules,
		loader->policy.ssl_rules);
	load_kind(loader, &url_kind, loader->file.url_rules,
		loader->policy.url_rules);
}
