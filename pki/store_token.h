/*
 * store_token.h - who may use the API besides the administrator's own token.
 *
 * What is secret is kept as a digest: it is 256 bits of chance, made here, which
 * needs no stretching. The API key of a session is kept as it is, since what a
 * client sends is made from its letters and the time.
 *
 * Threads, errors: as in store.h; store_token_read any.
 */
#ifndef PKI_STORE_TOKEN_H
#define PKI_STORE_TOKEN_H

#include "pki/store.h"

enum {
	TOKEN_NAME = 64,
	TOKEN_CLIENT = 128,
	TOKEN_DIGEST = 32,
	TOKEN_API_KEY = 32,
};

enum token_kind {
	TOKEN_BEARER,   /* Authorization: Bearer SECRET */
	TOKEN_OAUTH,    /* client_id and client_secret */
	TOKEN_SESSION,  /* username, password and API key */
	NUM_TOKEN_KINDS,
};

/* "bearer" ...; token_kind_named: false, no such. */
const char *token_kind_word(enum token_kind kind);
bool token_kind_named(const char *word, enum token_kind *out);

struct store_token {
	int64_t id;
	char name[TOKEN_NAME];         /* unique */
	enum token_kind kind;
	char client[TOKEN_CLIENT];     /* client_id, username; "": bearer */
	uint8_t digest[TOKEN_DIGEST];  /* SHA-256 of the secret */
	char api_key[TOKEN_API_KEY];   /* of a session */
	bool read_only;
	int64_t made;
};

/* store_token_add: STORE_TOKEN_TAKEN where the name is another's;
 * store_token_delete: STORE_TOKEN_NONE where nobody has it. */
enum { STORE_TOKEN_TAKEN = 1, STORE_TOKEN_NONE = 2 };
int store_token_add(struct store *store, const struct store_token *token,
	char *err, size_t err_size) MUST_CHECK;
int store_token_delete(struct store *store, const char *name, char *err,
	size_t err_size) MUST_CHECK;

/* store_token_list gives all, by name; store_token_free wipes them. */
int store_token_list(struct store *store, struct store_token **out,
	size_t *out_num, char *err, size_t err_size) MUST_CHECK;
void store_token_free(struct store_token *list, size_t num);

/* store_token_read is store_token_list for who has no store open and only looks
 * at one that is there: it waits for nobody but a commit, once this process has
 * opened a store. One from before there were tokens has none. */
int store_token_read(const char *path, struct store_token **out,
	size_t *out_num, char *err, size_t err_size) MUST_CHECK;

#endif
