/*
 * 100,000 random facts and random rules: the live decision is the explained one,
 * and both are what a slow reading of the headers comes to. That reading shares
 * nothing with the room, not even the spelling of hosts: the lists here are
 * written in many spellings of what is kept beside them in the plain one.
 *
 * SEED=n in the environment takes another seed than the usual one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/explain.h"
#include "policy/policy.h"
#include "policy/shadow.h"
#include "tests/support/policies.h"

enum {
	RULE_SETS = 1000,
	FACTS = 100,
	CATEGORIES = 90,
	RULES = 150,
	LIST = 4,
	TEXT = 80,
};

/* --- chance ---- */

static uint64_t chance_state;

static unsigned chance(unsigned num)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return (unsigned)((chance_state >> 11) % num);
}

static bool one_in(unsigned num)
{
	return chance(num) == 0;
}

#define PICK(pool) pool[chance(sizeof(pool) / sizeof(pool[0]))]

/* --- what there is to pick from: little, so that much meets ---- */

static const char *const names[] = {"com", "test", "a.com", "b.com", "a.test",
	"aa.com", "a.b.com", "b.a.test", "www.a.b.com", "c-b.com", "x.a.test"};
static const char *const addresses[] = {"10.0.0.1", "10.0.0.2", "10.1.2.3",
	"192.0.2.7", "2001:db8::1", "2001:db8:1::2"};
static const char *const nets[] = {"10.0.0.0/8", "10.0.0.0/30", "0.0.0.0/0",
	"192.0.2.7/32", "2001:db8::/32", "::/0"};
static const uint16_t port_pool[] = {80, 443, 8443};
static const char *const paths[] = {
	"/", "/a", "/a/", "/ab", "/a/b", "/a/bc", "/a/b/c", "/b", "//a"};
static const char *const prefixes[] = {"/a", "/a/b", "/b", "/b/a"};
static const char *const users[] = {"ann", "bob", "cid", "dan"};
static const char *const groups[] = {"devs", "admins", "guests"};
static const char *const agents[] = {
	"git/2.39", "GIT/1", "curl/8.1", "", "Mozilla/5.0 (X11; \x1b[31m\xff)"};
static const char *const globs[] = {
	"git/*", "*", "*url*", "curl/8.1", "*X11*)", "c*l/*1"};
static const char *const methods[] = {"GET", "POST", "PUT"};

static const struct {
	const char *text;
	unsigned days; /* bits, Sunday's the first */
} day_pool[] = {{NULL, 0x7f}, {"mon-fri", 0x3e}, {"sat,sun", 0x41},
	{"fri-mon", 0x63}, {"wed", 0x08}};
static const struct {
	const char *text;
	unsigned begin, end; /* minutes */
} hour_pool[] = {{NULL, 0, 1440}, {"00:00-24:00", 0, 1440},
	{"08:00-18:00", 480, 1080}, {"22:00-06:30", 1320, 390}};
static const struct {
	const char *text;
	int offset;
} zone_pool[] = {{"UTC", 0}, {"+02:00", 7200}, {"-03:30", -12600}};

/* --- lists, rules and facts as the reference has them ---- */

struct line {
	const char *host; /* NULL: a network */
	bool below;
	const char *network;
	unsigned port;       /* 0: any */
	const char *path;    /* NULL: any */
	char text[TEXT * 2]; /* as the program reads it */
};

struct lines {
	struct line at[LIST];
	unsigned num;
};

struct texts {
	const char *at[LIST];
	unsigned num;
};

struct asked {
	unsigned categories[LIST];
	struct lines hosts;
	struct texts users, groups, agents, methods, sources, destinations;
	struct port_range ports[LIST];
	struct {
		unsigned days, hours, zone;
	} times[LIST];
	unsigned num_categories, num_ports, num_times;
	uint32_t certificates;
};

struct plain_rule {
	bool enabled, block_no_sni;
	unsigned action; /* enum action or url_action */
	struct asked match, not ;
};

struct plain_facts {
	const char *host, *address, *source, *destination, *user;
	const char *agent, *method, *path;
	uint16_t port;
	time_t now;
	bool tls, has_sni;
	enum certificate certificate;
};

static struct lines categories[CATEGORIES];
static unsigned num_categories;
static struct texts members[3];           /* of the groups */
static struct plain_rule rules[2][RULES]; /* SSL, URL */
static unsigned num_rules[2];

/* --- the reference ---- */

enum answer { NO, UNKNOWN, YES };

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
	char text[TEXT];
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
static bool in_time(const struct asked *asked, unsigned i, time_t now)
{
	long local = (long)now + zone_pool[asked->times[i].zone].offset;
	unsigned days = day_pool[asked->times[i].days].days;
	unsigned begin = hour_pool[asked->times[i].hours].begin;
	unsigned end = hour_pool[asked->times[i].hours].end;
	unsigned minute = (unsigned)(local / 60 % 1440);
	unsigned day = (unsigned)((local / 86400 + 4) % 7);
	bool today = days >> day & 1, yesterday = days >> (day + 6) % 7 & 1;

	if (begin < end)
		return today && minute >= begin && minute < end;
	return (today && minute >= begin) || (yesterday && minute < end);
}

static enum answer in_categories(const struct asked *asked, bool by_url,
	const char *host, const struct plain_facts *facts)
{
	enum answer best = NO;

	for (unsigned i = 0; i < asked->num_categories; i++) {
		enum answer one = lines_have(&categories[asked->categories[i]],
			by_url, host, facts->port, facts->path);

		best = one > best ? one : best;
	}
	return best;
}

static bool in_groups(const struct asked *asked, const char *user)
{
	for (unsigned i = 0; i < 3; i++)
		if (has_text(&asked->groups, groups[i]) &&
			has_text(&members[i], user))
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
		if (in_time(asked, i, now))
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
static unsigned ask_each(const struct asked *asked, bool by_url,
	const char *host, const struct plain_facts *facts, enum answer out[11])
{
	unsigned num = 0;

	if (asked->num_categories)
		out[num++] = in_categories(asked, by_url, host, facts);
	if (asked->hosts.num)
		out[num++] = lines_have(
			&asked->hosts, false, host, facts->port, NULL);
	if (asked->users.num)
		out[num++] = has_text(&asked->users, facts->user) ? YES : NO;
	if (asked->groups.num)
		out[num++] = in_groups(asked, facts->user) ? YES : NO;
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

static bool meets(const struct plain_rule *rule, bool by_url, bool restricts,
	const char *host, const struct plain_facts *facts)
{
	enum answer answers[11];
	unsigned num = ask_each(&rule->match, by_url, host, facts, answers);

	for (unsigned i = 0; i < num; i++)
		if (answers[i] != YES)
			return false;
	num = ask_each(&rule->not, by_url, host, facts, answers);
	for (unsigned i = 0; i < num; i++)
		if (answers[i] == YES || (answers[i] == UNKNOWN && !restricts))
			return false;
	return true;
}

static bool matches(const struct plain_rule *rule, bool by_url,
	const struct plain_facts *facts)
{
	bool blocks = !by_url && rule->action == ACTION_BLOCK;
	bool restricts = blocks || (by_url && rule->action != URL_ALLOW);

	if (!rule->enabled)
		return false;
	if (meets(rule, by_url, restricts, facts->host, facts))
		return true;
	if (rule->match.hosts.num == 0 && rule->match.num_categories == 0)
		return false; /* of hosts it asks nothing */
	return blocks && facts->address &&
		meets(rule, by_url, restricts, facts->address, facts);
}

/* --- making them up ---- */

/* Spellings: capitals, a dot at the end, brackets. */
static void spell_host(const struct line *line, char out[TEXT])
{
	const char *dot = !line->below ? "" : one_in(2) ? "." : "*.";
	bool capital = one_in(3), ipv6 = strchr(line->host, ':');

	if (ipv6 && (line->port || line->path || one_in(2)))
		snprintf(out, TEXT, "[%s]", line->host);
	else
		snprintf(out, TEXT, "%s%s%s", dot, line->host,
			line->host[0] > '9' && one_in(4) ? "." : "");
	for (char *at = out; capital && *at; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 32);
}

static const char *spell_path(const struct line *line)
{
	static const char *const spellings[][4] = {
		{"/a", "/A/", "//a", "/x/../%61"},
		{"/a/b", "/a//b/", "/a/./B", "/a\\b"},
		{"/b", "/b;x=1", "/%62", "/%42"},
		{"/b/a", "/b/%61/", "/B/A", "/b/c/../a"}};

	if (!line->path)
		return line->network || line->port || one_in(2) ? "" : "/";
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(line->path, prefixes[i]) == 0)
			return spellings[i][chance(4)];
	return line->path;
}

static struct line make_line(bool paths_too)
{
	struct line line = {.network = one_in(8) ? PICK(nets) : NULL};
	char host[TEXT], port[16] = "";
	bool slash;

	if (line.network) {
		snprintf(line.text, sizeof(line.text), "%s", line.network);
		return line;
	}
	line.below = one_in(3);
	line.host = !line.below && one_in(5) ? PICK(addresses) : PICK(names);
	line.port = one_in(6) ? PICK(port_pool) : 0;
	line.path = paths_too && one_in(3) ? PICK(prefixes) : NULL;
	spell_host(&line, host);
	if (line.port)
		snprintf(port, sizeof(port), ":%u", line.port);
	/* behind an address digits might be a prefix's length */
	slash = line.path || (paths_too && line.host[0] > '9');
	snprintf(line.text, sizeof(line.text), "%s%s%s%s",
		slash && one_in(5) ? "https://" : "", host, port,
		slash ? spell_path(&line) : "");
	return line;
}

static void make_lines(struct lines *out, bool paths_too)
{
	out->num = 1 + chance(LIST - 1);
	for (unsigned i = 0; i < out->num; i++)
		out->at[i] = make_line(paths_too);
}

static void fill(struct texts *out, const char *const *pool, unsigned num)
{
	out->num = 1 + chance(2);
	for (unsigned i = 0; i < out->num; i++)
		out->at[i] = pool[chance(num)];
}

#define FILL(out, pool) fill(out, pool, sizeof(pool) / sizeof(pool[0]))

static void make_hard(struct asked *out, bool by_url, unsigned rare)
{
	if (one_in(rare))
		out->num_times = 1 + chance(2);
	for (unsigned i = 0; i < out->num_times; i++) {
		out->times[i].days = chance(5);
		out->times[i].hours = chance(4);
		out->times[i].zone = chance(3);
	}
	if (one_in(rare))
		out->num_ports = 1 + chance(2);
	for (unsigned i = 0; i < out->num_ports; i++) {
		out->ports[i].first = PICK(port_pool);
		out->ports[i].last = one_in(2) ? 9000 : out->ports[i].first;
	}
	if (by_url && one_in(rare))
		FILL(&out->methods, methods);
	if (by_url && one_in(rare))
		out->certificates = (1 + chance(0x1fff)) * 2;
}

static void make_asked(struct asked *out, bool by_url, unsigned rare)
{
	*out = (struct asked){.num_categories = 0};
	if (one_in(rare / 2))
		out->num_categories = 1 + chance(3);
	for (unsigned i = 0; i < out->num_categories; i++)
		out->categories[i] = chance(num_categories);
	if (one_in(rare))
		make_lines(&out->hosts, false);
	if (one_in(rare))
		FILL(&out->users, users);
	if (one_in(rare))
		FILL(&out->groups, groups);
	if (one_in(rare))
		FILL(&out->agents, globs);
	if (one_in(rare))
		FILL(&out->sources, nets);
	if (one_in(rare))
		FILL(&out->destinations, nets);
	make_hard(out, by_url, rare);
}

static void make_world(void)
{
	num_categories = one_in(5) ? CATEGORIES : 1 + chance(6);
	for (unsigned i = 0; i < num_categories; i++)
		make_lines(&categories[i], true);
	for (unsigned i = 0; i < 3; i++)
		FILL(&members[i], users);
	for (unsigned list = 0; list < 2; list++) {
		num_rules[list] = one_in(20) ? RULES : chance(12);
		for (unsigned i = 0; i < num_rules[list]; i++) {
			struct plain_rule *rule = &rules[list][i];

			rule->enabled = !one_in(8);
			rule->block_no_sni = one_in(5);
			rule->action = chance(3);
			make_asked(&rule->match, list == 1, 6);
			make_asked(&rule->not, list == 1, 16);
		}
	}
}

static struct plain_facts make_facts(void)
{
	static const char *const mapped[] = {
		"::ffff:10.0.0.1", "::ffff:192.0.2.7"};

	return (struct plain_facts){
		.host = one_in(5) ? PICK(addresses) : PICK(names),
		.address = one_in(3) ? PICK(addresses) : NULL,
		.source = one_in(6) ? NULL :
			one_in(6)   ? PICK(mapped) :
				      PICK(addresses),
		.destination = one_in(2) ? PICK(addresses) : NULL,
		.user = one_in(4)  ? NULL :
			one_in(10) ? "stranger" :
				     PICK(users),
		.agent = one_in(4) ? NULL : PICK(agents),
		.method = one_in(3) ? NULL : PICK(methods),
		.path = one_in(3) ? NULL : PICK(paths),
		.port = PICK(port_pool),
		.now = 1700000000 + (time_t)chance(20000) * 60 - chance(2),
		.tls = !one_in(4),
		.has_sni = !one_in(4),
		.certificate = (enum certificate)chance(CERTIFICATES),
	};
}

/* --- giving them to the room ---- */

static char err[400];

static void must(int result, const char *what)
{
	if (result != 0)
		fail_msg("%s: %s", what, err);
}

struct spelled {
	const char *categories[LIST], *hosts[LIST];
	struct window *times[LIST];
	char names[LIST][12];
};

static struct criteria_spec spec_of(
	const struct asked *asked, struct spelled *spelled)
{
	struct criteria_spec spec = {
		.categories = spelled->categories,
		.num_categories = asked->num_categories,
		.hosts = spelled->hosts,
		.num_hosts = asked->hosts.num,
		.users = asked->users.at,
		.num_users = asked->users.num,
		.groups = asked->groups.at,
		.num_groups = asked->groups.num,
		.ports = asked->ports,
		.num_ports = asked->num_ports,
		.user_agents = asked->agents.at,
		.num_user_agents = asked->agents.num,
		.times = spelled->times,
		.num_times = asked->num_times,
		.methods = asked->methods.at,
		.num_methods = asked->methods.num,
		.certificates = asked->certificates,
	};

	for (unsigned i = 0; i < asked->num_categories; i++) {
		snprintf(spelled->names[i], sizeof(spelled->names[i]), "c%u",
			asked->categories[i]);
		spelled->categories[i] = spelled->names[i];
	}
	for (unsigned i = 0; i < asked->hosts.num; i++)
		spelled->hosts[i] = asked->hosts.at[i].text;
	for (unsigned i = 0; i < asked->num_times; i++)
		spelled->times[i] =
			window_of(day_pool[asked->times[i].days].text,
				hour_pool[asked->times[i].hours].text,
				zone_pool[asked->times[i].zone].text);
	if (asked->sources.num)
		spec.sources = netset_new();
	for (unsigned i = 0; i < asked->sources.num; i++)
		must(netset_add(spec.sources, asked->sources.at[i], err,
			     sizeof(err)),
			"source");
	if (asked->destinations.num)
		spec.destinations = netset_new();
	for (unsigned i = 0; i < asked->destinations.num; i++)
		must(netset_add(spec.destinations, asked->destinations.at[i],
			     err, sizeof(err)),
			"destination");
	return spec;
}

static void add_rule(struct policy *policy, unsigned list, unsigned i)
{
	const struct plain_rule *rule = &rules[list][i];
	struct spelled match, not ;
	char name[12];
	struct rule_spec spec = {
		.name = name,
		.enabled = rule->enabled,
		.match = spec_of(&rule->match, &match),
		.not = spec_of(&rule->not, &not),
		.file = "rules.yaml",
		.line = i + 1,
		.options = {.block_no_sni = rule->block_no_sni},
	};

	snprintf(name, sizeof(name), "%u", i);
	if (list == 0) {
		spec.options.action = (enum action)rule->action;
		must(policy_add_rule(policy, &spec, err, sizeof(err)), name);
	} else {
		spec.url.action = (enum url_action)rule->action;
		must(policy_add_url_rule(policy, &spec, err, sizeof(err)),
			name);
	}
}

static struct catalog *make_catalog(void)
{
	char texts[CATEGORIES][LIST * TEXT * 2 + LIST];
	const char *sets[CATEGORIES];

	for (unsigned i = 0; i < num_categories; i++) {
		size_t len = 0;

		for (unsigned k = 0; k < categories[i].num; k++)
			len += (size_t)snprintf(texts[i] + len,
				sizeof(texts[i]) - len, "%s ",
				categories[i].at[k].text);
		sets[i] = texts[i];
	}
	return catalog_of(sets, num_categories);
}

static struct policy *make_policy(void)
{
	struct policy *policy = policy_new();
	struct catalog *catalog = make_catalog();
	char name[12];

	for (unsigned i = 0; i < num_categories; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		must(policy_add_category(policy, name, err, sizeof(err)), name);
	}
	for (unsigned i = 0; i < 3; i++)
		must(policy_add_group(policy, groups[i], members[i].at,
			     members[i].num, err, sizeof(err)),
			groups[i]);
	for (unsigned list = 0; list < 2; list++)
		for (unsigned i = 0; i < num_rules[list]; i++)
			add_rule(policy, list, i);
	must(policy_seal(policy, catalog, err, sizeof(err)), "seal");
	catalog_unref(catalog);
	return policy;
}

/* --- holding them against each other ---- */

struct walk {
	const struct plain_facts *facts;
	unsigned list, num;
	const char *wrong; /* NULL: nothing */
};

static bool can_be_shown(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static void on_tried(void *arg, const struct tried *tried)
{
	struct walk *walk = arg;
	const struct plain_rule *rule = &rules[walk->list][walk->num];

	if (strtoul(tried->rule, NULL, 10) != walk->num ||
		tried->line != walk->num + 1 ||
		strcmp(tried->file, "rules.yaml") != 0)
		walk->wrong = "another rule was told";
	else if (tried->matched != matches(rule, walk->list, walk->facts))
		walk->wrong = "the reference takes a rule otherwise";
	else if (tried->matched != (tried->because[0] == '\0'))
		walk->wrong = "no reason, or one too many";
	else if (!can_be_shown(tried->because))
		walk->wrong = "a reason that can't be shown";
	walk->num++;
}

static bool never[RULES]; /* said to be in the shadow of another */

static void on_shadowed(void *arg, const char *rule, unsigned line,
	const char *by, unsigned by_line)
{
	unsigned *num = arg;

	/* in its own line: it takes back what it takes */
	assert_true(by_line <= line && by[0] != '\0');
	assert_int_equal(by_line == line, strcmp(rule, by) == 0);
	never[line - 1] = true;
	++*num;
}

struct figures {
	unsigned decided, defaults, far, shadowed;
};

static struct facts facts_of(const struct plain_facts *plain,
	struct sockaddr_storage *source, struct sockaddr_storage *destination)
{
	return (struct facts){
		.source = address_of(plain->source, source),
		.destination = address_of(plain->destination, destination),
		.user = plain->user,
		.user_agent = plain->agent,
		.now = plain->now,
		.host = plain->host,
		.address = plain->address,
		.port = plain->port,
		.tls = plain->tls,
		.has_sni = plain->has_sni,
		.method = plain->method,
		.path = plain->path,
		.certificate = plain->certificate,
	};
}

/* What was decided, live and told. */
struct both {
	const char *live, *told;
	unsigned live_action, told_action;
};

static struct both decide_ssl(const struct policy *policy,
	const struct facts *facts, struct walk *walk)
{
	static struct decision live, told;

	policy_decide(policy, facts, &live);
	explain_ssl(policy, facts, on_tried, walk, &told);
	return (struct both){live.rule_name, told.rule_name,
		live.options.action, told.options.action};
}

static struct both decide_url(const struct policy *policy,
	const struct facts *facts, struct walk *walk)
{
	static struct url_decision live, told;

	policy_decide_url(policy, facts, &live);
	explain_url(policy, facts, on_tried, walk, &told);
	return (struct both){live.rule_name, told.rule_name,
		live.options.action, told.options.action};
}

static unsigned expected_action(
	const struct plain_facts *facts, unsigned list, unsigned i)
{
	if (i == num_rules[list])
		return list == 0 ? (unsigned)ACTION_INSPECT :
				   (unsigned)URL_ALLOW;
	if (list == 0 && rules[list][i].block_no_sni && facts->tls &&
		!facts->has_sni)
		return ACTION_BLOCK;
	return rules[list][i].action;
}

/* NULL: all agree. */
static const char *compare(const struct policy *policy, unsigned list,
	const struct plain_facts *plain, struct figures *figures)
{
	struct sockaddr_storage source, destination;
	struct facts facts = facts_of(plain, &source, &destination);
	struct walk walk = {.facts = plain, .list = list};
	unsigned i = 0, action;
	char name[12] = "default";
	struct both both;
	bool any;

	while (i < num_rules[list] && !matches(&rules[list][i], list, plain))
		i++;
	any = i < num_rules[list];
	if (any)
		snprintf(name, sizeof(name), "%u", i);
	action = expected_action(plain, list, i);
	both = list == 0 ? decide_ssl(policy, &facts, &walk) :
			   decide_url(policy, &facts, &walk);
	*(any ? &figures->decided : &figures->defaults) += 1;
	figures->far += any && i > 2;
	if (walk.wrong)
		return walk.wrong;
	if (strcmp(both.live, name) != 0 || both.live_action != action)
		return "the live decision is another";
	if (strcmp(both.told, name) != 0 || both.told_action != action)
		return "the explained decision is another";
	if (walk.num != (any ? i + 1 : i))
		return "not every rule was told";
	return any && never[i] ? "a rule decides that is said never to" : NULL;
}

static void compare_all(const struct policy *policy, unsigned set,
	uint64_t seed, struct figures *figures)
{
	for (unsigned list = 0; list < 2; list++) {
		memset(never, 0, sizeof(never));
		shadow_each(policy, list == 1, on_shadowed, &figures->shadowed);
		for (unsigned i = 0; i < FACTS; i++) {
			struct plain_facts facts = make_facts();
			const char *wrong =
				compare(policy, list, &facts, figures);

			if (wrong)
				fail_msg("SEED=%llu, %s rules %u, facts %u: %s",
					(unsigned long long)seed,
					list ? "URL" : "SSL", set, i, wrong);
		}
	}
}

static void live_is_explained_is_the_reference(void **state)
{
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : 20240901;
	struct figures figures = {0};

	(void)state;
	chance_state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (unsigned set = 0; set < RULE_SETS; set++) {
		struct policy *policy;

		make_world();
		policy = make_policy();
		compare_all(policy, set, seed, &figures);
		policy_free(policy);
	}
	print_message("decided %u, of these %u behind the third rule; "
		      "by default %u; shadowed rules %u\n",
		figures.decided, figures.far, figures.defaults,
		figures.shadowed);
	/* else nothing was tried */
	assert_true(figures.decided > 50000);
	assert_true(figures.far > 5000);
	assert_true(figures.defaults > 20000);
	assert_true(figures.shadowed > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_is_explained_is_the_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
