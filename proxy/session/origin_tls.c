#include "proxy/session/origin_tls.h"

#include <openssl/bytestring.h>
#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cache/lru.h"
#include "cache/shards.h"
#include "pki/trust.h"
#include "pki/x509.h"
#include "proxy/config/config.h"
#include "proxy/session/origin.h"

enum {
	CHAIN_MAX = 16,
	OPINION_MS = 60 * 1000,
	SESSION_BYTES = 4096, /* about what an SSL_SESSION takes */
};

/* --- verdicts ----------------------------------------------------------- */

struct opinion {
	atomic_uint refs;
	enum verdict verdict;
	time_t until;
	char why[200];
	unsigned days; /* the certificate is valid for */
	bool wildcard;
};

void *opinion_ref(void *value)
{
	struct opinion *opinion = value;

	atomic_fetch_add_explicit(&opinion->refs, 1, memory_order_relaxed);
	return opinion;
}

void opinion_unref(void *value)
{
	struct opinion *opinion = value;

	if (atomic_fetch_sub_explicit(&opinion->refs, 1,
		    memory_order_acq_rel) == 1)
		free(opinion);
}

static size_t get_chain(SSL *ssl, struct der *out)
{
	const STACK_OF(CRYPTO_BUFFER) *sent = SSL_get0_peer_certificates(ssl);
	size_t num = sent ? sk_CRYPTO_BUFFER_num(sent) : 0;

	if (num > CHAIN_MAX)
		num = CHAIN_MAX;
	for (size_t i = 0; i < num; i++) {
		const CRYPTO_BUFFER *cert = sk_CRYPTO_BUFFER_value(sent, i);

		out[i] = (struct der){CRYPTO_BUFFER_data(cert),
			CRYPTO_BUFFER_len(cert)};
	}
	return num;
}

static void opinion_key(const struct origin *origin, const struct der *chain,
	size_t num, uint8_t out[SHA256_DIGEST_LENGTH])
{
	SHA256_CTX sha;

	SHA256_Init(&sha);
	SHA256_Update(&sha, origin->name, strlen(origin->name) + 1);
	SHA256_Update(&sha, trust_digest(origin->snapshot->trust), 32);
	for (size_t i = 0; i < num; i++) {
		SHA256_Update(&sha, &chain[i].len, sizeof(chain[i].len));
		SHA256_Update(&sha, chain[i].at, chain[i].len);
	}
	SHA256_Final(out, &sha);
}

/* names_wildcard: among the names of a SAN (RFC 5280, 4.2.1.6) is one of DNS that
 * begins so. */
static bool names_wildcard(struct der san)
{
	CBS cbs, names, name;
	unsigned tag;

	CBS_init(&cbs, san.at, san.len);
	if (!CBS_get_asn1(&cbs, &names, CBS_ASN1_SEQUENCE))
		return false;
	while (CBS_get_any_asn1(&names, &name, &tag)) {
		if (tag == (CBS_ASN1_CONTEXT_SPECIFIC | 2) &&
		    CBS_len(&name) > 2 && memcmp(CBS_data(&name), "*.", 2) == 0)
			return true;
	}
	return false;
}

static void describe(struct der cert, struct opinion *out)
{
	enum { DAY_S = 24 * 3600 };
	struct cert read;

	if (cert_read(cert, &read) != 0 || read.not_after < read.not_before)
		return;
	out->days = (unsigned)((read.not_after - read.not_before + DAY_S / 2) /
		DAY_S);
	out->wildcard = names_wildcard(read.san);
}

static struct opinion *form_opinion(const struct origin *origin,
	const struct der *chain, size_t num, const uint8_t *key,
	uint64_t now_ms)
{
	struct opinion *opinion = calloc(1, sizeof(*opinion));
	uint64_t life_ms = OPINION_MS;
	time_t now = time(NULL);

	if (!opinion)
		abort();
	atomic_init(&opinion->refs, 1);
	opinion->verdict = trust_verify(origin->snapshot->trust, chain, num,
		origin->name, now, &opinion->until, opinion->why,
		sizeof(opinion->why));
	if (num > 0)
		describe(chain[0], opinion);
	if (opinion->verdict == VERDICT_TRUSTED &&
	    opinion->until - now < OPINION_MS / 1000)
		life_ms = opinion->until > now ?
			(uint64_t)(opinion->until - now) * 1000 : 0;
	if (life_ms > 0)
		shards_put(origin->services->shared->verdicts, key,
			SHA256_DIGEST_LENGTH, opinion, sizeof(*opinion),
			now_ms + life_ms, now_ms);
	return opinion;
}

static void judge(struct origin *origin, SSL *ssl)
{
	uint64_t now_ms = loop_now(origin->services->loop);
	uint8_t key[SHA256_DIGEST_LENGTH];
	struct der chain[CHAIN_MAX];
	struct opinion *opinion;
	size_t num = get_chain(ssl, chain);

	opinion_key(origin, chain, num, key);
	opinion = shards_get(origin->services->shared->verdicts, key,
		sizeof(key), now_ms);
	if (!opinion)
		opinion = form_opinion(origin, chain, num, key, now_ms);
	origin->verdict = opinion->verdict;
	origin->judged = true;
	origin->cert_days = opinion->days;
	origin->cert_wildcard = opinion->wildcard;
	if (opinion->verdict != VERDICT_TRUSTED)
		words_set(&origin->why, opinion->why);
	opinion_unref(opinion);
	if (num > 0 && !origin->cert)
		origin->cert = CRYPTO_BUFFER_new(chain[0].at, chain[0].len,
			NULL);
}

/* --- callbacks of BoringSSL --------------------------------------------- */

static uint8_t alert_for(enum verdict verdict)
{
	if (verdict == VERDICT_EXPIRED)
		return SSL_AD_CERTIFICATE_EXPIRED;
	if (verdict == VERDICT_UNKNOWN_ISSUER ||
	    verdict == VERDICT_SELF_SIGNED ||
	    verdict == VERDICT_INCOMPLETE_CHAIN)
		return SSL_AD_UNKNOWN_CA;
	return SSL_AD_BAD_CERTIFICATE;
}

static enum ssl_verify_result_t on_verify(SSL *ssl, uint8_t *out_alert)
{
	struct origin *origin = SSL_get_app_data(ssl);

	judge(origin, ssl);
	if (origin->verdict == VERDICT_TRUSTED ||
	    origin->mode != UNTRUSTED_BLOCK)
		return ssl_verify_ok;
	*out_alert = alert_for(origin->verdict);
	return ssl_verify_invalid;
}

/* We have no certificate to show; the asking is worth knowing. */
static int on_cert_asked(SSL *ssl, void *arg)
{
	struct origin *origin = SSL_get_app_data(ssl);

	(void)arg;
	origin->asked_cert = true;
	return 1;
}

/* keep gives the reference to the cache. */
static void keep(const struct origin *origin, SSL_SESSION *session)
{
	struct services *services = origin->services;
	uint64_t now = loop_now(services->loop);

	lru_put(services->tls_sessions, origin->key, sizeof(origin->key),
		session, SESSION_BYTES,
		now + (uint64_t)SSL_SESSION_get_timeout(session) * 1000, now);
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct origin *origin = SSL_get_app_data(ssl);

	/* resumed, it would not ask for a certificate again, only refuse */
	if (!origin->judged || origin->verdict != VERDICT_TRUSTED ||
	    origin->asked_cert)
		return 0;
	keep(origin, session);
	return 1; /* the reference is the cache's now */
}

void origin_session_free(void *session)
{
	SSL_SESSION_free(session);
}

SSL_CTX *origin_tls_ctx(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_with_buffers_method());

	if (!ctx ||
	    !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
	    !SSL_CTX_set1_curves_list(ctx, "X25519:P-256:P-384:P-521"))
		abort();
	SSL_CTX_set_session_cache_mode(ctx,
		SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
	SSL_CTX_set_custom_verify(ctx, SSL_VERIFY_PEER, on_verify);
	SSL_CTX_set_reverify_on_resume(ctx, 1);
	SSL_CTX_set_cert_cb(ctx, on_cert_asked, NULL);
	return ctx;
}

static void offer_session(struct origin *origin, SSL *ssl)
{
	struct services *services = origin->services;
	SSL_SESSION *session = lru_take(services->tls_sessions, origin->key,
		sizeof(origin->key), loop_now(services->loop));

	if (!session)
		return;
	(void)SSL_set_session(ssl, session);
	if (SSL_SESSION_should_be_single_use(session))
		SSL_SESSION_free(session); /* RFC 8446, C.4 */
	else
		keep(origin, session);
}

static bool is_address(const char *name)
{
	char out[HOST_SIZE];

	return host_normalize(name, strlen(name), out) == HOST_ADDRESS;
}

SSL *origin_tls_new(struct origin *origin)
{
	SSL *ssl = SSL_new(origin->services->origin_ctx);

	if (!ssl)
		abort();
	SSL_set_app_data(ssl, origin);
	SSL_set_connect_state(ssl);
	if (origin->min_tls == TLS_1_3 &&
	    !SSL_set_min_proto_version(ssl, TLS1_3_VERSION))
		abort();
	if (!is_address(origin->name) &&
	    !SSL_set_tlsext_host_name(ssl, origin->name))
		abort();
	if (origin->alpn_len > 0 &&
	    SSL_set_alpn_protos(ssl, origin->alpn,
		    (unsigned)origin->alpn_len) != 0)
		abort();
	if (origin->snapshot->config->origin.resume)
		offer_session(origin, ssl);
	return ssl;
}
