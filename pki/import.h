/*
 * import.h - bringing a CA that exists, with its private key.
 */
#ifndef PKI_IMPORT_H
#define PKI_IMPORT_H

#include <stddef.h>

struct authority_options;
struct keylock;

struct import_files {
	const char *cert, *key; /* PEM */
	const char *chain;      /* up to the root; NULL: none */
	const char *passphrase; /* opens an encrypted key; NULL: none */
};

/* import_ca reads the files and makes the CA the default. Everything ca_new
 * checks, and that it is not about to expire. lock is what its key is locked
 * with from then on. who is for the audit trail. */
int import_ca(const struct authority_options *options,
	const struct import_files *files, struct keylock *lock,
	const char *who, char *err, size_t err_size)
	__attribute__((warn_unused_result));

#endif
