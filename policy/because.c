#include "policy/because.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "policy/bits.h"
#include "policy/glob.h"
#include "policy/rule.h"
#include "policy/text.h"
#include "policy/window.h"

/* What a sentence is made of. */
struct sentence {
	struct text text;
	const struct terms *terms;
	const struct criteria *criteria;
	const struct known *known;
	bool by_url;
};

static const char tunnelled[] = "not known: the traffic is tunnelled";

/* --- what facts are called ---- */

static void add(struct sentence *s, const char *words)
{
	text_add(&s->text, words);
}

static void add_number(struct sentence *s, unsigned number)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%u", number);
	add(s, digits);
}

static void add_host(struct sentence *s)
{
	const char *path = s->known->facts->path;

	add(s, s->by_url && path ? "URL " : "host ");
	text_add_fact(&s->text, s->known->host);
	if (s->by_url && path)
		text_add_fact(&s->text, path);
}

static void add_user(struct sentence *s)
{
	add(s, "user ");
	text_add_fact(&s->text, s->known->facts->user);
}

static void add_agent(struct sentence *s)
{
	add(s, "user agent ");
	text_add_fact(&s->text, s->known->facts->user_agent);
}

/* Mapped addresses are IPv4's here, as in netset.h. */
static void add_address(struct sentence *s, const struct sockaddr *address)
{
	char text[INET6_ADDRSTRLEN] = "";
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (address->sa_family == AF_INET) {
		memcpy(&in, address, sizeof(in));
		inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
	} else if (address->sa_family == AF_INET6) {
		memcpy(&in6, address, sizeof(in6));
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
			inet_ntop(AF_INET, &in6.sin6_addr.s6_addr[12], text,
				sizeof(text));
		else
			inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
	}
	add(s, *text ? text : "of no network");
}

/* By hand, since strftime follows the locale. */
static void add_now(struct sentence *s)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	time_t now = s->known->facts->now;
	struct tm tm = {0};
	char text[40];

	if (!gmtime_r(&now, &tm)) {
		add(s, "it is a time beyond all years");
		return;
	}
	snprintf(text, sizeof(text), "it is %.3s %02d:%02d UTC",
		days + 3 * tm.tm_wday, tm.tm_hour, tm.tm_min);
	add(s, text);
}

static void add_certificate(struct sentence *s)
{
	add(s, "the certificate is ");
	add(s, certificate_name(s->known->facts->certificate));
}

/* --- what rules name ---- */

static void add_names(struct sentence *s, const struct roster *names,
	const unsigned *numbers, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		add(s, i ? ", " : " ");
		text_add_name(&s->text, roster_text(names, numbers[i]));
	}
}

static void add_categories(struct sentence *s)
{
	add_names(s, &s->terms->categories, s->criteria->categories,
		s->criteria->num_categories);
}

static void add_window(struct sentence *s, const struct window *window)
{
	char text[160] = "";

	window_text(window, text, sizeof(text));
	text_add_name(&s->text, text);
}

/* --- a criterion of match that does not hold ---- */

static void outside_categories(struct sentence *s)
{
	add_host(s);
	add(s, " is in none of the categories");
	add_categories(s);
}

static void outside_hosts(struct sentence *s)
{
	add(s, "host ");
	text_add_fact(&s->text, s->known->host);
	add(s, " is none of the hosts asked for");
}

static void outside_users(struct sentence *s)
{
	if (!s->known->facts->user) {
		add(s, "no user is known");
		return;
	}
	add_user(s);
	add(s, " is none of the users asked for");
}

static void outside_groups(struct sentence *s)
{
	if (!s->known->facts->user) {
		add(s, "no user is known");
		return;
	}
	add_user(s);
	add(s, " is in none of the groups");
	add_names(s, &s->terms->people.groups, s->criteria->groups,
		s->criteria->num_groups);
}

static void outside_sources(struct sentence *s)
{
	add(s, "source ");
	add_address(s, s->known->facts->source);
	add(s, " is in none of the networks");
}

static void outside_destinations(struct sentence *s)
{
	add(s, "destination ");
	add_address(s, s->known->facts->destination);
	add(s, " is in none of the networks");
}

static void outside_ports(struct sentence *s)
{
	add(s, "port ");
	add_number(s, s->known->facts->port);
	add(s, " is not asked for");
}

static void outside_user_agents(struct sentence *s)
{
	if (!s->known->facts->user_agent) {
		add(s, "no user agent was given");
		return;
	}
	add_agent(s);
	add(s, " is like none of");
	for (size_t i = 0; i < s->criteria->num_user_agents; i++) {
		add(s, i ? ", " : " ");
		text_add_name(&s->text, s->criteria->user_agents[i]);
	}
}

static void outside_times(struct sentence *s)
{
	add_now(s);
	add(s, ", outside");
	for (size_t i = 0; i < s->criteria->num_times; i++) {
		add(s, i ? ", " : " ");
		add_window(s, s->criteria->times[i]);
	}
}

static void outside_methods(struct sentence *s)
{
	add(s, "method ");
	text_add_fact(&s->text, s->known->facts->method);
	add(s, " is not asked for");
}

static void outside_certificates(struct sentence *s)
{
	add_certificate(s);
	add(s, ", which is not asked for");
}

/* --- a criterion of not that holds ---- */

static void inside_categories(struct sentence *s)
{
	const struct criteria *criteria = s->criteria;

	add_host(s);
	add(s, " is in category");
	for (size_t i = 0; i < criteria->num_categories; i++) {
		if (!bits_has(s->known->categories, criteria->categories[i]))
			continue;
		add_names(
			s, &s->terms->categories, &criteria->categories[i], 1);
		return;
	}
}

static void inside_hosts(struct sentence *s)
{
	add(s, "host ");
	text_add_fact(&s->text, s->known->host);
	add(s, " is one of the hosts");
}

static void inside_users(struct sentence *s)
{
	add_user(s);
	add(s, " is one of the users");
}

static void inside_groups(struct sentence *s)
{
	const struct person *person = &s->known->person;
	const struct criteria *criteria = s->criteria;

	add_user(s);
	add(s, " is in group");
	for (size_t i = 0; i < criteria->num_groups; i++)
		for (size_t k = 0; k < person->num_groups; k++) {
			if (criteria->groups[i] != person->groups[k])
				continue;
			add_names(s, &s->terms->people.groups,
				&criteria->groups[i], 1);
			return;
		}
}

static void inside_sources(struct sentence *s)
{
	add(s, "source ");
	add_address(s, s->known->facts->source);
	add(s, " is in one of the networks");
}

static void inside_destinations(struct sentence *s)
{
	add(s, "destination ");
	add_address(s, s->known->facts->destination);
	add(s, " is in one of the networks");
}

static void inside_ports(struct sentence *s)
{
	add(s, "port ");
	add_number(s, s->known->facts->port);
	add(s, " is one of the ports");
}

static void inside_user_agents(struct sentence *s)
{
	const struct criteria *criteria = s->criteria;

	add_agent(s);
	add(s, " is like ");
	for (size_t i = 0; i < criteria->num_user_agents; i++) {
		if (!glob_match(criteria->user_agents[i],
			    s->known->facts->user_agent))
			continue;
		text_add_name(&s->text, criteria->user_agents[i]);
		return;
	}
}

static void inside_times(struct sentence *s)
{
	add_now(s);
	add(s, ", inside ");
	for (size_t i = 0; i < s->criteria->num_times; i++) {
		if (!window_holds(s->criteria->times[i], s->known->facts->now))
			continue;
		add_window(s, s->criteria->times[i]);
		return;
	}
}

static void inside_methods(struct sentence *s)
{
	add(s, "method ");
	text_add_fact(&s->text, s->known->facts->method);
	add(s, " is one of the methods");
}

/* --- a criterion that asks for what is not known ---- */

static void unknown_categories(struct sentence *s)
{
	add(s, "the path, by which ");
	add_host(s);
	add(s, " may be in the categories");
	add_categories(s);
	add(s, ", is ");
	add(s, tunnelled);
}

static void unknown_source(struct sentence *s)
{
	add(s, "the source is not known");
}

static void unknown_destination(struct sentence *s)
{
	add(s, "the destination is not known");
}

static void unknown_method(struct sentence *s)
{
	add(s, "the method is ");
	add(s, tunnelled);
}

static void unknown_certificate(struct sentence *s)
{
	add(s, "the certificate is not known");
}

/* NULL: what is never so. */
static const struct {
	void (*outside)(struct sentence *s);
	void (*inside)(struct sentence *s);
	void (*unknown)(struct sentence *s);
} sentences[CRITERIA] = {
	[CRITERION_CATEGORIES] = {outside_categories, inside_categories,
		unknown_categories},
	[CRITERION_HOSTS] = {outside_hosts, inside_hosts, NULL},
	[CRITERION_USERS] = {outside_users, inside_users, NULL},
	[CRITERION_GROUPS] = {outside_groups, inside_groups, NULL},
	[CRITERION_SOURCES] = {outside_sources, inside_sources, unknown_source},
	[CRITERION_DESTINATIONS] = {outside_destinations, inside_destinations,
		unknown_destination},
	[CRITERION_PORTS] = {outside_ports, inside_ports, NULL},
	[CRITERION_USER_AGENTS] = {outside_user_agents, inside_user_agents,
		NULL},
	[CRITERION_TIMES] = {outside_times, inside_times, NULL},
	[CRITERION_METHODS] = {outside_methods, inside_methods, unknown_method},
	[CRITERION_CERTIFICATES] = {outside_certificates, add_certificate,
		unknown_certificate},
};

void because(const struct terms *terms, const struct rule *rule,
	const struct known *known, const struct reason *reason, bool by_url,
	char out[BECAUSE_SIZE])
{
	bool of_not = reason->part == PART_NOT;
	struct sentence s = {
		.text = text_begin(out, BECAUSE_SIZE),
		.terms = terms,
		.criteria = of_not ? &rule->not : &rule->match,
		.known = known,
		.by_url = by_url,
	};

	if (reason->part == PART_ENABLED) {
		add(&s, "the rule is disabled");
		return;
	}
	if (reason->part == PART_ISOLATION) {
		add(&s, "it is where a rule sends what it isolates");
		return;
	}
	if (of_not)
		add(&s, "not: ");
	if (reason->truth == TRUTH_UNKNOWN)
		sentences[reason->criterion].unknown(&s);
	else if (of_not)
		sentences[reason->criterion].inside(&s);
	else
		sentences[reason->criterion].outside(&s);
}
