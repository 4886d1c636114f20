/*
 * Two rules alike but for a little, many times over: the second, where it is said
 * never to decide, never does, whatever is asked.
 *
 * test_reference.c has long lists of rules that have little to do with each other;
 * here nearly all is near the edge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/policy.h"
#include "policy/shadow.h"
#include "tests/support/policies.h"
#include "tests/unit/policy/chance.h"

enum { PAIRS = 20000, FACTS = 60, LIST = 3 };

static const char *const sets[] = {".a.test b.test 10.0.0.0/8", "x.a.test b.test",
	"b.test/p c.test:443", ""};
static const char *const categories[] = {"c0", "c1", "c2", "c3"};
static const char *const hosts[] = {"a.test", ".a.test", "x.a.test", "b.test",
	"b.test:443", "10.1.2.3", "10.0.0.0/9", ".test", "0.0.0.0/0"};
static const char *const methods[] = {"GET", "PUT"};
static const char *const days[] = {NULL, "mon-fri", "sat,sun", "wed"};
static const char *const hours[] = {
	NULL, "08:00-18:00", "22:00-06:00", "09:00-12:00", "23:00-01:00"};
static const struct port_range ranges[] = {{443, 443}, {1, 1023}, {80, 80}};

/* What a rule is made of, some of which the next keeps. */
struct part {
	const char *hosts[LIST], *categories[LIST], *methods[LIST];
	size_t num_hosts, num_categories, num_methods;
	const char *days, *hours;
	bool timed;
	struct port_range port;
	bool ported;
};

static size_t pick_some(const char *const *pool, unsigned num,
	const char *out[LIST])
{
	size_t some = chance(2) ? 0 : 1 + chance(LIST);

	for (size_t i = 0; i < some; i++)
		out[i] = pool[chance(num)];
	return some;
}

#define SOME(pool, out) pick_some(pool, sizeof(pool) / sizeof(pool[0]), out)

/* change picks one thing of part anew. */
static void change(struct part *part, bool url)
{
	switch (chance(5)) {
	case 0:
		part->num_hosts = SOME(hosts, part->hosts);
		break;
	case 1:
		part->num_categories = SOME(categories, part->categories);
		break;
	case 2:
		part->num_methods = url ? SOME(methods, part->methods) : 0;
		break;
	case 3:
		part->timed = chance(2) == 0;
		part->days = PICK(days);
		part->hours = PICK(hours);
		break;
	default:
		part->ported = chance(2) == 0;
		part->port = PICK(ranges);
	}
}

static struct criteria_spec spec_of(
	const struct part *part, struct window *window[1])
{
	if (part->timed)
		window[0] = window_of(part->days, part->hours, "UTC");
	return (struct criteria_spec){
		.hosts = part->hosts,
		.num_hosts = part->num_hosts,
		.categories = part->categories,
		.num_categories = part->num_categories,
		.methods = part->methods,
		.num_methods = part->num_methods,
		.times = window,
		.num_times = part->timed,
		.ports = &part->port,
		.num_ports = part->ported,
	};
}

static void must(int result, const char *err)
{
	if (result != 0)
		fail_msg("%s", err);
}

static void add(struct policy *policy, bool url, const char *name,
	const struct part *match, const struct part *not )
{
	struct window *windows[2] = {NULL, NULL};
	char err[300] = "";
	struct rule_spec spec = {
		.name = name,
		.enabled = true,
		.match = spec_of(match, &windows[0]),
		.not = spec_of(not, &windows[1]),
		.options = {.action = (enum action)chance(3)},
		.url = {.action = (enum url_action)chance(3), .isolate = "x"},
	};

	must(url ? policy_add_url_rule(policy, &spec, err, sizeof(err)) :
		   policy_add_rule(policy, &spec, err, sizeof(err)),
		err);
}

static struct policy *make_pair(bool url)
{
	struct policy *policy = policy_new();
	struct catalog *catalog = catalog_of(sets, 4);
	struct part match = {.num_hosts = 0}, not = {.num_hosts = 0};
	char err[300] = "";

	for (unsigned i = 0; i < 4; i++)
		must(policy_add_category(
			     policy, categories[i], err, sizeof(err)),
			err);
	for (unsigned i = chance(4); i > 0; i--)
		change(chance(3) ? &match : &not, url);
	add(policy, url, "first", &match, &not );
	for (unsigned i = 1 + chance(2); i > 0; i--)
		change(chance(3) ? &match : &not, url);
	add(policy, url, "second", &match, &not );
	must(policy_seal(policy, catalog, err, sizeof(err)), err);
	catalog_unref(catalog);
	return policy;
}

static struct facts make_facts(bool url)
{
	static const char *const asked[] = {"a.test", "x.a.test", "b.test",
		"c.test", "other.test", "10.1.2.3", "10.200.1.1", "192.0.2.1"};
	static const char *const paths[] = {NULL, "/", "/p", "/p/q"};
	static const uint16_t ports[] = {443, 80, 8443};

	return (struct facts){
		.host = PICK(asked),
		.address = url || chance(2) ? NULL : asked[5 + chance(3)],
		.port = PICK(ports),
		.now = (time_t)chance(7 * 48) * 1800,
		.method = url && chance(3) ? PICK(methods) : NULL,
		.path = url ? PICK(paths) : NULL,
	};
}

struct found {
	bool first, second;
	unsigned num, of_itself;
};

static void on_shadowed(void *arg, const char *rule, unsigned line,
	const char *by, unsigned by_line)
{
	struct found *found = arg;

	(void)line, (void)by_line;
	*(strcmp(rule, "first") == 0 ? &found->first : &found->second) = true;
	found->num++;
	found->of_itself += strcmp(rule, by) == 0;
}

static const char *rule_of(
	const struct policy *policy, bool url, const struct facts *facts)
{
	static struct url_decision of_url;
	static struct decision of_ssl;

	if (url) {
		policy_decide_url(policy, facts, &of_url);
		return of_url.rule_name;
	}
	policy_decide(policy, facts, &of_ssl);
	return of_ssl.rule_name;
}

static void what_is_said_never_to_decide_never_does(void **state)
{
	struct found found = {.num = 0};
	unsigned seconds = 0;

	(void)state;
	for (unsigned i = 0; i < PAIRS; i++) {
		bool url = i & 1;
		struct policy *policy = make_pair(url);

		found.first = found.second = false;
		shadow_each(policy, url, on_shadowed, &found);
		for (unsigned k = 0; k < FACTS; k++) {
			struct facts facts = make_facts(url);
			const char *rule = rule_of(policy, url, &facts);

			assert_false(found.first && strcmp(rule, "first") == 0);
			assert_false(
				found.second && strcmp(rule, "second") == 0);
			seconds += strcmp(rule, "second") == 0;
		}
		policy_free(policy);
	}
	print_message("%u said of %u, %u of themselves; the second decided %u\n",
		found.num, 2 * PAIRS, found.of_itself, seconds);
	/* else nothing was tried */
	assert_true(found.num > 4000 && found.of_itself > 400);
	assert_true(seconds > 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_never_to_decide_never_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
