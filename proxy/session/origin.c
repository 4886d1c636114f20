#include "proxy/session/origin.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/config/config.h"
#include "proxy/http/h1_in.h"
#include "proxy/session/origin_tls.h"
#include "proxy/session/pool.h"
#include "proxy/session/shakes.h"

/* --- where to, and the key ---------------------------------------------- */

struct target {
	const char *host;
	uint16_t port;
	const struct sockaddr *address; /* NULL: resolve host */
	bool configured;
};

static struct target find_target(const struct services *services,
	const struct origin_want *want)
{
	struct target target = {.host = want->host, .port = want->port};
	const struct connect_to *to = config_connect_to(
		services->snapshot->config, want->host, want->port);

	if (to) {
		target.configured = to->to_host[0] != '\0';
		if (to->to_host[0])
			target.host = to->to_host;
		if (to->to_port)
			target.port = to->to_port;
	} else {
		target.address = want->address;
	}
	return target;
}

const char *origin_target(const struct services *services, const char *host,
	uint16_t port)
{
	struct origin_want want = {.host = host, .port = port};

	return find_target(services, &want).host;
}

static void add(SHA256_CTX *sha, const void *data, size_t len)
{
	SHA256_Update(sha, &len, sizeof(len));
	SHA256_Update(sha, data, len);
}

static void add_only(SHA256_CTX *sha, const struct addresses *only)
{
	add(sha, &only->num, sizeof(only->num));
	for (size_t i = 0; i < only->num; i++) {
		const struct sockaddr *at =
			(const struct sockaddr *)&only->at[i];

		add(sha, at, address_len(at));
	}
}

static void make_key(const struct services *services,
	struct origin_want *want)
{
	struct target target = find_target(services, want);
	uint8_t bits[6] = {(uint8_t)want->tls, (uint8_t)want->mode,
		(uint8_t)target.configured, (uint8_t)(want->port >> 8),
		(uint8_t)want->port, (uint8_t)want->min_tls};
	SHA256_CTX sha;

	SHA256_Init(&sha);
	add(&sha, bits, sizeof(bits));
	add(&sha, target.host, strlen(target.host));
	add(&sha, &target.port, sizeof(target.port));
	if (target.address)
		add(&sha, target.address, address_len(target.address));
	if (want->only)
		add_only(&sha, want->only);
	if (want->tls)
		add(&sha, want->name, strlen(want->name));
	add(&sha, want->alpn, want->alpn_len);
	add(&sha, trust_digest(services->snapshot->trust), 32);
	SHA256_Final(want->key, &sha);
}

void origin_want_key(const struct services *services,
	struct origin_want *want)
{
	if (want->generation == services->snapshot->generation)
		return;
	make_key(services, want);
	want->generation = services->snapshot->generation;
}

bool origin_same(const struct origin *origin, struct origin_want *want)
{
	origin_want_key(origin->services, want);
	return memcmp(want->key, origin->key, sizeof(want->key)) == 0;
}

/* --- failing ------------------------------------------------------------ */

static void fail(struct origin *origin, enum reason reason, const char *why)
{
	if (origin->state == ORIGIN_FAILED)
		return;
	origin->state = ORIGIN_FAILED;
	origin->reason = reason;
	count_add(&origin->services->tally.origin_errors[reason], 1);
	if (why)
		words_set(&origin->why, why);
}

enum reason reason_of_verdict(enum verdict verdict)
{
	static const enum reason reasons[VERDICT_COUNT] = {
		[VERDICT_TRUSTED] = REASON_OK,
		[VERDICT_EXPIRED] = REASON_CERT_EXPIRED,
		[VERDICT_NOT_YET_VALID] = REASON_CERT_NOT_YET_VALID,
		[VERDICT_WRONG_HOST] = REASON_CERT_WRONG_HOST,
		[VERDICT_NO_SAN] = REASON_CERT_NO_SAN,
		[VERDICT_SELF_SIGNED] = REASON_CERT_SELF_SIGNED,
		[VERDICT_UNKNOWN_ISSUER] = REASON_CERT_UNKNOWN_ISSUER,
		[VERDICT_INCOMPLETE_CHAIN] = REASON_CERT_INCOMPLETE,
		[VERDICT_WEAK_SIGNATURE] = REASON_CERT_WEAK_SIGNATURE,
		[VERDICT_WEAK_KEY] = REASON_CERT_WEAK_KEY,
		[VERDICT_WRONG_PURPOSE] = REASON_CERT_WRONG_PURPOSE,
		[VERDICT_MALFORMED] = REASON_CERT_MALFORMED,
		[VERDICT_INVALID] = REASON_CERT_INVALID,
	};

	return reasons[verdict];
}

/* is_too_old: an origin that could not give the version that was asked for says
 * so by an alert, or answers with an older one. */
static bool is_too_old(const struct origin *origin)
{
	const struct tls_engine *tls = &origin->stream.tls;

	return origin->min_tls == TLS_1_3 &&
		origin->stream.error == STREAM_TLS &&
		(tls->alert == SSL_AD_PROTOCOL_VERSION ||
			tls->alert == SSL_AD_HANDSHAKE_FAILURE ||
			strstr(tls->why, "UNSUPPORTED_PROTOCOL") ||
			strstr(tls->why, "unsupported protocol"));
}

/* shake_failed finds the reason nearest to the truth: our own verdict first,
 * then what the origin asked for and did not get. */
static void shake_failed(struct origin *origin)
{
	shakes_origin(&origin->services->tally, &origin->stream,
		origin->judged && origin->verdict != VERDICT_TRUSTED &&
			origin->mode == UNTRUSTED_BLOCK, false);
	if (origin->judged && origin->verdict != VERDICT_TRUSTED &&
	    origin->mode == UNTRUSTED_BLOCK)
		fail(origin, reason_of_verdict(origin->verdict), NULL);
	else if (is_too_old(origin))
		fail(origin, REASON_ORIGIN_TLS_OLD, origin->stream.tls.why);
	else if (origin->asked_cert)
		fail(origin, REASON_ORIGIN_WANTS_CERT,
			origin->stream.tls.why);
	else if (origin->stream.error == STREAM_TLS)
		fail(origin, REASON_ORIGIN_TLS, origin->stream.tls.why);
	else if (origin->stream.error == STREAM_RESET)
		fail(origin, REASON_ORIGIN_RESET, "during the TLS handshake");
	else
		fail(origin, REASON_ORIGIN_CLOSED, "during the TLS handshake");
}

/* --- the stream's facts ------------------------------------------------- */

static void ready(struct origin *origin)
{
	struct tally *tally = &origin->services->tally;

	origin->state = ORIGIN_READY;
	origin->used_ms = loop_now(origin->services->loop);
	origin->ready_ms = loop_now(origin->services->loop);
	times_add(&tally->origin_connect, origin->ready_ms - origin->started_ms);
	if (origin->tls)
		shakes_origin(tally, &origin->stream, false, false);
	snapshot_unref(origin->snapshot);
	origin->snapshot = NULL;
}

static size_t on_data(void *owner, const uint8_t *data, size_t len)
{
	struct origin *origin = owner;

	return origin->ops->on_data(origin->owner, data, len);
}

static void on_event(void *owner)
{
	struct origin *origin = owner;
	struct stream *stream = &origin->stream;

	if (origin->state == ORIGIN_SHAKING) {
		if (stream->secure)
			ready(origin);
		else if (stream->error != STREAM_FINE || stream_ended(stream))
			shake_failed(origin);
	}
	origin->ops->on_event(origin->owner);
}

static void origin_free(struct origin *origin)
{
	snapshot_unref(origin->snapshot);
	CRYPTO_BUFFER_free(origin->cert);
	words_clear(&origin->why);
	h1_in_free(origin->parser);
	free(origin->name);
	free(origin->alpn);
	free(origin);
}

static void on_closed(void *owner)
{
	origin_free(owner);
}

static const struct stream_ops stream_ops = {on_data, on_event, on_closed};

/* --- dialling ----------------------------------------------------------- */

static enum reason reason_of_dial(enum dial_status status)
{
	switch (status) {
	case DIAL_OK:
		return REASON_OK;
	case DIAL_NO_NAME:
		return REASON_NAME_NOT_FOUND;
	case DIAL_DNS_FAILED:
		return REASON_NAME_FAILED;
	case DIAL_DNS_TIMEOUT:
		return REASON_NAME_TIMEOUT;
	case DIAL_NOT_ALLOWED:
		return REASON_DESTINATION_NOT_ALLOWED;
	case DIAL_OURS:
		return REASON_LOOP;
	case DIAL_REFUSED:
		return REASON_REFUSED;
	case DIAL_UNREACHABLE:
		return REASON_UNREACHABLE;
	case DIAL_TIMEOUT:
		return REASON_CONNECT_TIMEOUT;
	case DIAL_NO_RESOURCES:
	default:
		return REASON_NO_RESOURCES;
	}
}

static void count_off(struct origin *origin)
{
	if (origin->counted)
		quota_give(origin->services->dials, &origin->client);
	origin->counted = false;
}

static void on_dialled(void *arg, enum dial_status status, uv_tcp_t *tcp,
	const struct sockaddr *peer)
{
	struct origin *origin = arg;

	origin->dial = NULL;
	count_off(origin);
	if (status != DIAL_OK) {
		fail(origin, reason_of_dial(status), "");
		origin->ops->on_event(origin->owner);
		return;
	}
	memcpy(&origin->peer, peer, address_len(peer));
	stream_adopt(&origin->stream, origin->services->loop, tcp, &stream_ops,
		origin);
	origin->stream.traffic = &origin->services->tally.origin;
	if (origin->tls) {
		origin->state = ORIGIN_SHAKING;
		stream_tls(&origin->stream, origin_tls_new(origin), NULL, 0);
	} else {
		ready(origin);
		origin->ops->on_event(origin->owner);
	}
}

static void dial(struct origin *origin, const struct origin_want *want)
{
	struct services *services = origin->services;
	struct target target = find_target(services, want);
	struct dial_order order = {
		.host = target.host,
		.port = target.port,
		.address = target.address,
		.own = &services->shared->own,
		.client_local = want->client_local,
		.configured = target.configured,
		.only = want->only,
		.timeout_ms =
			services->snapshot->config->limits.connect_timeout_ms,
	};

	origin->configured = target.configured;
	origin->client = want->client;
	if (!want->client_local) {
		origin->counted = quota_take(services->dials, &want->client);
		if (!origin->counted) {
			fail(origin, REASON_NO_RESOURCES,
				"this client has too many connections being "
				"made");
			return;
		}
	}
	origin->dial = dial_start(&services->loop->uv, services->resolver,
		&order, on_dialled, origin);
}

/* --- get and release ---------------------------------------------------- */

static struct origin *origin_new(struct services *services,
	const struct origin_want *want)
{
	struct origin *origin = calloc(1, sizeof(*origin));

	if (!origin)
		abort();
	origin->services = services;
	origin->snapshot = snapshot_ref(services->snapshot);
	origin->tls = want->tls;
	origin->mode = want->mode;
	origin->min_tls = want->min_tls;
	origin->asked_port = want->port;
	if (want->tls)
		words_set(&origin->name, want->name);
	origin->alpn = bytes_copy(want->alpn, want->alpn_len);
	origin->alpn_len = want->alpn_len;
	origin->started_ms = loop_now(services->loop);
	return origin;
}

struct origin *origin_get(struct services *services,
	struct origin_want *want, const struct origin_ops *ops, void *owner)
{
	struct origin *origin = NULL;

	origin_want_key(services, want);
	if (!want->fresh && services->snapshot->config->origin.pool)
		origin = pool_take(services->pool, want->key,
			want->client_local, want->once);
	if (origin) {
		origin->reused = origin->waited = true;
		stream_want(&origin->stream, false);
	} else {
		origin = origin_new(services, want);
		memcpy(origin->key, want->key, sizeof(origin->key));
	}
	count_add(&services->tally.origins[origin->reused ? TALLY_REUSED :
		TALLY_NEW], 1);
	origin->ops = ops;
	origin->owner = owner;
	if (origin->state == ORIGIN_DIALLING)
		dial(origin, want);
	return origin;
}

static bool may_rest(const struct origin *origin)
{
	const struct stream *stream = &origin->stream;

	return origin->state == ORIGIN_READY && !origin->pinned &&
		!origin->services->draining &&
		origin->services->snapshot->config->origin.pool &&
		stream->error == STREAM_FINE && !stream_ended(stream) &&
		stream_flushed(stream);
}

void origin_release(struct origin *origin, bool keep)
{
	static const struct origin_ops nobody = {0};

	if (!origin)
		return;
	if (keep && may_rest(origin)) {
		pool_put(origin->services->pool, origin);
		return;
	}
	origin->ops = &nobody;
	count_off(origin);
	if (origin->state == ORIGIN_SHAKING)
		shakes_origin(&origin->services->tally, &origin->stream, false,
			true);
	if (origin->dial)
		dial_cancel(origin->dial);
	if (origin->stream.open)
		stream_close(&origin->stream);
	else
		origin_free(origin);
}

const uint8_t *origin_alpn(const struct origin *origin, unsigned *out_len)
{
	const uint8_t *name = NULL;

	*out_len = 0;
	if (origin->tls)
		SSL_get0_alpn_selected(origin->stream.tls.ssl, &name, out_len);
	return name;
}

enum reason origin_let_in(const struct origin *origin)
{
	return origin->judged && origin->mode != UNTRUSTED_BLOCK ?
		reason_of_verdict(origin->verdict) : REASON_OK;
}

void origin_describe(const struct origin *origin, struct origin_facts *out)
{
	const struct stream *stream = &origin->stream;
	const SSL_CIPHER *cipher;

	*out = (struct origin_facts){.reused = origin->reused,
		.untrusted = origin_let_in(origin)};
	if (origin->ready_ms && !origin->reused)
		out->ms = origin->ready_ms - origin->started_ms;
	if (!stream->open || !stream->secure)
		return;
	out->trusted = origin->verdict == VERDICT_TRUSTED;
	out->days = origin->cert_days;
	out->wildcard = origin->cert_wildcard;
	cipher = SSL_get_current_cipher(stream->tls.ssl);
	out->tls = SSL_get_version(stream->tls.ssl);
	out->cipher = cipher ? SSL_CIPHER_standard_name(cipher) : NULL;
	out->resumed = SSL_session_reused(stream->tls.ssl);
}
