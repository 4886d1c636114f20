/*
 * pkcs12.h - the certificates of a PKCS#12 store (RFC 7292), as Java's since 9.
 *
 * Those with a password are left to BoringSSL. Java from 18 on has its own roots in
 * one that has none: no digest and nothing encrypted, which is read here.
 *
 * Threads: any.
 */
#ifndef PROXY_TOOLS_PKCS12_H
#define PROXY_TOOLS_PKCS12_H

#include <stdint.h>

#include "proxy/tools/bundle.h"

/* pkcs12_read adds its certificates; *out_num: how many there were. -1: it is none, is
 * damaged, or has another password. */
int pkcs12_read(struct bundle *bundle, const uint8_t *data, size_t len,
	const char *password, size_t *out_num)
	__attribute__((warn_unused_result));

#endif
