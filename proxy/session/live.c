#include "proxy/session/live.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "proxy/net/address.h"
#include "proxy/session/outer_private.h"
#include "proxy/session/session_private.h"

/* --- words -------------------------------------------------------------- */

static const char *step_name(enum session_step at)
{
	static const char *const names[] = {
		[AT_SERVE] = "serve",
		[AT_PEEK] = "peek",
		[AT_RESOLVE] = "resolve",
		[AT_DECIDE] = "decide",
		[AT_TUNNEL] = "tunnel",
		[AT_LEAF] = "leaf",
		[AT_FORGE] = "forge",
		[AT_HANDSHAKE] = "handshake",
		[AT_INSIDE] = "inside",
		[AT_RELAY] = "relay",
		[AT_LINGER] = "linger",
		[AT_CLOSE] = "close",
	};

	return names[at];
}

static const char *for_origin(const struct origin *origin)
{
	if (origin_is(origin, ORIGIN_DIALLING))
		return "connection to the origin";
	if (origin_is(origin, ORIGIN_SHAKING))
		return "TLS of the origin";
	return "origin";
}

/* in_exchange: a response may be under way while the request still comes. */
static const char *in_exchange(const struct session *s)
{
	const struct exchange *x = &s->exchange;

	switch (x->at) {
	case EXCHANGE_HEAD:
		return h1_side_idle(&s->front) ? "request" :
						 "rest of the request's head";
	case EXCHANGE_ROUTE:
		return s->dns_asked ? "name to be looked up" :
				      "password to be looked at";
	case EXCHANGE_ORIGIN:
		return for_origin(x->origin);
	case EXCHANGE_RELAY:
		if (stream_full(&s->client))
			return "client to read";
		if (x->origin && stream_full(&x->origin->stream))
			return "origin to read";
		if (!x->request_ended && !x->response_begun)
			return "rest of the request";
		return x->response_begun ? "rest of the response" :
					   "response";
	case EXCHANGE_OVER:
	default:
		return "client to read";
	}
}

static const char *in_relay(const struct session *s)
{
	if (stream_full(&s->client))
		return "client to read";
	if (stream_full(&s->origin->stream))
		return "origin to read";
	if (stream_ended(&s->client))
		return "origin";
	return stream_ended(&s->origin->stream) ? "client" : "either side";
}

static const char *waits_for(const struct session *s)
{
	switch (s->at) {
	case AT_SERVE:
		return in_exchange(s);
	case AT_PEEK:
		return buffer_len(&s->peek) > 0 ? "rest of the ClientHello" :
					 "client's first bytes";
	case AT_INSIDE:
		return "client's first bytes";
	case AT_RESOLVE:
		return "name to be looked up";
	case AT_TUNNEL:
	case AT_LEAF:
		return for_origin(s->origin);
	case AT_FORGE:
		return "signature";
	case AT_HANDSHAKE:
		return "client's handshake";
	case AT_RELAY:
		return in_relay(s);
	case AT_LINGER:
		return s->flushed_ms ? "client to end" : "client to read";
	case AT_DECIDE:
	case AT_CLOSE:
	default:
		return "nothing";
	}
}

/* --- one ---------------------------------------------------------------- */

/* put_host: between two requests it is the last one's. */
static void put_host(const struct session *s, struct live *out)
{
	const char *host = s->host[0] ? s->host : s->name;

	out->port = s->port;
	snprintf(out->host, sizeof(out->host), "%s", host ? host : "");
}

static void put_session(const struct session *s, struct live *out)
{
	uint64_t now = session_now(s);

	*out = (struct live){
		.age_ms = now - s->started_ms,
		.step_ms = now - s->entered_ms,
		.client_port = address_port(&s->peer.any),
		.listener = s->inner ? "proxy-tls" :
			s->transparent ? "transparent" : "proxy",
		.step = step_name(s->at),
		.waits = waits_for(s),
		.bytes_in = s->client.bytes_in,
		.bytes_out = s->client.bytes_out,
	};
	address_text(&s->peer.any, out->client);
	snprintf(out->user, sizeof(out->user), "%s", s->user ? s->user : "");
	put_host(s, out);
}

/* put_outer: of one that has no session yet. */
static void put_outer(const struct outer *o, struct live *out)
{
	static const char *const waits[] = {
		[OUTER_HELLO] = "rest of the ClientHello",
		[OUTER_LEAF] = "signature",
		[OUTER_HANDSHAKE] = "client's handshake",
		[OUTER_RELAY] = "either side",
		[OUTER_LINGER] = "client to end",
	};

	*out = (struct live){
		.age_ms = outer_now(o) - o->started_ms,
		.step_ms = outer_now(o) - o->started_ms,
		.client_port = address_port(&o->peer.any),
		.listener = "proxy-tls",
		.step = "outer",
		.waits = waits[o->at],
		.bytes_in = o->client.bytes_in,
		.bytes_out = o->client.bytes_out,
	};
	address_text(&o->peer.any, out->client);
}

/* --- all of them -------------------------------------------------------- */

static struct live *next(struct live_list *list)
{
	list->all++;
	return list->num < list->most ? &list->at[list->num++] : NULL;
}

void live_list(const struct services *services, struct live_list *list)
{
	const struct session *s;
	const struct outer *o;
	struct live *live;

	DL_FOREACH(services->sessions, s) {
		live = s->closing ? NULL : next(list);
		if (live)
			put_session(s, live);
	}
	DL_FOREACH(services->outers, o) {
		live = o->closing || o->at == OUTER_RELAY ? NULL : next(list);
		if (live)
			put_outer(o, live);
	}
}
