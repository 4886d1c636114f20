#include "pki/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/store_private.h"

enum {
	SCHEMA = 2,
	APPLICATION = 0x53616c79,       /* "Saly" */
	BUSY_MS = 10000,
};

/* What each version added to the one before: the first is version 1. All times
 * are seconds since 1970; the words in state, status, type, region and key_type
 * are the REST API's. */
static const char *const versions[SCHEMA] = {
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
	" key_time INTEGER,"
	" csr BLOB, csr_file TEXT, csr_time INTEGER,"
	" cert BLOB, cert_file TEXT,"
	" chain BLOB,"          /* certificates, nearest first */
	" crl BLOB, crl_number INTEGER NOT NULL DEFAULT 0, crl_time INTEGER"
	");"
	"CREATE UNIQUE INDEX one_default ON ca (is_default)"
	" WHERE is_default = 1;",

	"ALTER TABLE ca ADD COLUMN spki BLOB;"
	"ALTER TABLE ca ADD COLUMN retired INTEGER;"
	"ALTER TABLE ca ADD COLUMN crl_id TEXT;"
	"UPDATE ca SET type = 'ZSCALER' WHERE id = 1;"
	"CREATE TABLE issuing ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" parent INTEGER NOT NULL REFERENCES ca (id),"
	" key_id TEXT NOT NULL UNIQUE,"
	" cert BLOB NOT NULL, crl BLOB,"
	" made INTEGER NOT NULL, ends INTEGER NOT NULL, revoked INTEGER"
	");"
	"CREATE TABLE revoked ("
	" issuer INTEGER NOT NULL REFERENCES ca (id),"
	" serial BLOB NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL,"
	" PRIMARY KEY (issuer, serial)"
	") WITHOUT ROWID;"
	"CREATE TABLE leaf ("
	" site TEXT NOT NULL, issuing INTEGER NOT NULL, ca INTEGER NOT NULL,"
	" serial BLOB NOT NULL, ends INTEGER NOT NULL,"
	" PRIMARY KEY (site, issuing, ca, serial)"
	") WITHOUT ROWID;"
	"CREATE TABLE audit ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
	" who TEXT NOT NULL, what TEXT NOT NULL, ca INTEGER, name TEXT,"
	" detail TEXT"
	");"
	"CREATE TABLE token ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,"
	" client TEXT, digest BLOB NOT NULL, api_key TEXT,"
	" read_only INTEGER NOT NULL, made INTEGER NOT NULL"
	");",
};

bool store_is_none(const char *path)
{
	static const char magic[] = "SQLite format 3"; /* its NUL, too */
	char head[sizeof(magic)] = "";
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return false;
	len = fread(head, 1, sizeof(head), file);
	(void)fclose(file);
	return len > 0 && memcmp(head, magic, sizeof(magic)) != 0;
}

/* --- SQLite in few words ------------------------------------------------ */

int store_fail(const struct store *store, char *err, size_t err_size)
{
	int code = sqlite3_errcode(store->db) & 0xff;

	if (code == SQLITE_NOTADB)
		return pki_fail(err, err_size,
			"%s: " STORE_DAMAGED, store->path);
	if (code == SQLITE_BUSY)
		return pki_fail(err, err_size, "%s: another process has had "
			"it locked for %d seconds", store->path,
			BUSY_MS / 1000);
	return pki_fail(err, err_size, "%s: %s", store->path,
		sqlite3_errmsg(store->db));
}

int store_run(struct store *store, const char *sql, char *err,
	size_t err_size)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(store, err, err_size);
	return 0;
}

int store_prepare(struct store *store, const char *sql, sqlite3_stmt **out,
	char *err, size_t err_size)
{
	if (sqlite3_prepare_v2(store->db, sql, -1, out, NULL) != SQLITE_OK)
		return store_fail(store, err, err_size);
	return 0;
}

int store_finish(struct store *store, sqlite3_stmt *statement, char *err,
	size_t err_size)
{
	int code = sqlite3_step(statement), result = 0;

	if (code != SQLITE_DONE)
		result = store_fail(store, err, err_size);
	sqlite3_finalize(statement);
	return result;
}

int store_number(struct store *store, const char *sql, int64_t *out,
	char *err, size_t err_size)
{
	sqlite3_stmt *statement;
	int result = 0;

	if (store_prepare(store, sql, &statement, err, err_size) != 0)
		return -1;
	if (sqlite3_step(statement) == SQLITE_ROW)
		*out = sqlite3_column_int64(statement, 0);
	else
		result = store_fail(store, err, err_size);
	sqlite3_finalize(statement);
	return result;
}

void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	if (text && text[0])
		sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, at);
}

void bind_der(sqlite3_stmt *statement, int at, struct der der)
{
	if (der.len > 0)
		sqlite3_bind_blob64(statement, at, der.at, der.len,
			SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, at);
}

void bind_buffer(sqlite3_stmt *statement, int at, const CRYPTO_BUFFER *buffer)
{
	bind_der(statement, at, buffer ? der_of(buffer) :
		(struct der){NULL, 0});
}

CRYPTO_BUFFER *get_buffer(sqlite3_stmt *statement, int at)
{
	const void *data = sqlite3_column_blob(statement, at);
	int len = sqlite3_column_bytes(statement, at);

	if (!data || len <= 0)
		return NULL;
	return der_buffer((struct der){data, (size_t)len});
}

void copy_text(sqlite3_stmt *statement, int at, char *out, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(statement, at);

	snprintf(out, size, "%s", text ? text : "");
}

void *store_grow(void *list, size_t num, size_t size)
{
	list = realloc(list, (num + 1) * size);
	if (!list)
		abort();
	memset((char *)list + num * size, 0, size);
	return list;
}

/* --- opening ------------------------------------------------------------ */

/* SQLite follows links to find a file's one true name, and opens that. Here the
 * name is taken as it stands, and no link at its end is followed: the folder may
 * be reached by /proc/self/fd, and others may write to it. */
static int full_name(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
	(void)vfs;
	return snprintf(out, (size_t)size, "%s", name) < size ? SQLITE_OK :
		SQLITE_CANTOPEN;
}

static sqlite3_vfs literal;
static pthread_once_t literal_once = PTHREAD_ONCE_INIT;

static void make_literal(void)
{
	literal = *sqlite3_vfs_find(NULL);
	literal.zName = "literal";
	literal.xFullPathname = full_name;
	literal.pNext = NULL;
	if (sqlite3_vfs_register(&literal, 0) != SQLITE_OK)
		abort();
}

static int open_db(struct store *store)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX;

	(void)pthread_once(&literal_once, make_literal);
	return sqlite3_open_v2(store->path, &store->db, flags, literal.zName);
}

static int check_opened(const char *path, int fd, char *err, size_t err_size)
{
	char self[32];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return pki_fail(err, err_size, "%s: %s", path,
			strerror(errno));
	if (!S_ISREG(st.st_mode))
		return pki_fail(err, err_size, "%s: is no file of its own: "
			"remove it", path);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if ((st.st_mode & 077) != 0 && chmod(self, 0600) != 0)
		return pki_fail(err, err_size, "%s: others may read it, and "
			"it can't be helped: %s", path, strerror(errno));
	return 0;
}

/* check_file has a file that is there be its owner's alone. It is not opened to
 * be read: closing any other descriptor of a file than one of O_PATH drops all of
 * a process's POSIX locks on it. */
static int check_file(const char *path, char *err, size_t err_size)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int result = check_opened(path, fd, err, err_size);

	if (fd >= 0)
		close(fd);
	return result;
}

/* The file is made by us, since SQLite would take the umask; its journal gets
 * the same mode. */
static int need_file(const char *path, char *err, size_t err_size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST)
		return check_file(path, err, err_size);
	if (fd < 0)
		return pki_fail(err, err_size, "%s: %s", path,
			strerror(errno));
	close(fd);
	return 0;
}

static int mark(struct store *store, char *err, size_t err_size)
{
	char marks[96];

	snprintf(marks, sizeof(marks),
		"PRAGMA application_id = %d; PRAGMA user_version = %d;",
		APPLICATION, SCHEMA);
	return store_run(store, marks, err, err_size);
}

/* bring_up adds what versions after the one it is of have added. */
static int bring_up(struct store *store, int64_t version, char *err,
	size_t err_size)
{
	for (; version < SCHEMA; version++) {
		if (store_run(store, versions[version], err, err_size) != 0)
			return -1;
	}
	return mark(store, err, err_size);
}

/* In a transaction: another process may be at its first start, too. */
static int check_schema(struct store *store, char *err, size_t err_size)
{
	int64_t version = 0, application = 0, tables = 0;

	if (store_number(store, "PRAGMA user_version", &version, err,
		    err_size) != 0 ||
	    store_number(store, "PRAGMA application_id", &application, err,
		    err_size) != 0 ||
	    store_number(store, "SELECT count(*) FROM sqlite_master", &tables,
		    err, err_size) != 0)
		return -1;
	if (tables == 0 && version == 0 && application == 0)
		return bring_up(store, 0, err, err_size);
	if (application != APPLICATION)
		return pki_fail(err, err_size,
			"%s: a database, but not Sallyport's", store->path);
	if (version > SCHEMA)
		return pki_fail(err, err_size, "%s: made by a newer Sallyport "
			"(schema %lld, this one knows %d): use that one",
			store->path, (long long)version, SCHEMA);
	if (version < 1)
		return pki_fail(err, err_size, "%s: schema %lld is not one "
			"that this Sallyport knows (%d)", store->path,
			(long long)version, SCHEMA);
	return version == SCHEMA ? 0 :
		bring_up(store, version, err, err_size);
}

static int set_up(struct store *store, char *err, size_t err_size)
{
	if (store_run(store, "PRAGMA foreign_keys = ON;"
		    "PRAGMA synchronous = FULL;"
		    "PRAGMA secure_delete = ON", err, err_size) != 0 ||
	    store_begin(store, err, err_size) != 0 ||
	    check_schema(store, err, err_size) != 0)
		return -1;
	return store_commit(store, err, err_size);
}

/* connect_to gives the store as SQLite has it, and nothing looked at yet. */
static int connect_to(const char *path, struct store **out, char *err,
	size_t err_size)
{
	struct store *store = pki_new(sizeof(*store));
	int result = 0;

	store->path = pki_copy(path);
	if (open_db(store) != SQLITE_OK)
		result = store_fail(store, err, err_size);
	else
		sqlite3_busy_timeout(store->db, BUSY_MS);
	if (result != 0)
		store_close(store);
	*out = result == 0 ? store : NULL;
	return result;
}

int store_open(const char *path, struct store **out, char *err,
	size_t err_size)
{
	*out = NULL;
	if (need_file(path, err, err_size) != 0 ||
	    connect_to(path, out, err, err_size) != 0)
		return -1;
	if (set_up(*out, err, err_size) == 0)
		return 0;
	store_close(*out);
	*out = NULL;
	return -1;
}

int store_open_to_read(const char *path, struct store **out, char *err,
	size_t err_size)
{
	*out = NULL;
	if (check_file(path, err, err_size) != 0)
		return -1;
	return connect_to(path, out, err, err_size);
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
	return store_run(store, "BEGIN IMMEDIATE", err, err_size);
}

int store_commit(struct store *store, char *err, size_t err_size)
{
	return store_run(store, "COMMIT", err, err_size);
}
