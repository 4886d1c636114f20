/*
 * csr.h - certificate signing requests (PKCS#10, RFC 2986).
 *
 * Owns:    nothing; what is made is the caller's reference.
 * Threads: any.
 */
#ifndef PKI_CSR_H
#define PKI_CSR_H

#include <stdint.h>

#include "pki/base.h"

enum { CSR_TEXT = 129 };      /* room: ub-locality-name is 128 */

enum csr_digest { CSR_SHA256, CSR_SHA384 };

/* What the request asks for; "" is left out. UTF-8. */
struct csr_order {
	char common_name[CSR_TEXT];    /* at most 64 letters */
	char organization[CSR_TEXT];   /* 64 */
	char unit[CSR_TEXT];           /* 64 */
	char locality[CSR_TEXT];
	char province[CSR_TEXT];
	char country[CSR_TEXT];        /* two letters (ISO 3166) */
	int path_len;                  /* -1: none */
	enum csr_digest digest;
};

/* csr_check says what of an order can't be put into a request. */
int csr_check(const struct csr_order *order, char *err, size_t err_size)
	MUST_CHECK;

/* csr_make signs the request for a CA certificate with key; NULL, with a
 * sentence in err: the order is not fit, or signing failed. */
CRYPTO_BUFFER *csr_make(const struct csr_order *order, EVP_PKEY *key,
	char *err, size_t err_size) MUST_CHECK;

#endif
