/* urls.c - what the URL rules say of a request, and of what nobody sees into. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/path.h"
#include "proxy/http/url.h"
#include "proxy/report/rulebook.h"
#include "proxy/session/agent.h"
#include "proxy/session/isolated.h"
#include "proxy/session/session_private.h"

/* --- asking ------------------------------------------------------------- */

/* add makes out the stricter; it names the host where any of them does. */
static void add(struct url_decision *out, const struct url_decision *one)
{
	bool names_host = out->names_host || one->names_host;

	*out = *url_decision_stricter(out, one);
	out->names_host = names_host;
}

/* ask_addresses asks of each address the host leads to; the strictest counts. */
static void ask_addresses(const struct session *s, struct facts *facts,
	struct url_decision *out)
{
	const struct policy *policy = session_config(s)->policy;
	const struct addresses *all = s->destinations;
	struct url_decision one;
	size_t num = all && policy_asks_url_destination(policy) ? all->num : 0;

	facts->destination = num > 0 ? address_at(all, 0) : NULL;
	policy_decide_url(policy, facts, out);
	for (size_t i = 1; i < num; i++) {
		facts->destination = address_at(all, i);
		policy_decide_url(policy, facts, &one);
		add(out, &one);
	}
}

/* ask_path asks of each reading of the path (path.h); the strictest counts. */
static void ask_path(const struct session *s, struct facts *facts,
	struct slice path, struct url_decision *out)
{
	struct path_readings readings;
	struct url_decision one;

	path_read(path.at, path.len, &readings);
	facts->path = readings.at[0];
	ask_addresses(s, facts, out);
	for (size_t i = 1; i < readings.num; i++) {
		facts->path = readings.at[i];
		ask_addresses(s, facts, &one);
		add(out, &one);
	}
	facts->path = NULL;
	path_readings_clear(&readings);
}

static bool is_asked(const struct session *s)
{
	return policy_has_url_rules(session_config(s)->policy);
}

static bool is_bypassed(const struct session *s)
{
	return s->decided &&
		s->decision.options.url_policies == URL_POLICIES_BYPASS;
}

/* heed_host: what is said of CONNECT's host, or the kernel's. Where that is one of
 * the name's addresses, it counts if the rule names it. */
static void heed_host(const struct session *s,
	const struct url_decision *by_host, struct url_decision *out)
{
	if (!s->sni_is_host || by_host->names_host)
		*out = *url_decision_stricter(out, by_host);
}

/* --- tunnels ------------------------------------------------------------ */

static void ask_host(const struct session *s, const char *host,
	struct url_decision *out)
{
	struct facts facts = decide_facts(s);

	facts.host = host;
	facts.port = s->port;
	facts.tls = s->hello != NULL;
	facts.has_sni = s->sni[0] != '\0';
	ask_addresses(s, &facts, out);
}

static void count(const struct session *s, const struct url_decision *url)
{
	rule_counts_add(s->services->tally.rules, RULES_URL, url->rule_name,
		url_action_name(url->options.action));
}

static bool note_tunnel(struct session *s, const struct url_decision *url)
{
	count(s, url);
	words_set(&s->url_rule, url->rule_name);
	s->url_action = url->options.action;
	return url->options.action != URL_ALLOW;
}

bool urls_block_host(struct session *s, const char *host)
{
	struct url_decision url;

	if (!is_asked(s))
		return false;
	ask_host(s, host, &url);
	return note_tunnel(s, &url);
}

bool urls_block_tunnel(struct session *s)
{
	struct url_decision url, by_host;

	if (!is_asked(s) || is_bypassed(s))
		return false;
	ask_host(s, s->name, &url);
	if (s->names_differ || s->sni_is_host) {
		ask_host(s, s->host, &by_host);
		heed_host(s, &by_host, &url);
	}
	return note_tunnel(s, &url);
}

/* --- requests ----------------------------------------------------------- */

/* url_of is what was asked for, the caller's. */
static char *url_of(const struct urls_asked *asked)
{
	char authority[HOST_SIZE + 16], *url = NULL;
	uint16_t usual = strcmp(asked->scheme, "https") == 0 ? 443 : 80;
	bool slash = asked->path.len == 0 || asked->path.at[0] != '/';

	if (asked->port == usual && !strchr(asked->host, ':'))
		(void)stpcpy(authority, asked->host);
	else
		address_with_port(asked->host, asked->port, authority,
			sizeof(authority));
	if (asprintf(&url, "%s://%s%s%.*s", asked->scheme, authority,
		    slash ? "/" : "", (int)asked->path.len, asked->path.at) < 0)
		abort();
	return url;
}

static char *isolated_at(const char *template, const struct urls_asked *asked)
{
	char *url = url_of(asked), *out = isolated_url(template, url);

	free(url);
	return out;
}

static enum reason take(struct exchange *x, const struct url_decision *url,
	const struct urls_asked *asked)
{
	words_set(&x->url_rule, url->rule_name);
	x->url_action = url->options.action;
	switch (url->options.action) {
	case URL_BLOCK:
		return REASON_URL_BLOCKED;
	case URL_ISOLATE:
		free(x->location);
		x->location = isolated_at(url->options.isolate, asked);
		return REASON_ISOLATED;
	case URL_ALLOW:
	default:
		return REASON_OK;
	}
}

/* is_elsewhere: it goes where CONNECT, or the kernel, says, which is called
 * otherwise there. */
static bool is_elsewhere(const struct session *s, const char *host)
{
	return s->realm != REALM_PROXY && s->host[0] &&
		strcmp(host, s->host) != 0;
}

static enum reason ask(struct session *s, struct exchange *x,
	const struct head *head, const struct urls_asked *asked,
	enum certificate certificate)
{
	struct facts facts = decide_facts(s);
	struct url_decision url, by_host;
	char agent[AGENT_SIZE];

	if (path_is_long(asked->path.at, asked->path.len))
		return REASON_HEAD_TOO_LARGE;
	agent_read(head, agent);
	facts.user_agent = agent[0] ? agent : NULL;
	facts.host = asked->host;
	facts.port = asked->port;
	facts.tls = s->realm == REALM_INSPECTED;
	facts.has_sni = s->sni[0] != '\0';
	facts.method = x->method;
	facts.certificate = certificate;
	ask_path(s, &facts, asked->path, &url);
	if (is_elsewhere(s, asked->host)) {
		facts.host = s->host;
		ask_path(s, &facts, asked->path, &by_host);
		heed_host(s, &by_host, &url);
	}
	x->url_asked = s->services->snapshot->generation;
	count(s, &url);
	return take(x, &url, asked);
}

/* waits: a rule asks about the certificate, which is the origin's to show. */
static bool waits(const struct session *s)
{
	return s->realm == REALM_INSPECTED &&
		policy_asks_certificate(session_config(s)->policy);
}

enum route urls_route(struct session *s, struct exchange *x,
	const struct head *head, const struct urls_asked *asked)
{
	enum reason reason;

	if (!is_asked(s) || (s->realm != REALM_PROXY && is_bypassed(s)) ||
	    waits(s))
		return ROUTE_ORIGIN;
	reason = ask(s, x, head, asked, CERTIFICATE_UNKNOWN);
	if (reason == REASON_OK)
		return ROUTE_ORIGIN;
	return exchange_refuse(x, reason, reason == REASON_HEAD_TOO_LARGE ?
		"servers do not agree what so long a path means" : "");
}

static enum certificate certificate_of(const struct origin *origin)
{
	static const enum certificate of[VERDICT_COUNT] = {
		[VERDICT_TRUSTED] = CERTIFICATE_TRUSTED,
		[VERDICT_EXPIRED] = CERTIFICATE_EXPIRED,
		[VERDICT_NOT_YET_VALID] = CERTIFICATE_NOT_YET_VALID,
		[VERDICT_WRONG_HOST] = CERTIFICATE_WRONG_HOST,
		[VERDICT_NO_SAN] = CERTIFICATE_NO_SAN,
		[VERDICT_SELF_SIGNED] = CERTIFICATE_SELF_SIGNED,
		[VERDICT_UNKNOWN_ISSUER] = CERTIFICATE_UNKNOWN_ISSUER,
		[VERDICT_INCOMPLETE_CHAIN] = CERTIFICATE_INCOMPLETE_CHAIN,
		[VERDICT_WEAK_SIGNATURE] = CERTIFICATE_WEAK_SIGNATURE,
		[VERDICT_WEAK_KEY] = CERTIFICATE_WEAK_KEY,
		[VERDICT_WRONG_PURPOSE] = CERTIFICATE_WRONG_PURPOSE,
		[VERDICT_MALFORMED] = CERTIFICATE_MALFORMED,
		[VERDICT_INVALID] = CERTIFICATE_INVALID,
	};

	return origin->tls ? of[origin->verdict] : CERTIFICATE_UNKNOWN;
}

/* plain_host is what a request that has been made fit for its origin names. */
static void plain_host(const struct head *head, char host[HOST_SIZE])
{
	struct slice text;
	uint16_t port;

	if (url_parse_authority(head_get(head, "Host"), &text, &port) != 0 ||
	    host_normalize(text.at, text.len, host) == HOST_BAD)
		host[0] = '\0';
}

/* urls_judge: the head has been made fit for the origin by now; its target is the
 * path, and the host the name that was verified, or that it names. */
enum reason urls_judge(struct session *s, const struct origin *origin)
{
	struct exchange *x = &s->exchange;
	const struct head *head = x->client->ops->head(x->client);
	char host[HOST_SIZE];
	struct urls_asked asked = {
		.scheme = x->want.name ? "https" : "http",
		.host = x->want.name,
		.port = s->port,
		.path = head_target(head),
	};

	/* also where the rule that had to wait has gone meanwhile */
	if (!is_asked(s) || is_bypassed(s) ||
	    (!waits(s) &&
		    x->url_asked == s->services->snapshot->generation))
		return REASON_OK;
	if (!asked.host) {
		plain_host(head, host);
		asked.host = host[0] ? host : x->want.host;
	}
	return ask(s, x, head, &asked, certificate_of(origin));
}
