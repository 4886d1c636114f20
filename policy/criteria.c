#include "policy/criteria.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/bits.h"
#include "policy/catalog.h"
#include "policy/entry.h"
#include "policy/glob.h"
#include "policy/memory.h"
#include "policy/netset.h"
#include "policy/network.h"
#include "policy/window.h"

enum { HOST_SETS_MAX = 4 * RULES_MAX };

/* --- making ---- */

static int compare_numbers(const void *a, const void *b)
{
	unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;

	return (left > right) - (left < right);
}

static void sort_numbers(unsigned *numbers, size_t num)
{
	if (num > 0)
		qsort(numbers, num, sizeof(*numbers), compare_numbers);
}

static bool has_number(const unsigned *numbers, size_t num, unsigned number)
{
	return num > 0 &&
		bsearch(&number, numbers, num, sizeof(number), compare_numbers);
}

static unsigned *new_numbers(size_t num)
{
	return num > 0 ? memory_new(num * sizeof(unsigned)) : NULL;
}

static int no_such(
	const char *what, const char *name, char *err, size_t err_size)
{
	snprintf(err, err_size, "there is no %s \"%.100s\"", what, name);
	return -1;
}

static int find_categories(struct criteria *criteria,
	const struct criteria_spec *spec, const struct terms *terms, char *err,
	size_t err_size)
{
	size_t num = spec->num_categories;

	criteria->categories = new_numbers(num);
	criteria->num_categories = num;
	for (size_t i = 0; i < num; i++)
		if (!roster_find(&terms->categories, spec->categories[i],
			    &criteria->categories[i]))
			return no_such(
				"category", spec->categories[i], err, err_size);
	sort_numbers(criteria->categories, num);
	return 0;
}

static int find_groups(struct criteria *criteria,
	const struct criteria_spec *spec, const struct terms *terms, char *err,
	size_t err_size)
{
	size_t num = spec->num_groups;

	criteria->groups = new_numbers(num);
	criteria->num_groups = num;
	for (size_t i = 0; i < num; i++)
		if (!people_find_group(&terms->people, spec->groups[i],
			    &criteria->groups[i]))
			return no_such("group", spec->groups[i], err, err_size);
	sort_numbers(criteria->groups, num);
	return 0;
}

static void put_users(struct criteria *criteria,
	const struct criteria_spec *spec, struct terms *terms)
{
	criteria->users = new_numbers(spec->num_users);
	criteria->num_users = spec->num_users;
	for (size_t i = 0; i < spec->num_users; i++)
		criteria->users[i] =
			people_put_user(&terms->people, spec->users[i]);
	sort_numbers(criteria->users, criteria->num_users);
}

static int parse_host(
	const char *text, struct entry *out, char *err, size_t err_size)
{
	if (entry_parse(text, strlen(text), out, err, err_size) < 0)
		return -1;
	if (out->path_len == 0)
		return 0;
	snprintf(err, err_size,
		"\"%.100s\" has a path, and hosts have none; it can be an "
		"entry of a category",
		text);
	return -1;
}

/* An example of what entry names. */
static void keep_host(struct criteria *criteria, const struct entry *entry)
{
	struct network first;
	char address[NETWORK_TEXT_SIZE];
	const char *host = entry->host;

	if (*host == '\0') {
		first = entry->network;
		first.bits = (uint8_t)network_bits(first.family);
		network_text(&first, address);
		host = address;
	}
	criteria->host = memory_copy(host, strlen(host) + 1, 1);
	criteria->host_port = entry->port;
}

/* A number is used up even where this fails: some of its entries are there. */
static int put_hosts(struct criteria *criteria,
	const struct criteria_spec *spec, struct terms *terms, char *err,
	size_t err_size)
{
	struct entry entry;

	if (spec->num_hosts == 0)
		return 0;
	if (terms->num_hosts == HOST_SETS_MAX) {
		snprintf(err, err_size, "more than %d lists of hosts",
			HOST_SETS_MAX);
		return -1;
	}
	if (!terms->hosts)
		terms->hosts = catalog_builder_new();
	criteria->hosts = terms->num_hosts++;
	for (size_t i = 0; i < spec->num_hosts; i++) {
		if (parse_host(spec->hosts[i], &entry, err, err_size) < 0)
			return -1;
		if (i == 0)
			keep_host(criteria, &entry);
		if (catalog_add(terms->hosts, criteria->hosts, &entry) == 0)
			continue;
		snprintf(err, err_size,
			"its hosts are more than there is memory for");
		return -1;
	}
	return 0;
}

static int check_ports(
	const struct criteria_spec *spec, char *err, size_t err_size)
{
	for (size_t i = 0; i < spec->num_ports; i++) {
		const struct port_range *range = &spec->ports[i];

		if (range->first <= range->last)
			continue;
		snprintf(err, err_size,
			"in ports %u-%u the first is the larger", range->first,
			range->last);
		return -1;
	}
	return 0;
}

static int check_certificates(
	const struct criteria_spec *spec, char *err, size_t err_size)
{
	uint32_t all = CRITERION_BIT(CERTIFICATES) - 1;

	if (!(spec->certificates & ~all) &&
		!(spec->certificates & CRITERION_BIT(CERTIFICATE_UNKNOWN)))
		return 0;
	snprintf(err, err_size, "certificate names none that there is");
	return -1;
}

static char **copy_texts(const char *const *texts, size_t num)
{
	char **copy = num > 0 ? memory_new(num * sizeof(*copy)) : NULL;

	for (size_t i = 0; i < num; i++)
		copy[i] = memory_copy(texts[i], strlen(texts[i]) + 1, 1);
	return copy;
}

static unsigned given_of(const struct criteria_spec *spec)
{
	const bool given[CRITERIA] = {
		[CRITERION_CATEGORIES] = spec->num_categories > 0,
		[CRITERION_HOSTS] = spec->num_hosts > 0,
		[CRITERION_USERS] = spec->num_users > 0,
		[CRITERION_GROUPS] = spec->num_groups > 0,
		[CRITERION_SOURCES] = spec->sources != NULL,
		[CRITERION_DESTINATIONS] = spec->destinations != NULL,
		[CRITERION_PORTS] = spec->num_ports > 0,
		[CRITERION_USER_AGENTS] = spec->num_user_agents > 0,
		[CRITERION_TIMES] = spec->num_times > 0,
		[CRITERION_METHODS] = spec->num_methods > 0,
		[CRITERION_CERTIFICATES] = spec->certificates != 0,
	};
	unsigned bits = 0;

	for (unsigned i = 0; i < CRITERIA; i++)
		if (given[i])
			bits |= CRITERION_BIT(i);
	return bits;
}

int criteria_init(struct criteria *criteria, const struct criteria_spec *spec,
	struct terms *terms, char *err, size_t err_size)
{
	*criteria = (struct criteria){.given = given_of(spec)};
	if (check_ports(spec, err, err_size) < 0 ||
		check_certificates(spec, err, err_size) < 0 ||
		find_categories(criteria, spec, terms, err, err_size) < 0 ||
		find_groups(criteria, spec, terms, err, err_size) < 0 ||
		put_hosts(criteria, spec, terms, err, err_size) < 0) {
		criteria_clear(criteria);
		return -1;
	}
	put_users(criteria, spec, terms);
	criteria->ports =
		memory_copy(spec->ports, spec->num_ports, sizeof(*spec->ports));
	criteria->num_ports = spec->num_ports;
	criteria->user_agents =
		copy_texts(spec->user_agents, spec->num_user_agents);
	criteria->num_user_agents = spec->num_user_agents;
	criteria->methods = copy_texts(spec->methods, spec->num_methods);
	criteria->num_methods = spec->num_methods;
	criteria->certificates = spec->certificates;
	return 0;
}

void criteria_take(struct criteria *criteria, const struct criteria_spec *spec)
{
	criteria->sources = spec->sources;
	criteria->destinations = spec->destinations;
	criteria->times =
		memory_copy(spec->times, spec->num_times, sizeof(*spec->times));
	criteria->num_times = spec->num_times;
}

static void free_texts(char **texts, size_t num)
{
	for (size_t i = 0; i < num; i++)
		free(texts[i]);
	free(texts);
}

void criteria_clear(struct criteria *criteria)
{
	free(criteria->categories);
	free(criteria->host);
	free(criteria->users);
	free(criteria->groups);
	netset_free(criteria->sources);
	netset_free(criteria->destinations);
	free(criteria->ports);
	free_texts(criteria->user_agents, criteria->num_user_agents);
	free_texts(criteria->methods, criteria->num_methods);
	for (size_t i = 0; i < criteria->num_times; i++)
		window_free(criteria->times[i]);
	free(criteria->times);
	*criteria = (struct criteria){0};
}

/* --- asking ---- */

static enum truth truth_of(bool holds)
{
	return holds ? TRUTH_HOLDS : TRUTH_FAILS;
}

static enum truth in_categories(
	const struct criteria *criteria, const struct known *known)
{
	enum truth truth = TRUTH_FAILS;

	for (size_t i = 0; i < criteria->num_categories; i++) {
		if (bits_has(known->categories, criteria->categories[i]))
			return TRUTH_HOLDS;
		if (bits_has(known->perhaps, criteria->categories[i]))
			truth = TRUTH_UNKNOWN;
	}
	return truth;
}

static enum truth in_hosts(
	const struct criteria *criteria, const struct known *known)
{
	return truth_of(bits_has(known->hosts, criteria->hosts));
}

static enum truth in_users(
	const struct criteria *criteria, const struct known *known)
{
	return truth_of(has_number(
		criteria->users, criteria->num_users, known->person.user));
}

/* Who is in few groups asks about few. */
static enum truth in_groups(
	const struct criteria *criteria, const struct known *known)
{
	for (size_t i = 0; i < known->person.num_groups; i++)
		if (has_number(criteria->groups, criteria->num_groups,
			    known->person.groups[i]))
			return TRUTH_HOLDS;
	return TRUTH_FAILS;
}

static enum truth in_networks(
	const struct netset *networks, const struct sockaddr *address)
{
	if (!address)
		return TRUTH_UNKNOWN;
	return truth_of(netset_match(networks, address));
}

static enum truth in_sources(
	const struct criteria *criteria, const struct known *known)
{
	return in_networks(criteria->sources, known->facts->source);
}

static enum truth in_destinations(
	const struct criteria *criteria, const struct known *known)
{
	return in_networks(criteria->destinations, known->facts->destination);
}

static enum truth in_ports(
	const struct criteria *criteria, const struct known *known)
{
	uint16_t port = known->facts->port;

	for (size_t i = 0; i < criteria->num_ports; i++)
		if (port >= criteria->ports[i].first &&
			port <= criteria->ports[i].last)
			return TRUTH_HOLDS;
	return TRUTH_FAILS;
}

static enum truth in_user_agents(
	const struct criteria *criteria, const struct known *known)
{
	const char *agent = known->facts->user_agent;

	for (size_t i = 0; agent && i < criteria->num_user_agents; i++)
		if (glob_match(criteria->user_agents[i], agent))
			return TRUTH_HOLDS;
	return TRUTH_FAILS;
}

static enum truth in_times(
	const struct criteria *criteria, const struct known *known)
{
	for (size_t i = 0; i < criteria->num_times; i++)
		if (window_holds(criteria->times[i], known->facts->now))
			return TRUTH_HOLDS;
	return TRUTH_FAILS;
}

static enum truth in_methods(
	const struct criteria *criteria, const struct known *known)
{
	const char *method = known->facts->method;

	if (!method)
		return TRUTH_UNKNOWN;
	for (size_t i = 0; i < criteria->num_methods; i++)
		if (strcmp(criteria->methods[i], method) == 0)
			return TRUTH_HOLDS;
	return TRUTH_FAILS;
}

static enum truth in_certificates(
	const struct criteria *criteria, const struct known *known)
{
	enum certificate certificate = known->facts->certificate;

	if (certificate == CERTIFICATE_UNKNOWN)
		return TRUTH_UNKNOWN;
	return truth_of(criteria->certificates >> certificate & 1);
}

enum truth criteria_check(const struct criteria *criteria,
	enum criterion criterion, const struct known *known)
{
	static enum truth (*const checks[CRITERIA])(
		const struct criteria *criteria, const struct known *known) = {
		[CRITERION_CATEGORIES] = in_categories,
		[CRITERION_HOSTS] = in_hosts,
		[CRITERION_USERS] = in_users,
		[CRITERION_GROUPS] = in_groups,
		[CRITERION_SOURCES] = in_sources,
		[CRITERION_DESTINATIONS] = in_destinations,
		[CRITERION_PORTS] = in_ports,
		[CRITERION_USER_AGENTS] = in_user_agents,
		[CRITERION_TIMES] = in_times,
		[CRITERION_METHODS] = in_methods,
		[CRITERION_CERTIFICATES] = in_certificates,
	};

	return checks[criterion](criteria, known);
}

/* first_between finds the first given criterion whose truth is low, high or
 * between them. */
static bool first_between(const struct criteria *criteria,
	const struct known *known, enum truth low, enum truth high,
	enum criterion *out, enum truth *out_truth)
{
	for (unsigned left = criteria->given; left; left &= left - 1) {
		enum criterion criterion = (enum criterion)__builtin_ctz(left);
		enum truth truth = criteria_check(criteria, criterion, known);

		if (truth < low || truth > high)
			continue;
		*out = criterion;
		*out_truth = truth;
		return true;
	}
	return false;
}

bool criteria_hold(const struct criteria *criteria, const struct known *known,
	enum criterion *out, enum truth *out_truth)
{
	return !first_between(
		criteria, known, TRUTH_FAILS, TRUTH_UNKNOWN, out, out_truth);
}

bool criteria_exclude(const struct criteria *criteria,
	const struct known *known, bool wary, enum criterion *out,
	enum truth *out_truth)
{
	return first_between(criteria, known,
		wary ? TRUTH_UNKNOWN : TRUTH_HOLDS, TRUTH_HOLDS, out,
		out_truth);
}
