/*
 * lab.h - certificates for the tests, made and judged by the openssl command
 * line: a second implementation, which shares no code with ours.
 *
 * All files live in one temporary folder a process, which lab_end removes.
 * Whatever fails here fails the test.
 */
#ifndef TESTS_SUPPORT_LAB_H
#define TESTS_SUPPORT_LAB_H

#include <openssl/base.h>
#include <openssl/pool.h>
#include <stdbool.h>
#include <stddef.h>

#include "pki/ca.h"
#include "pki/der.h"

const char *lab_folder(void);
void lab_end(void);

/* lab_try runs a shell command in the folder and gives its exit status; what
 * it says is in lab_said. lab_run wants 0. */
int lab_try(const char *format, ...) __attribute__((format(printf, 1, 2)));
void lab_run(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *lab_said(void);

/* lab_path is the file's path; good until the fourth call from now. */
const char *lab_path(const char *file);
void lab_write(const char *file, const void *data, size_t len);
void lab_text(const char *file, const char *text);
char *lab_read(const char *file, size_t *out_len); /* owned, NUL-ended */

CRYPTO_BUFFER *lab_cert(const char *file); /* the first of a PEM; owned */
EVP_PKEY *lab_key(const char *file);       /* owned */
struct der lab_der(const CRYPTO_BUFFER *buffer);
void lab_write_pem(const char *file, const CRYPTO_BUFFER *der);

/* lab_make_key makes NAME.key; kind: "ec", "ec384", "rsa:BITS". */
void lab_make_key(const char *name, const char *kind);

/* lab_make_root makes NAME.key and NAME.pem, self-signed with the extensions
 * given (lines of an openssl section). */
void lab_make_root(const char *name, const char *kind, const char *ext);

/* lab_make makes NAME.key and NAME.pem, signed by ISSUER.pem with ISSUER.key;
 * digest "sha256" as a rule. */
void lab_make(const char *name, const char *kind, const char *subject,
	const char *issuer, const char *digest, const char *ext);

/* lab_ca makes a ca of NAME.pem and NAME.key, without a chain. */
struct ca *lab_ca(const char *name, const char *id);

#define LAB_CA_EXT "basicConstraints=critical,CA:TRUE\n" \
	"keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
#define LAB_SUB_EXT LAB_CA_EXT "authorityKeyIdentifier=keyid\n"
#define LAB_LEAF_EXT "basicConstraints=critical,CA:FALSE\n" \
	"keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\n" \
	"authorityKeyIdentifier=keyid\n"

#endif
