/* outer_open.c - the hello, the certificate, the handshake. */
#include <stdlib.h>
#include <string.h>

#include "proxy/net/sniff.h"
#include "proxy/report/access.h"
#include "proxy/report/record.h"
#include "proxy/session/outer_private.h"
#include "proxy/session/shakes.h"

struct opening *opening_new(void)
{
	struct opening *opening = calloc(1, sizeof(*opening));

	if (!opening)
		abort();
	return opening;
}

void opening_free(struct opening *opening)
{
	if (!opening)
		return;
	buffer_clear(&opening->peek);
	site_unref(opening->site);
	settings_unref(opening->who.settings);
	free(opening);
}

/* A hello never needs more than this. */
size_t opening_collect(struct opening *opening, const uint8_t *data, size_t len)
{
	size_t room = HELLO_RAW_MAX + 1 - buffer_len(&opening->peek);

	len = len < room ? len : room;
	buffer_add(&opening->peek, data, len);
	return len;
}

/* outer_log is the line of what came to no session. */
static void outer_log(
	const struct outer *o, enum reason reason, const char *why)
{
	const char *name = o->opening->name, *ja4 = o->opening->hello.ja4;
	struct record r = {
		.kind = RECORD_REFUSED,
		.client = &o->peer.any,
		.proxy_tls = true,
		.location = config_location_at(
			o->services->snapshot->config, &o->peer.any),
		.ja4 = ja4[0] ? ja4 : NULL,
		.client_failure = o->opening->end.failure,
		.client_alert = o->opening->end.alert,
		.after_certificate = o->opening->end.shown,
		.host = name[0] ? name : o->local,
		.port = o->port,
		.reason = reason,
		.why = why[0] ? why : NULL,
		.bytes_in = o->client.bytes_in,
		.bytes_out = o->client.bytes_out,
		.ms = outer_now(o) - o->started_ms,
	};

	access_write(o->services->log, &r);
	count_add(&o->services->tally.refusals[reason], 1);
}

void outer_fail(struct outer *o, enum reason reason, const char *why)
{
	outer_log(o, reason, why);
	outer_close(o);
}

/* --- the handshake ------------------------------------------------------ */

/* With an alert under way: bytes of the client that nobody has read would make
 * a reset of the close, and the client might see that alone. */
static void fail_told(struct outer *o)
{
	o->opening->end.failure = CLIENT_FAILURE_REFUSED;
	outer_log(o, REASON_CLIENT_HANDSHAKE, o->opening->who.why);
	o->at = OUTER_LINGER;
	o->flushed_ms = outer_now(o);
	stream_shutdown(&o->client);
}

/* count_shake: where its certificate is refused, the alert is ours. */
static void count_shake(const struct outer *o)
{
	const struct stream *client = &o->client;

	if (client->secure || client->error != STREAM_FINE ||
		stream_ended(client) || o->timed_out)
		shakes_client(&o->services->tally, client, TALLY_TO_PROXY,
			o->timed_out, o->started_ms);
}

void opening_shake(struct outer *o)
{
	bool ended = o->client.error != STREAM_FINE || o->timed_out ||
		stream_ended(&o->client);

	if (ended && !o->client.secure)
		client_failure_find(&o->client, o->timed_out,
			&o->opening->end);
	count_shake(o);
	if (o->client.secure)
		outer_begin_session(o);
	else if (o->opening->who.why[0])
		fail_told(o);
	else if (o->client.error == STREAM_TLS)
		outer_fail(o, REASON_CLIENT_HANDSHAKE, o->client.tls.why);
	else if (o->client.error != STREAM_FINE || stream_ended(&o->client))
		outer_fail(o, REASON_CLIENT_HANDSHAKE,
			"closed by the client, "
			"which may not trust the root certificate");
	else if (o->timed_out)
		outer_fail(o, REASON_HANDSHAKE_TIMEOUT, "");
}

static void begin_tls(struct outer *o)
{
	struct opening *opening = o->opening;

	o->at = OUTER_HANDSHAKE;
	opening->who.settings = settings_ref(o->services->snapshot->settings);
	stream_tls(&o->client,
		outer_tls_new(o->services->outer_ctx, opening->site->leaf,
			&opening->who),
		buffer_at(&opening->peek), buffer_len(&opening->peek));
	client_failure_watch(o->client.tls.ssl, &opening->end);
	buffer_clear(&opening->peek);
}

/* --- the certificate ---------------------------------------------------- */

static void on_leaf(struct leaf_request *request, struct site *site,
	bool forged, const char *why)
{
	struct outer *o = request->arg;

	(void)forged;
	(void)why; /* request->why */
	o->opening->leaf_pending = false;
	o->opening->site = site;
	outer_run(o);
	outer_unref(o);
}

static void order_leaf(struct outer *o)
{
	struct opening *opening = o->opening;
	struct leaf_want want = {
		.snapshot = o->services->snapshot,
		.name = opening->name,
		.port = o->port,
		.key_type =
			opening->hello.ecdsa ? LEAF_KEY_P256 : LEAF_KEY_RSA2048,
		.mode = UNTRUSTED_BLOCK,
		.outcome = LEAF_OWN,
		.client = o->share,
	};
	bool forged;

	o->at = OUTER_LEAF;
	opening->leaf.done = on_leaf;
	opening->leaf.arg = o;
	switch (leaves_get(
		o->services, &want, &opening->leaf, &opening->site, &forged)) {
	case LEAVES_READY:
		begin_tls(o);
		break;
	case LEAVES_FAILED:
		outer_fail(o, REASON_CA_NOT_USABLE, opening->leaf.why);
		break;
	case LEAVES_BUSY:
		outer_fail(o, REASON_SIGNER_BUSY, "");
		break;
	case LEAVES_WAIT:
	default:
		opening->leaf_pending = true;
		o->refs++;
		break;
	}
}

void opening_await_leaf(struct outer *o)
{
	if (stream_broken(&o->client))
		outer_fail(o, REASON_CLIENT_GONE, "");
	else if (o->opening->site)
		begin_tls(o);
	else if (!o->opening->leaf_pending)
		outer_fail(o, REASON_CA_NOT_USABLE, o->opening->leaf.why);
	else if (o->timed_out)
		outer_fail(o, REASON_HANDSHAKE_TIMEOUT, "");
}

/* --- the hello ---------------------------------------------------------- */

static void choose_name(const struct outer *o)
{
	struct opening *opening = o->opening;
	const struct hello *hello = &opening->hello;

	if (!hello->has_sni ||
		host_normalize(hello->sni, hello->sni_len, opening->name) ==
			HOST_BAD)
		memcpy(opening->name, o->local, sizeof(o->local));
}

/* Who comes and goes without a word has only looked whether we are here. */
static void await_hello(struct outer *o)
{
	bool begun = buffer_len(&o->opening->peek) > 0;

	if (stream_ended(&o->client) || stream_broken(&o->client)) {
		if (begun)
			outer_fail(o, REASON_CLIENT_GONE, "in the ClientHello");
		else
			outer_close(o);
	} else if (o->timed_out) {
		outer_fail(o, REASON_HANDSHAKE_TIMEOUT,
			begun ? "in the ClientHello" : "no ClientHello");
	}
}

static const char *no_hello(const uint8_t *raw, size_t len)
{
	return sniff(raw, len) == SNIFF_HTTP
		? "plain HTTP: clients must name the proxy as https://"
		: "malformed";
}

void opening_read_hello(struct outer *o)
{
	const uint8_t *raw = buffer_at(&o->opening->peek);
	size_t len = buffer_len(&o->opening->peek);

	switch (hello_read(raw, len, &o->opening->hello)) {
	case HELLO_WHOLE:
		choose_name(o);
		order_leaf(o);
		break;
	case HELLO_MORE:
		await_hello(o);
		break;
	case HELLO_TOO_LARGE:
		o->opening->end.failure = CLIENT_FAILURE_MALFORMED;
		outer_fail(o, REASON_BAD_HELLO, "over 16 KiB");
		break;
	case HELLO_BAD:
	default:
		outer_fail(o, REASON_BAD_HELLO, no_hello(raw, len));
		break;
	}
}
