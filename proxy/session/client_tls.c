#include "proxy/session/client_tls.h"

#include <openssl/sha.h>
#include <stdlib.h>

#include "proxy/session/tickets.h"

/* Tickets bind their holder to a site (see the header), but how long one may
 * be used is bounded too: a working day. */
enum { SESSION_LIFE_S = 8 * 3600 };

static int on_alpn(SSL *ssl, const uint8_t **out, uint8_t *out_len,
	const uint8_t *in, unsigned in_len, void *arg)
{
	const struct alpn_answer *answer = SSL_get_app_data(ssl);

	(void)in;
	(void)in_len;
	(void)arg;
	if (!answer || answer->len == 0)
		return SSL_TLSEXT_ERR_NOACK;
	*out = answer->name;
	*out_len = answer->len;
	return SSL_TLSEXT_ERR_OK;
}

SSL_CTX *client_tls_ctx(struct tickets *tickets)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_with_buffers_method());

	if (!ctx ||
	    !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
	    !SSL_CTX_set1_curves_list(ctx, "X25519:P-256:P-384"))
		abort();
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ctx, SESSION_LIFE_S);
	SSL_CTX_set_session_psk_dhe_timeout(ctx, SESSION_LIFE_S);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	tickets_use(tickets, ctx);
	return ctx;
}

static void bind_session(SSL *ssl, const struct leaf *leaf,
	const void *binding, size_t binding_len)
{
	uint8_t id[SHA256_DIGEST_LENGTH];
	CRYPTO_BUFFER *const *certs;
	SHA256_CTX sha;

	(void)leaf_certs(leaf, &certs);
	SHA256_Init(&sha);
	SHA256_Update(&sha, CRYPTO_BUFFER_data(certs[0]),
		CRYPTO_BUFFER_len(certs[0]));
	SHA256_Update(&sha, binding, binding_len);
	SHA256_Final(id, &sha);
	if (!SSL_set_session_id_context(ssl, id, sizeof(id)))
		abort();
}

SSL *client_tls_new(SSL_CTX *ctx, const struct leaf *leaf,
	const struct alpn_answer *alpn, const void *binding,
	size_t binding_len)
{
	CRYPTO_BUFFER *const *certs;
	size_t num_certs = leaf_certs(leaf, &certs);
	SSL *ssl = SSL_new(ctx);

	if (!ssl || !SSL_set_chain_and_key(ssl, certs, num_certs,
			    leaf_key(leaf), NULL))
		abort();
	SSL_set_accept_state(ssl);
	SSL_set_app_data(ssl, (void *)(uintptr_t)alpn);
	bind_session(ssl, leaf, binding, binding_len);
	return ssl;
}

void client_tls_need(SSL *ssl, enum tls_version version)
{
	if (version == TLS_1_3 &&
	    !SSL_set_min_proto_version(ssl, TLS1_3_VERSION))
		abort();
}
