/*
 * The readers of what rules ask about, and of what is in a category.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/entry.h"
#include "policy/netset.h"
#include "policy/window.h"
#include "policy/zone.h"
#include "proxy/config/memory.h"
#include "proxy/config/nearest.h"
#include "proxy/config/units.h"
#include "proxy/config/values.h"
#include "proxy/config/zones.h"

enum { AGENT_MAX = 256, METHOD_MAX = 32, MOST_WINDOWS = 10000 };

void read_criteria(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	struct given given = {{0}};

	if (node->kind == NODE_MAP)
		fields_walk(loader, node, "CRITERIA", field->path, member,
			&given);
	else if (node_is_null(node)) /* emptied, it would match all */
		mistakes_error(&loader->mistakes, node->line,
			"%s has nothing below it; leave it out to match all",
			field->path);
	else
		mistakes_error(&loader->mistakes, node->line,
			"%s must have keys below it", field->path);
}

/* --- entries ------------------------------------------------------------ */

/* is_entry says whether item is one, or tells. */
static bool is_entry(struct loader *loader, const struct field *field,
	const struct node *item, struct entry *out)
{
	char err[256];

	if (entry_parse(item->text, strlen(item->text), out, err,
		sizeof(err)) == 0)
		return true;
	value_told(loader, field, item, err);
	return false;
}

static void one_entry(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct entry_text *entries = member;
	size_t len = strlen(item->text);
	struct entry entry;

	if (!is_entry(loader, field, item, &entry))
		return;
	while (entries->room < entries->len + len + 2) {
		entries->room = entries->room ? entries->room * 2 : 256;
		entries->at = must(realloc(entries->at, entries->room));
	}
	memcpy(entries->at + entries->len, item->text, len);
	entries->len += len;
	entries->at[entries->len++] = '\n';
	entries->at[entries->len] = '\0';
}

void read_entries(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, one_entry, member);
}

static void one_host(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct entry entry;

	if (!is_entry(loader, field, item, &entry))
		return;
	if (entry.path_len > 0)
		mistakes_error(&loader->mistakes, item->line, "%s: \"%s\" has "
			"a path, and hosts have none; put it in a category",
			field->path, shown(item->text).text);
	else
		value_name(loader, field, item, member);
}

void read_hosts(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, one_host, member);
}

/* --- what a request says ------------------------------------------------ */

static void one_agent(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	if (strlen(item->text) > AGENT_MAX)
		mistakes_error(&loader->mistakes, item->line,
			"%s: longer than %d bytes", field->path, AGENT_MAX);
	else if (!value_shows(item->text))
		mistakes_error(&loader->mistakes, item->line, "%s: \"%s\" has "
			"characters that can't be shown", field->path,
			shown(item->text).text);
	else
		value_name(loader, field, item, member);
}

void read_user_agents(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, one_agent, member);
}

/* RFC 9110, 9.1: a token, in which capitals matter; all there are have them. */
static void one_method(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	static const char fine[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-";
	size_t len = strlen(item->text);

	if (len > METHOD_MAX || strspn(item->text, fine) != len)
		mistakes_error(&loader->mistakes, item->line, "%s: \"%s\" is "
			"no method; in capitals, as GET", field->path,
			shown(item->text).text);
	else
		value_name(loader, field, item, member);
}

void read_methods(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, one_method, member);
}

static uint32_t certificate_bits(const char *word)
{
	uint32_t all = 0;

	for (unsigned i = CERTIFICATE_TRUSTED; i < CERTIFICATES; i++) {
		if (strcmp(word, certificate_name((enum certificate)i)) == 0)
			return UINT32_C(1) << i;
		all |= UINT32_C(1) << i;
	}
	if (strcmp(word, "untrusted") == 0)
		return all & ~(UINT32_C(1) << CERTIFICATE_TRUSTED);
	return 0;
}

static void tell_no_certificate(struct loader *loader,
	const struct field *field, const struct node *item)
{
	const char *words[CERTIFICATES] = {"untrusted"}, *close;

	for (unsigned i = CERTIFICATE_TRUSTED; i < CERTIFICATES; i++)
		words[i] = certificate_name((enum certificate)i);
	close = nearest(item->text, words, CERTIFICATES);
	mistakes_error(&loader->mistakes, item->line, close ?
		"%s: there is no \"%s\"; did you mean \"%s\"?" :
		"%s: there is no \"%s\"; there are trusted, untrusted and "
		"what sallyport(8) lists", field->path,
		shown(item->text).text, close);
}

static void one_certificate(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	uint32_t bits = certificate_bits(item->text);

	if (bits == 0)
		tell_no_certificate(loader, field, item);
	*(uint32_t *)member |= bits;
}

void read_certificates(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, one_certificate, member);
}

/* --- times -------------------------------------------------------------- */

/* make_window is the window of what was read, or NULL and the mistake told. */
static struct window *make_window(struct loader *loader,
	const struct field *field, const struct node *node,
	const struct time_draft *draft)
{
	char err[256];
	struct zone *zone = zones_open(ZONES_FOLDER,
		draft->zone ? draft->zone : "local", err, sizeof(err));
	struct window *window = NULL;

	if (zone)
		window = window_new(draft->days, draft->hours, zone, err,
			sizeof(err));
	if (!window) {
		value_told(loader, field, node, err);
		zone_free(zone);
	}
	return window;
}

static void one_time(struct loader *loader, const struct field *field,
	const struct node *node, struct window_list *list)
{
	size_t errors = loader->mistakes.errors;
	struct time_draft draft = {NULL, NULL, NULL};
	struct given given = {{0}};
	struct window *window;
	char path[128];

	if (node->kind != NODE_MAP || node->num == 0) {
		mistakes_error(&loader->mistakes, node->line, "%s: a time is "
			"a map, as {days: mon-fri, hours: 08:00-18:00}",
			field->path);
		return;
	}
	snprintf(path, sizeof(path), "%s[]", field->path);
	fields_walk(loader, node, "CRITERIA.times[]", path, &draft, &given);
	if (errors != loader->mistakes.errors)
		return;
	window = make_window(loader, field, node, &draft);
	if (!window)
		return;
	list->at = grow(list->at, list->num, sizeof(window));
	list->at[list->num++] = window;
}

/* room_for_times: a window has a zone of its own, some kilobytes. */
static bool room_for_times(struct loader *loader, const struct field *field,
	const struct node *node, size_t num)
{
	uint64_t high;

	if (units_count(field->high, &high) != 0)
		abort();
	loader->num_windows += num;
	if (num > high)
		mistakes_error(&loader->mistakes, node->line,
			"%s is a list of more than %s values", field->path,
			field->high);
	else if (loader->num_windows > MOST_WINDOWS)
		mistakes_error(&loader->mistakes, node->line,
			"%s: more than %d times in all rules", field->path,
			MOST_WINDOWS);
	else if (num == 0)
		mistakes_error(&loader->mistakes, node->line, "%s is an empty "
			"list; give a value, or leave the key out",
			field->path);
	else
		return true;
	return false;
}

void read_times(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	bool list = node->kind == NODE_LIST;

	if (!room_for_times(loader, field, node, list ? node->num : 1))
		return;
	if (!list)
		one_time(loader, field, node, member);
	for (size_t i = 0; list && i < node->num; i++)
		one_time(loader, field, node->at[i], member);
}
