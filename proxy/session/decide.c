/* decide.c - which name counts, and what the rules say of it. */
#include <stdio.h>
#include <string.h>

#include "proxy/session/session_private.h"

bool decide_is_magic(const char *name)
{
	return strcmp(name, MAGIC_HOST) == 0;
}

void decide_name(const struct session *s, const char *name, bool tls,
	bool has_sni, struct decision *out)
{
	struct facts facts = {
		.source = &s->peer.any,
		.host = name,
		.address = s->has_original ? s->host : NULL,
		.port = s->port,
		.tls = tls,
		.has_sni = has_sni,
	};

	policy_decide(session_config(s)->policy, &facts, out);
}

/* --- one name or two ---------------------------------------------------- */

/* With ECH (RFC 9849) the SNI is only the outer name, or GREASE and the real
 * one; nobody can tell. It is a name all the same here: deciding by both can
 * only make it stricter, while passing over it would be a way round the rules.
 *
 * names_agree: CONNECT's host and the SNI are one name when they are the same,
 * when there is no SNI, or when CONNECT's address is one the SNI resolves to. */
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
	char text[46];

	s->dns_done = true;
	for (size_t i = 0; status == RESOLVE_OK && i < addresses->num; i++) {
		address_text((const struct sockaddr *)&addresses->at[i], text);
		if (strcmp(text, s->host) == 0)
			s->sni_is_host = true;
	}
	session_run(s);
}

/* ask: a client that has used up its share of look-ups gets no answer; its names
 * are then two. */
static void ask(struct session *s)
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
	resolver_ask(s->services->resolver, s->sni, true, &s->dns);
}

void decide_forget_dns(struct session *s)
{
	struct quota_client client;

	resolver_leave(&s->dns);
	if (!s->dns_counted)
		return;
	s->dns_counted = false;
	quota_client_of(&s->peer.any, &client);
	quota_give(s->services->dials, &client);
}

enum wait step_resolve(struct session *s)
{
	if (must_resolve(s) && !s->dns_asked)
		ask(s);
	if (must_resolve(s) && !s->dns_done && !s->timed_out)
		return WAIT_DNS;
	decide_forget_dns(s);
	return session_go(s, AT_DECIDE);
}

bool decide_host_is_blocked(struct session *s)
{
	struct decision decision;

	decide_name(s, s->host, false, false, &decision);
	if (decision.options.action != ACTION_BLOCK)
		return false;
	s->decision = decision;
	s->decided = true;
	return true;
}

/* --- deciding ----------------------------------------------------------- */

static void decide_both(struct session *s, struct decision *out)
{
	struct decision by_host, by_sni;

	decide_name(s, s->host, true, true, &by_host);
	decide_name(s, s->sni, true, true, &by_sni);
	s->names_differ = true;
	*out = *decision_stricter(&by_host, &by_sni);
}

void decide_tls(struct session *s, struct decision *out)
{
	bool has_sni = s->sni[0] != '\0';

	if (s->transparent || names_agree(s))
		decide_name(s, s->name, true, has_sni, out);
	else
		decide_both(s, out);
	s->generation = s->services->snapshot->generation;
}

/* refuse_tls sends a fatal alert before any handshake (RFC 8446, 6). */
static enum wait refuse_tls(struct session *s, uint8_t alert,
	enum reason reason, const char *why)
{
	uint8_t record[] = {21, 3, 3, 0, 2, 2, alert};

	stream_write(&s->client, record, sizeof(record));
	(void)session_fail(s, reason, why);
	return session_go(s, AT_LINGER);
}

static enum wait blocked(struct session *s)
{
	if (!s->decision.options.notify)
		return refuse_tls(s, SSL_AD_ACCESS_DENIED, REASON_BLOCKED,
			s->decision.rule_name);
	s->deny = REASON_BLOCKED;
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
		return refuse_tls(s, SSL_AD_NO_APPLICATION_PROTOCOL,
			REASON_ALPN, "the client offers h2 alone");
	}
	return session_go(s, AT_LEAF);
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
		return refuse_tls(s, SSL_AD_UNRECOGNIZED_NAME, REASON_NO_SNI,
			"");
	decide_tls(s, &s->decision);
	s->decided = true;
	if (s->decision.options.action == ACTION_BLOCK)
		return blocked(s);
	if (s->origin_spoke &&
	    s->decision.options.action != ACTION_DO_NOT_INSPECT)
		return session_fail(s, REASON_TLS_IN_TUNNEL, "");
	if (s->decision.options.action == ACTION_DO_NOT_INSPECT ||
	    intercept_is_undecryptable(s))
		return session_go(s, AT_TUNNEL);
	return inspect(s);
}
