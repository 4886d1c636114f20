/* A decision with 1, 100 and 10,000 rules, the last of which matches. */
#include <string.h>

#include "bench/micro/micro.h"
#include "policy/policy.h"

static void decide(void *arg)
{
	static const struct facts facts = {.host = "www.example.com",
		.port = 443, .tls = true, .has_sni = true};
	struct decision decision;

	policy_decide(arg, &facts, &decision);
	must(strcmp(decision.rule_name, "last") == 0, "another rule");
}

static void add(struct policy *policy, const char *name, const char *host,
	enum action action)
{
	struct rule_spec spec = {.name = name,
		.enabled = true,
		.match = {.hosts = &host, .num_hosts = host ? 1 : 0},
		.options = {.action = action}};
	char err[300];

	must(policy_add_rule(policy, &spec, err, sizeof(err)) == 0, err);
}

int main(void)
{
	static const unsigned sizes[] = {1, 100, 10000};
	char name[40], host[60], err[300];

	for (unsigned k = 0; k < 3; k++) {
		struct policy *policy = policy_new();

		for (unsigned i = 1; i < sizes[k]; i++) {
			snprintf(name, sizeof(name), "rule %u", i);
			snprintf(host, sizeof(host), ".host%u.example.com", i);
			add(policy, name, host, ACTION_DO_NOT_INSPECT);
		}
		add(policy, "last", NULL, ACTION_INSPECT);
		must(policy_seal(policy, NULL, err, sizeof(err)) == 0, err);
		snprintf(name, sizeof(name), "decide-%u-rules", sizes[k]);
		micro(name, decide, policy);
		policy_free(policy);
	}
	return 0;
}
