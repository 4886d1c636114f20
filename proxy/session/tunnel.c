/* tunnel.c - bytes both ways, as they are. */
#include <stdio.h>
#include <string.h>

#include "proxy/session/session_private.h"

/* Where to: CONNECT's host; transparent, the name in the SNI, never the
 * original address: else any address could be reached by naming a site that is
 * not inspected. */
void tunnel_dial(struct session *s)
{
	struct origin_want want;

	session_want(s, s->transparent && s->sni[0] ? s->sni : s->host,
		s->port, &want);
	want.fresh = true;
	s->origin = origin_get(s->services, &want, &session_origin_ops, s);
}

/* --- getting there ------------------------------------------------------ */

enum wait step_tunnel(struct session *s)
{
	s->tunnel = true;
	s->kind = RECORD_TUNNEL;
	if (!s->origin)
		tunnel_dial(s);
	if (s->origin->state == ORIGIN_FAILED)
		return session_fail(s, s->origin->reason, s->origin->why);
	if (s->origin->state != ORIGIN_READY)
		return s->timed_out ? session_fail(s, REASON_CONNECT_TIMEOUT,
			"") : WAIT_ORIGIN;
	count_add(&s->services->tally.tunnels, 1);
	return session_go(s, AT_RELAY);
}

/* --- both ways ---------------------------------------------------------- */

/* is_request looks at bytes before they go on. Once it has said so, they must not. */
static bool is_request(struct session *s, const void *data, size_t len)
{
	enum first_line_is is;

	if (!s->line_open)
		return false;
	is = first_line_read(&s->line, data, len);
	s->line_open = is == FIRST_LINE_OPEN;
	return is == FIRST_LINE_REQUEST;
}

/* client_to_origin: false: it is HTTP after all. */
static bool client_to_origin(struct session *s)
{
	struct stream *origin = &s->origin->stream;

	if (buffer_len(&s->peek) > 0) {
		if (is_request(s, buffer_at(&s->peek), buffer_len(&s->peek)))
			return false;
		stream_write(origin, buffer_at(&s->peek),
			buffer_len(&s->peek));
		buffer_clear(&s->peek);
	}
	if (s->hand.len > 0 && !stream_full(origin)) {
		if (is_request(s, s->hand.at, s->hand.len))
			return false;
		stream_write(origin, s->hand.at, s->hand.len);
		session_eat(s, s->hand.len);
	}
	if (stream_ended(&s->client))
		stream_shutdown(origin);
	return true;
}

static void origin_to_client(struct session *s)
{
	if (s->origin_hand.len > 0 && !stream_full(&s->client)) {
		stream_write(&s->client, s->origin_hand.at, s->origin_hand.len);
		s->origin_hand.len = 0;
	}
	if (stream_ended(&s->origin->stream))
		stream_shutdown(&s->client);
}

/* broken: what one side lost, the other must not take for the whole. */
static bool broken(struct session *s)
{
	return stream_broken(&s->origin->stream) ||
		stream_broken(&s->client) || s->origin->stream.truncated;
}

/* join: nobody looks at what goes through a tunnel, once it is seen to be one. */
static void join(struct session *s)
{
	if (s->joined || s->line_open)
		return;
	if (!s->client.is_tls && !s->origin->tls)
		stream_join(&s->client, &s->origin->stream);
	s->joined = true;
}

enum wait step_relay(struct session *s)
{
	enum reason reason;

	s->tunnel = true;
	if (s->origin->state == ORIGIN_FAILED)
		return session_fail(s, s->origin->reason, s->origin->why);
	if (s->origin->state != ORIGIN_READY)
		return s->timed_out ? session_fail(s, REASON_CONNECT_TIMEOUT,
			"") : WAIT_PEERS;
	if (intercept_judge(s, s->origin) != REASON_OK)
		return session_fail(s, intercept_judge(s, s->origin), "");
	join(s);
	if (!client_to_origin(s))
		return session_fail(s, REASON_BAD_REQUEST,
			"HTTP, begun as if it were none");
	origin_to_client(s);
	if (broken(s)) {
		reason = stream_broken(&s->client) ? REASON_CLIENT_GONE :
						     REASON_ORIGIN_RESET;
		stream_reset(&s->client);
		stream_reset(&s->origin->stream);
		return session_fail(s, reason, "");
	}
	if (s->timed_out)
		return session_fail(s, REASON_IDLE, "");
	if (stream_ended(&s->client) && stream_ended(&s->origin->stream) &&
	    stream_flushed(&s->client) && stream_flushed(&s->origin->stream))
		return session_go(s, AT_CLOSE);
	return WAIT_PEERS;
}
