/*
 * tls_test.h - both ends of TLS for tests: a server with a throw-away
 * certificate, a client that believes it.
 */
#ifndef TESTS_SUPPORT_TLS_TEST_H
#define TESTS_SUPPORT_TLS_TEST_H

#include <openssl/asn1.h>
#include <openssl/bytestring.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pool.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdlib.h>

static inline void tls_test_must(int holds)
{
	if (!holds)
		abort();
}

static inline EVP_PKEY *tls_test_key(void)
{
	EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
	EVP_PKEY *key = EVP_PKEY_new();

	tls_test_must(ec && key && EC_KEY_generate_key(ec));
	tls_test_must(EVP_PKEY_assign_EC_KEY(key, ec));
	return key;
}

static inline CRYPTO_BUFFER *tls_test_cert(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	CRYPTO_BUFFER *out;
	uint8_t *der = NULL;
	int len;

	tls_test_must(cert && X509_set_version(cert, 2));
	tls_test_must(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1));
	tls_test_must(X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
		X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	tls_test_must(X509_set_pubkey(cert, key));
	tls_test_must(X509_sign(cert, key, EVP_sha256()) > 0);
	len = i2d_X509(cert, &der);
	tls_test_must(len > 0);
	out = CRYPTO_BUFFER_new(der, (size_t)len, NULL);
	tls_test_must(out != NULL);
	OPENSSL_free(der);
	X509_free(cert);
	return out;
}

static inline enum ssl_verify_result_t tls_test_believe(SSL *ssl,
	uint8_t *out_alert)
{
	(void)ssl;
	(void)out_alert;
	return ssl_verify_ok;
}

static inline SSL_CTX *tls_test_client_ctx(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_with_buffers_method());

	tls_test_must(ctx != NULL);
	SSL_CTX_set_custom_verify(ctx, SSL_VERIFY_PEER, tls_test_believe);
	return ctx;
}

static inline SSL_CTX *tls_test_server_ctx(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_with_buffers_method());
	EVP_PKEY *key = tls_test_key();
	CRYPTO_BUFFER *cert = tls_test_cert(key);

	tls_test_must(ctx != NULL);
	tls_test_must(SSL_CTX_set_chain_and_key(ctx, &cert, 1, key, NULL));
	CRYPTO_BUFFER_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

/* tls_test_ssl makes one of ctx, its role set, of that version only (0: any). */
static inline SSL *tls_test_ssl(SSL_CTX *ctx, int server, uint16_t version)
{
	SSL *ssl = SSL_new(ctx);

	tls_test_must(ssl != NULL);
	if (version)
		tls_test_must(SSL_set_min_proto_version(ssl, version) &&
			SSL_set_max_proto_version(ssl, version));
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

#endif
