/* The readers of values about the access log: what it leaves out, and the names
 * of places. */
#include <stdlib.h>
#include <string.h>

#include "policy/netset.h"
#include "proxy/config/memory.h"
#include "proxy/config/units.h"
#include "proxy/config/values.h"

enum { LOCATION_NAME_MAX = 127 };

/* The order is that of enum redact. */
static void one_redact(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	static const char words[] = "query|path|user-agent|user|client";
	int place = value_in(words, item->text);

	if (place >= 0)
		*(unsigned *)member |= 1u << place;
	else
		mistakes_error(&loader->mistakes, item->line,
			"%s: there is no \"%s\"; it is some of %s",
			field->path, shown(item->text).text, words);
}

void read_redact(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	*(unsigned *)member = 0;
	value_each(loader, field, node, one_redact, member);
}

static void one_network(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	char err[256];

	if (netset_add(member, item->text, err, sizeof(err)) != 0)
		value_told(loader, field, item, err);
}

static bool is_name(struct loader *loader, const struct field *field,
	const struct node *item)
{
	if (item->key[0] && strlen(item->key) <= LOCATION_NAME_MAX &&
	    value_shows(item->key))
		return true;
	mistakes_error(&loader->mistakes, item->line, "%s: \"%s\" is no name "
		"of a place: 1 to %d bytes that can be shown", field->path,
		shown(item->key).text, LOCATION_NAME_MAX);
	return false;
}

static void one_location(struct loader *loader, const struct field *field,
	const struct node *item)
{
	struct config *config = loader->config;
	size_t num = config->log.num_locations;
	struct location location;

	if (!is_name(loader, field, item))
		return;
	location.name = must(strdup(item->key));
	location.networks = netset_new();
	config->log.locations = grow(config->log.locations, num,
		sizeof(location));
	config->log.locations[num] = location;
	config->log.num_locations = num + 1;
	value_each(loader, field, item, one_network, location.networks);
}

void read_locations(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	(void)member;
	if (!value_map(loader, field, node, "{Berlin: [10.1.0.0/16]}"))
		return;
	for (size_t i = 0; i < node->num; i++)
		one_location(loader, field, node->at[i]);
}
