/*
 * The readers of values about people: their names, where they come from, their
 * groups.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/netset.h"
#include "proxy/config/htpasswd.h"
#include "proxy/config/memory.h"
#include "proxy/config/units.h"
#include "proxy/config/values.h"

bool value_user(struct loader *loader, const struct field *field,
	unsigned line, const char *text)
{
	struct shown seen = shown(text);

	if (text[0] == '\0' || strlen(text) > HTPASSWD_USER_MAX)
		mistakes_error(&loader->mistakes, line, "%s: \"%s\" is no name "
			"of a user: 1 to %d bytes", field->path, seen.text,
			HTPASSWD_USER_MAX);
	else if (value_shows(text))
		return true;
	else
		mistakes_error(&loader->mistakes, line, "%s: \"%s\" has "
			"characters that can't be shown", field->path,
			seen.text);
	return false;
}

static void one_user(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	if (value_user(loader, field, item->line, item->text))
		value_name(loader, field, item, member);
}

void read_users(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, one_user, member);
}

/* The realm goes between quotes, in a header field of our own. */
void read_realm(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	const char *text = value_scalar(loader, field, node);
	char **realm = member;
	uint64_t most;

	if (!text)
		return;
	if (units_count(field->high, &most) != 0)
		abort();
	for (const char *at = text; *at; at++) {
		if (*at >= ' ' && *at < 0x7f && *at != '"' && *at != '\\')
			continue;
		mistakes_error(&loader->mistakes, node->line, "%s: \"%s\" may "
			"have ASCII letters, digits and signs, but no quotes "
			"and backslashes", field->path, shown(text).text);
		return;
	}
	if (strlen(text) > most) {
		mistakes_error(&loader->mistakes, node->line,
			"%s: longer than %s bytes", field->path, field->high);
		return;
	}
	free(*realm);
	*realm = must(strdup(text));
}

bool value_map(struct loader *loader, const struct field *field,
	const struct node *node, const char *form)
{
	uint64_t low, high;

	if (node->kind != NODE_MAP) {
		mistakes_error(&loader->mistakes, node->line,
			"%s must be a map, as %s", field->path, form);
		return false;
	}
	if (units_count(field->low, &low) != 0 ||
		units_count(field->high, &high) != 0)
		abort();
	if (node->num >= low && node->num <= high)
		return true;
	if (node->num < low)
		mistakes_error(&loader->mistakes, node->line,
			"%s is empty; give one, or leave the key out",
			field->path);
	else
		mistakes_error(&loader->mistakes, node->line,
			"%s has more than %s keys", field->path, field->high);
	return false;
}

static void one_source(struct loader *loader, const struct field *field,
	const struct node *item)
{
	struct config *config = loader->config;
	size_t num = config->users.num_sources;
	struct netset *network;
	const char *user = value_scalar(loader, field, item);
	char err[256];

	if (!user || !value_user(loader, field, item->line, user))
		return;
	network = netset_new();
	if (netset_add(network, item->key, err, sizeof(err)) != 0) {
		value_told(loader, field, item, err);
		netset_free(network);
		return;
	}
	config->users.sources = grow(config->users.sources, num,
		sizeof(struct user_source));
	config->users.sources[num] =
		(struct user_source){network, must(strdup(item->key)),
			must(strdup(user)), item->line};
	config->users.num_sources = num + 1;
}

void read_user_sources(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	(void)member;
	if (!value_map(loader, field, node, "{10.1.2.3: dev1}"))
		return;
	for (size_t i = 0; i < node->num; i++)
		one_source(loader, field, node->at[i]);
}

void read_groups(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	(void)member;
	if (!node_is_null(node) &&
		value_map(loader, field, node, "{developers: [dev1, dev2]}"))
		loader->groups = node;
}
