/*
 * upload.h - what an organization sends back for a request: the signed
 * certificate, and the chain above it.
 *
 * Each thing that can be wrong has a sentence of its own, which says what to do:
 * these are read by somebody with a CA of another make in front of them.
 *
 * Threads: any.
 */
#ifndef PKI_UPLOAD_H
#define PKI_UPLOAD_H

#include <time.h>

#include "pki/base.h"

enum { UPLOAD_MAX = 64 * 1024 };

struct store_ca;

struct upload {
	const char *text;       /* borrowed */
	size_t len;
	const char *file_name;  /* as the sender calls it; NULL: not said */
};

/* upload_file_ok: a file name that can be shown again. */
int upload_file_ok(const char *file_name, char *err, size_t err_size)
	MUST_CHECK;

/* upload_cert reads the certificate and holds it against the row: its key, that
 * it is a CA's, in force and long enough for a leaf of validity_s. *out is an
 * owned reference. */
int upload_cert(const struct upload *upload, const struct store_ca *row,
	unsigned validity_s, time_t now, CRYPTO_BUFFER **out, char *err,
	size_t err_size) MUST_CHECK;

/* upload_chain reads the chain and holds it against the row's certificate. *out
 * is what store_ca has: nearest first, the root last. */
int upload_chain(const struct upload *upload, const struct store_ca *row,
	time_t now, CRYPTO_BUFFER **out, char *err, size_t err_size)
	MUST_CHECK;

/* upload_again holds what was uploaded, certificate and chain, against the same
 * once more: time has gone by since. */
int upload_again(const struct store_ca *row, unsigned validity_s, time_t now,
	char *err, size_t err_size) MUST_CHECK;

#endif
