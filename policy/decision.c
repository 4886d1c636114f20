#include <string.h>

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

static const char *const url_action_names[] = {
	[URL_ALLOW] = "allow",
	[URL_ISOLATE] = "isolate",
	[URL_BLOCK] = "block",
};

static const char *const certificate_names[CERTIFICATES] = {
	[CERTIFICATE_UNKNOWN] = "unknown",
	[CERTIFICATE_TRUSTED] = "trusted",
	[CERTIFICATE_EXPIRED] = "expired",
	[CERTIFICATE_NOT_YET_VALID] = "not-yet-valid",
	[CERTIFICATE_WRONG_HOST] = "wrong-host",
	[CERTIFICATE_NO_SAN] = "no-san",
	[CERTIFICATE_SELF_SIGNED] = "self-signed",
	[CERTIFICATE_UNKNOWN_ISSUER] = "unknown-issuer",
	[CERTIFICATE_INCOMPLETE_CHAIN] = "incomplete-chain",
	[CERTIFICATE_WEAK_SIGNATURE] = "weak-signature",
	[CERTIFICATE_WEAK_KEY] = "weak-key",
	[CERTIFICATE_WRONG_PURPOSE] = "wrong-purpose",
	[CERTIFICATE_MALFORMED] = "malformed",
	[CERTIFICATE_INVALID] = "invalid",
};

const char *action_name(enum action action)
{
	return action_names[action];
}

const char *untrusted_name(enum untrusted untrusted)
{
	return untrusteds[untrusted].name;
}

const char *url_action_name(enum url_action action)
{
	return url_action_names[action];
}

const char *certificate_name(enum certificate certificate)
{
	return certificate_names[certificate];
}

/* Of a connection that is let in, the one whose requests are still decided. */
static const struct decision *stricter_urls(
	const struct decision *a, const struct decision *b)
{
	return a->options.url_policies == URL_POLICIES_BYPASS &&
			b->options.url_policies == URL_POLICIES_EVALUATE ?
		b :
		a;
}

const struct decision *decision_stricter(
	const struct decision *a, const struct decision *b)
{
	unsigned of_a = untrusteds[a->options.untrusted].strictness;
	unsigned of_b = untrusteds[b->options.untrusted].strictness;

	if (a->options.action != b->options.action)
		return b->options.action > a->options.action ? b : a;
	if (a->options.action == ACTION_INSPECT && of_a != of_b)
		return of_b > of_a ? b : a;
	return stricter_urls(a, b);
}

static enum tls_version higher(enum tls_version a, enum tls_version b)
{
	return a > b ? a : b;
}

/* A CA that a rule names is trusted by fewer than the default; of two it is no
 * matter which, but always the same. */
static const char *narrower_ca(const char *a, const char *b)
{
	if (!a || !b)
		return a ? a : b;
	return strcmp(a, b) <= 0 ? a : b;
}

/* What only an inspecting rule says. */
static void inspect_by_both(struct verdict_options *both,
	const struct verdict_options *a, const struct verdict_options *b)
{
	both->min_client_tls = higher(a->min_client_tls, b->min_client_tls);
	both->min_server_tls = higher(a->min_server_tls, b->min_server_tls);
	if (a->action != b->action)
		return;
	both->block_undecryptable =
		a->block_undecryptable || b->block_undecryptable;
	both->intermediate_ca =
		narrower_ca(a->intermediate_ca, b->intermediate_ca);
}

struct decision decision_both(
	const struct decision *a, const struct decision *b)
{
	struct decision both = *decision_stricter(a, b);
	struct verdict_options *options = &both.options;

	if (a->options.url_policies == URL_POLICIES_EVALUATE ||
		b->options.url_policies == URL_POLICIES_EVALUATE)
		options->url_policies = URL_POLICIES_EVALUATE;
	both.names_host = a->names_host || b->names_host;
	if (options->action == ACTION_INSPECT)
		inspect_by_both(options, &a->options, &b->options);
	if (options->action == ACTION_BLOCK &&
		a->options.action == b->options.action)
		options->notify = a->options.notify && b->options.notify;
	return both;
}

const struct url_decision *url_decision_stricter(
	const struct url_decision *a, const struct url_decision *b)
{
	return b->options.action > a->options.action ? b : a;
}
