/* explain_json.c - a walk told to programs. */
#include <stdlib.h>
#include <string.h>

#include "proxy/cli/explain_show.h"
#include "proxy/cli/explain_walk.h"
#include "proxy/config/mistakes.h"

/* text_of: what is no UTF-8 comes from the command line; it is masked. */
static json_t *text_of(const char *text)
{
	json_t *value = json_string(text);
	char *copy;

	if (value)
		return value;
	copy = strdup(text);
	if (!copy)
		abort();
	shown_mask(copy);
	value = json_string(copy);
	free(copy);
	return value;
}

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		abort();
}

static void add(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		abort();
}

static json_t *tried_of(const struct pass *pass)
{
	json_t *array = json_array();

	for (size_t i = 0; i < pass->num_tried; i++) {
		const struct tried *tried = &pass->tried[i];
		json_t *object = json_object();

		set(object, "rule", text_of(tried->rule));
		set(object, "matched", json_boolean(tried->matched));
		if (!tried->matched)
			set(object, "because", text_of(tried->because));
		add(array, object);
	}
	return array;
}

/* What both passes end with. */
static void set_rule(json_t *object, const struct pass *pass)
{
	const struct tried *rule = pass_rule(pass);
	bool known = rule && rule->file && rule->file[0];

	set(object, "file", known ? text_of(rule->file) : json_null());
	set(object, "line", known ? json_integer(rule->line) : json_null());
	set(object, "tried", tried_of(pass));
}

static json_t *ssl_of(const struct pass *pass)
{
	const struct decision *decision = &pass->ways[pass->counts].ssl;
	json_t *object = json_object();

	set(object, "rule", text_of(decision->rule_name));
	set(object, "action", text_of(action_name(decision->options.action)));
	set(object, "untrusted",
		text_of(untrusted_name(decision->options.untrusted)));
	set(object, "url_policies", text_of(
		decision->options.url_policies == URL_POLICIES_BYPASS ?
			"bypass" : "evaluate"));
	set_rule(object, pass);
	return object;
}

static json_t *http_of(const struct pass *pass)
{
	const struct url_decision *decision = &pass->ways[pass->counts].url;
	json_t *object = json_object();

	set(object, "rule", text_of(decision->rule_name));
	set(object, "action",
		text_of(url_action_name(decision->options.action)));
	set_rule(object, pass);
	return object;
}

static json_t *names_of(const struct categories_found *found)
{
	json_t *array = json_array();

	for (size_t i = 0; i < found->num; i++)
		add(array, text_of(found->names[i]));
	return array;
}

json_t *explain_json(const struct inquiry *inquiry, const struct walk *walk)
{
	json_t *object = json_object(), *categories = json_object();

	set(categories, "host", names_of(&walk->by_host));
	set(categories, "url", names_of(&walk->by_url));
	set(object, "url", text_of(inquiry->url));
	set(object, "user", walk->user ? text_of(walk->user) : json_null());
	set(object, "categories", categories);
	set(object, "ssl", walk->ssl.asked ? ssl_of(&walk->ssl) : json_null());
	set(object, "http", walk->url.asked ? http_of(&walk->url) :
					      json_null());
	set(object, "outcome", text_of(walk->outcome));
	return object;
}
