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

/* What is said of one that can't be read any more. */
#define STORE_DAMAGED "not a database, or damaged: bring the state folder back " \
	"from a copy; without one, move it away: the next start makes a new CA, " \
	"which clients must come to trust anew"

struct store;

/* store_is_none: the file is there and has something in it, and is no database. */
bool store_is_none(const char *path);

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
