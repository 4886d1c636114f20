/*
 * anchor.h - the root certificate, as people look at it.
 *
 * Owns:    its DER, until anchor_clear.
 * Threads: any.
 */
#ifndef PROXY_PORTAL_ANCHOR_H
#define PROXY_PORTAL_ANCHOR_H

#include <stdbool.h>
#include <openssl/pool.h>

#include "pki/x509.h"
#include "proxy/portal/portal.h"

enum { ROOT_DIGEST = 32 };

struct anchor {
	CRYPTO_BUFFER *der;              /* owned */
	uint8_t digest[ROOT_DIGEST];     /* SHA-256 */
	char fingerprint[CERT_FINGERPRINT];
	char name[192];                  /* common name; "the root": none */
	char until[32];                  /* "2036-11-30" */
};

/* anchor_read: false where pem holds no certificate. */
bool anchor_read(const char *pem, struct anchor *out)
	__attribute__((warn_unused_result));
void anchor_clear(struct anchor *root);

/* anchor_show writes its name and fingerprint, as terms of a list of HTML. */
void anchor_show(UT_string *out, const struct anchor *root);

#endif
