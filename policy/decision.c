#include "policy/policy.h"

static const char *const action_names[] = {
	[ACTION_DO_NOT_INSPECT] = "do-not-inspect",
	[ACTION_INSPECT] = "inspect",
	[ACTION_BLOCK] = "block",
};

static const struct {
	const char *name;
	unsigned strictness;
} untrusteds[] = {
	[UNTRUSTED_BLOCK] = {"block", 2},
	[UNTRUSTED_ALLOW] = {"allow", 0},
	[UNTRUSTED_PASS_THROUGH] = {"pass-through", 1},
};

const char *action_name(enum action action)
{
	return action_names[action];
}

const char *untrusted_name(enum untrusted untrusted)
{
	return untrusteds[untrusted].name;
}

static const struct decision *stricter_inspect(
	const struct decision *a, const struct decision *b)
{
	unsigned of_a = untrusteds[a->options.untrusted].strictness;
	unsigned of_b = untrusteds[b->options.untrusted].strictness;

	return of_b > of_a ? b : a;
}

const struct decision *decision_stricter(
	const struct decision *a, const struct decision *b)
{
	if (a->options.action != b->options.action)
		return b->options.action > a->options.action ? b : a;
	if (a->options.action == ACTION_INSPECT)
		return stricter_inspect(a, b);
	return a;
}
