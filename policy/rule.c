#include "policy/rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/category.h"
#include "policy/domains.h"
#include "policy/memory.h"
#include "policy/netset.h"

static int check_name(const char *name, char *err, size_t err_size)
{
	size_t len = strlen(name);

	if (len > 0 && len < RULE_NAME_SIZE)
		return 0;
	snprintf(err, err_size, "a rule's name has 1 to %d bytes, not %zu",
		RULE_NAME_SIZE - 1, len);
	return -1;
}

static int check_ports(const struct rule_spec *spec, char *err, size_t err_size)
{
	for (size_t i = 0; i < spec->num_ports; i++) {
		const struct port_range *range = &spec->ports[i];

		if (range->first <= range->last)
			continue;
		snprintf(err, err_size,
			"rule \"%s\": in ports %u-%u the first is the larger",
			spec->name, range->first, range->last);
		return -1;
	}
	return 0;
}

/* Fills rule->categories, which the caller frees if this fails. */
static int find_categories(struct rule *rule, const struct rule_spec *spec,
	const struct categories *categories, char *err, size_t err_size)
{
	for (size_t i = 0; i < spec->num_categories; i++) {
		const struct domains *found =
			categories_find(categories, spec->categories[i]);

		if (!found) {
			snprintf(err, err_size,
				"rule \"%s\": there is no category \"%.100s\"",
				spec->name, spec->categories[i]);
			return -1;
		}
		rule->categories = memory_grow(
			rule->categories, i, sizeof(*rule->categories));
		rule->categories[i] = found;
		rule->num_categories = i + 1;
	}
	return 0;
}

static void take(struct rule *rule, const struct rule_spec *spec)
{
	memcpy(rule->name, spec->name, strlen(spec->name) + 1);
	rule->enabled = spec->enabled;
	rule->hosts = spec->hosts;
	if (rule->hosts)
		domains_seal(rule->hosts);
	rule->sources = spec->sources;
	rule->ports =
		memory_copy(spec->ports, spec->num_ports, sizeof(*spec->ports));
	rule->num_ports = spec->num_ports;
	rule->options = spec->options;
}

int rule_init(struct rule *rule, const struct rule_spec *spec,
	const struct categories *categories, char *err, size_t err_size)
{
	*rule = (struct rule){0};
	if (check_name(spec->name, err, err_size) < 0 ||
		check_ports(spec, err, err_size) < 0 ||
		find_categories(rule, spec, categories, err, err_size) < 0) {
		rule_clear(rule);
		return -1;
	}
	take(rule, spec);
	return 0;
}

void rule_clear(struct rule *rule)
{
	free(rule->categories);
	domains_free(rule->hosts);
	netset_free(rule->sources);
	free(rule->ports);
	*rule = (struct rule){0};
}

static bool in_categories(const struct rule *rule, const char *host)
{
	for (size_t i = 0; i < rule->num_categories; i++)
		if (domains_match(rule->categories[i], host))
			return true;
	return rule->num_categories == 0;
}

static bool meets_host(const struct rule *rule, const char *host)
{
	if (rule->hosts && !domains_match(rule->hosts, host))
		return false;
	return in_categories(rule, host);
}

static bool in_ports(const struct rule *rule, uint16_t port)
{
	for (size_t i = 0; i < rule->num_ports; i++)
		if (port >= rule->ports[i].first && port <= rule->ports[i].last)
			return true;
	return rule->num_ports == 0;
}

/* The cheap ones first. */
bool rule_matches(const struct rule *rule, const struct facts *facts)
{
	if (!rule->enabled || !in_ports(rule, facts->port))
		return false;
	if (rule->sources && !netset_match(rule->sources, facts->source))
		return false;
	if (meets_host(rule, facts->host))
		return true;
	return rule->options.action == ACTION_BLOCK && facts->address &&
		meets_host(rule, facts->address);
}
