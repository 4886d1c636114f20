/*
 * 100,000 random facts and random rules: the live decision is the explained one,
 * and both are what a slow reading of the headers comes to.
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
#include "tests/unit/policy/chance.h"
#include "tests/unit/policy/reference.h"

enum { RULE_SETS = 1000, FACTS = 100 };

struct walk {
	const struct world *world;
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

	if (strtoul(tried->rule, NULL, 10) != walk->num ||
		tried->line != walk->num + 1 ||
		strcmp(tried->file, "rules.yaml") != 0)
		walk->wrong = "another rule was told";
	else if (tried->matched !=
		reference_matches(
			walk->world, walk->list, walk->num, walk->facts))
		walk->wrong = "the reference takes a rule otherwise";
	else if (tried->matched != (tried->because[0] == '\0'))
		walk->wrong = "no reason, or one too many";
	else if (!can_be_shown(tried->because))
		walk->wrong = "a reason that can't be shown";
	walk->num++;
}

static bool never[WORLD_RULES]; /* said to be in the shadow of another */

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

static const char *compare(const struct world *world,
	const struct policy *policy, unsigned list,
	const struct plain_facts *plain, struct figures *figures)
{
	struct sockaddr_storage source, destination;
	struct facts facts = facts_of(plain, &source, &destination);
	struct walk walk = {.world = world, .facts = plain, .list = list};
	unsigned i = reference_first(world, list, plain);
	unsigned action = reference_action(world, list, i, plain);
	bool any = i < world->num_rules[list];
	char name[12] = "default";
	struct both both;

	if (any)
		snprintf(name, sizeof(name), "%u", i);
	both = list == WORLD_SSL ? decide_ssl(policy, &facts, &walk) :
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

static void compare_all(const struct world *world, const struct policy *policy,
	unsigned set, uint64_t seed, struct figures *figures)
{
	for (unsigned list = 0; list < WORLD_LISTS; list++) {
		memset(never, 0, sizeof(never));
		shadow_each(policy, list == WORLD_URL, on_shadowed,
			&figures->shadowed);
		for (unsigned i = 0; i < FACTS; i++) {
			struct plain_facts facts = world_facts();
			const char *wrong =
				compare(world, policy, list, &facts, figures);

			if (wrong)
				fail_msg("SEED=%llu, %s rules %u, facts %u: %s",
					(unsigned long long)seed,
					list == WORLD_URL ? "URL" : "SSL", set,
					i, wrong);
		}
	}
}

static void live_is_explained_is_the_reference(void **state)
{
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : 20240901;
	struct figures figures = {0};
	static struct world world;

	(void)state;
	chance_start(seed);
	for (unsigned set = 0; set < RULE_SETS; set++) {
		struct policy *policy;

		world_make(&world);
		policy = world_policy(&world);
		compare_all(&world, policy, set, seed, &figures);
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