#include "pki/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SCHEMA = 1,
	APPLICATION = 0x53616c79,       /* "Saly" */
	BUSY_MS = 10000,
	SAME_NAME_MAX = 1000,
};

struct store {
	sqlite3 *db;    /* owned */
	char *path;     /* owned */
};

/* The words in state, status, type, region and key_type are the REST API's. */
static const char schema[] =
	"CREATE TABLE ca ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" purpose TEXT NOT NULL CHECK (purpose IN"
	"  ('root', 'intermediate', 'issuing', 'untrusted')),"
	" parent INTEGER REFERENCES ca (id),"
	" name TEXT NOT NULL UNIQUE,"
	" description TEXT,"
	" type TEXT NOT NULL DEFAULT 'CUSTOM_SW',"
	" region TEXT NOT NULL DEFAULT 'GLOBAL',"
	" status TEXT NOT NULL DEFAULT 'ENABLED',"
	" state TEXT NOT NULL DEFAULT 'GENERAL_DONE',"
	" is_default INTEGER NOT NULL DEFAULT 0,"
	" fallback INTEGER REFERENCES ca (id),"
	" key_type TEXT,"
	" key BLOB,"            /* EncryptedPrivateKeyInfo */
	" key_time INTEGER,"    /* seconds since 1970, as all times here */
	" csr BLOB, csr_file TEXT, csr_time INTEGER,"
	" cert BLOB, cert_file TEXT,"
	" chain BLOB,"          /* certificates, nearest first */
	" crl BLOB, crl_number INTEGER NOT NULL DEFAULT 0, crl_time INTEGER"
	");"
	"CREATE UNIQUE INDEX one_default ON ca (is_default)"
	" WHERE is_default = 1;";

static const char *const purposes[] = {
	[STORE_ROOT] = "root",
	[STORE_INTERMEDIATE] = "intermediate",
	[STORE_UNTRUSTED] = "untrusted",
};

enum { NUM_PURPOSES = sizeof(purposes) / sizeof(*purposes) };

/* --- SQLite in few words ------------------------------------------------ */

static int fail(const struct store *store, char *err, size_t err_size)
{
	int code = sqlite3_errcode(store->db) & 0xff;

	if (code == SQLITE_NOTADB)
		return pki_fail(err, err_size,
			"%s: not a database, or damaged", store->path);
	if (code == SQLITE_BUSY)
		return pki_fail(err, err_size, "%s: another process has had "
			"it locked for %d seconds", store->path,
			BUSY_MS / 1000);
	return pki_fail(err, err_size, "%s: %s", store->path,
		sqlite3_errmsg(store->db));
}

static int run(struct store *store, const char *sql, char *err,
	size_t err_size)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail(store, err, err_size);
	return 0;
}

static int prepare(struct store *store, const char *sql, sqlite3_stmt **out,
	char *err, size_t err_size)
{
	if (sqlite3_prepare_v2(store->db, sql, -1, out, NULL) != SQLITE_OK)
		return fail(store, err, err_size);
	return 0;
}

/* finish runs a statement that gives no rows, and ends it. */
static int finish(struct store *store, sqlite3_stmt *statement, char *err,
	size_t err_size)
{
	int code = sqlite3_step(statement), result = 0;

	if (code != SQLITE_DONE)
		result = fail(store, err, err_size);
	sqlite3_finalize(statement);
	return result;
}

static int get_number(struct store *store, const char *sql, int64_t *out,
	char *err, size_t err_size)
{
	sqlite3_stmt *statement;
	int result = 0;

	if (prepare(store, sql, &statement, err, err_size) != 0)
		return -1;
	if (sqlite3_step(statement) == SQLITE_ROW)
		*out = sqlite3_column_int64(statement, 0);
	else
		result = fail(store, err, err_size);
	sqlite3_finalize(statement);
	return result;
}

static void bind_buffer(sqlite3_stmt *statement, int at,
	const CRYPTO_BUFFER *buffer)
{
	if (buffer)
		sqlite3_bind_blob64(statement, at, CRYPTO_BUFFER_data(buffer),
			CRYPTO_BUFFER_len(buffer), SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, at);
}

static CRYPTO_BUFFER *get_buffer(sqlite3_stmt *statement, int at)
{
	const void *data = sqlite3_column_blob(statement, at);
	int len = sqlite3_column_bytes(statement, at);

	if (!data || len <= 0)
		return NULL;
	return der_buffer((struct der){data, (size_t)len});
}

/* --- opening ------------------------------------------------------------ */

/* The file is made by us, since SQLite would take the umask; its journal gets
 * the same mode. Once it is there it is not opened here again: closing any
 * descriptor of a file drops all of a process's POSIX locks on it. */
static int need_file(const char *path, char *err, size_t err_size)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno != EEXIST || stat(path, &st) != 0)
		return pki_fail(err, err_size, "%s: %s", path,
			strerror(errno));
	if ((st.st_mode & 077) != 0 && chmod(path, 0600) != 0)
		return pki_fail(err, err_size, "%s: others may read it, and "
			"it can't be helped: %s", path, strerror(errno));
	return 0;
}

static int make_schema(struct store *store, char *err, size_t err_size)
{
	char marks[96];

	snprintf(marks, sizeof(marks),
		"PRAGMA application_id = %d; PRAGMA user_version = %d;",
		APPLICATION, SCHEMA);
	if (run(store, schema, err, err_size) != 0)
		return -1;
	return run(store, marks, err, err_size);
}

/* In a transaction: another process may be at its first start, too. */
static int check_schema(struct store *store, char *err, size_t err_size)
{
	int64_t version = 0, application = 0, tables = 0;

	if (get_number(store, "PRAGMA user_version", &version, err,
		    err_size) != 0 ||
	    get_number(store, "PRAGMA application_id", &application, err,
		    err_size) != 0 ||
	    get_number(store, "SELECT count(*) FROM sqlite_master", &tables,
		    err, err_size) != 0)
		return -1;
	if (tables == 0 && version == 0 && application == 0)
		return make_schema(store, err, err_size);
	if (application != APPLICATION)
		return pki_fail(err, err_size,
			"%s: a database, but not Sallyport's", store->path);
	if (version > SCHEMA)
		return pki_fail(err, err_size, "%s: made by a newer Sallyport "
			"(schema %lld, this one knows %d): use that one",
			store->path, (long long)version, SCHEMA);
	if (version != SCHEMA)
		return pki_fail(err, err_size, "%s: schema %lld is not one "
			"that this Sallyport knows (%d)", store->path,
			(long long)version, SCHEMA);
	return 0;
}

static int set_up(struct store *store, char *err, size_t err_size)
{
	sqlite3_busy_timeout(store->db, BUSY_MS);
	if (run(store, "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;"
		    "PRAGMA secure_delete = ON", err, err_size) != 0 ||
	    store_begin(store, err, err_size) != 0 ||
	    check_schema(store, err, err_size) != 0)
		return -1;
	return store_commit(store, err, err_size);
}

int store_open(const char *path, struct store **out, char *err,
	size_t err_size)
{
	struct store *store;
	int result;

	*out = NULL;
	if (need_file(path, err, err_size) != 0)
		return -1;
	store = pki_new(sizeof(*store));
	store->path = pki_copy(path);
	if (sqlite3_open_v2(path, &store->db,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, NULL) !=
	    SQLITE_OK)
		result = fail(store, err, err_size);
	else
		result = set_up(store, err, err_size);
	if (result != 0)
		store_close(store);
	else
		*out = store;
	return result;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	sqlite3_close(store->db); /* rolls back */
	free(store->path);
	free(store);
}

int store_begin(struct store *store, char *err, size_t err_size)
{
	return run(store, "BEGIN IMMEDIATE", err, err_size);
}

int store_commit(struct store *store, char *err, size_t err_size)
{
	return run(store, "COMMIT", err, err_size);
}

/* --- reading ------------------------------------------------------------ */

static bool purpose_of(sqlite3_stmt *row, int at, enum store_purpose *out)
{
	const char *word = (const char *)sqlite3_column_text(row, at);

	for (int i = 0; word && i < (int)NUM_PURPOSES; i++) {
		if (strcmp(word, purposes[i]) == 0) {
			*out = (enum store_purpose)i;
			return true;
		}
	}
	return false;
}

static bool read_row(sqlite3_stmt *row, struct store_ca *out)
{
	const unsigned char *name = sqlite3_column_text(row, 4);

	memset(out, 0, sizeof(*out));
	if (!purpose_of(row, 1, &out->purpose))
		return false;
	out->id = sqlite3_column_int64(row, 0);
	out->parent = sqlite3_column_int64(row, 2);
	out->is_default = sqlite3_column_int(row, 3) != 0;
	snprintf(out->name, sizeof(out->name), "%s",
		name ? (const char *)name : "");
	out->key = get_buffer(row, 5);
	out->cert = get_buffer(row, 6);
	out->chain = get_buffer(row, 7);
	out->crl = get_buffer(row, 8);
	out->crl_number = sqlite3_column_int64(row, 9);
	out->crl_time = sqlite3_column_int64(row, 10);
	return true;
}

static int read_rows(struct store *store, sqlite3_stmt *rows,
	struct store_ca **list, size_t *num, char *err, size_t err_size)
{
	int code;

	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		*list = realloc(*list, (*num + 1) * sizeof(**list));
		if (!*list)
			abort();
		if (read_row(rows, &(*list)[*num]))
			(*num)++;
	}
	return code == SQLITE_DONE ? 0 : fail(store, err, err_size);
}

int store_list(struct store *store, struct store_ca **out, size_t *out_num,
	char *err, size_t err_size)
{
	sqlite3_stmt *rows;
	int result;

	*out_num = 0;
	*out = NULL;
	if (prepare(store, "SELECT id, purpose, parent, is_default, name, key,"
		    " cert, chain, crl, crl_number, crl_time FROM ca WHERE"
		    " key IS NOT NULL AND cert IS NOT NULL ORDER BY id", &rows,
		    err, err_size) != 0)
		return -1;
	result = read_rows(store, rows, out, out_num, err, err_size);
	sqlite3_finalize(rows);
	if (result != 0) {
		store_list_free(*out, *out_num);
		*out = NULL;
		*out_num = 0;
	}
	return result;
}

void store_list_free(struct store_ca *list, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		CRYPTO_BUFFER_free(list[i].key);
		CRYPTO_BUFFER_free(list[i].cert);
		CRYPTO_BUFFER_free(list[i].chain);
		CRYPTO_BUFFER_free(list[i].crl);
	}
	free(list);
}

/* --- writing ------------------------------------------------------------ */

static bool name_taken(struct store *store, const char *name)
{
	sqlite3_stmt *statement;
	bool taken;

	if (sqlite3_prepare_v2(store->db, "SELECT 1 FROM ca WHERE name = ?",
		    -1, &statement, NULL) != SQLITE_OK)
		return false; /* adding will say what is wrong */
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	taken = sqlite3_step(statement) == SQLITE_ROW;
	sqlite3_finalize(statement);
	return taken;
}

static void find_name(struct store *store, struct store_ca *ca)
{
	char wish[STORE_NAME];

	snprintf(wish, sizeof(wish), "%s", ca->name);
	for (int i = 2; i < SAME_NAME_MAX && name_taken(store, ca->name); i++)
		snprintf(ca->name, sizeof(ca->name), "%.100s %d", wish, i);
}

static void bind_ca(sqlite3_stmt *statement, const struct store_ca *ca)
{
	if (ca->id != 0)
		sqlite3_bind_int64(statement, 1, ca->id);
	sqlite3_bind_text(statement, 2, purposes[ca->purpose], -1,
		SQLITE_STATIC);
	if (ca->parent != 0)
		sqlite3_bind_int64(statement, 3, ca->parent);
	sqlite3_bind_text(statement, 4, ca->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 5, ca->key_type, -1, SQLITE_STATIC);
	bind_buffer(statement, 6, ca->key);
	bind_buffer(statement, 7, ca->cert);
	bind_buffer(statement, 8, ca->chain);
}

int store_add(struct store *store, struct store_ca *ca, char *err,
	size_t err_size)
{
	sqlite3_stmt *statement;

	find_name(store, ca);
	if (prepare(store, "INSERT INTO ca (id, purpose, parent, name,"
		    " key_type, key, cert, chain, key_time, state) VALUES (?,"
		    " ?, ?, ?, ?, ?, ?, ?, unixepoch(), 'CERT_READY')",
		    &statement, err, err_size) != 0)
		return -1;
	bind_ca(statement, ca);
	if (finish(store, statement, err, err_size) != 0)
		return -1;
	ca->id = sqlite3_last_insert_rowid(store->db);
	if (!ca->is_default)
		return 0;
	return store_set_default(store, ca->id, err, err_size);
}

int store_set_cert(struct store *store, int64_t id, const CRYPTO_BUFFER *cert,
	const CRYPTO_BUFFER *chain, char *err, size_t err_size)
{
	sqlite3_stmt *statement;

	if (prepare(store, "UPDATE ca SET cert = ?, chain = ? WHERE id = ?",
		    &statement, err, err_size) != 0)
		return -1;
	bind_buffer(statement, 1, cert);
	bind_buffer(statement, 2, chain);
	sqlite3_bind_int64(statement, 3, id);
	return finish(store, statement, err, err_size);
}

int store_set_crl(struct store *store, int64_t id, const CRYPTO_BUFFER *crl,
	int64_t number, int64_t time, char *err, size_t err_size)
{
	sqlite3_stmt *statement;

	if (prepare(store, "UPDATE ca SET crl = ?, crl_number = ?, crl_time ="
		    " ? WHERE id = ?", &statement, err, err_size) != 0)
		return -1;
	bind_buffer(statement, 1, crl);
	sqlite3_bind_int64(statement, 2, number);
	sqlite3_bind_int64(statement, 3, time);
	sqlite3_bind_int64(statement, 4, id);
	return finish(store, statement, err, err_size);
}

int store_set_default(struct store *store, int64_t id, char *err,
	size_t err_size)
{
	sqlite3_stmt *statement;

	if (run(store, "UPDATE ca SET is_default = 0 WHERE is_default = 1",
		    err, err_size) != 0 ||
	    prepare(store, "UPDATE ca SET is_default = 1 WHERE id = ?",
		    &statement, err, err_size) != 0)
		return -1;
	sqlite3_bind_int64(statement, 1, id);
	return finish(store, statement, err, err_size);
}
