/*
 * hello.h - what a ClientHello says, before anything is decided.
 *
 * Reads the raw bytes that the client sent, however they are cut into TCP
 * segments and TLS records, without taking part in the handshake: the same
 * bytes go on to BoringSSL or, untouched, to the origin. Where both read a
 * hello they agree (a fuzz test): else it would be a way round the rules.
 *
 * Threads: any. Owns: nothing.
 */
#ifndef PROXY_NET_HELLO_H
#define PROXY_NET_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/net/ja4.h"

enum {
	HELLO_MESSAGE_MAX = 16384,          /* of the handshake message's body */
	HELLO_RAW_MAX = 2 * HELLO_MESSAGE_MAX, /* with its record headers */
	HELLO_ALPN_MAX = 256,
};

enum hello_result {
	HELLO_BAD = -1,       /* not a ClientHello, or malformed */
	HELLO_TOO_LARGE = -2,
	HELLO_WHOLE = 0,
	HELLO_MORE = 1,
};

struct hello {
	bool has_sni;
	size_t sni_len;
	char sni[256];         /* as sent, NUL-ended; no NUL within */
	size_t alpn_len;       /* 0: not offered, or more than fits */
	uint8_t alpn[HELLO_ALPN_MAX]; /* wire form: length, name, … */
	bool alpn_http1;       /* http/1.1 is among them */
	bool alpn_h2;
	bool alpn_other;       /* a name that is neither (nor GREASE, http/1.0) */
	bool tls13;            /* offers TLS 1.3 */
	bool ecdsa;            /* can verify a P-256 leaf */
	char ja4[JA4_SIZE];    /* ja4.h; of a whole one */
};

/* hello_read looks at the first len bytes that came. */
enum hello_result hello_read(const uint8_t *raw, size_t len,
	struct hello *out);

#endif
