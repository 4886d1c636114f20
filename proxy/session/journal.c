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
	r->client_tls = version_of(&s->client);
	r->client_cipher = cipher_of(&s->client);
	r->client_resumed = s->client.secure &&
		SSL_session_reused(s->client.tls.ssl);
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
	if (facts->tls && !facts->trusted)
		r->untrusted = reason_of_verdict(facts->verdict);
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
	r.bytes_in = x->bytes_in;
	r.bytes_out = x->bytes_out;
	r.ms = session_now(s) - x->started_ms;
	access_write(s->services->log, &r);
	atomic_fetch_add_explicit(&s->services->shared->counters.exchanges, 1,
		memory_order_relaxed);
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

/* journal_session writes the line of a connection that was no HTTP, or came to
 * nothing; one whose exchanges have been told needs none. */
void journal_session(struct session *s)
{
	struct record r = {.kind = s->kind};
	struct origin_facts facts;

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
	r.bytes_in = s->client.bytes_in;
	r.bytes_out = s->client.bytes_out;
	r.ms = session_now(s) - s->started_ms;
	access_write(s->services->log, &r);
	s->logged = true;
}
