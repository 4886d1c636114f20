#include "proxy/session/outer_tls.h"

#include <openssl/pool.h>
#include <stdio.h>
#include <stdlib.h>

#include "pki/leaf.h"
#include "pki/x509.h"
#include "proxy/config/snapshot.h"
#include "proxy/session/certified.h"

/* HTTP/1.1 is what a session speaks; a client that offers other names alone may
 * speak it all the same. */
static int on_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_len,
	const uint8_t *in, unsigned in_len, void *arg)
{
	static const uint8_t ours[] = "\x08http/1.1";
	uint8_t *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, in,
		    in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

SSL_CTX *outer_tls_ctx(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_with_buffers_method());

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
		!SSL_CTX_set1_curves_list(ctx, "X25519:P-256:P-384"))
		abort();
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	return ctx;
}

/* --- the client's certificate ------------------------------------------- */

static uint8_t alert_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_EXPIRED:
	case VERDICT_NOT_YET_VALID:
		return SSL_AD_CERTIFICATE_EXPIRED;
	case VERDICT_SELF_SIGNED:
	case VERDICT_UNKNOWN_ISSUER:
	case VERDICT_INCOMPLETE_CHAIN:
		return SSL_AD_UNKNOWN_CA;
	case VERDICT_WRONG_PURPOSE:
		return SSL_AD_UNSUPPORTED_CERTIFICATE;
	case VERDICT_TRUSTED:
	case VERDICT_WRONG_HOST:
	case VERDICT_NO_SAN:
	case VERDICT_WEAK_SIGNATURE:
	case VERDICT_WEAK_KEY:
	case VERDICT_MALFORMED:
	case VERDICT_INVALID:
	case VERDICT_COUNT:
	default:
		return SSL_AD_BAD_CERTIFICATE;
	}
}

static bool refuse(struct outer_peer *peer, const char *why)
{
	snprintf(peer->why, sizeof(peer->why),
		"the client's certificate: %.290s", why);
	return false;
}

static bool judge(const SSL *ssl, struct outer_peer *peer, uint8_t *alert)
{
	const STACK_OF(CRYPTO_BUFFER) *chain = SSL_get0_peer_certificates(ssl);
	const CRYPTO_BUFFER *leaf;
	char why[OUTER_WHY_SIZE] = "";
	enum verdict verdict;

	verdict = certified_verify(chain, peer->settings->client_trust, why,
		sizeof(why));
	if (verdict != VERDICT_TRUSTED) {
		*alert = alert_of(verdict);
		return refuse(peer, why);
	}
	leaf = sk_CRYPTO_BUFFER_value(chain, 0);
	*alert = SSL_AD_BAD_CERTIFICATE;
	if (cert_common_name((struct der){CRYPTO_BUFFER_data(leaf),
		CRYPTO_BUFFER_len(leaf)}, peer->user, sizeof(peer->user)) != 0 ||
		peer->user[0] == '\0')
		return refuse(peer,
			"its subject must have one common name (of 128 "
			"bytes at most) to be a user's, and no second");
	return true;
}

/* Called where the client has sent a certificate. */
static enum ssl_verify_result_t on_verify(SSL *ssl, uint8_t *out_alert)
{
	return judge(ssl, SSL_get_app_data(ssl), out_alert) ?
		ssl_verify_ok :
		ssl_verify_invalid;
}

SSL *outer_tls_new(
	SSL_CTX *ctx, const struct leaf *leaf, struct outer_peer *peer)
{
	CRYPTO_BUFFER *const *certs;
	size_t num_certs = leaf_certs(leaf, &certs);
	SSL *ssl = SSL_new(ctx);

	if (!ssl ||
		!SSL_set_chain_and_key(
			ssl, certs, num_certs, leaf_key(leaf), NULL))
		abort();
	SSL_set_accept_state(ssl);
	SSL_set_app_data(ssl, peer);
	if (peer->settings->client_trust)
		SSL_set_custom_verify(ssl, SSL_VERIFY_PEER, on_verify);
	return ssl;
}
