/* explain_json.c - a walk told to programs. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/cli/explain_show.h"
#include "proxy/cli/explain_walk.h"
#include "proxy/config/mistakes.h"
#include "proxy/net/address.h"

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

static json_t *or_null(const char *text)
{
	return text ? text_of(text) : json_null();
}

/* Where a rule stands; NULL: a default, which stands nowhere. */
static void set_place(json_t *object, const struct tried *rule)
{
	bool known = rule && rule->file && rule->file[0];

	set(object, "file", known ? text_of(rule->file) : json_null());
	set(object, "line", known ? json_integer(rule->line) : json_null());
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
		set_place(object, tried);
		add(array, object);
	}
	return array;
}

/* What both passes end with. */
static void set_rule(json_t *object, const struct pass *pass)
{
	set_place(object, pass_rule(pass));
	set(object, "tried", tried_of(pass));
}

static json_t *tls_of(enum tls_version version)
{
	static const char *const words[] = {
		[TLS_ANY] = NULL, [TLS_1_2] = "1.2", [TLS_1_3] = "1.3"};

	return or_null(words[version]);
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
	set(object, "min_client_tls", tls_of(decision->options.min_client_tls));
	set(object, "min_server_tls", tls_of(decision->options.min_server_tls));
	set(object, "intermediate_ca",
		or_null(decision->options.intermediate_ca));
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
	set(object, "isolate", decision->options.action == URL_ISOLATE ?
		text_of(decision->options.isolate) : json_null());
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

/* Who asks, from where, how and when. */
static void set_asked(json_t *object, const struct inquiry *inquiry,
	const struct walk *walk)
{
	const struct sockaddr *from = (const struct sockaddr *)&inquiry->from;
	char address[46] = "", when[32] = "";
	struct tm tm;

	if (inquiry->has_from)
		address_text(from, address);
	if (gmtime_r(&inquiry->now, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	set(object, "user", or_null(walk->user));
	set(object, "from", or_null(*address ? address : NULL));
	set(object, "method", text_of(inquiry->method));
	set(object, "time", or_null(*when ? when : NULL));
	set(object, "asks_user", json_boolean(walk->asks_user));
}

static json_t *decision_of(const struct walk *walk)
{
	json_t *object = json_object();

	set(object, "pass", text_of(walk->by_url_rule ? "http" : "ssl"));
	set(object, "rule", text_of(walk->by));
	set(object, "reason", walk->reason == REASON_OK ? json_null() :
		text_of(reason_word(walk->reason)));
	return object;
}

json_t *explain_json(const struct inquiry *inquiry, const struct walk *walk)
{
	json_t *object = json_object(), *categories = json_object();

	set(categories, "host", names_of(&walk->by_host));
	set(categories, "url", names_of(&walk->by_url));
	set(object, "url", text_of(inquiry->url));
	set_asked(object, inquiry, walk);
	set(object, "categories", categories);
	set(object, "ssl", walk->ssl.asked ? ssl_of(&walk->ssl) : json_null());
	set(object, "http", walk->url.asked ? http_of(&walk->url) :
					      json_null());
	set(object, "outcome", text_of(walk->outcome));
	set(object, "decision", decision_of(walk));
	set(object, "sure", json_boolean(!walk_unsure(walk)));
	set(object, "unsure_because", or_null(walk_unsure(walk)));
	return object;
}
