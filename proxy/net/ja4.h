/*
 * ja4.h - what program a ClientHello comes from: its JA4 fingerprint.
 *
 * JA4 (FoxIO, technical_details/JA4.md; this part of it under the BSD licence)
 * is made of what a TLS library offers, whatever the order and without GREASE:
 * connections of one program have the same, whichever site they are for.
 *
 *	t13d1516h2_8daaf6152771_e5627efa2ab1
 *	│││ │ │ │  │            └ of extensions, and signature algorithms in order
 *	│││ │ │ │  └ SHA-256 of the cipher suites, its first 12 digits
 *	│││ │ │ └ first and last letter of the first ALPN
 *	│││ │ └ how many extensions
 *	│││ └ how many cipher suites
 *	││└ d: it names a host, i: it does not
 *	│└ the newest version it speaks
 *	└ over TCP
 *
 * Threads: any. Owns: nothing.
 */
#ifndef PROXY_NET_JA4_H
#define PROXY_NET_JA4_H

#include <stddef.h>
#include <stdint.h>

enum {
	JA4_SIZE = 37,
	JA4_EXTENSIONS_MAX = 256, /* hello_read takes no more */
};

/* ja4_write writes it of a handshake message that hello_read has found whole, from
 * its first byte on; "" of another. */
void ja4_write(const uint8_t *message, size_t len, char out[JA4_SIZE]);

#endif
