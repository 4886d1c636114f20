/* decide.c - which name counts, and what the rules say of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/report/rulebook.h"
#include "proxy/session/session_private.h"

bool decide_is_magic(const char *name)
{
	return strcmp(name, MAGIC_HOST) == 0;
}

struct facts decide_facts(const struct session *s)
{
	return (struct facts){
		.source = &s->peer.any,
		.user = s->user,
		.user_agent = s->user_agent,
		.now = time(NULL),
	};
}

/* decide_name: of several addresses the client may get any, so the strictest
 * decision counts. */
void decide_name(const struct session *s, const char *name, bool tls,
	bool has_sni, struct decision *out)
{
	const struct policy *policy = session_config(s)->policy;
	struct facts facts = decide_facts(s);
	struct decision one;
	size_t num = s->destinations && policy_asks_destination(policy) ?
		s->destinations->num : 0;

	facts.host = name;
	facts.address = s->has_original ? s->host : NULL;
	facts.port = s->port;
	facts.tls = tls;
	facts.has_sni = has_sni;
	if (num > 0)
		facts.destination = address_at(s->destinations, 0);
	policy_decide(policy, &facts, out);
	for (size_t i = 1; i < num; i++) {
		facts.destination = address_at(s->destinations, i);
		policy_decide(policy, &facts, &one);
		*out = decision_both(out, &one);
	}
}

/* --- one name or two ---------------------------------------------------- */

/* With ECH (RFC 9849) the SNI is only the outer name, or GREASE and the real
 * one; nobody can tell. It is a name all the same here: deciding by both can
 * only make it stricter, while passing over it would be a way round the rules.
 *
 * names_agree: CONNECT's host and the SNI are one name when they are the same,
 * when there is no SNI, or when CONNECT's address is one the SNI resolves to: then
 * of the address only what rules say that name it. */
static bool names_agree(const struct session *s)
{
	return !s->sni[0] || strcmp(s->sni, s->host) == 0 || s->sni_is_host;
}

/* must_resolve: only for CONNECT to an address with another name in the SNI. */
static bool must_resolve(const struct session *s)
{
	return !s->transparent && s->host_is_address && s->sni[0] &&
		strcmp(s->sni, s->host) != 0;
}

static void on_resolved(struct resolve_waiter *waiter,
	enum resolve_status status, const struct addresses *addresses)
{
	struct session *s = (struct session *)(void *)
		((char *)waiter - offsetof(struct session, dns));

	s->dns_done = true;
	if (status == RESOLVE_OK)
		s->found = bytes_copy(addresses, sizeof(*addresses));
	session_run(s);
}

/* ask: a client that has used up its share of look-ups gets no answer; its names
 * are then two. */
static void ask(struct session *s, const char *name)
{
	struct quota_client client;

	s->dns_asked = true;
	if (!s->client_local) {
		quota_client_of(&s->peer.any, &client);
		s->dns_counted = quota_take(s->services->dials, &client);
		if (!s->dns_counted) {
			s->dns_done = true;
			return;
		}
	}
	s->dns.resolved = on_resolved;
	resolver_ask(s->services->resolver, name, true, &s->dns);
}

void decide_forget_dns(struct session *s)
{
	struct quota_client client;

	resolver_leave(&s->dns);
	s->dns_asked = s->dns_done = false;
	free(s->found);
	s->found = NULL;
	if (!s->dns_counted)
		return;
	s->dns_counted = false;
	quota_client_of(&s->peer.any, &client);
	quota_give(s->services->dials, &client);
}

/* look_up: true once name has been, or has taken too long; s->found is what came
 * of it, until decide_forget_dns. */
static bool look_up(struct session *s, const char *name)
{
	if (!s->dns_asked)
		ask(s, name);
	return s->dns_done || s->timed_out;
}

static bool is_found(const struct session *s, const char *host)
{
	char text[46];

	for (size_t i = 0; s->found && i < s->found->num; i++) {
		address_text(address_at(s->found, i), text);
		if (strcmp(text, host) == 0)
			return true;
	}
	return false;
}

/* keep_destinations takes what was found. Nothing is an answer, too: then nothing
 * is dialled. */
static void keep_destinations(struct session *s, const char *host)
{
	free(s->destinations);
	s->destinations = s->found;
	s->found = NULL;
	if (!s->destinations)
		s->destinations = calloc(1, sizeof(*s->destinations));
	if (!s->destinations)
		abort();
	words_set(&s->destinations_of, host);
}

bool decide_find_destinations(struct session *s, const char *host,
	uint16_t port)
{
	const char *name = origin_target(s->services, host, port);

	if (s->destinations && strcmp(s->destinations_of, host) == 0)
		return true;
	if (!look_up(s, name))
		return false;
	keep_destinations(s, host);
	decide_forget_dns(s);
	return true;
}

bool decide_asks_destination(const struct session *s)
{
	const struct policy *policy = session_config(s)->policy;

	return policy_asks_destination(policy) ||
		policy_asks_url_destination(policy);
}

/* add_original: a redirected connection is inspected at where it was going, and
 * tunnelled to where its name leads: both count. */
static void add_original(struct session *s)
{
	struct addresses *all = s->destinations;

	if (!s->has_original || !all || all->num == RESOLVE_MAX)
		return;
	memcpy(&all->at[all->num++], &s->original,
		address_len(&s->original.any));
}

enum wait step_resolve(struct session *s)
{
	const char *name = s->transparent && s->sni[0] ? s->sni : s->host;

	if (must_resolve(s) && !s->sni_looked_up) {
		if (!look_up(s, s->sni))
			return WAIT_DNS;
		s->sni_is_host = is_found(s, s->host);
		s->sni_looked_up = true;
		decide_forget_dns(s);
	}
	if (decide_asks_destination(s) && name[0] && !decide_is_magic(name)) {
		if (!decide_find_destinations(s, name, s->port))
			return WAIT_DNS;
		add_original(s);
	}
	return session_go(s, AT_DECIDE);
}

void decide_note(struct session *s)
{
	if (!s->decided)
		rule_counts_add(s->services->tally.rules, RULES_SSL,
			s->decision.rule_name,
			action_name(s->decision.options.action));
	s->decided = true;
}

bool decide_host_is_blocked(struct session *s, struct decision *decision,
	enum reason *why)
{
	decide_name(s, s->host, false, false, decision);
	*why = REASON_BLOCKED;
	if (decision->options.action == ACTION_BLOCK)
		return true;
	*why = REASON_URL_BLOCKED;
	return decision->options.url_policies == URL_POLICIES_EVALUATE &&
		urls_block_host(s, s->host);
}

/* --- deciding ----------------------------------------------------------- */

static void decide_both(struct session *s, struct decision *out)
{
	struct decision by_host, by_sni;

	decide_name(s, s->host, true, true, &by_host);
	decide_name(s, s->sni, true, true, &by_sni);
	s->names_differ = true;
	*out = decision_both(&by_host, &by_sni);
}

/* heed_address: CONNECT's, of which the SNI is the name. */
static void heed_address(const struct session *s, struct decision *out)
{
	struct decision by_address;

	decide_name(s, s->host, true, true, &by_address);
	if (by_address.names_host)
		*out = decision_both(out, &by_address);
}

void decide_tls(struct session *s, struct decision *out)
{
	bool has_sni = s->sni[0] != '\0';

	if (s->transparent || names_agree(s))
		decide_name(s, s->name, true, has_sni, out);
	else
		decide_both(s, out);
	if (s->sni_is_host)
		heed_address(s, out);
	s->generation = s->services->snapshot->generation;
}

enum wait decide_refuse_tls(struct session *s, uint8_t alert,
	enum reason reason, const char *why)
{
	uint8_t record[] = {21, 3, 3, 0, 2, 2, alert};

	stream_write(&s->client, record, sizeof(record));
	(void)session_fail(s, reason, why);
	return session_go(s, AT_LINGER);
}

static enum wait blocked(struct session *s, enum reason reason,
	const char *rule)
{
	if (!s->decision.options.notify)
		return decide_refuse_tls(s, SSL_AD_ACCESS_DENIED, reason, rule);
	s->deny = reason;
	session_forget_origin(s);
	return session_go(s, AT_LEAF);
}

/* inspect settles what the client's ALPN may be answered. http/1.1 whenever it is
 * offered; HTTP/2 alone can't be inspected yet; other protocols are the
 * origin's to choose from. */
static enum wait inspect(struct session *s)
{
	static const struct alpn_answer http1 = {
		(const uint8_t *)"http/1.1", 8};
	const struct hello *hello = s->hello;

	session_forget_origin(s);
	if (hello->alpn_http1) {
		s->alpn = http1;
	} else if (hello->alpn_h2 && !hello->alpn_other) {
		return decide_refuse_tls(s, SSL_AD_NO_APPLICATION_PROTOCOL,
			REASON_ALPN, "the client offers h2 alone");
	}
	if (s->decision.options.min_client_tls == TLS_1_3 && !hello->tls13)
		return decide_refuse_tls(s, SSL_AD_PROTOCOL_VERSION,
			REASON_CLIENT_TLS_OLD, s->decision.rule_name);
	return session_go(s, AT_LEAF);
}

/* tunnel: what nobody will see into is decided by its name once more. */
static enum wait tunnel(struct session *s)
{
	if (urls_block_tunnel(s))
		return blocked(s, REASON_URL_BLOCKED, s->url_rule);
	return session_go(s, AT_TUNNEL);
}

enum wait step_decide(struct session *s)
{
	s->name = s->sni[0] ? s->sni : s->host;
	if (decide_is_magic(s->host) || (s->transparent &&
						decide_is_magic(s->name))) {
		s->own_pages = true;
		s->name = decide_is_magic(s->host) ? s->host : s->sni;
		return inspect(s);
	}
	if (!s->name[0])
		return decide_refuse_tls(s, SSL_AD_UNRECOGNIZED_NAME, REASON_NO_SNI,
			"");
	decide_tls(s, &s->decision);
	decide_note(s);
	if (s->decision.options.action == ACTION_BLOCK)
		return blocked(s, REASON_BLOCKED, s->decision.rule_name);
	if (s->origin_spoke &&
	    s->decision.options.action != ACTION_DO_NOT_INSPECT)
		return session_fail(s, REASON_TLS_IN_TUNNEL, "");
	if (s->decision.options.action == ACTION_DO_NOT_INSPECT ||
	    intercept_is_undecryptable(s))
		return tunnel(s);
	return inspect(s);
}
