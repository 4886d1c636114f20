#include "pki/store_issuing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/store_private.h"

/* --- issuing CAs -------------------------------------------------------- */

int store_issuing_next(struct store *store, int64_t *out, char *err,
	size_t err_size)
{
	return store_number(store, "SELECT coalesce((SELECT seq FROM"
		" sqlite_sequence WHERE name = 'issuing'), 0) + 1", out, err,
		err_size);
}

int store_issuing_add(struct store *store, const struct store_issuing *issuing,
	char *err, size_t err_size)
{
	sqlite3_stmt *statement;

	if (store_prepare(store, "INSERT INTO issuing (id, parent, key_id,"
		    " cert, crl, made, ends) VALUES (?, ?, ?, ?, ?, ?, ?)",
		    &statement, err, err_size) != 0)
		return -1;
	sqlite3_bind_int64(statement, 1, issuing->id);
	sqlite3_bind_int64(statement, 2, issuing->parent);
	bind_text(statement, 3, issuing->key_id);
	bind_buffer(statement, 4, issuing->cert);
	bind_buffer(statement, 5, issuing->crl);
	sqlite3_bind_int64(statement, 6, issuing->made);
	sqlite3_bind_int64(statement, 7, issuing->ends);
	return store_finish(store, statement, err, err_size);
}

static void read_issuing(sqlite3_stmt *row, struct store_issuing *out)
{
	out->id = sqlite3_column_int64(row, 0);
	out->parent = sqlite3_column_int64(row, 1);
	copy_text(row, 2, out->key_id, sizeof(out->key_id));
	out->cert = get_buffer(row, 3);
	out->crl = get_buffer(row, 4);
	out->made = sqlite3_column_int64(row, 5);
	out->ends = sqlite3_column_int64(row, 6);
	out->revoked = sqlite3_column_int64(row, 7);
}

int store_issuing_list(struct store *store, int64_t now,
	struct store_issuing **out, size_t *out_num, char *err,
	size_t err_size)
{
	sqlite3_stmt *rows;
	int code, result;

	*out = NULL;
	*out_num = 0;
	if (store_prepare(store, "SELECT id, parent, key_id, cert, crl, made,"
		    " ends, revoked FROM issuing WHERE ends > ? ORDER BY id",
		    &rows, err, err_size) != 0)
		return -1;
	sqlite3_bind_int64(rows, 1, now);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		*out = store_grow(*out, *out_num, sizeof(**out));
		read_issuing(rows, &(*out)[(*out_num)++]);
	}
	result = code == SQLITE_DONE ? 0 : store_fail(store, err, err_size);
	sqlite3_finalize(rows);
	if (result == 0)
		return 0;
	store_issuing_free(*out, *out_num);
	*out = NULL;
	*out_num = 0;
	return -1;
}

void store_issuing_free(struct store_issuing *list, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		CRYPTO_BUFFER_free(list[i].cert);
		CRYPTO_BUFFER_free(list[i].crl);
	}
	free(list);
}

static int forget(struct store *store, const char *sql, int64_t now,
	char *err, size_t err_size)
{
	sqlite3_stmt *statement;

	if (store_prepare(store, sql, &statement, err, err_size) != 0)
		return -1;
	sqlite3_bind_int64(statement, 1, now);
	return store_finish(store, statement, err, err_size);
}

int store_issuing_prune(struct store *store, int64_t now, char *err,
	size_t err_size)
{
	/* a clock that is wrong for a day must not cost what was revoked */
	int64_t long_ago = now - STORE_ENDED_S;

	if (forget(store, "DELETE FROM issuing WHERE ends <= ?", long_ago,
		    err, err_size) != 0 ||
	    forget(store, "DELETE FROM revoked WHERE until <= ?", long_ago,
		    err, err_size) != 0)
		return -1;
	/* who may log in may do so every minute */
	if (forget(store, "DELETE FROM audit WHERE what = 'login' AND time <="
		    " ?", long_ago, err, err_size) != 0)
		return -1;
	return forget(store, "DELETE FROM leaf WHERE ends <= ?", now, err,
		err_size);
}

/* --- what was revoked --------------------------------------------------- */

static struct der serial_of(const struct crl_entry *entry)
{
	return (struct der){entry->serial, entry->serial_len};
}

int store_revoke(struct store *store, int64_t issuer,
	const struct crl_entry *entry, int64_t until, char *err,
	size_t err_size)
{
	sqlite3_stmt *statement;

	if (store_prepare(store, "INSERT OR IGNORE INTO revoked (issuer,"
		    " serial, at, until) VALUES (?, ?, ?, ?)", &statement,
		    err, err_size) != 0)
		return -1;
	sqlite3_bind_int64(statement, 1, issuer);
	bind_der(statement, 2, serial_of(entry));
	sqlite3_bind_int64(statement, 3, entry->at);
	sqlite3_bind_int64(statement, 4, until);
	return store_finish(store, statement, err, err_size);
}

/* read_serial copies a serial of what any certificate may have. */
static void read_serial(sqlite3_stmt *row, int at, struct crl_entry *out)
{
	const void *serial = sqlite3_column_blob(row, at);
	int len = sqlite3_column_bytes(row, at);

	if (!serial || len <= 0 || len > CRL_SERIAL_MAX)
		return;
	memcpy(out->serial, serial, (size_t)len);
	out->serial_len = (uint8_t)len;
}

int store_revoked(struct store *store, int64_t issuer, int64_t now,
	struct crl_entry out[CRL_REVOKED_MAX], size_t *out_num, char *err,
	size_t err_size)
{
	sqlite3_stmt *rows;
	int code = SQLITE_DONE, result;

	*out_num = 0;
	if (store_prepare(store, "SELECT serial, at FROM revoked WHERE issuer"
		    " = ? AND until > ? ORDER BY at, serial", &rows, err,
		    err_size) != 0)
		return -1;
	sqlite3_bind_int64(rows, 1, issuer);
	sqlite3_bind_int64(rows, 2, now);
	while (*out_num < CRL_REVOKED_MAX &&
		(code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct crl_entry *entry = &out[(*out_num)++];

		memset(entry, 0, sizeof(*entry));
		read_serial(rows, 0, entry);
		entry->at = (time_t)sqlite3_column_int64(rows, 1);
	}
	result = code == SQLITE_DONE || code == SQLITE_ROW ? 0 :
		store_fail(store, err, err_size);
	sqlite3_finalize(rows);
	return result;
}

int store_num_revoked(struct store *store, uint64_t *out, char *err,
	size_t err_size)
{
	int64_t num = 0;

	if (store_number(store, "SELECT count(*) FROM revoked", &num, err,
		    err_size) != 0)
		return -1;
	*out = (uint64_t)num;
	return 0;
}

int store_mark_revoked(struct store *store, int64_t id, int64_t now,
	char *err, size_t err_size)
{
	sqlite3_stmt *statement;

	if (store_prepare(store, "UPDATE issuing SET revoked = ? WHERE id = ?",
		    &statement, err, err_size) != 0)
		return -1;
	sqlite3_bind_int64(statement, 1, now);
	sqlite3_bind_int64(statement, 2, id);
	return store_finish(store, statement, err, err_size);
}

/* --- what was signed ---------------------------------------------------- */

int store_leaf_add(struct store *store, const struct store_leaf *leaf,
	char *err, size_t err_size)
{
	sqlite3_stmt *statement;

	if (store_prepare(store, "INSERT INTO leaf (site, issuing, ca, serial,"
		    " ends) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
		    " ends = max(ends, excluded.ends)", &statement, err,
		    err_size) != 0)
		return -1;
	bind_text(statement, 1, leaf->site);
	sqlite3_bind_int64(statement, 2, leaf->issuing);
	sqlite3_bind_int64(statement, 3, leaf->ca);
	sqlite3_bind_blob(statement, 4, leaf->entry.serial,
		leaf->entry.serial_len, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 5, leaf->ends);
	return store_finish(store, statement, err, err_size);
}

int store_num_leaves(struct store *store, int64_t *out, char *err,
	size_t err_size)
{
	return store_number(store, "SELECT count(*) FROM leaf", out, err,
		err_size);
}

/* find_issuing fills in which issuing CA it is; false: none. */
static bool find_issuing(struct store *store, const char *key_id,
	struct store_leaf *out)
{
	sqlite3_stmt *row;
	bool found;

	if (sqlite3_prepare_v2(store->db, "SELECT id, parent FROM issuing"
		    " WHERE key_id = ?", -1, &row, NULL) != SQLITE_OK)
		return false;
	bind_text(row, 1, key_id);
	found = sqlite3_step(row) == SQLITE_ROW;
	if (found) {
		out->issuing = sqlite3_column_int64(row, 0);
		out->ca = sqlite3_column_int64(row, 1);
	}
	sqlite3_finalize(row);
	return found;
}

int store_leaf_note(struct store *store, const char *ca, const char *site,
	const struct crl_entry *entry, int64_t ends, char *err,
	size_t err_size)
{
	struct store_leaf leaf = {.ends = ends};

	snprintf(leaf.site, sizeof(leaf.site), "%s", site);
	if (strlen(ca) < STORE_KEY_ID - 1) {
		leaf.ca = strtoll(ca, NULL, 10);
		leaf.entry = *entry;
	} else if (!find_issuing(store, ca, &leaf)) {
		return 0;
	}
	return store_leaf_add(store, &leaf, err, err_size);
}

int store_leaf_find(struct store *store, const char *site, int64_t now,
	struct store_leaf **out, size_t *out_num, char *err, size_t err_size)
{
	sqlite3_stmt *rows;
	int code, result;

	*out = NULL;
	*out_num = 0;
	if (store_prepare(store, "SELECT site, issuing, ca, serial, ends FROM"
		    " leaf WHERE site IN (?, '" STORE_ALL_SITES "') AND ends > ?", &rows, err,
		    err_size) != 0)
		return -1;
	bind_text(rows, 1, site);
	sqlite3_bind_int64(rows, 2, now);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct store_leaf *leaf;

		*out = store_grow(*out, *out_num, sizeof(**out));
		leaf = &(*out)[(*out_num)++];
		copy_text(rows, 0, leaf->site, sizeof(leaf->site));
		leaf->issuing = sqlite3_column_int64(rows, 1);
		leaf->ca = sqlite3_column_int64(rows, 2);
		read_serial(rows, 3, &leaf->entry);
		leaf->ends = sqlite3_column_int64(rows, 4);
	}
	result = code == SQLITE_DONE ? 0 : store_fail(store, err, err_size);
	sqlite3_finalize(rows);
	return result;
}
