/* serve.c - HTTP on the client's stream: exchanges, one after the other. */
#include <stdlib.h>
#include <string.h>

#include "proxy/session/pool.h"
#include "proxy/session/session_private.h"

enum { STALE_MS = 2000 };

/* --- the exchange's host ------------------------------------------------ */

/* ready_will_do: as with one from the pool; but one bound to this client has no
 * substitute, however long it rested. */
static bool ready_will_do(const struct origin *origin,
	const struct origin_want *want)
{
	return origin->pinned ? stream_is_quiet(&origin->stream) :
				pool_may_be_asked(origin, want->once);
}

/* origin_will_do: what came of an attempt some time ago says nothing of now. */
static bool origin_will_do(const struct session *s,
	const struct origin *origin, struct origin_want *want)
{
	uint64_t age;

	if (!origin || want->fresh || !origin_same(origin, want))
		return false;
	age = session_now(s) - origin->started_ms;
	switch (origin->state) {
	case ORIGIN_READY:
		return ready_will_do(origin, want);
	case ORIGIN_FAILED:
		return age < STALE_MS;
	case ORIGIN_DIALLING:
	case ORIGIN_SHAKING:
	default:
		return age < session_config(s)->limits.connect_timeout_ms;
	}
}

/* on_get_origin uses the connection that was begun beside the handshake, or is
 * held for this client. */
static struct origin *on_get_origin(void *host, struct exchange *x)
{
	struct session *s = host;
	struct origin *origin = s->origin;

	s->origin = NULL;
	if (origin_will_do(s, origin, &x->want)) {
		origin->waited = origin->state == ORIGIN_READY;
		return origin;
	}
	origin_release(origin, true);
	return origin_get(s->services, &x->want, &session_origin_ops, s);
}

/* on_judge_origin: there may have been a reload since the request was routed. */
static enum reason on_judge_origin(void *host, const struct origin *origin)
{
	enum reason reason = intercept_judge(host, origin);

	if (who_is_gone(host)) {
		((struct session *)host)->exchange.last = true;
		return REASON_USER_GONE;
	}

	return reason == REASON_OK ? urls_judge(host, origin) : reason;
}

static struct codec *on_open_origin(void *host, struct origin *origin,
	bool to_head)
{
	struct session *s = host;
	size_t max_head = session_config(s)->limits.header_bytes;

	if (origin->parser)
		h1_in_renew(origin->parser, max_head);
	else
		origin->parser = h1_in_new(H1_RESPONSE, max_head);
	h1_side_init(&s->back, &origin->stream, false, origin->parser);
	origin->parser = NULL;
	h1_side_answers(&s->back, to_head);
	return &s->back.codec;
}

static void on_shut_origin(void *host)
{
	struct session *s = host;
	struct h1_in *parser = h1_side_take(&s->back);
	struct origin *origin = s->exchange.origin;

	if (origin && h1_in_idle(parser))
		origin->parser = parser;
	else
		h1_in_free(parser);
}

static void on_hold_origin(void *host, struct origin *origin)
{
	struct session *s = host;

	s->origin = origin;
}

static void on_describe(void *host, struct refusal *refusal)
{
	struct session *s = host;

	refusal->host = s->name ? s->name : s->host;
	refusal->user = s->user;
	refusal->realm = session_config(s)->users.realm;
	refusal->location = s->exchange.location;
	refusal->own = s->own_pages;
	if (s->exchange.url_rule && s->exchange.url_action != URL_ALLOW)
		refusal->rule = s->exchange.url_rule;
	else if (s->decided)
		refusal->rule = s->decision.rule_name;
}

static bool on_ending(void *host)
{
	struct session *s = host;

	return s->services->draining;
}

static const struct exchange_host host_ops = {
	.route = route_request,
	.get_origin = on_get_origin,
	.judge_origin = on_judge_origin,
	.open_origin = on_open_origin,
	.shut_origin = on_shut_origin,
	.hold_origin = on_hold_origin,
	.describe = on_describe,
	.ending = on_ending,
};

/* --- the step ----------------------------------------------------------- */

enum wait serve_begin(struct session *s, enum realm realm)
{
	s->realm = realm;
	h1_side_init(&s->front, &s->client, true, h1_in_new(H1_REQUEST,
		session_config(s)->limits.header_bytes));
	exchange_init(&s->exchange, s->services, &s->front.codec, &host_ops,
		s);
	return session_go(s, AT_SERVE);
}

/* run lends both sides the bytes in hand for the length of the call. */
static enum exchange_result run(struct session *s)
{
	struct exchange *x = &s->exchange;
	enum exchange_result result;
	size_t left;

	h1_side_give(&s->front, s->hand.at, s->hand.len);
	if (x->server)
		h1_side_give(&s->back, s->origin_hand.at, s->origin_hand.len);
	x->timed_out = s->timed_out;
	result = exchange_run(x);
	session_eat(s, s->hand.len - h1_side_left(&s->front));
	left = x->server ? h1_side_left(&s->back) : 0;
	if (left > 0) /* bytes that came with a 101 are the relay's */
		s->origin_hand.at += s->origin_hand.len - left;
	s->origin_hand.len = left;
	return result;
}

/* tunnel_asked: the head of a CONNECT has been read; what follows it is the
 * tunnel's. */
static enum wait tunnel_asked(struct session *s)
{
	static const char established[] =
		"HTTP/1.1 200 Connection established\r\n\r\n";

	h1_side_give(&s->front, s->hand.at, s->hand.len);
	(void)s->front.codec.ops->next(&s->front.codec); /* CODEC_END */
	session_eat(s, s->hand.len - h1_side_left(&s->front));
	exchange_clear(&s->exchange);
	h1_side_clear(&s->front);
	session_forget_origin(s); /* one held for requests before this one */
	stream_write(&s->client, established, sizeof(established) - 1);
	s->kind = RECORD_REFUSED;
	s->logged = false;
	s->started_ms = session_now(s);
	return session_go(s, AT_PEEK);
}

static enum wait upgraded(struct session *s)
{
	struct exchange *x = &s->exchange;

	journal_exchange(s);
	s->origin = x->origin;
	x->origin = NULL;
	exchange_clear(x);
	h1_side_clear(&s->front);
	s->kind = RECORD_RELAY;
	s->logged = false;
	return session_go(s, AT_RELAY);
}

/* note_client_cert: an origin that asked for a certificate and then refused
 * the request; the next connection may be tunnelled. */
static void note_client_cert(struct session *s)
{
	const struct exchange *x = &s->exchange;

	if (s->realm != REALM_INSPECTED || !x->origin_facts.trusted ||
	    strcmp(x->want.name, s->name) != 0)
		return;
	if (x->reason == REASON_ORIGIN_WANTS_CERT ||
	    (x->asked_cert && (x->status == 401 || x->status == 403)))
		intercept_undecryptable(s);
}

static enum wait end_exchange(struct session *s, bool close)
{
	note_client_cert(s);
	journal_exchange(s);
	s->timed_out = false; /* it was the exchange's that is over */
	if (close || s->services->draining)
		return session_go(s, AT_LINGER);
	s->front.codec.ops->next_message(&s->front.codec, false);
	exchange_next(&s->exchange);
	return GO;
}

/* A client that takes us for an https proxy can't read what we would say. */
static bool is_tls_by_mistake(const struct session *s)
{
	return s->realm == REALM_PROXY && s->hand.len > 0 &&
		s->hand.at[0] == 0x16 && s->exchange.at == EXCHANGE_HEAD &&
		h1_side_idle(&s->front);
}

/* mind_origin lets go of one that speaks or ends while it waits; the request
 * that comes gets another. */
static void mind_origin(struct session *s)
{
	struct stream *stream;

	if (!origin_is(s->origin, ORIGIN_READY))
		return;
	stream = &s->origin->stream;
	if (s->origin_hand.len == 0 && !stream_has_data(stream) &&
		!stream_ended(stream) && stream->error == STREAM_FINE)
		return;
	session_forget_origin(s);
	s->origin_hand.len = 0;
}

enum wait step_serve(struct session *s)
{
	mind_origin(s);
	if (is_tls_by_mistake(s))
		return decide_refuse_tls(s, SSL_AD_ACCESS_DENIED,
			REASON_BAD_REQUEST,
			"TLS on the plain listener: clients must name the "
			"proxy as http://");
	switch (run(s)) {
	case EXCHANGE_NEXT:
		return end_exchange(s, false);
	case EXCHANGE_CLOSE:
		return end_exchange(s, true);
	case EXCHANGE_CUT:
		note_client_cert(s);
		journal_exchange(s);
		stream_reset(&s->client);
		return session_go(s, AT_CLOSE);
	case EXCHANGE_GONE:
		return session_go(s, AT_LINGER);
	case EXCHANGE_CONNECT:
		return tunnel_asked(s);
	case EXCHANGE_UPGRADED:
		return upgraded(s);
	case EXCHANGE_WAIT:
	default:
		break;
	}
	if (s->timed_out && s->exchange.at == EXCHANGE_HEAD)
		return session_go(s, AT_CLOSE);
	return WAIT_PEERS;
}
