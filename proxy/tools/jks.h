/*
 * jks.h - a Java trust store, written and read without Java.
 *
 * The format that every Java since 1.2 reads, and keytool: a header, an entry a
 * certificate, and a SHA-1 digest of the password, the words "Mighty Aphrodite"
 * and what stands before it (sun.security.provider.JavaKeyStore). The digest is no
 * protection: the password is in every manual, and who may write the file can make
 * one. A trust store holds nothing that is secret.
 *
 * Threads: any.
 */
#ifndef PROXY_TOOLS_JKS_H
#define PROXY_TOOLS_JKS_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/tools/bundle.h"

#define JKS_PASSWORD "changeit" /* what everybody's is */

/* jks_write gives the store, to be freed by the caller. Of its aliases, root_pem (NULL:
 * none) has "sallyport", the others "ca-1" and so on. now_ms is when its
 * certificates came to be trusted, since 1970. */
uint8_t *jks_write(const struct bundle *bundle, const char *root_pem,
	uint64_t now_ms, size_t *out_len);

/* jks_is: it looks like one. */
bool jks_is(const uint8_t *data, size_t len);

/* jks_read adds the trusted certificates of a store, whatever its password is; keys
 * and their certificates are left aside. *out_num: how many there were. -1: it is
 * damaged. */
int jks_read(struct bundle *bundle, const uint8_t *data, size_t len,
	size_t *out_num) __attribute__((warn_unused_result));

#endif
