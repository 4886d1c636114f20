#include "tests/unit/policy/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/policies.h"
#include "tests/unit/policy/chance.h"

/* --- what there is to pick from ---- */

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
static const char *const group_names[] = {"devs", "admins", "guests"};
static const char *const agents[] = {
	"git/2.39", "GIT/1", "curl/8.1", "", "Mozilla/5.0 (X11; \x1b[31m\xff)"};
static const char *const globs[] = {
	"git/*", "*", "*url*", "curl/8.1", "*X11*)", "c*l/*1"};
static const char *const methods[] = {"GET", "POST", "PUT"};

static const struct plain_days day_pool[] = {{NULL, 0x7f}, {"mon-fri", 0x3e},
	{"sat,sun", 0x41}, {"fri-mon", 0x63}, {"wed", 0x08}};
static const struct plain_hours hour_pool[] = {{NULL, 0, 1440},
	{"00:00-24:00", 0, 1440}, {"08:00-18:00", 480, 1080},
	{"22:00-06:30", 1320, 390}};
static const struct plain_zone zone_pool[] = {
	{"UTC", 0}, {"+02:00", 7200}, {"-03:30", -12600}};

/* --- making it up ---- */

/* Spellings: capitals, a dot at the end, brackets. */
static void spell_host(const struct line *line, char out[WORLD_TEXT])
{
	const char *dot = !line->below ? "" : one_in(2) ? "." : "*.";
	bool capital = one_in(3), ipv6 = strchr(line->host, ':');

	if (ipv6 && (line->port || line->path || one_in(2)))
		snprintf(out, WORLD_TEXT, "[%s]", line->host);
	else
		snprintf(out, WORLD_TEXT, "%s%s%s", dot, line->host,
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
	char host[WORLD_TEXT], port[16] = "";
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
	out->num = 1 + chance(WORLD_LIST - 1);
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
		out->times[i].days = &PICK(day_pool);
		out->times[i].hours = &PICK(hour_pool);
		out->times[i].zone = &PICK(zone_pool);
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

static void make_asked(const struct world *world, struct asked *out,
	bool by_url, unsigned rare)
{
	*out = (struct asked){.num_categories = 0};
	if (one_in(rare / 2))
		out->num_categories = 1 + chance(3);
	for (unsigned i = 0; i < out->num_categories; i++)
		out->categories[i] = chance(world->num_categories);
	if (one_in(rare))
		make_lines(&out->hosts, false);
	if (one_in(rare))
		FILL(&out->users, users);
	if (one_in(rare))
		FILL(&out->groups, group_names);
	if (one_in(rare))
		FILL(&out->agents, globs);
	if (one_in(rare))
		FILL(&out->sources, nets);
	if (one_in(rare))
		FILL(&out->destinations, nets);
	make_hard(out, by_url, rare);
}

static struct plain_rule make_rule(const struct world *world, bool by_url)
{
	struct plain_rule rule = {
		.enabled = !one_in(8),
		.block_no_sni = one_in(5),
		.action = chance(3),
	};

	make_asked(world, &rule.match, by_url, 6);
	make_asked(world, &rule.not, by_url, 16);
	return rule;
}

void world_make(struct world *world)
{
	world->num_categories = one_in(5) ? WORLD_CATEGORIES : 1 + chance(6);
	for (unsigned i = 0; i < world->num_categories; i++)
		make_lines(&world->categories[i], true);
	for (unsigned i = 0; i < WORLD_GROUPS; i++) {
		world->groups[i].name = group_names[i];
		FILL(&world->groups[i].members, users);
	}
	for (unsigned list = 0; list < WORLD_LISTS; list++) {
		world->num_rules[list] = one_in(20) ? WORLD_RULES : chance(12);
		for (unsigned i = 0; i < world->num_rules[list]; i++)
			world->rules[list][i] =
				make_rule(world, list == WORLD_URL);
	}
}

struct plain_facts world_facts(void)
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

/* --- giving it to the room ---- */

static char err[400];

static void must(int result, const char *what)
{
	if (result != 0)
		fail_msg("%s: %s", what, err);
}

struct spelled {
	const char *categories[WORLD_LIST], *hosts[WORLD_LIST];
	struct window *times[WORLD_LIST];
	char names[WORLD_LIST][12];
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
		spelled->times[i] = window_of(asked->times[i].days->text,
			asked->times[i].hours->text,
			asked->times[i].zone->text);
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

static void add_rule(struct policy *policy, const struct world *world,
	unsigned list, unsigned i)
{
	const struct plain_rule *rule = &world->rules[list][i];
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
	if (list == WORLD_SSL) {
		spec.options.action = (enum action)rule->action;
		must(policy_add_rule(policy, &spec, err, sizeof(err)), name);
	} else {
		spec.url.action = (enum url_action)rule->action;
		must(policy_add_url_rule(policy, &spec, err, sizeof(err)),
			name);
	}
}

static struct catalog *make_catalog(const struct world *world)
{
	char texts[WORLD_CATEGORIES][WORLD_LIST * WORLD_TEXT * 2 + WORLD_LIST];
	const char *sets[WORLD_CATEGORIES];

	for (unsigned i = 0; i < world->num_categories; i++) {
		const struct lines *lines = &world->categories[i];
		size_t len = 0;

		for (unsigned k = 0; k < lines->num; k++)
			len += (size_t)snprintf(texts[i] + len,
				sizeof(texts[i]) - len, "%s ",
				lines->at[k].text);
		sets[i] = texts[i];
	}
	return catalog_of(sets, world->num_categories);
}

struct policy *world_policy(const struct world *world)
{
	struct policy *policy = policy_new();
	struct catalog *catalog = make_catalog(world);
	char name[12];

	for (unsigned i = 0; i < world->num_categories; i++) {
		snprintf(name, sizeof(name), "c%u", i);
		must(policy_add_category(policy, name, err, sizeof(err)), name);
	}
	for (unsigned i = 0; i < WORLD_GROUPS; i++) {
		const struct plain_group *group = &world->groups[i];

		must(policy_add_group(policy, group->name, group->members.at,
			     group->members.num, err, sizeof(err)),
			group->name);
	}
	for (unsigned list = 0; list < WORLD_LISTS; list++)
		for (unsigned i = 0; i < world->num_rules[list]; i++)
			add_rule(policy, world, list, i);
	must(policy_seal(policy, catalog, err, sizeof(err)), "seal");
	catalog_unref(catalog);
	return policy;
}
