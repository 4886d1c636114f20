/*
 * fuzz_hello.c - hello_read beside BoringSSL's own reading of the same bytes.
 *
 * What decides must see what will be spoken to: where BoringSSL comes to its
 * early callback, hello_read has either read the same names out of the same
 * bytes, or refused them, and it refuses only what it is meant to be stricter
 * about. It never waits for more of what BoringSSL took for whole. What it
 * says of some bytes does not change when more come. The JA4 fingerprint of a whole
 * one has the form of one, whatever is in it.
 *
 * The first byte says what the rest is: 0, bytes from the wire; else the body
 * of a ClientHello, put in records of as many bytes as 1 << (byte % 15).
 */
#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/net/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EXTENSIONS_MAX = 256 };

/* What BoringSSL saw. */
static struct seen {
	bool hello, many, twice;
	char *sni; /* owned; NULL: none */
	uint8_t *alpn; /* owned; NULL: none */
	size_t alpn_len;
} seen;

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* --- BoringSSL's reading ------------------------------------------------ */

static void count_extensions(const SSL_CLIENT_HELLO *hello)
{
	static uint8_t had[65536];
	unsigned count = 0;
	uint16_t type;
	CBS all, body;

	memset(had, 0, sizeof(had));
	CBS_init(&all, hello->extensions, hello->extensions_len);
	while (CBS_len(&all) > 0) {
		must(CBS_get_u16(&all, &type) &&
			CBS_get_u16_length_prefixed(&all, &body));
		seen.twice = seen.twice || had[type];
		had[type] = 1;
		count++;
	}
	seen.many = count > EXTENSIONS_MAX;
}

static enum ssl_select_cert_result_t on_hello(const SSL_CLIENT_HELLO *hello)
{
	const char *name = SSL_get_servername(hello->ssl,
		TLSEXT_NAMETYPE_host_name);
	const uint8_t *at;
	size_t len;

	seen.hello = true;
	if (name)
		must((seen.sni = strdup(name)) != NULL);
	must(!name == !SSL_early_callback_ctx_extension_get(hello,
		TLSEXT_TYPE_server_name, &at, &len));
	if (SSL_early_callback_ctx_extension_get(hello,
		TLSEXT_TYPE_application_layer_protocol_negotiation,
		&at, &len)) {
		must((seen.alpn = malloc(len + 1)) != NULL);
		if (len > 0)
			memcpy(seen.alpn, at, len);
		seen.alpn_len = len;
	}
	count_extensions(hello);
	return ssl_select_cert_error;
}

static void forget(void)
{
	free(seen.sni);
	free(seen.alpn);
	memset(&seen, 0, sizeof(seen));
}

static void let_boringssl_read(const uint8_t *raw, size_t len)
{
	static SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out;

	if (!ctx) {
		must((ctx = SSL_CTX_new(TLS_with_buffers_method())) != NULL);
		SSL_CTX_set_select_certificate_cb(ctx, on_hello);
	}
	ssl = SSL_new(ctx);
	in = BIO_new_mem_buf(raw, (int)len);
	out = BIO_new(BIO_s_mem());
	must(ssl && in && out);
	(void)BIO_set_mem_eof_return(in, -1);
	SSL_set_bio(ssl, in, out);
	SSL_set_accept_state(ssl);
	must(SSL_do_handshake(ssl) <= 0);
	SSL_free(ssl);
	ERR_clear_error();
}

/* --- where hello_read is meant to be stricter --------------------------- */

/* All is in handshake records, none empty, none with more in it than the
 * hello, and not too many bytes of framing. */
static bool plainly_framed(const uint8_t *raw, size_t len)
{
	size_t need = SIZE_MAX, got = 0, at = 0, size;
	uint8_t head[4];

	while (got < need) {
		if (len - at < 5 || raw[at] != 22 || raw[at + 1] != 3)
			return false;
		size = (size_t)raw[at + 3] << 8 | raw[at + 4];
		at += 5;
		if (size == 0 || len - at < size)
			return false;
		for (size_t i = 0; i < size && got + i < 4; i++)
			head[got + i] = raw[at + i];
		got += size;
		at += size;
		if (got >= 4)
			need = 4 + ((size_t)head[1] << 16 |
				(size_t)head[2] << 8 | head[3]);
	}
	return got == need && at <= HELLO_RAW_MAX;
}

/* RFC 7301, 3.1 */
static bool is_alpn(const uint8_t *data, size_t len)
{
	CBS ext, list, name;

	CBS_init(&ext, data, len);
	if (!CBS_get_u16_length_prefixed(&ext, &list) || CBS_len(&ext) ||
	    !CBS_len(&list))
		return false;
	while (CBS_len(&list) > 0)
		if (!CBS_get_u8_length_prefixed(&list, &name) ||
		    !CBS_len(&name))
			return false;
	return true;
}

static bool may_refuse(const uint8_t *raw, size_t len)
{
	return !plainly_framed(raw, len) || seen.many || seen.twice ||
		(seen.alpn && !is_alpn(seen.alpn, seen.alpn_len));
}

static void same_names(const struct hello *hello)
{
	must(hello->has_sni == (seen.sni != NULL));
	if (seen.sni)
		must(hello->sni_len == strlen(seen.sni) &&
			memcmp(hello->sni, seen.sni, hello->sni_len + 1) == 0);
	if (!seen.alpn) {
		must(hello->alpn_len == 0);
		must(!hello->alpn_http1 && !hello->alpn_h2 &&
			!hello->alpn_other);
	} else if (seen.alpn_len - 2 <= HELLO_ALPN_MAX) {
		must(hello->alpn_len == seen.alpn_len - 2);
		must(memcmp(hello->alpn, seen.alpn + 2,
			hello->alpn_len) == 0);
	}
}

/* --- hello_read's own --------------------------------------------------- */

/* Read from memory of just that size, so that a read past it is seen. */
static enum hello_result read_copy(const uint8_t *raw, size_t len,
	struct hello *out)
{
	uint8_t *copy = malloc(len + !len);
	enum hello_result result;

	must(copy != NULL);
	if (len > 0)
		memcpy(copy, raw, len);
	result = hello_read(copy, len, out);
	free(copy);
	return result;
}

static void holds_for_prefixes(const uint8_t *raw, size_t len,
	enum hello_result last, const struct hello *last_hello)
{
	size_t step = len < 600 ? 1 : len / 150;
	enum hello_result result, before = HELLO_MORE;
	struct hello hello;

	for (size_t n = 0; n < len; n += n < 100 ? 1 : step) {
		result = read_copy(raw, n, &hello);
		must(before == HELLO_MORE || result == before);
		before = result;
		if (result == HELLO_WHOLE)
			must(memcmp(&hello, last_hello, sizeof(hello)) == 0);
	}
	must(before == HELLO_MORE || last == before);
}

/* t13d1516h2_8daaf6152771_e5627efa2ab1 */
static void is_ja4(const char *ja4)
{
	static const char digits[] = "0123456789", letters[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
		hex[] = "0123456789abcdef";

	must(strlen(ja4) == JA4_SIZE - 1);
	must(ja4[0] == 't' && (ja4[3] == 'd' || ja4[3] == 'i'));
	must(strspn(ja4 + 1, letters) >= 9 && strspn(ja4 + 4, digits) >= 4);
	must(ja4[10] == '_' && strspn(ja4 + 11, hex) == 12);
	must(ja4[23] == '_' && strspn(ja4 + 24, hex) == 12);
}

/* A message that nobody has looked at is none, or has one, too. */
static void ja4_of_any(const uint8_t *message, size_t len)
{
	uint8_t *copy = malloc(len + !len);
	char ja4[JA4_SIZE];

	must(copy != NULL);
	if (len > 0)
		memcpy(copy, message, len);
	ja4_write(copy, len, ja4);
	must(memchr(ja4, '\0', sizeof(ja4)) != NULL);
	if (ja4[0])
		is_ja4(ja4);
	free(copy);
}

static void check(const uint8_t *raw, size_t len)
{
	enum hello_result result;
	struct hello hello;

	result = read_copy(raw, len, &hello);
	if (result == HELLO_WHOLE) {
		is_ja4(hello.ja4);
		must((hello.ja4[3] == 'd') == hello.has_sni);
	}
	holds_for_prefixes(raw, len, result, &hello);
	let_boringssl_read(raw, len);
	if (seen.hello && result == HELLO_WHOLE)
		same_names(&hello);
	else if (seen.hello)
		must(result != HELLO_MORE && may_refuse(raw, len));
	forget();
}

/* frame puts body in a handshake message, that in records of size bytes. */
static size_t frame(const uint8_t *body, size_t len, size_t size, uint8_t *out)
{
	const uint8_t head[4] = { 1, (uint8_t)(len >> 16), (uint8_t)(len >> 8),
		(uint8_t)len };
	size_t n = 0;

	for (size_t i = 0; i < len + 4; i++) {
		if (i % size == 0) {
			size_t left = len + 4 - i < size ? len + 4 - i : size;

			memcpy(out + n, "\x16\x03\x01", 3);
			out[n + 3] = (uint8_t)(left >> 8);
			out[n + 4] = (uint8_t)left;
			n += 5;
		}
		out[n++] = i < 4 ? head[i] : body[i - 4];
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *framed;

	if (size == 0)
		return 0;
	ja4_of_any(data + 1, size - 1);
	if (data[0] == 0) {
		check(data + 1, size - 1);
		return 0;
	}
	must((framed = malloc(6 * (size + 8))) != NULL);
	check(framed, frame(data + 1, size - 1,
		(size_t)1 << (data[0] % 15), framed));
	free(framed);
	return 0;
}
