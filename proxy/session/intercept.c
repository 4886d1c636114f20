/* intercept.c - the leaf, the origin beside it, the client's handshake. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/shards.h"
#include "pki/trust.h"
#include "proxy/session/session_private.h"
#include "proxy/session/shakes.h"

/* --- the origin --------------------------------------------------------- */

static bool begins(const uint8_t *name, size_t len, const char *with)
{
	return len >= strlen(with) && memcmp(name, with, strlen(with)) == 0;
}

/* is_http: RFC 7301's registry has h2, h2c, h3, http/0.9 to 1.1 and spdy/1 to 3;
 * h2-14 and grpc-exp were names of HTTP/2 before it had one. */
static bool is_http(const uint8_t *name, size_t len)
{
	return (len >= 2 && name[0] == 'h' && name[1] >= '0' &&
		name[1] <= '9') || begins(name, len, "http/") ||
		begins(name, len, "spdy/") || begins(name, len, "grpc-exp");
}

/* Only http/1.1 is offered where the client speaks it; what else a client
 * offers is passed on, but for other forms of HTTP: chosen, they would be
 * relayed unread. */
static size_t origin_alpn_list(const struct hello *hello, uint8_t *out)
{
	size_t len = 0, i = 0, n;

	if (hello->alpn_http1) {
		memcpy(out, "\x08http/1.1", 9);
		return 9;
	}
	for (; i < hello->alpn_len; i += n) {
		n = (size_t)hello->alpn[i] + 1;
		if (is_http(hello->alpn + i + 1, n - 1))
			continue;
		memcpy(out + len, hello->alpn + i, n);
		len += n;
	}
	return len;
}

static void keep_origin_alpn(struct session *s)
{
	uint8_t list[HELLO_ALPN_MAX];
	size_t len = origin_alpn_list(s->hello, list);

	s->origin_alpn = bytes_copy(list, len);
	s->origin_alpn_len = len;
}

static void make_want(struct session *s)
{
	struct origin_want *want = &s->want;

	session_want(s, s->transparent ? s->name : s->host, s->port, want);
	want->tls = true;
	want->mode = s->decision.options.untrusted;
	want->min_tls = s->decision.options.min_server_tls;
	want->name = s->name;
	if (s->has_original)
		want->address = &s->original.any;
	want->alpn = s->origin_alpn;
	want->alpn_len = s->origin_alpn_len;
}

struct origin_want *intercept_want(struct session *s)
{
	if (!s->want.tls)
		make_want(s);
	origin_want_key(s->services, &s->want);
	return &s->want;
}

void intercept_get_origin(struct session *s)
{
	s->origin = origin_get(s->services, intercept_want(s),
		&session_origin_ops, s);
}

/* intercept_judge: a leaf that says "verified" has been shown; an origin that
 * did not verify must not follow it, whatever the rule lets in. */
enum reason intercept_judge(struct session *s, const struct origin *origin)
{
	if (!origin->tls || !s->site || s->outcome != LEAF_TRUSTED)
		return REASON_OK;
	return reason_of_verdict(origin->verdict);
}

/* --- who asks for client certificates ----------------------------------- */

enum { UNDECRYPTABLE_MS = 3600 * 1000 };

enum { UNDECRYPTABLE_KEY = 2 * HOST_SIZE + 8 };

/* Where the tunnel would go counts as much as the name. */
static size_t undecryptable_key(const struct session *s,
	char out[UNDECRYPTABLE_KEY])
{
	return (size_t)snprintf(out, UNDECRYPTABLE_KEY, "%s|%s|%u", s->name,
		s->host, (unsigned)s->port);
}

void intercept_undecryptable(struct session *s)
{
	char key[UNDECRYPTABLE_KEY];
	size_t len = undecryptable_key(s, key);

	if (s->names_differ)
		return;
	shards_put(s->services->shared->undecryptable, key, len,
		s->services->shared, 1, session_now(s) + UNDECRYPTABLE_MS,
		session_now(s));
}

bool intercept_is_undecryptable(const struct session *s)
{
	char key[UNDECRYPTABLE_KEY];
	size_t len = undecryptable_key(s, key);

	return !s->names_differ && !s->decision.options.block_undecryptable &&
		shards_get(s->services->shared->undecryptable, key, len,
			session_now(s));
}

/* --- the leaf ----------------------------------------------------------- */

static struct leaf_want want_leaf(const struct session *s,
	enum leaf_outcome outcome)
{
	struct leaf_want want = {
		.snapshot = s->services->snapshot,
		.name = s->name,
		.port = s->port,
		.key_type = s->hello->ecdsa ? LEAF_KEY_P256 : LEAF_KEY_RSA2048,
		.mode = s->decision.options.untrusted,
		.outcome = outcome,
		.intermediate_ca = s->decision.options.intermediate_ca,
	};

	quota_client_of(&s->peer.any, &want.client);

	if (outcome == LEAF_OWN)
		want.mode = UNTRUSTED_BLOCK;
	else if (s->origin && s->origin->cert)
		want.origin = (struct der){
			CRYPTO_BUFFER_data(s->origin->cert),
			CRYPTO_BUFFER_len(s->origin->cert)};
	return want;
}

static void on_leaf(struct leaf_request *request, struct site *site,
	bool forged, const char *why)
{
	struct session *s = request->arg;

	s->leaf_pending = false;
	s->site = site;
	s->leaf_forged = forged;
	(void)why; /* request->why, which step_forge reads */
	session_run(s);
	session_unref(s);
}

static enum wait deny(struct session *s, enum reason reason, const char *why);

/* no_leaf: of a CA that a rule names; the default one may still sign the page
 * that says so. */
static enum wait no_leaf(struct session *s, enum reason reason,
	const char *why)
{
	return s->outcome != LEAF_OWN && s->decision.options.intermediate_ca ?
		deny(s, reason, why) : session_fail(s, reason, why);
}

static enum wait order_leaf(struct session *s, enum leaf_outcome outcome)
{
	struct leaf_want want = want_leaf(s, outcome);

	s->outcome = outcome;
	if (!s->leaf)
		s->leaf = calloc(1, sizeof(*s->leaf));
	if (!s->leaf)
		abort();
	s->leaf->done = on_leaf;
	s->leaf->arg = s;
	switch (leaves_get(s->services, &want, s->leaf, &s->site,
		&s->leaf_forged)) {
	case LEAVES_READY:
		return session_go(s, AT_HANDSHAKE);
	case LEAVES_FAILED:
		return no_leaf(s, REASON_CA_NOT_USABLE, s->leaf->why);
	case LEAVES_BUSY:
		return no_leaf(s, REASON_SIGNER_BUSY, "");
	case LEAVES_WAIT:
	default:
		s->leaf_pending = true;
		s->refs++;
		return session_go(s, AT_FORGE);
	}
}

enum wait step_forge(struct session *s)
{
	if (s->leaf_pending)
		return WAIT_LEAF;
	return s->site ? session_go(s, AT_HANDSHAKE) :
		no_leaf(s, REASON_CA_NOT_USABLE, s->leaf->why);
}

/* early: a cached leaf of a verified origin may be shown while the origin is
 * still being asked. Not where the origin's choice of ALPN is to be echoed. */
static bool early(struct session *s)
{
	struct leaf_want want = want_leaf(s, LEAF_TRUSTED);

	if (s->alpn.len == 0 && s->origin_alpn_len > 0)
		return false;
	s->site = leaves_cached(s->services, &want);
	if (!s->site)
		return false;
	s->outcome = LEAF_TRUSTED;
	return true;
}

static enum wait deny(struct session *s, enum reason reason, const char *why)
{
	s->deny = reason;
	words_set(&s->deny_why, why);
	if (s->origin)
		s->untrusted = origin_let_in(s->origin);
	if (reason == REASON_ORIGIN_WANTS_CERT && s->origin->judged &&
	    s->origin->verdict == VERDICT_TRUSTED)
		intercept_undecryptable(s);
	origin_release(s->origin, false);
	s->origin = NULL;
	return order_leaf(s, LEAF_OWN);
}

/* is_unusable: nothing can be signed for a connection under that rule, and it
 * is not shown another CA's. */
static bool is_unusable(struct session *s, const char **why)
{
	struct leaf_want want = want_leaf(s, LEAF_TRUSTED);

	return want.intermediate_ca && !leaves_usable(&want, why);
}

/* echo_alpn answers what the origin chose from what the client offered. */
static void echo_alpn(struct session *s)
{
	unsigned len;
	const uint8_t *name = origin_alpn(s->origin, &len);

	if (s->alpn.len > 0 || len == 0 || len > UINT8_MAX)
		return;
	s->alpn_name = bytes_copy(name, len);
	s->alpn = (struct alpn_answer){s->alpn_name, (uint8_t)len};
}

enum wait step_leaf(struct session *s)
{
	const char *why;

	if (s->own_pages || s->deny)
		return order_leaf(s, LEAF_OWN);
	if (is_unusable(s, &why))
		return deny(s, REASON_CA_NOT_USABLE, why);
	if (!s->origin) {
		keep_origin_alpn(s);
		s->leaf_cached = early(s);
		intercept_get_origin(s);
		if (s->leaf_cached)
			return session_go(s, AT_HANDSHAKE);
	}
	switch (s->origin->state) {
	case ORIGIN_READY:
		echo_alpn(s);
		return order_leaf(s,
			s->origin->verdict == VERDICT_TRUSTED ?
				LEAF_TRUSTED : LEAF_UNTRUSTED);
	case ORIGIN_FAILED:
		return deny(s, s->origin->reason, s->origin->why);
	case ORIGIN_DIALLING:
	case ORIGIN_SHAKING:
	default:
		return s->timed_out ? deny(s, REASON_CONNECT_TIMEOUT, "") :
				      WAIT_ORIGIN;
	}
}

/* --- the handshake ------------------------------------------------------ */

/* What a resumed session must have in common with the one it resumes, besides
 * the leaf itself. */
struct binding {
	char name[HOST_SIZE], rule[RULE_NAME_SIZE];
	uint64_t generation;
	uint16_t port;
	uint8_t action, untrusted, outcome, realm;
};

static void start_tls(struct session *s)
{
	struct binding binding;

	memset(&binding, 0, sizeof(binding));
	snprintf(binding.name, sizeof(binding.name), "%s", s->name);
	snprintf(binding.rule, sizeof(binding.rule), "%s",
		s->decision.rule_name);
	binding.generation = s->generation;
	binding.port = s->port;
	binding.action = (uint8_t)s->decision.options.action;
	binding.untrusted = (uint8_t)s->decision.options.untrusted;
	binding.outcome = (uint8_t)s->outcome;
	binding.realm = (uint8_t)s->own_pages;
	stream_tls(&s->client,
		client_tls_new(s->services->client_ctx, s->site->leaf,
			&s->alpn, &binding, sizeof(binding)),
		buffer_at(&s->peek), buffer_len(&s->peek));
	client_failure_watch(s->client.tls.ssl, &s->client_end);
	client_tls_need(s->client.tls.ssl, s->decision.options.min_client_tls);
	buffer_clear(&s->peek);
}

/* notice_renewal: the origin shows another certificate than the leaf copies;
 * the next connection asks it first and gets a new leaf. */
static void notice_renewal(struct session *s)
{
	uint8_t digest[32];

	if (!s->leaf_cached || !s->origin->cert ||
	    s->origin->verdict != VERDICT_TRUSTED)
		return;
	leaves_digest(s->origin->cert, digest);
	if (memcmp(digest, leaf_origin_digest(s->site->leaf), 32) != 0)
		atomic_store(&s->site->doubt, true);
}

static void count_handshake(const struct session *s)
{
	shakes_client(&s->services->tally, &s->client, TALLY_TO_SITE,
		s->timed_out, s->entered_ms);
}

static enum wait handshake_failed(struct session *s)
{
	client_failure_find(&s->client, s->timed_out, &s->client_end);
	if (s->client_end.failure == CLIENT_FAILURE_TIMEOUT)
		return session_fail(s, REASON_HANDSHAKE_TIMEOUT, "");
	return session_fail(s, REASON_CLIENT_HANDSHAKE,
		s->client.error == STREAM_TLS ? s->client.tls.why :
		"closed by the client, which may not trust the root certificate");
}

enum wait step_handshake(struct session *s)
{
	if (!s->handshake_begun) {
		s->handshake_begun = true;
		start_tls(s);
	}
	if (origin_is(s->origin, ORIGIN_READY))
		notice_renewal(s);
	if (s->client.secure) {
		count_handshake(s);
		free(s->hello);
		s->hello = NULL;
		free(s->leaf);
		s->leaf = NULL;
		s->first_byte_ms = 0;
		s->silent = false;
		return session_go(s, AT_INSIDE);
	}
	if (s->client.error != STREAM_FINE || stream_ended(&s->client) ||
	    s->timed_out) {
		count_handshake(s);
		return handshake_failed(s);
	}
	return WAIT_CLIENT;
}
