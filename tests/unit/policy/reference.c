#include "tests/unit/policy/reference.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum answer { NO, UNKNOWN, YES };
enum { CRITERIA = 11 };

static bool ends_with_label(const char *host, const char *domain)
{
	size_t len = strlen(host), tail = strlen(domain);

	return len > tail && host[len - tail - 1] == '.' &&
		strcmp(host + len - tail, domain) == 0;
}

/* All IPv6 networks here but ::/0 end within a group of digits that is written. */
static bool network_has(const char *network, const char *address)
{
	struct in_addr base, at;
	char text[WORLD_TEXT];
	int bits;

	if (strncmp(address, "::ffff:", 7) == 0)
		address += 7;
	if (strchr(network, ':'))
		return strchr(address, ':') &&
			(strcmp(network, "::/0") == 0 ||
				strncmp(address, "2001:db8:", 9) == 0);
	if (inet_pton(AF_INET, address, &at) != 1)
		return false;
	assert_int_equal(sscanf(network, "%79[0-9.]/%d", text, &bits), 2);
	assert_int_equal(inet_pton(AF_INET, text, &base), 1);
	return bits == 0 ||
		ntohl(at.s_addr) >> (32 - bits) ==
		ntohl(base.s_addr) >> (32 - bits);
}

static bool line_has_host(
	const struct line *line, const char *host, uint16_t port)
{
	bool number = host[0] == '1' || host[0] == '2';

	if (line->port != 0 && line->port != port)
		return false;
	if (line->network)
		return number && network_has(line->network, host);
	return strcmp(line->host, host) == 0 ||
		(line->below && ends_with_label(host, line->host));
}

static enum answer line_has(const struct line *line, bool by_url,
	const char *host, uint16_t port, const char *path)
{
	size_t len = line->path ? strlen(line->path) : 0;

	if (!line_has_host(line, host, port))
		return NO;
	if (!by_url || !line->path)
		return YES;
	if (!path)
		return UNKNOWN;
	return strncmp(path, line->path, len) == 0 &&
			(path[len] == '\0' || path[len] == '/') ?
		YES :
		NO;
}

static enum answer lines_have(const struct lines *lines, bool by_url,
	const char *host, uint16_t port, const char *path)
{
	enum answer best = NO;

	for (unsigned i = 0; i < lines->num; i++) {
		enum answer one =
			line_has(&lines->at[i], by_url, host, port, path);

		best = one > best ? one : best;
	}
	return best;
}

static bool has_text(const struct texts *texts, const char *text)
{
	for (unsigned i = 0; text && i < texts->num; i++)
		if (strcmp(texts->at[i], text) == 0)
			return true;
	return false;
}

static char small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool like(const char *glob, const char *text)
{
	if (*glob == '*')
		return like(glob + 1, text) || (*text && like(glob, text + 1));
	if (*glob == '\0' || *text == '\0')
		return *glob == *text;
	return small(*glob) == small(*text) && like(glob + 1, text + 1);
}

static bool any_like(const struct texts *texts, const char *text)
{
	for (unsigned i = 0; text && i < texts->num; i++)
		if (like(texts->at[i], text))
			return true;
	return false;
}

static enum answer in_any(const struct texts *texts, const char *address)
{
	if (!address)
		return UNKNOWN;
	for (unsigned i = 0; i < texts->num; i++)
		if (network_has(texts->at[i], address))
			return YES;
	return NO;
}

/* The first of January 1970 was a Thursday. */
static bool in_window(const struct plain_window *window, time_t now)
{
	long local = (long)now + window->zone->offset;
	unsigned days = window->days->bits;
	unsigned begin = window->hours->begin, end = window->hours->end;
	unsigned minute = (unsigned)(local / 60 % 1440);
	unsigned day = (unsigned)((local / 86400 + 4) % 7);
	bool today = days >> day & 1, yesterday = days >> (day + 6) % 7 & 1;

	if (begin < end)
		return today && minute >= begin && minute < end;
	return (today && minute >= begin) || (yesterday && minute < end);
}

static enum answer in_categories(const struct world *world,
	const struct asked *asked, bool by_url, const char *host,
	const struct plain_facts *facts)
{
	enum answer best = NO;

	for (unsigned i = 0; i < asked->num_categories; i++) {
		enum answer one =
			lines_have(&world->categories[asked->categories[i]],
				by_url, host, facts->port, facts->path);

		best = one > best ? one : best;
	}
	return best;
}

static bool in_groups(
	const struct world *world, const struct asked *asked, const char *user)
{
	for (unsigned i = 0; i < WORLD_GROUPS; i++)
		if (has_text(&asked->groups, world->groups[i].name) &&
			has_text(&world->groups[i].members, user))
			return true;
	return false;
}

static bool in_ports(const struct asked *asked, uint16_t port)
{
	for (unsigned i = 0; i < asked->num_ports; i++)
		if (port >= asked->ports[i].first &&
			port <= asked->ports[i].last)
			return true;
	return false;
}

static bool in_times(const struct asked *asked, time_t now)
{
	for (unsigned i = 0; i < asked->num_times; i++)
		if (in_window(&asked->times[i], now))
			return true;
	return false;
}

static enum answer in_certificates(uint32_t asked, enum certificate certificate)
{
	if (certificate == CERTIFICATE_UNKNOWN)
		return UNKNOWN;
	return asked >> certificate & 1 ? YES : NO;
}

/* The answers of the criteria that are given. */
static unsigned ask_each(const struct world *world, const struct asked *asked,
	bool by_url, const char *host, const struct plain_facts *facts,
	enum answer out[CRITERIA])
{
	unsigned num = 0;

	if (asked->num_categories)
		out[num++] = in_categories(world, asked, by_url, host, facts);
	if (asked->hosts.num)
		out[num++] = lines_have(
			&asked->hosts, false, host, facts->port, NULL);
	if (asked->users.num)
		out[num++] = has_text(&asked->users, facts->user) ? YES : NO;
	if (asked->groups.num)
		out[num++] = in_groups(world, asked, facts->user) ? YES : NO;
	if (asked->sources.num)
		out[num++] = in_any(&asked->sources, facts->source);
	if (asked->destinations.num)
		out[num++] = in_any(&asked->destinations, facts->destination);
	if (asked->num_ports)
		out[num++] = in_ports(asked, facts->port) ? YES : NO;
	if (asked->agents.num)
		out[num++] = any_like(&asked->agents, facts->agent) ? YES : NO;
	if (asked->num_times)
		out[num++] = in_times(asked, facts->now) ? YES : NO;
	if (asked->methods.num)
		out[num++] = !facts->method                      ? UNKNOWN :
			has_text(&asked->methods, facts->method) ? YES :
								   NO;
	if (asked->certificates)
		out[num++] = in_certificates(
			asked->certificates, facts->certificate);
	return num;
}

static bool meets(const struct world *world, const struct plain_rule *rule,
	bool by_url, bool restricts, const char *host,
	const struct plain_facts *facts)
{
	enum answer answers[CRITERIA];
	unsigned num =
		ask_each(world, &rule->match, by_url, host, facts, answers);

	for (unsigned i = 0; i < num; i++)
		if (answers[i] != YES)
			return false;
	num = ask_each(world, &rule->not, by_url, host, facts, answers);
	for (unsigned i = 0; i < num; i++)
		if (answers[i] == YES || (answers[i] == UNKNOWN && !restricts))
			return false;
	return true;
}

bool reference_matches(const struct world *world, unsigned list, unsigned num,
	const struct plain_facts *facts)
{
	const struct plain_rule *rule = &world->rules[list][num];
	bool by_url = list == WORLD_URL;
	bool blocks = !by_url && rule->action == ACTION_BLOCK;
	bool restricts = blocks || (by_url && rule->action != URL_ALLOW);

	if (!rule->enabled)
		return false;
	if (meets(world, rule, by_url, restricts, facts->host, facts))
		return true;
	if (rule->match.hosts.num == 0 && rule->match.num_categories == 0)
		return false; /* of hosts it asks nothing */
	return blocks && facts->address &&
		meets(world, rule, by_url, restricts, facts->address, facts);
}

unsigned reference_first(const struct world *world, unsigned list,
	const struct plain_facts *facts)
{
	unsigned i = 0;

	while (i < world->num_rules[list] &&
		!reference_matches(world, list, i, facts))
		i++;
	return i;
}

unsigned reference_action(const struct world *world, unsigned list,
	unsigned num, const struct plain_facts *facts)
{
	const struct plain_rule *rule = &world->rules[list][num];

	if (num == world->num_rules[list])
		return list == WORLD_SSL ? (unsigned)ACTION_INSPECT :
					   (unsigned)URL_ALLOW;
	if (list == WORLD_SSL && rule->block_no_sni && facts->tls &&
		!facts->has_sni)
		return ACTION_BLOCK;
	return rule->action;
}
