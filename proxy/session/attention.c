#include "proxy/session/attention.h"

#include "proxy/session/session_private.h"

enum {
	LINGER_MS = 2000,
	HALF_CLOSED_MS = 30000,
	LOOK_AGAIN_MS = 30000,
};

static struct origin *any_origin(const struct session *s)
{
	return s->exchange.origin ? s->exchange.origin : s->origin;
}

/* --- whom to read -------------------------------------------------------- */

static bool wants_client(const struct session *s)
{
	switch (s->at) {
	case AT_SERVE:
		return exchange_wants_client(&s->exchange);
	case AT_PEEK:
	case AT_INSIDE:
	case AT_LINGER:
		return true;
	case AT_RELAY:
		return !stream_full(&s->origin->stream);
	case AT_RESOLVE:
	case AT_DECIDE:
	case AT_TUNNEL:
	case AT_LEAF:
	case AT_FORGE:
	case AT_HANDSHAKE:
	case AT_CLOSE:
	default:
		return false;
	}
}

static bool takes(const struct session *s)
{
	return !stream_full(&s->client) && !stream_deaf(&s->client);
}

/* awaits: session tickets are read as they come; a greeting is kept until it may
 * be passed on. */
static bool awaits(const struct session *s)
{
	return s->origin_hand.len == 0 && !stream_has_data(&s->origin->stream);
}

static bool wants_origin(const struct session *s)
{
	switch (s->at) {
	case AT_SERVE: /* of one that waits for a request, the end is heard */
		return !s->exchange.origin ||
			exchange_wants_origin(&s->exchange);
	case AT_PEEK: /* a silent client's server may speak first */
		return s->silent && takes(s);
	case AT_INSIDE:
		return s->silent ? takes(s) : awaits(s);
	case AT_RELAY:
		return takes(s);
	case AT_RESOLVE:
	case AT_DECIDE:
	case AT_HANDSHAKE:
		return awaits(s);
	case AT_TUNNEL:
	case AT_LEAF:
	case AT_FORGE:
	case AT_LINGER:
	case AT_CLOSE:
	default:
		return false;
	}
}

/* --- until when ---------------------------------------------------------- */

static uint64_t last_active(const struct session *s)
{
	const struct origin *origin = any_origin(s);
	uint64_t last = s->client.active_ms;

	if (origin && origin->stream.open && origin->stream.active_ms > last)
		last = origin->stream.active_ms;
	return last;
}

/* idle_due: a client that has said it is done is waited for less: most have
 * gone for good, and a connection costs them nothing. */
static uint64_t idle_due(const struct session *s)
{
	unsigned idle = session_config(s)->limits.idle_timeout_ms;

	if (stream_ended(&s->client) && idle > HALF_CLOSED_MS)
		idle = HALF_CLOSED_MS;
	return last_active(s) + idle;
}

/* A head that has begun must be whole in time, however slowly it trickles. */
static uint64_t serve_due(struct session *s)
{
	const struct config *config = session_config(s);
	const struct origin *origin = s->exchange.origin;

	if (s->exchange.at == EXCHANGE_ROUTE)
		return s->exchange.started_ms +
			config->limits.connect_timeout_ms;
	if (s->exchange.at == EXCHANGE_ORIGIN && origin &&
	    origin->state != ORIGIN_READY)
		return origin->started_ms + config->limits.connect_timeout_ms;
	if (s->exchange.at != EXCHANGE_HEAD || h1_side_idle(&s->front)) {
		s->head_since_ms = 0;
		return idle_due(s);
	}
	if (s->head_since_ms == 0)
		s->head_since_ms = session_now(s);
	return s->head_since_ms + config->limits.handshake_timeout_ms;
}

static uint64_t peek_due(const struct session *s)
{
	const struct config *config = session_config(s);

	if (s->first_byte_ms)
		return s->first_byte_ms + config->limits.handshake_timeout_ms;
	if (s->silent)
		return last_active(s) + config->limits.idle_timeout_ms;
	return s->entered_ms + (s->transparent && s->at == AT_PEEK ?
			config->limits.handshake_timeout_ms :
			config->limits.peek_timeout_ms);
}

static uint64_t due(struct session *s)
{
	const struct config *config = session_config(s);

	switch (s->at) {
	case AT_SERVE:
		return serve_due(s);
	case AT_PEEK:
	case AT_INSIDE:
		return peek_due(s);
	case AT_RELAY:
		return idle_due(s);
	case AT_TUNNEL:
	case AT_LEAF:
		return (s->origin ? s->origin->started_ms : s->entered_ms) +
			config->limits.connect_timeout_ms;
	case AT_RESOLVE:
		return s->entered_ms + config->limits.connect_timeout_ms;
	case AT_HANDSHAKE:
		return s->entered_ms + config->limits.handshake_timeout_ms;
	case AT_LINGER: /* a slow reader may be slow, as long as it reads */
		return s->flushed_ms ? s->flushed_ms + LINGER_MS : idle_due(s);
	case AT_FORGE:
	case AT_DECIDE:
	case AT_CLOSE:
	default: /* nobody's to end: just look again */
		return session_now(s) + LOOK_AGAIN_MS;
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct session *s = timer->data;

	s->due_ms = 0;
	if (session_now(s) >= due(s))
		s->timed_out = true;
	session_run(s);
}

/* A timer that is set for earlier stays: it looks again when it fires. */
void attention_set(struct session *s)
{
	struct origin *origin = any_origin(s);
	uint64_t now = session_now(s), when;

	if (s->closing)
		return;
	stream_want(&s->client, wants_client(s));
	if (origin_is(origin, ORIGIN_READY))
		stream_want(&origin->stream, wants_origin(s));
	when = due(s);
	if (s->due_ms > now && s->due_ms <= when)
		return;
	s->due_ms = when > now ? when : now + 1;
	(void)uv_timer_start(&s->timer, on_timer, s->due_ms - now, 0);
}
