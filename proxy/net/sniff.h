/*
 * sniff.h - what the first bytes of a stream say it is.
 *
 * TLS begins 0x16 0x03; a first record of another kind, or a hello in SSL 2's
 * form, is TLS too, to be refused when it is read. HTTP begins with a method:
 * token characters and a space (RFC 9110, 5.6.2). An SSH banner, which by
 * chance has that form too, begins "SSH-" (RFC 4253, 4.2). The PROXY protocol, by
 * which a balancer tells the server behind it who comes, hides what follows it.
 * Whatever else it is, it is neither, unless its first line turns out to be a
 * request (first_line.h): that may be later than here. Once a stream is TLS or HTTP
 * it stays that, however broken it then turns out.
 *
 * Threads: any.
 */
#ifndef PROXY_NET_SNIFF_H
#define PROXY_NET_SNIFF_H

#include <stddef.h>
#include <stdint.h>

enum sniff {
	SNIFF_MORE,  /* too little to say */
	SNIFF_TLS,
	SNIFF_HTTP,
	SNIFF_PROXY, /* the PROXY protocol, either version */
	SNIFF_OTHER, /* so far: its first line may become a request */
};

enum { SNIFF_MAX = 80 }; /* never SNIFF_MORE with that many bytes */

enum sniff sniff(const uint8_t *data, size_t len);

#endif
