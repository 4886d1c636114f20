/*
 * store.h - STATE/sallyport.db, in SQLite.
 *
 * The journal is SQLite's plain one, not WAL: writes are few and small, a
 * reader needs no shared memory then, and the folder holds one file at rest.
 * Any number of processes may have it open; everything that is read to be
 * changed happens between store_begin, which waits for its turn, and
 * store_commit. A file of an older Sallyport is brought up to date when it is
 * opened.
 *
 * What is in it: CAs (store_ca.h), the short-lived ones under them and what was
 * revoked (store_issuing.h), who did what (store_audit.h), who may use the API
 * (store_token.h).
 *
 * Threads: one store, one thread.
 * Errors:  -1 with a sentence in err that names the file.
 */
#ifndef PKI_STORE_H
#define PKI_STORE_H

#include <stdint.h>

#include "pki/base.h"

/* Its name in the state folder. */
#define STORE_FILE "sallyport.db"

struct store;

/* store_open makes the file (0600) where there is none. Not a database, one of
 * somebody else, or of a newer Sallyport: an error that says so. */
int store_open(const char *path, struct store **out, char *err,
	size_t err_size) MUST_CHECK;

/* store_open_to_read is for who reads alone, beside who writes: nothing is made,
 * looked at or waited for. What a writer left behind that died in its commit is
 * undone by whoever reads first, so that it is not opened read-only. */
int store_open_to_read(const char *path, struct store **out, char *err,
	size_t err_size) MUST_CHECK;
void store_close(struct store *store); /* what was not committed is undone */

int store_begin(struct store *store, char *err, size_t err_size) MUST_CHECK;
int store_commit(struct store *store, char *err, size_t err_size) MUST_CHECK;

#endif
