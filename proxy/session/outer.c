#include "proxy/session/outer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "policy/netset.h"
#include "proxy/session/certified.h"
#include "proxy/session/outer_private.h"
#include "proxy/session/session.h"

enum {
	COUNTS = 2, /* as so many connections */
	LINGER_MS = 2000,
	LOOK_AGAIN_MS = 30000,
};

static const struct config *config_of(const struct outer *o)
{
	return o->services->snapshot->config;
}

/* --- the end ------------------------------------------------------------ */

static void count_out(struct outer *o)
{
	while (o->taken > 0) {
		quota_give(o->services->connections, &o->share);
		o->taken--;
	}
}

void outer_unref(struct outer *o)
{
	struct services *services = o->services;

	if (--o->refs > 0)
		return;
	DL_DELETE(services->outers, o);
	count_out(o);
	services->num_sessions -= o->at == OUTER_RELAY ? 1 : COUNTS;
	count_add(&services->tally.ended[TALLY_PROXY_TLS], 1);
	opening_free(o->opening);
	free(o);
	if (services->session_ended)
		services->session_ended(services->arg);
}

static void on_stream_closed(void *owner)
{
	outer_unref(owner);
}

static void on_timer_closed(uv_handle_t *handle)
{
	outer_unref(handle->data);
}

/* outer_close: what was cut short must not look whole. */
void outer_close(struct outer *o)
{
	if (o->closing)
		return;
	o->closing = true;
	if (!stream_flushed(&o->client))
		stream_reset(&o->client);
	stream_close(&o->client);
	stream_close(&o->inner);
	uv_close((uv_handle_t *)&o->timer, on_timer_closed);
}

/* --- bytes both ways ---------------------------------------------------- */

/* wind_up: the session is gone; what it said must still arrive. */
static void wind_up(struct outer *o)
{
	if (stream_ended(&o->inner) && stream_flushed(&o->client) &&
		!o->flushed_ms)
		o->flushed_ms = outer_now(o);
	if ((o->flushed_ms && stream_ended(&o->client)) || o->timed_out)
		outer_close(o);
}

/* tell_deaf: what a client said before it went deaf still goes to the session,
 * which knows whether that is of any use. */
static void tell_deaf(struct outer *o)
{
	if (!stream_deaf(&o->client) || o->refused)
		return;
	o->refused = true;
	stream_refuse(&o->inner);
}

/* relay: ends and resets go through as what they are, either way. */
static void relay(struct outer *o)
{
	if (stream_broken(&o->client) || o->inner.error != STREAM_FINE) {
		stream_reset(&o->inner);
		stream_reset(&o->client);
		outer_close(o);
		return;
	}
	tell_deaf(o);
	if (stream_ended(&o->client))
		stream_shutdown(&o->inner);
	if (stream_ended(&o->inner))
		stream_shutdown(&o->client);
	if (stream_alone(&o->inner))
		wind_up(o);
}

static size_t on_inner_data(void *owner, const uint8_t *data, size_t len)
{
	struct outer *o = owner;

	stream_write(&o->client, data, len);
	outer_run(o);
	return len;
}

static void on_event(void *owner)
{
	outer_run(owner);
}

static const struct stream_ops inner_ops = {
	on_inner_data, on_event, on_stream_closed};

void outer_begin_session(struct outer *o)
{
	const struct outer_peer *who = &o->opening->who;
	struct session_inner inner = {
		.peer = &o->peer.any,
		.client_local = o->client_local,
		.outer = &o->inner,
	};
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		    ends) != 0) {
		outer_fail(o, REASON_NO_RESOURCES, "no pair of sockets");
		return;
	}
	o->at = OUTER_RELAY;
	o->refs++;
	stream_open(&o->inner, o->services->loop, ends[0], &inner_ops, o);
	o->services->num_sessions--; /* the session's, from now on */
	if (who->user[0])
		inner.certified = certified_new(who->user, o->client.tls.ssl,
			who->settings);
	session_accept_inner(o->services, ends[1], &inner);
	opening_free(o->opening);
	o->opening = NULL;
}

/* --- running ------------------------------------------------------------ */

static uint64_t due(const struct outer *o)
{
	const struct config *config = config_of(o);

	if (o->flushed_ms)
		return o->flushed_ms + LINGER_MS;
	if (o->at != OUTER_RELAY)
		return o->started_ms + config->limits.handshake_timeout_ms;
	if (stream_alone(&o->inner))
		return o->client.active_ms + config->limits.idle_timeout_ms;
	return outer_now(o) + LOOK_AGAIN_MS; /* the session minds that */
}

static void on_timer(uv_timer_t *timer)
{
	struct outer *o = timer->data;

	o->due_ms = 0;
	o->timed_out = outer_now(o) >= due(o);
	outer_run(o);
	o->timed_out = false;
}

/* rearm: a timer that is set for earlier stays; it looks again when it fires. */
static void rearm(struct outer *o)
{
	uint64_t now = outer_now(o), when = due(o);
	bool relays = o->at == OUTER_RELAY;

	stream_want(&o->client,
		o->at == OUTER_HELLO || (relays && !stream_full(&o->inner)));
	if (relays)
		stream_want(&o->inner, !stream_full(&o->client));
	if (o->due_ms > now && o->due_ms <= when)
		return;
	o->due_ms = when > now ? when : now + 1;
	(void)uv_timer_start(&o->timer, on_timer, o->due_ms - now, 0);
}

void outer_run(struct outer *o)
{
	if (o->closing)
		return;
	switch (o->at) {
	case OUTER_HELLO:
		opening_read_hello(o);
		break;
	case OUTER_LEAF:
		opening_await_leaf(o);
		break;
	case OUTER_HANDSHAKE:
		opening_shake(o);
		break;
	case OUTER_RELAY:
		relay(o);
		break;
	case OUTER_LINGER:
	default:
		if (o->timed_out)
			outer_close(o);
		break;
	}
	if (!o->closing)
		rearm(o);
}

static size_t on_client_data(void *owner, const uint8_t *data, size_t len)
{
	struct outer *o = owner;

	if (o->at == OUTER_RELAY)
		stream_write(&o->inner, data, len);
	else
		len = opening_collect(o->opening, data, len);
	outer_run(o);
	return len;
}

static const struct stream_ops client_ops = {
	on_client_data, on_event, on_stream_closed};

/* --- the beginning ------------------------------------------------------ */

static void find_peer(struct outer *o, int fd, const struct sockaddr *peer)
{
	struct sockaddr_storage local;
	struct sockaddr *at = (struct sockaddr *)&local;
	socklen_t len = sizeof(local);

	memcpy(&o->peer, peer, address_len(peer));
	quota_client_of(peer, &o->share);
	if (getsockname(fd, at, &len) != 0)
		return;
	o->client_local = address_client_is_local(peer, at);
	address_text(at, o->local);
	o->port = address_port(at);
}

static bool is_allowed(const struct outer *o)
{
	const struct config *config = config_of(o);

	return config->clients_any || o->client_local ||
		netset_match(config->clients, &o->peer.any);
}

static bool count_in(struct outer *o)
{
	if (o->client_local)
		return true;
	while (o->taken < COUNTS &&
		quota_take(o->services->connections, &o->share))
		o->taken++;
	return o->taken == COUNTS;
}

/* No certificate is signed for whom the proxy does not serve. */
static void begin(struct outer *o)
{
	if (!count_in(o))
		outer_fail(o, REASON_NO_RESOURCES,
			"this client has half of the connections there are");
	else if (!is_allowed(o))
		outer_fail(o, REASON_CLIENT_NOT_ALLOWED, "");
	else
		rearm(o);
}

void outer_accept(
	struct services *services, int fd, const struct sockaddr *peer)
{
	struct outer *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	o->services = services;
	o->opening = opening_new();
	o->started_ms = outer_now(o);
	find_peer(o, fd, peer);
	DL_APPEND(services->outers, o);
	services->num_sessions += COUNTS;
	count_add(&services->tally.accepted[TALLY_PROXY_TLS], 1);
	(void)uv_timer_init(&services->loop->uv, &o->timer);
	o->timer.data = o;
	stream_open(&o->client, services->loop, fd, &client_ops, o);
	o->client.traffic = &services->tally.client;
	o->refs = 2; /* the stream and the timer */
	begin(o);
}

/* --- stopping ----------------------------------------------------------- */

void outer_drain(struct services *services)
{
	struct outer *o, *tmp;

	DL_FOREACH_SAFE(services->outers, o, tmp) {
		if (o->at != OUTER_RELAY)
			outer_close(o);
	}
}

void outer_stop_all(struct services *services)
{
	struct outer *o, *tmp;

	DL_FOREACH_SAFE(services->outers, o, tmp) {
		if (o->at < OUTER_RELAY && !o->closing)
			outer_fail(o, REASON_STOPPED, "");
		outer_close(o);
	}
}
