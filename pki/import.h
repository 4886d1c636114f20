/*
 * import.h - bringing a CA that exists, with its private key.
 *
 * Owns:    a parcel: the certificates and the key, wiped when freed.
 * Threads: one a parcel.
 * Errors:  -1 with a sentence in err that names the file.
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

/* import_read reads the files and checks them: everything ca_new checks, and
 * that the CA is not about to expire. */
struct parcel;
int import_read(const struct import_files *files, struct parcel **out,
	char *err, size_t err_size) __attribute__((warn_unused_result));
void import_free(struct parcel *parcel);

/* import_keep makes it the default CA. lock is what its key is locked with from
 * then on; who is for the audit trail. */
int import_keep(const struct authority_options *options,
	const struct parcel *parcel, struct keylock *lock, const char *who,
	char *err, size_t err_size) __attribute__((warn_unused_result));

#endif
