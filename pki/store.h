/*
 * store.h - STATE/sallyport.db: every CA, in SQLite.
 *
 * The journal is SQLite's plain one, not WAL: writes are few and small, a
 * reader needs no shared memory then, and the folder holds one file at rest.
 * Any number of processes may have it open; everything that is read to be
 * changed happens between store_begin, which waits for its turn, and
 * store_commit.
 *
 * A row is a CA of any kind at any point of its life: the columns are those
 * that the lifecycle (create, key pair, CSR, certificate, chain, finalize)
 * fills one after the other. Rows of purpose 'intermediate' are what that API
 * lists; id 1 is the one that was made at first start.
 *
 * Threads: one store, one thread.
 */
#ifndef PKI_STORE_H
#define PKI_STORE_H

#include <stdint.h>

#include "pki/base.h"

/* Its name in the state folder. */
#define STORE_FILE "sallyport.db"

struct store;

enum store_purpose {
	STORE_ROOT,         /* our own root */
	STORE_INTERMEDIATE, /* signs leaves: made here, or brought */
	STORE_UNTRUSTED,    /* for leaves that nobody shall trust */
};

enum { STORE_NAME = 128 };

struct store_ca {
	int64_t id;                 /* 0 in store_add: the next */
	enum store_purpose purpose;
	int64_t parent;             /* the CA here that signed it; 0: none */
	bool is_default;            /* signs where no rule names another */
	char name[STORE_NAME];      /* unique */
	const char *key_type;       /* "EC_P256"; static; store_add only */
	CRYPTO_BUFFER *key;         /* owned: encrypted by keeper */
	CRYPTO_BUFFER *cert;        /* owned */
	CRYPTO_BUFFER *chain;       /* owned; DER one behind the other, nearest
	                             * first; NULL: none */
	CRYPTO_BUFFER *crl;         /* owned; NULL: none yet */
	int64_t crl_number, crl_time;
};

/* store_open makes the file (0600) where there is none. Not a database, one of
 * somebody else, or of a newer Sallyport: an error that says so. */
int store_open(const char *path, struct store **out, char *err,
	size_t err_size) MUST_CHECK;
void store_close(struct store *store); /* what was not committed is undone */

int store_begin(struct store *store, char *err, size_t err_size) MUST_CHECK;
int store_commit(struct store *store, char *err, size_t err_size) MUST_CHECK;

/* store_list gives every CA that has a key and a certificate, by id. */
int store_list(struct store *store, struct store_ca **out, size_t *out_num,
	char *err, size_t err_size) MUST_CHECK;
void store_list_free(struct store_ca *list, size_t num);

/* store_add adds a CA that is ready to sign; its id and, where the name was
 * taken, its new name are put into ca. */
int store_add(struct store *store, struct store_ca *ca, char *err,
	size_t err_size) MUST_CHECK;
int store_set_cert(struct store *store, int64_t id, const CRYPTO_BUFFER *cert,
	const CRYPTO_BUFFER *chain, char *err, size_t err_size) MUST_CHECK;
int store_set_crl(struct store *store, int64_t id, const CRYPTO_BUFFER *crl,
	int64_t number, int64_t time, char *err, size_t err_size) MUST_CHECK;
int store_set_default(struct store *store, int64_t id, char *err,
	size_t err_size) MUST_CHECK;

#endif
