/*
 * hello_maker.h - ClientHellos for the tests: ones that BoringSSL says, and
 * ones put together by hand, right or wrong.
 */
#ifndef TESTS_UNIT_NET_HELLO_MAKER_H
#define TESTS_UNIT_NET_HELLO_MAKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/ssl.h>

/* A ClientHello's message, with its four bytes of header. */
struct message {
	uint8_t at[20000];
	size_t len;
};

struct client {
	uint16_t min, max;
	const char *sni;
	const char *alpn; /* wire form */
	const char *ciphers, *sigalgs, *curves;
	bool ech, grease;
};

static inline void set_up(SSL *ssl, const struct client *client)
{
	assert_true(SSL_set_min_proto_version(ssl, client->min));
	assert_true(SSL_set_max_proto_version(ssl, client->max));
	if (client->sni)
		assert_true(SSL_set_tlsext_host_name(ssl, client->sni));
	if (client->alpn)
		assert_int_equal(SSL_set_alpn_protos(ssl,
			(const uint8_t *)client->alpn,
			(unsigned)strlen(client->alpn)), 0);
	if (client->ciphers)
		assert_true(SSL_set_strict_cipher_list(ssl, client->ciphers));
	if (client->sigalgs)
		assert_true(SSL_set1_sigalgs_list(ssl, client->sigalgs));
	if (client->curves)
		assert_true(SSL_set1_curves_list(ssl, client->curves));
	SSL_set_enable_ech_grease(ssl, client->ech);
}

/* real has BoringSSL say its hello. */
static inline void real(const struct client *client, struct message *out)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_with_buffers_method());
	const uint8_t *bytes;
	BIO *sent;
	SSL *ssl;

	assert_non_null(ctx);
	SSL_CTX_set_grease_enabled(ctx, client->grease);
	ssl = SSL_new(ctx);
	sent = BIO_new(BIO_s_mem());
	assert_non_null(ssl);
	set_up(ssl, client);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), sent);
	SSL_set_connect_state(ssl);
	assert_int_equal(SSL_do_handshake(ssl), -1);
	assert_true(BIO_mem_contents(sent, &bytes, &out->len));
	assert_in_range(out->len, 50, sizeof(out->at));
	out->len -= 5;
	memcpy(out->at, bytes + 5, out->len);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

/* Parts of a hello by hand, each as it goes on the wire; NULL: a fine one. */
struct parts {
	const char *session, *ciphers, *methods;
	size_t session_len, ciphers_len, methods_len;
	const char *extensions; /* NULL: none, not even their length */
	size_t extensions_len;
	int extensions_add; /* to their length, to make it wrong */
};

#define BYTES(name, text) .name = text, .name##_len = sizeof(text) - 1
#define R32 "0123456789abcdef0123456789abcdef"
#define SNI(len2, list_len, type, len, name) \
	"\0\0\0" len2 "\0" list_len type "\0" len name
#define SNI_A SNI("\xe", "\xc", "\0", "\x9", "a.example")
#define SNI_B SNI("\xe", "\xc", "\0", "\x9", "b.example")

static inline void close_message(struct message *m)
{
	m->at[0] = 1;
	m->at[1] = 0;
	m->at[2] = (uint8_t)((m->len - 4) >> 8);
	m->at[3] = (uint8_t)(m->len - 4);
}

static inline void add(struct message *m, const void *bytes, size_t len)
{
	assert_true(m->len + len <= sizeof(m->at));
	memcpy(m->at + m->len, bytes, len);
	m->len += len;
}

static inline void add_or(struct message *m, const char *bytes, size_t len,
	const char *fine, size_t fine_len)
{
	add(m, bytes ? bytes : fine, bytes ? len : fine_len);
}

static inline void put(const struct parts *parts, struct message *m)
{
	int len = (int)parts->extensions_len + parts->extensions_add;
	uint8_t size[2] = { (uint8_t)(len >> 8), (uint8_t)len };

	m->len = 4;
	add(m, "\3\3" R32, 34);
	add_or(m, parts->session, parts->session_len, "\0", 1);
	add_or(m, parts->ciphers, parts->ciphers_len, "\0\2\x13\1", 4);
	add_or(m, parts->methods, parts->methods_len, "\1\0", 2);
	if (parts->extensions) {
		add(m, size, 2);
		add(m, parts->extensions, parts->extensions_len);
	}
	close_message(m);
}

/* extend adds an extension of len zeros, the last. */
static inline void extend(struct message *m, unsigned type, size_t len)
{
	size_t at = 4 + 34, all;
	uint8_t head[4] = { (uint8_t)(type >> 8), (uint8_t)type,
		(uint8_t)(len >> 8), (uint8_t)len };

	at += 1u + m->at[at];
	at += 2u + (size_t)(m->at[at] << 8 | m->at[at + 1]);
	at += 1u + m->at[at];
	all = (size_t)(m->at[at] << 8 | m->at[at + 1]);
	assert_int_equal(at + 2 + all, m->len);
	all += 4 + len;
	m->at[at] = (uint8_t)(all >> 8);
	m->at[at + 1] = (uint8_t)all;
	add(m, head, 4);
	assert_true(m->len + len <= sizeof(m->at));
	memset(m->at + m->len, 0, len);
	m->len += len;
	close_message(m);
}

static inline void extend_to(struct message *m, size_t len)
{
	assert_true(m->len + 4 <= len);
	extend(m, 47777, len - m->len - 4);
	assert_int_equal(m->len, len);
}

/* wrap puts the message in records of size bytes at raw; returns how long they
 * are together. */
static inline size_t wrap(const struct message *m, size_t size, uint8_t *raw,
	size_t room)
{
	size_t n = 0, part;

	for (size_t i = 0; i < m->len; i += part) {
		part = m->len - i < size ? m->len - i : size;
		assert_true(n + 5 + part <= room);
		memcpy(raw + n, "\x16\x03\x01", 3);
		raw[n + 3] = (uint8_t)(part >> 8);
		raw[n + 4] = (uint8_t)part;
		memcpy(raw + n + 5, m->at + i, part);
		n += 5 + part;
	}
	return n;
}

#endif
