#include "proxy/session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "policy/netset.h"
#include "proxy/net/listener.h"
#include "proxy/session/attention.h"
#include "proxy/session/certified.h"
#include "proxy/session/session_private.h"

static enum wait step_linger(struct session *s);
static enum wait step_close(struct session *s);

/* In the order of life; waits is the one thing a step may wait for. */
static const struct step {
	enum wait (*run)(struct session *s);
	enum wait waits;
} steps[] = {
	[AT_SERVE] = {step_serve, WAIT_PEERS},
	[AT_PEEK] = {step_peek, WAIT_CLIENT},
	[AT_RESOLVE] = {step_resolve, WAIT_DNS},
	[AT_DECIDE] = {step_decide, GO},
	[AT_TUNNEL] = {step_tunnel, WAIT_ORIGIN},
	[AT_LEAF] = {step_leaf, WAIT_ORIGIN},
	[AT_FORGE] = {step_forge, WAIT_LEAF},
	[AT_HANDSHAKE] = {step_handshake, WAIT_CLIENT},
	[AT_INSIDE] = {step_inside, WAIT_CLIENT},
	[AT_RELAY] = {step_relay, WAIT_PEERS},
	[AT_LINGER] = {step_linger, WAIT_CLIENT},
	[AT_CLOSE] = {step_close, WAIT_CLOSE},
};

enum wait session_go(struct session *s, enum session_step at)
{
	s->at = at;
	s->timed_out = false; /* it was the step's that is over */
	s->entered_ms = session_now(s);
	return GO;
}

enum wait session_fail(struct session *s, enum reason reason, const char *why)
{
	if (s->reason == REASON_OK) {
		s->reason = reason;
		words_set(&s->why, why);
	}
	return session_go(s, AT_CLOSE);
}

void session_eat(struct session *s, size_t len)
{
	s->hand.at += len;
	s->hand.len -= len;
}

void session_want(const struct session *s, const char *host, uint16_t port,
	struct origin_want *out)
{
	*out = (struct origin_want){.host = host, .port = port,
		.client_local = s->client_local};
	if (s->destinations && decide_asks_destination(s) &&
	    strcmp(s->destinations_of, host) == 0)
		out->only = s->destinations;
	quota_client_of(&s->peer.any, &out->client);
}

void session_forget_origin(struct session *s)
{
	origin_release(s->origin, false);
	s->origin = NULL;
	s->silent = s->tunnel = false;
}

/* --- running ------------------------------------------------------------ */

/* is_sending: what a client has said before it went must still arrive. */
static bool is_sending(const struct session *s)
{
	return s->at == AT_TUNNEL || s->at == AT_RELAY ||
		(s->at == AT_SERVE && s->exchange.at == EXCHANGE_RELAY &&
			!s->exchange.request_ended);
}

/* check_client: a connection that broke ends the session wherever it is; so does
 * one that takes nothing any more, since nobody may be left to say so. */
static bool check_client(struct session *s)
{
	bool gone = stream_broken(&s->client) ||
		(stream_deaf(&s->client) && !is_sending(s));

	if (s->at == AT_CLOSE || s->at == AT_HANDSHAKE || !gone)
		return false;
	(void)session_fail(s, REASON_CLIENT_GONE, s->client.tls.why);
	return true;
}

void session_run(struct session *s)
{
	if (s->running) {
		s->again = true;
		return;
	}
	s->running = true;
	do {
		s->again = false;
		(void)check_client(s);
		do {
			s->wait = steps[s->at].run(s);
		} while (s->wait == GO);
		s->timed_out = false;
	} while (s->again || check_client(s));
	s->running = false;
	if (s->wait != steps[s->at].waits)
		abort(); /* a step that waits for what it may not */
	attention_set(s);
}

/* --- facts -------------------------------------------------------------- */

static size_t lend(struct session *s, struct hand *hand, const uint8_t *data,
	size_t len)
{
	size_t left;

	*hand = (struct hand){data, len};
	session_run(s);
	left = hand->len;
	*hand = (struct hand){NULL, 0};
	return len - left;
}

static size_t on_client_data(void *owner, const uint8_t *data, size_t len)
{
	struct session *s = owner;

	return lend(s, &s->hand, data, len);
}

static void on_client_event(void *owner)
{
	session_run(owner);
}

static size_t on_origin_data(void *owner, const uint8_t *data, size_t len)
{
	struct session *s = owner;

	return lend(s, &s->origin_hand, data, len);
}

static void on_origin_event(void *owner)
{
	session_run(owner);
}

const struct origin_ops session_origin_ops = {on_origin_data, on_origin_event};

/* --- the end ------------------------------------------------------------ */

static enum wait step_linger(struct session *s)
{
	stream_shutdown(&s->client);
	session_eat(s, s->hand.len);
	if (stream_flushed(&s->client) && !s->flushed_ms)
		s->flushed_ms = session_now(s);
	if ((s->flushed_ms && stream_ended(&s->client)) || s->timed_out)
		return session_go(s, AT_CLOSE);
	return WAIT_CLIENT;
}

static void count_out(struct session *s)
{
	struct quota_client client;

	if (!s->counted)
		return;
	quota_client_of(&s->peer.any, &client);
	quota_give(s->services->connections, &client);
}

static void session_free(struct session *s)
{
	void (*ended)(void *) = s->services->session_ended;
	void *arg = s->services->arg;

	DL_DELETE(s->services->sessions, s);
	count_out(s);
	s->services->num_sessions--;
	if (!s->inner)
		count_add(&s->services->tally.ended[session_listener(s)], 1);
	buffer_clear(&s->peek);
	site_unref(s->site);
	free(s->hello);
	free(s->leaf);
	free(s->alpn_name);
	free(s->origin_alpn);
	words_clear(&s->why);
	words_clear(&s->deny_why);
	certified_free(s->certified);
	words_clear(&s->user);
	words_clear(&s->user_agent);
	words_clear(&s->url_rule);
	words_clear(&s->destinations_of);
	free(s->destinations);
	free(s->found);
	free(s->login);
	free(s);
	if (ended)
		ended(arg);
}

void session_unref(struct session *s)
{
	if (--s->refs == 0)
		session_free(s);
}

static void on_client_closed(void *owner)
{
	session_unref(owner);
}

static const struct stream_ops client_ops = {
	on_client_data, on_client_event, on_client_closed};

static void on_timer_closed(uv_handle_t *handle)
{
	session_unref(handle->data);
}

/* step_close closes everything once; the last handle to go frees. */
static enum wait step_close(struct session *s)
{
	if (s->closing)
		return WAIT_CLOSE;
	s->closing = true;
	journal_cut(s);
	journal_session(s);
	s->hand.len = 0;
	s->origin_hand.len = 0;
	decide_forget_dns(s);
	who_forget(s);
	exchange_clear(&s->exchange);
	if (s->front.in)
		h1_side_clear(&s->front);
	origin_release(s->origin, s->origin && !s->tunnel);
	s->origin = NULL;
	if (!stream_flushed(&s->client)) /* cut short must not look whole */
		stream_reset(&s->client);
	stream_close(&s->client);
	uv_close((uv_handle_t *)&s->timer, on_timer_closed);
	return WAIT_CLOSE;
}

/* --- the beginning ------------------------------------------------------ */

/* find_original tells where a redirected connection was going. The kernel
 * gives our own address for one that came to us directly. */
static void find_original(struct session *s, int fd)
{
	struct sockaddr_storage original;

	s->port = 443;
	if (s->local.any.sa_family == AF_UNSPEC ||
	    origdst_get(fd, &original) != 0 ||
	    address_equal((struct sockaddr *)&original, &s->local.any))
		return;
	s->has_original = true;
	memcpy(&s->original, &original,
		address_len((struct sockaddr *)&original));
	s->port = address_port(&s->original.any);
	address_text(&s->original.any, s->host);
	s->host_is_address = true;
}

static bool is_allowed(const struct session *s)
{
	const struct config *config = session_config(s);

	return config->clients_any || s->client_local ||
		netset_match(config->clients,
			&s->peer.any);
}

static void find_peer(struct session *s, int fd, const struct sockaddr *peer)
{
	socklen_t len = sizeof(s->local);

	memcpy(&s->peer, peer, address_len(peer));
	if (getsockname(fd, &s->local.any, &len) == 0)
		s->client_local = address_client_is_local(peer,
			&s->local.any);
}

/* count_in: no client gets so many connections that none is left for others. */
static bool count_in(struct session *s)
{
	struct quota_client client;

	if (s->client_local || s->inner)
		return true;
	quota_client_of(&s->peer.any, &client);
	s->counted = quota_take(s->services->connections, &client);
	return s->counted;
}

static void begin(struct session *s)
{
	who_comes(s);
	if (!count_in(s))
		(void)session_fail(s, REASON_NO_RESOURCES,
			"this client has half of the connections there are");
	else if (!s->transparent)
		(void)serve_begin(s, REALM_PROXY);
	else if (s->allowed)
		(void)session_go(s, AT_PEEK);
	else
		(void)session_fail(s, REASON_CLIENT_NOT_ALLOWED, "");
	session_run(s);
}

static struct session *session_new(struct services *services)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->services = services;
	s->kind = RECORD_REFUSED;
	s->started_ms = s->entered_ms = session_now(s);
	DL_APPEND(services->sessions, s);
	services->num_sessions++;
	(void)uv_timer_init(&services->loop->uv, &s->timer);
	s->timer.data = s;
	return s;
}

static void open_client(struct session *s, int fd)
{
	s->allowed = is_allowed(s);
	stream_open(&s->client, s->services->loop, fd, &client_ops, s);
	s->refs = 2; /* the stream and the timer */
}

void session_accept(struct services *services, int fd,
	const struct sockaddr *peer, bool transparent)
{
	struct session *s = session_new(services);

	s->transparent = transparent;
	find_peer(s, fd, peer);
	if (transparent)
		find_original(s, fd);
	count_add(&services->tally.accepted[session_listener(s)], 1);
	open_client(s, fd);
	s->client.traffic = &services->tally.client;
	begin(s);
}

void session_accept_inner(struct services *services, int fd,
	const struct session_inner *inner)
{
	struct session *s = session_new(services);

	s->inner = true;
	memcpy(&s->peer, inner->peer, address_len(inner->peer));
	s->client_local = inner->client_local;
	s->certified = inner->certified;
	open_client(s, fd);
	stream_pair(&s->client, inner->outer);
	begin(s);
}

/* --- stopping ----------------------------------------------------------- */

static bool at_rest(const struct session *s)
{
	return s->at == AT_SERVE && s->exchange.at == EXCHANGE_HEAD &&
		h1_side_idle(&s->front);
}

void session_drain(struct services *services)
{
	struct session *s, *tmp;

	DL_FOREACH_SAFE(services->sessions, s, tmp) {
		if (!at_rest(s) || s->closing)
			continue;
		(void)session_go(s, AT_LINGER);
		session_run(s);
	}
}

void session_stop_all(struct services *services)
{
	struct session *s, *tmp;

	DL_FOREACH_SAFE(services->sessions, s, tmp) {
		if (s->closing)
			continue;
		(void)session_fail(s, REASON_STOPPED, "");
		session_run(s);
	}
}
