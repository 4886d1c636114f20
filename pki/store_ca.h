/*
 * store_ca.h - the CAs in the store.
 *
 * A row is a CA of any kind at any point of its life: the columns are those
 * that the lifecycle (create, key pair, CSR, certificate, chain, finalize)
 * fills one after the other. Rows of purpose 'intermediate' are what that API
 * lists; id 1 is the one that was made at first start.
 *
 * A CA whose key was replaced goes by another name in URLs from then on: what the
 * key before has signed still finds its CRL where it says.
 *
 * A CA that was deleted stays as a row that is retired: without its key, but
 * with its last CRL, which is owed to whoever still holds what it signed.
 *
 * Owns:    a row its buffers; store_list_free lets go of those of a list.
 * Threads, errors: as in store.h.
 */
#ifndef PKI_STORE_CA_H
#define PKI_STORE_CA_H

#include "pki/store.h"

enum store_purpose {
	STORE_ROOT,         /* our own root */
	STORE_INTERMEDIATE, /* signs leaves: made here, or brought */
	STORE_UNTRUSTED,    /* for leaves that nobody shall trust */
};

/* The REST API's words, and those in the file, in the order of life. Those of
 * attestation are for keys in an HSM, which there are none of yet. */
enum store_state {
	STATE_GENERAL_DONE,
	STATE_KEYGEN_DONE,
	STATE_PUBKEY_DONE,
	STATE_CSRGEN_DONE,
	STATE_INTCERT_UPLOAD_DONE,
	STATE_CERTCHAIN_UPLOAD_DONE,
	STATE_CERT_READY,
	NUM_STATES,
};

const char *state_word(enum store_state state);

enum {
	STORE_NAME = 128,
	STORE_DESCRIPTION = 1024,
	STORE_FILE_NAME = 128,
	STORE_CRL_ID = 32,
};

struct store_ca {
	int64_t id;                 /* 0 in store_add: the next */
	enum store_purpose purpose;
	int64_t parent;             /* the CA here that signed it; 0: none */
	bool is_default;            /* signs where no rule names another */
	bool enabled;
	enum store_state state;
	char name[STORE_NAME];      /* unique */
	char description[STORE_DESCRIPTION];
	char type[16];              /* "CUSTOM_SW" */
	char region[8];             /* "GLOBAL" */
	char key_type[12];          /* "EC_P256"; "": no key yet */
	CRYPTO_BUFFER *key;         /* owned: encrypted, keylock.h */
	CRYPTO_BUFFER *spki;        /* owned: its public key */
	int64_t key_time;
	CRYPTO_BUFFER *csr;         /* owned */
	char csr_file[STORE_FILE_NAME];
	int64_t csr_time;
	CRYPTO_BUFFER *cert;        /* owned */
	char cert_file[STORE_FILE_NAME];
	CRYPTO_BUFFER *chain;       /* owned; DER one behind the other, nearest
	                             * first; NULL: none */
	CRYPTO_BUFFER *crl;         /* owned; NULL: none yet */
	int64_t crl_number, crl_time;
	char crl_id[STORE_CRL_ID];  /* in its CRL's URL; "": its id */
	int64_t retired;            /* when it was deleted; 0: it was not */
};

/* store_crl_id is what the row goes by in URLs. */
const char *store_crl_id(const struct store_ca *row, char out[STORE_CRL_ID]);

/* store_list gives every row, by id. */
int store_list(struct store *store, struct store_ca **out, size_t *out_num,
	char *err, size_t err_size) MUST_CHECK;
void store_list_free(struct store_ca *list, size_t num);

/* store_add adds a row; its id and, where the name was taken, its new name are
 * put into ca. */
int store_add(struct store *store, struct store_ca *ca, char *err,
	size_t err_size) MUST_CHECK;

/* store_save writes all of a row that is there but id, purpose, parent, default
 * and CRL. */
int store_save(struct store *store, const struct store_ca *ca, char *err,
	size_t err_size) MUST_CHECK;
int store_set_crl(struct store *store, int64_t id, const CRYPTO_BUFFER *crl,
	int64_t number, int64_t time, char *err, size_t err_size) MUST_CHECK;
int store_set_default(struct store *store, int64_t id, char *err,
	size_t err_size) MUST_CHECK;

/* store_retire makes a row one that was deleted: without key or name. */
int store_retire(struct store *store, int64_t id, int64_t now, char *err,
	size_t err_size) MUST_CHECK;

/* store_name_taken: another row than id has that name. */
bool store_name_taken(struct store *store, const char *name, int64_t id);

#endif
