/*
 * tls_engine.h - TLS over bytes in memory; no sockets, no loop.
 *
 * Wraps an SSL with a BIO of its own: what is to be read is lent for the
 * length of a call, what is to be written is added to a buffer of the
 * caller's. So the engine holds no bytes between calls but what BoringSSL
 * itself must keep of a record that is not whole.
 *
 * Owns:    the SSL.
 * Threads: one.
 * Errors:  TLS_FAILED, sticky; the field why has it in words.
 */
#ifndef PROXY_NET_TLS_ENGINE_H
#define PROXY_NET_TLS_ENGINE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/net/buffer.h"

enum tls_result {
	TLS_FAILED = -1,
	TLS_OK = 0,
	TLS_MORE = 1,   /* wants bytes that have not come yet */
	TLS_CLOSED = 2, /* the peer has said close_notify */
};

struct tls_engine {
	SSL *ssl;            /* owned */
	struct buffer *out;  /* borrowed: ciphertext goes here */
	const uint8_t *in;   /* borrowed during a call */
	size_t in_len;
	const uint8_t *lent; /* where the loan began */
	bool failed;
	int alert;           /* the peer's fatal alert, or -1 */
	int code;            /* BoringSSL's SSL_R_..., where alert is -1 */
	char why[96];
};

/* tls_engine_init takes ssl, whose role (accept or connect) is set. */
void tls_engine_init(struct tls_engine *tls, SSL *ssl, struct buffer *out);
void tls_engine_clear(struct tls_engine *tls);

/* tls_engine_give lends bytes from the socket to the calls that follow, up to
 * tls_engine_left, which ends the loan and returns how many were not used. */
void tls_engine_give(struct tls_engine *tls, const uint8_t *in, size_t len);
size_t tls_engine_left(struct tls_engine *tls);

/* tls_engine_handshake goes on with the handshake. */
enum tls_result tls_engine_handshake(struct tls_engine *tls);

/* tls_engine_read decrypts at most cap bytes to out. */
enum tls_result tls_engine_read(struct tls_engine *tls, uint8_t *out,
	size_t cap, size_t *out_len);

/* tls_engine_write encrypts all of data: TLS_OK or TLS_FAILED. */
enum tls_result tls_engine_write(struct tls_engine *tls, const uint8_t *data,
	size_t len);

/* tls_alert_name is what the standard calls an alert (RFC 8446, 6), as
 * unknown_ca; static. */
const char *tls_alert_name(int alert);

/* tls_engine_close says close_notify. */
void tls_engine_close(struct tls_engine *tls);

#endif
