/*
 * root_fetch.h - ask a proxy for its root certificate, by plain HTTP.
 *
 * Threads: the main one. Returns within five seconds, but for what the system takes to
 * find a name.
 * Errors:  a sentence.
 */
#ifndef PROXY_CLI_ROOT_FETCH_H
#define PROXY_CLI_ROOT_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pki/x509.h"

struct root_fetched {
	char *pem;     /* owned: one CA certificate, and nothing else */
	bool loopback; /* it came from this machine ... */
	bool known;    /* ... where that user listens */
	uid_t listener;
};

enum { ROOT_FETCH_NOBODY = 1 }; /* no Sallyport is there; err says why */

int root_fetch(const char *host, uint16_t port, struct root_fetched *out,
	char *err, size_t err_size) __attribute__((warn_unused_result));

/* root_fetch_status sends a whole request, of GET, and returns the status of the
 * answer; 0: there is none. */
unsigned root_fetch_status(const char *host, uint16_t port,
	const char *request) __attribute__((warn_unused_result));

/* root_read takes a text for one CA certificate, which it writes anew: NULL, there is none,
 * or more than one, or it is no CA's. The caller frees it. */
char *root_read(const char *text, size_t len);

/* root_same: both texts have the same certificate. */
bool root_same(const char *one, const char *other);

/* root_fingerprint is cert_fingerprint of one in PEM; "": there is none. */
void root_fingerprint(const char *pem, char out[CERT_FINGERPRINT]);

#endif
