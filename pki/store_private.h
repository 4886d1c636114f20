/*
 * store_private.h - SQLite in few words, for the files of the store.
 *
 * Threads, errors: as in store.h.
 */
#ifndef PKI_STORE_PRIVATE_H
#define PKI_STORE_PRIVATE_H

#include <sqlite3.h>

#include "pki/store.h"

struct store {
	sqlite3 *db;    /* owned */
	char *path;     /* owned */
};

/* store_fail says what SQLite last found wrong. */
int store_fail(const struct store *store, char *err, size_t err_size);

/* store_run runs statements that have no parameters and give no rows. */
int store_run(struct store *store, const char *sql, char *err,
	size_t err_size) MUST_CHECK;

int store_prepare(struct store *store, const char *sql, sqlite3_stmt **out,
	char *err, size_t err_size) MUST_CHECK;

/* store_finish runs a statement that gives no rows, and ends it. */
int store_finish(struct store *store, sqlite3_stmt *statement, char *err,
	size_t err_size) MUST_CHECK;

/* store_number gives the one number that sql selects. */
int store_number(struct store *store, const char *sql, int64_t *out,
	char *err, size_t err_size) MUST_CHECK;

/* Text and bytes; NULL and empty are NULL. What is bound is borrowed. */
void bind_text(sqlite3_stmt *statement, int at, const char *text);
void bind_der(sqlite3_stmt *statement, int at, struct der der);
void bind_buffer(sqlite3_stmt *statement, int at, const CRYPTO_BUFFER *buffer);
CRYPTO_BUFFER *get_buffer(sqlite3_stmt *statement, int at); /* owned */
void copy_text(sqlite3_stmt *statement, int at, char *out, size_t size);

/* store_grow makes room for one more element behind num; lists are small. */
void *store_grow(void *list, size_t num, size_t size);

#endif
