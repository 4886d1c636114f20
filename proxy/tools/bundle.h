/*
 * bundle.h - certificates to be trusted, gathered from files, none twice.
 *
 *	struct bundle *bundle = bundle_new();
 *	bundle_add_system(bundle, err, sizeof(err));
 *	bundle_add_file(bundle, "/etc/company.pem", NULL, err, sizeof(err));
 *	bundle_add_pem(bundle, root, strlen(root));
 *	text = bundle_pem(bundle, &len);
 *
 * A program that is told of a bundle trusts nothing else: so what goes in is what
 * the machine trusts, what somebody had set before, and our root.
 *
 * Certificates are taken as they are: who is to trust them judges them. Files may
 * be PEM, DER, a Java trust store (JKS) or PKCS#12; a folder is each of its files.
 *
 * Owns:    copies of all certificates.
 * Threads: one.
 * Errors:  a sentence that begins with the file's name. What could be read of it
 *          has been added.
 */
#ifndef PROXY_TOOLS_BUNDLE_H
#define PROXY_TOOLS_BUNDLE_H

#include <stddef.h>

#include "pki/der.h"

enum {
	BUNDLE_CERTS_MAX = 5000,
	BUNDLE_FILE_MAX = 16 << 20, /* bytes */
	BUNDLE_FILES_MAX = 5000,    /* of a folder */
};

struct bundle;

struct bundle *bundle_new(void);
void bundle_free(struct bundle *bundle);

/* bundle_add takes one certificate (copied), unless it is there. 0; -1: the bundle is
 * full, or that is none. */
int bundle_add(struct bundle *bundle, struct der cert)
	__attribute__((warn_unused_result));

/* bundle_add_pem gives how many certificates were in the text, whether or not they
 * were there before. */
size_t bundle_add_pem(struct bundle *bundle, const char *text, size_t len);

/* bundle_add_file: password opens PKCS#12; NULL: "changeit". */
int bundle_add_file(struct bundle *bundle, const char *path,
	const char *password, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* bundle_add_system adds what this machine trusts, from the first of the places
 * where systems have it; returns that place, or NULL and the sentence. */
const char *bundle_add_system(struct bundle *bundle, char *err,
	size_t err_size);

size_t bundle_num(const struct bundle *bundle);
struct der bundle_at(const struct bundle *bundle, size_t i); /* borrowed */

/* bundle_pem is all of it, NUL-ended; the caller frees it. */
char *bundle_pem(const struct bundle *bundle, size_t *out_len);

#endif
