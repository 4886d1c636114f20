/* peek.c - what does the client speak, outside and inside TLS? */
#include <stdlib.h>
#include <string.h>

#include "proxy/session/session_private.h"

/* collect takes the bytes in hand; a hello never needs more than this. */
static void collect(struct session *s)
{
	size_t room = HELLO_RAW_MAX + 1 - buffer_len(&s->peek);
	size_t n = s->hand.len < room ? s->hand.len : room;

	if (n == 0)
		return;
	if (!s->first_byte_ms)
		s->first_byte_ms = session_now(s);
	buffer_add(&s->peek, s->hand.at, n);
	session_eat(s, n);
}

/* --- a silent client's server may speak first --------------------------- */

/* Where servers may not speak first nothing is dialled; a client that waits for
 * one waits until idle-timeout, and may still begin TLS or HTTP. */
static bool may_speak_first(struct session *s)
{
	const struct config *config = session_config(s);
	struct decision decision;
	enum reason reason;

	if (s->own_pages || s->deny)
		return false;
	if (s->at == AT_INSIDE)
		return config->non_http == NON_HTTP_RELAY &&
			(s->origin_spoke || !urls_block_tunnel(s));
	return !s->transparent && config->non_tls == NON_TLS_TUNNEL &&
		(s->origin || !decide_host_is_blocked(s, &decision, &reason));
}

/* note_tunnel: the client may never say anything. */
static void note_tunnel(struct session *s)
{
	if (s->decided)
		return;
	decide_name(s, s->host, false, false, &s->decision);
	decide_note(s);
}

static void hear_origin(struct session *s)
{
	if (s->at == AT_INSIDE &&
	    intercept_judge(s, s->origin) != REASON_OK)
		return;
	if (s->origin_hand.len > 0) {
		stream_write(&s->client, s->origin_hand.at, s->origin_hand.len);
		s->origin_hand.len = 0;
		s->origin_spoke = s->tunnel = true;
		note_tunnel(s);
		s->kind = s->at == AT_INSIDE ? RECORD_RELAY : RECORD_TUNNEL;
	}
}

/* wait_silently dials after peek-timeout and passes on what the origin says;
 * the client's first bytes are still classified, whenever they come. */
static enum wait wait_silently(struct session *s)
{
	if (s->timed_out && s->silent)
		return session_fail(s, REASON_IDLE, "");
	if (s->timed_out)
		s->silent = true;
	if (!s->silent || !may_speak_first(s))
		return WAIT_CLIENT;
	if (!s->origin && s->at == AT_INSIDE)
		intercept_get_origin(s);
	else if (!s->origin)
		tunnel_dial(s);
	if (origin_is(s->origin, ORIGIN_FAILED))
		return session_fail(s, s->origin->reason, s->origin->why);
	if (origin_is(s->origin, ORIGIN_READY)) {
		hear_origin(s);
		if (stream_ended(&s->origin->stream) ||
		    s->origin->stream.error != STREAM_FINE)
			return session_go(s, AT_LINGER);
	}
	return WAIT_CLIENT;
}

/* unclear: a client that began what may become TLS or HTTP and does not go on
 * is refused; relayed, it could go on unseen. */
static enum wait unclear(struct session *s)
{
	return session_fail(s, REASON_HANDSHAKE_TIMEOUT,
		"the first bytes could be TLS or HTTP and were not finished");
}

/* what_is_spoken: HTTP's servers, and the PROXY protocol's, do not
 * speak first: "EHLO you" is SMTP's. */
static enum sniff what_is_spoken(struct session *s)
{
	enum sniff kind = sniff(buffer_at(&s->peek), buffer_len(&s->peek));

	if (s->origin_spoke && (kind == SNIFF_HTTP || kind == SNIFF_PROXY))
		return SNIFF_OTHER;
	s->line_open = kind == SNIFF_OTHER && !s->origin_spoke;
	return kind;
}

static enum wait refuse_proxy(struct session *s)
{
	return session_fail(s, REASON_BAD_REQUEST,
		"the PROXY protocol, which hides what follows it");
}

/* --- outside ------------------------------------------------------------ */

static enum wait bad_hello(struct session *s, const char *why)
{
	s->client_end.failure = CLIENT_FAILURE_MALFORMED;
	return session_fail(s, REASON_BAD_HELLO, why);
}

static enum wait read_hello(struct session *s)
{
	char sni[HOST_SIZE];
	enum hello_result result;

	if (!s->hello)
		s->hello = calloc(1, sizeof(*s->hello));
	if (!s->hello)
		abort();
	result = hello_read(buffer_at(&s->peek), buffer_len(&s->peek),
		s->hello);
	if (result == HELLO_MORE && stream_ended(&s->client))
		return session_fail(s, REASON_CLIENT_GONE,
			"in the ClientHello");
	if (result == HELLO_MORE && !s->timed_out)
		return WAIT_CLIENT;
	if (result == HELLO_MORE) {
		s->client_end.failure = CLIENT_FAILURE_TIMEOUT;
		return session_fail(s, REASON_HANDSHAKE_TIMEOUT,
			"in the ClientHello");
	}
	if (result != HELLO_WHOLE)
		return bad_hello(s, result == HELLO_TOO_LARGE ? "over 16 KiB" :
								"malformed");
	memcpy(s->ja4, s->hello->ja4, sizeof(s->ja4));
	if (s->hello->has_sni) {
		if (host_normalize(s->hello->sni, s->hello->sni_len, sni) ==
		    HOST_BAD)
			return bad_hello(s, "the SNI is not a host name");
		memcpy(s->sni, sni, sizeof(sni));
	}
	return session_go(s, AT_RESOLVE);
}

static enum wait not_tls(struct session *s)
{
	enum reason reason;
	bool blocked;

	s->name = s->host;
	if (s->transparent)
		return session_fail(s, REASON_BAD_HELLO, "not TLS");
	if (s->own_pages)
		return session_fail(s, REASON_NON_TLS_BLOCKED, "");
	blocked = decide_host_is_blocked(s, &s->decision, &reason);
	decide_note(s);
	if (blocked) /* notify: it passed CONNECT */
		return session_fail(s, reason, reason == REASON_BLOCKED ?
			s->decision.rule_name : s->url_rule);
	if (session_config(s)->non_tls == NON_TLS_BLOCK)
		return session_fail(s, REASON_NON_TLS_BLOCKED, "");
	return session_go(s, s->origin_spoke ? AT_RELAY : AT_TUNNEL);
}

static enum wait plain_http(struct session *s)
{
	if (s->transparent)
		return session_fail(s, REASON_BAD_HELLO, "plain HTTP");
	session_forget_origin(s);
	s->name = s->host;
	stream_unread(&s->client, buffer_at(&s->peek), buffer_len(&s->peek));
	buffer_clear(&s->peek);
	return serve_begin(s, REALM_PLAIN);
}

enum wait step_peek(struct session *s)
{
	collect(s);
	switch (what_is_spoken(s)) {
	case SNIFF_TLS:
		return read_hello(s);
	case SNIFF_HTTP:
		return plain_http(s);
	case SNIFF_PROXY:
		return refuse_proxy(s);
	case SNIFF_OTHER:
		return not_tls(s);
	case SNIFF_MORE:
	default:
		break;
	}
	if (stream_ended(&s->client))
		return session_fail(s, REASON_CLIENT_GONE, "");
	if (s->first_byte_ms && s->timed_out)
		return unclear(s);
	if (s->transparent && s->timed_out)
		return session_fail(s, REASON_HANDSHAKE_TIMEOUT,
			"no ClientHello");
	return s->first_byte_ms ? WAIT_CLIENT : wait_silently(s);
}

/* --- inside ------------------------------------------------------------- */

static enum wait not_http(struct session *s)
{
	if (s->deny)
		return session_fail(s, s->deny, s->deny_why);
	if (s->own_pages || session_config(s)->non_http == NON_HTTP_BLOCK)
		return session_fail(s, REASON_NON_HTTP_BLOCKED, "");
	if (!s->origin_spoke && urls_block_tunnel(s))
		return session_fail(s, REASON_URL_BLOCKED, s->url_rule);
	s->kind = RECORD_RELAY;
	return session_go(s, AT_RELAY);
}

static enum wait http_inside(struct session *s)
{
	stream_unread(&s->client, buffer_at(&s->peek), buffer_len(&s->peek));
	buffer_clear(&s->peek);
	return serve_begin(s, REALM_INSPECTED);
}

enum wait step_inside(struct session *s)
{
	enum sniff kind;

	if (s->alpn.len > 0)
		return s->alpn.len == 8 && memcmp(s->alpn.name, "http/1.1",
				8) == 0 ?
			serve_begin(s, REALM_INSPECTED) : not_http(s);
	collect(s);
	kind = what_is_spoken(s);
	if (kind == SNIFF_HTTP)
		return http_inside(s);
	if (kind == SNIFF_PROXY)
		return refuse_proxy(s);
	if (kind != SNIFF_MORE)
		return not_http(s);
	if (s->first_byte_ms && s->timed_out)
		return unclear(s);
	if (stream_ended(&s->client))
		return session_fail(s, REASON_CLIENT_GONE, "");
	return s->first_byte_ms ? WAIT_CLIENT : wait_silently(s);
}
