/* journal.c - what the access log is told of exchanges and connections. */
#include <openssl/ssl.h>
#include <string.h>

#include "proxy/report/access.h"
#include "proxy/session/session_private.h"

static const char *version_of(const struct stream *stream)
{
	return stream->secure ? SSL_get_version(stream->tls.ssl) : NULL;
}

static const char *cipher_of(const struct stream *stream)
{
	const SSL_CIPHER *cipher = stream->secure ?
		SSL_get_current_cipher(stream->tls.ssl) : NULL;

	return cipher ? SSL_CIPHER_standard_name(cipher) : NULL;
}

static void put_tls(const struct session *s, struct record *r)
{
	const uint8_t *alpn;
	unsigned len = 0;

	r->ja4 = s->ja4[0] ? s->ja4 : NULL;
	r->client_failure = s->client_end.failure;
	r->client_alert = s->client_end.alert;
	r->after_certificate = s->client_end.shown;
	r->client_tls = version_of(&s->client);
	r->client_cipher = cipher_of(&s->client);
	if (!s->client.secure)
		return;
	r->client_resumed = SSL_session_reused(s->client.tls.ssl);
	SSL_get0_alpn_selected(s->client.tls.ssl, &alpn, &len);
	r->alpn = (const char *)alpn;
	r->alpn_len = len;
}

static void put_decision(const struct session *s, struct record *r)
{
	if (!s->decided)
		return;
	r->rule = s->decision.rule_name;
	r->action = action_name(s->decision.options.action);
	r->names_differ = s->names_differ;
}

static void put_client(const struct session *s, struct record *r)
{
	r->client = &s->peer.any;
	r->user = s->user;
	r->transparent = s->transparent;
	r->proxy_tls = s->inner;
	r->host = s->host[0] ? s->host : s->name;
	r->port = s->port;
	r->sni = s->sni[0] ? s->sni : NULL;
	r->location = config_location_at(session_config(s), &s->peer.any);
	r->untrusted = s->untrusted;
	put_tls(s, r);
	if (s->site)
		r->leaf = s->leaf_forged ? "forged" : "cached";
	put_decision(s, r);
}

static void put_origin(const struct origin_facts *facts, struct record *r)
{
	r->origin_tls = facts->tls;
	r->origin_cipher = facts->cipher;
	r->origin_reused = facts->reused;
	r->origin_resumed = facts->resumed;
	r->ms_origin = facts->ms;
	r->origin_days = facts->days;
	r->origin_wildcard = facts->wildcard;
	if (facts->untrusted != REASON_OK)
		r->untrusted = facts->untrusted;
}

/* put_agent: of a request its own, as long as its head is there. */
static void put_agent(const struct exchange *x, struct record *r)
{
	struct slice agent;

	if (!x->method[0])
		return;
	agent = head_get(x->client->ops->head(x->client), "User-Agent");
	r->user_agent = agent.at;
	r->user_agent_len = agent.len;
}

static void tally_exchange(struct tally *tally, const struct record *r)
{
	unsigned class = r->status / 100;

	count_add(&tally->exchanges[class < TALLY_STATUSES ? class : 0], 1);
	times_add(&tally->exchange, r->ms);
	if (r->reason != REASON_OK)
		count_add(&tally->refusals[r->reason], 1);
}

void journal_exchange(struct session *s)
{
	struct exchange *x = &s->exchange;
	struct record r = {.kind = RECORD_EXCHANGE};

	put_client(s, &r);
	put_origin(&x->origin_facts, &r);
	r.reason = x->reason;
	r.why = x->why;
	r.url_rule = x->url_rule;
	r.url_action = x->url_rule ? url_action_name(x->url_action) : NULL;
	r.method = x->method;
	r.method_len = strlen(x->method);
	r.url = x->url;
	r.url_len = x->url ? strlen(x->url) : 0;
	r.status = x->status;
	put_agent(x, &r);
	r.connect_agent = s->client.secure ? s->user_agent : NULL;
	r.bytes_in = x->bytes_in;
	r.bytes_out = x->bytes_out;
	r.ms = session_now(s) - x->started_ms;
	access_write(s->services->log, &r);
	tally_exchange(&s->services->tally, &r);
	s->logged = true;
	s->leaf_forged = false; /* told once */
}

void journal_cut(struct session *s)
{
	struct exchange *x = &s->exchange;

	if (!s->front.in ||
	    (x->at != EXCHANGE_ORIGIN && x->at != EXCHANGE_RELAY))
		return;
	if (x->reason == REASON_OK)
		x->reason = s->reason == REASON_OK ? REASON_CLIENT_GONE :
						     s->reason;
	journal_exchange(s);
}

/* note_unused: a client that went away from TLS that was all right, before it sent
 * a byte in it. In TLS 1.3 it may refuse our certificate so late; some programs
 * look at it only then. */
static void note_unused(struct session *s)
{
	bool came = s->front.in ? s->exchange.at != EXCHANGE_HEAD ||
			!h1_side_idle(&s->front) : s->first_byte_ms != 0;

	if (s->kind != RECORD_REFUSED || s->logged || came || !s->site ||
	    !s->client.secure || s->services->draining ||
	    (s->reason != REASON_OK && s->reason != REASON_CLIENT_GONE) ||
	    (s->client.error == STREAM_FINE && !stream_ended(&s->client)))
		return;
	client_failure_find(&s->client, false, &s->client_end);
	if (s->client_end.failure == CLIENT_FAILURE_ALERT) {
		s->reason = REASON_CLIENT_HANDSHAKE;
		return;
	}
	s->client_end.failure = CLIENT_FAILURE_UNUSED;
	s->reason = s->deny != REASON_OK ? s->deny : REASON_CLIENT_GONE;
	words_set(&s->why, s->deny != REASON_OK ? s->deny_why :
			"after the TLS handshake, without a request");
}

/* journal_session writes the line of a connection that was no HTTP, or came to
 * nothing; one whose exchanges have been told needs none. */
void journal_session(struct session *s)
{
	struct record r = {.kind = s->kind};
	struct origin_facts facts;

	note_unused(s);
	if (s->kind == RECORD_REFUSED &&
	    (s->reason == REASON_OK || s->logged))
		return;
	put_client(s, &r);
	if (s->origin) {
		origin_describe(s->origin, &facts);
		put_origin(&facts, &r);
	}
	r.reason = s->reason;
	r.why = s->why;
	r.url_rule = s->url_rule;
	r.url_action = s->url_rule ? url_action_name(s->url_action) : NULL;
	r.user_agent = s->user_agent;
	r.user_agent_len = s->user_agent ? strlen(s->user_agent) : 0;
	r.bytes_in = s->client.bytes_in;
	r.bytes_out = s->client.bytes_out;
	r.ms = session_now(s) - s->started_ms;
	access_write(s->services->log, &r);
	if (r.reason != REASON_OK)
		count_add(&s->services->tally.refusals[r.reason], 1);
	s->logged = true;
}
