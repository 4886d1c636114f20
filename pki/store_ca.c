#include "pki/store_ca.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/store_private.h"

enum { SAME_NAME_MAX = 1000 };

static const char *const purposes[] = {
	[STORE_ROOT] = "root",
	[STORE_INTERMEDIATE] = "intermediate",
	[STORE_UNTRUSTED] = "untrusted",
};

enum { NUM_PURPOSES = sizeof(purposes) / sizeof(*purposes) };

static const char *const states[NUM_STATES] = {
	[STATE_GENERAL_DONE] = "GENERAL_DONE",
	[STATE_KEYGEN_DONE] = "KEYGEN_DONE",
	[STATE_PUBKEY_DONE] = "PUBKEY_DONE",
	[STATE_CSRGEN_DONE] = "CSRGEN_DONE",
	[STATE_INTCERT_UPLOAD_DONE] = "INTCERT_UPLOAD_DONE",
	[STATE_CERTCHAIN_UPLOAD_DONE] = "CERTCHAIN_UPLOAD_DONE",
	[STATE_CERT_READY] = "CERT_READY",
};

const char *state_word(enum store_state state)
{
	return states[state];
}

const char *store_crl_id(const struct store_ca *row, char out[STORE_CRL_ID])
{
	if (row->crl_id[0] != '\0')
		snprintf(out, STORE_CRL_ID, "%s", row->crl_id);
	else
		snprintf(out, STORE_CRL_ID, "%lld", (long long)row->id);
	return out;
}

/* --- reading ------------------------------------------------------------ */

static int find_word(sqlite3_stmt *row, int at, const char *const *words,
	int num)
{
	const char *word = (const char *)sqlite3_column_text(row, at);

	for (int i = 0; word && i < num; i++) {
		if (strcmp(word, words[i]) == 0)
			return i;
	}
	return -1;
}

#define COLUMNS \
	"id, purpose, parent, is_default, status, state, name, description," \
	" type, region, key_type, key, spki, key_time, csr, csr_file," \
	" csr_time, cert, cert_file, chain, crl, crl_number, crl_time, retired," \
	" crl_id"

/* The columns above, by their place. */
enum {
	C_ID, C_PURPOSE, C_PARENT, C_DEFAULT, C_STATUS, C_STATE, C_NAME,
	C_DESCRIPTION, C_TYPE, C_REGION, C_KEY_TYPE, C_KEY, C_SPKI, C_KEY_TIME,
	C_CSR, C_CSR_FILE, C_CSR_TIME, C_CERT, C_CERT_FILE, C_CHAIN, C_CRL,
	C_CRL_NUMBER, C_CRL_TIME, C_RETIRED, C_CRL_ID,
};

static void read_texts(sqlite3_stmt *row, struct store_ca *out)
{
	const char *status = (const char *)sqlite3_column_text(row, C_STATUS);

	out->enabled = status && strcmp(status, "ENABLED") == 0;
	copy_text(row, C_NAME, out->name, sizeof(out->name));
	copy_text(row, C_DESCRIPTION, out->description,
		sizeof(out->description));
	copy_text(row, C_TYPE, out->type, sizeof(out->type));
	copy_text(row, C_REGION, out->region, sizeof(out->region));
	copy_text(row, C_KEY_TYPE, out->key_type, sizeof(out->key_type));
	copy_text(row, C_CSR_FILE, out->csr_file, sizeof(out->csr_file));
	copy_text(row, C_CERT_FILE, out->cert_file, sizeof(out->cert_file));
	copy_text(row, C_CRL_ID, out->crl_id, sizeof(out->crl_id));
}

static bool read_row(sqlite3_stmt *row, struct store_ca *out)
{
	int purpose = find_word(row, C_PURPOSE, purposes, NUM_PURPOSES);
	int state = find_word(row, C_STATE, states, NUM_STATES);

	if (purpose < 0 || state < 0)
		return false;
	out->purpose = (enum store_purpose)purpose;
	out->state = (enum store_state)state;
	out->id = sqlite3_column_int64(row, C_ID);
	out->parent = sqlite3_column_int64(row, C_PARENT);
	out->is_default = sqlite3_column_int(row, C_DEFAULT) != 0;
	read_texts(row, out);
	out->key = get_buffer(row, C_KEY);
	out->spki = get_buffer(row, C_SPKI);
	out->key_time = sqlite3_column_int64(row, C_KEY_TIME);
	out->csr = get_buffer(row, C_CSR);
	out->csr_time = sqlite3_column_int64(row, C_CSR_TIME);
	out->cert = get_buffer(row, C_CERT);
	out->chain = get_buffer(row, C_CHAIN);
	out->crl = get_buffer(row, C_CRL);
	out->crl_number = sqlite3_column_int64(row, C_CRL_NUMBER);
	out->crl_time = sqlite3_column_int64(row, C_CRL_TIME);
	out->retired = sqlite3_column_int64(row, C_RETIRED);
	return true;
}

int store_list(struct store *store, struct store_ca **out, size_t *out_num,
	char *err, size_t err_size)
{
	sqlite3_stmt *rows;
	int code, result;

	*out_num = 0;
	*out = NULL;
	if (store_prepare(store, "SELECT " COLUMNS " FROM ca ORDER BY id",
		    &rows, err, err_size) != 0)
		return -1;
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		*out = store_grow(*out, *out_num, sizeof(**out));
		if (read_row(rows, &(*out)[*out_num]))
			(*out_num)++;
	}
	result = code == SQLITE_DONE ? 0 : store_fail(store, err, err_size);
	sqlite3_finalize(rows);
	if (result == 0)
		return 0;
	store_list_free(*out, *out_num);
	*out = NULL;
	*out_num = 0;
	return -1;
}

void store_list_free(struct store_ca *list, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		CRYPTO_BUFFER_free(list[i].key);
		CRYPTO_BUFFER_free(list[i].spki);
		CRYPTO_BUFFER_free(list[i].csr);
		CRYPTO_BUFFER_free(list[i].cert);
		CRYPTO_BUFFER_free(list[i].chain);
		CRYPTO_BUFFER_free(list[i].crl);
	}
	free(list);
}

/* --- writing ------------------------------------------------------------ */

bool store_name_taken(struct store *store, const char *name, int64_t id)
{
	sqlite3_stmt *statement;
	bool taken;

	if (sqlite3_prepare_v2(store->db, "SELECT 1 FROM ca WHERE name = ?"
		    " AND id <> ?", -1, &statement, NULL) != SQLITE_OK)
		return false; /* writing will say what is wrong */
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, id);
	taken = sqlite3_step(statement) == SQLITE_ROW;
	sqlite3_finalize(statement);
	return taken;
}

static void find_name(struct store *store, struct store_ca *ca)
{
	char wish[STORE_NAME];

	snprintf(wish, sizeof(wish), "%s", ca->name);
	for (int i = 2; i < SAME_NAME_MAX &&
		store_name_taken(store, ca->name, ca->id); i++)
		snprintf(ca->name, sizeof(ca->name), "%.100s %d", wish, i);
}

static void bind_time(sqlite3_stmt *statement, int at, int64_t time)
{
	if (time)
		sqlite3_bind_int64(statement, at, time);
}

/* What both an INSERT and an UPDATE write, from the first parameter on. */
#define WRITTEN \
	"status, state, name, description, type, region, key_type, key, spki," \
	" key_time, csr, csr_file, csr_time, cert, cert_file, chain, crl_id"

enum { NUM_WRITTEN = 17 };

static void bind_ca(sqlite3_stmt *statement, const struct store_ca *ca)
{
	bind_text(statement, 1, ca->enabled ? "ENABLED" : "DISABLED");
	bind_text(statement, 2, states[ca->state]);
	bind_text(statement, 3, ca->name);
	bind_text(statement, 4, ca->description);
	bind_text(statement, 5, ca->type[0] ? ca->type : "CUSTOM_SW");
	bind_text(statement, 6, ca->region[0] ? ca->region : "GLOBAL");
	bind_text(statement, 7, ca->key_type);
	bind_buffer(statement, 8, ca->key);
	bind_buffer(statement, 9, ca->spki);
	bind_time(statement, 10, ca->key_time);
	bind_buffer(statement, 11, ca->csr);
	bind_text(statement, 12, ca->csr_file);
	bind_time(statement, 13, ca->csr_time);
	bind_buffer(statement, 14, ca->cert);
	bind_text(statement, 15, ca->cert_file);
	bind_buffer(statement, 16, ca->chain);
	bind_text(statement, 17, ca->crl_id);
}

int store_add(struct store *store, struct store_ca *ca, char *err,
	size_t err_size)
{
	sqlite3_stmt *statement;

	find_name(store, ca);
	if (store_prepare(store, "INSERT INTO ca (" WRITTEN ", id, purpose,"
		    " parent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
		    " ?, ?, ?, ?, ?, ?, ?)", &statement, err, err_size) != 0)
		return -1;
	bind_ca(statement, ca);
	bind_time(statement, NUM_WRITTEN + 1, ca->id);
	bind_text(statement, NUM_WRITTEN + 2, purposes[ca->purpose]);
	bind_time(statement, NUM_WRITTEN + 3, ca->parent);
	if (store_finish(store, statement, err, err_size) != 0)
		return -1;
	ca->id = sqlite3_last_insert_rowid(store->db);
	if (!ca->is_default)
		return 0;
	return store_set_default(store, ca->id, err, err_size);
}

int store_save(struct store *store, const struct store_ca *ca, char *err,
	size_t err_size)
{
	sqlite3_stmt *statement;

	if (store_prepare(store, "UPDATE ca SET (" WRITTEN ") = (?, ?, ?, ?,"
		    " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?",
		    &statement, err, err_size) != 0)
		return -1;
	bind_ca(statement, ca);
	sqlite3_bind_int64(statement, NUM_WRITTEN + 1, ca->id);
	return store_finish(store, statement, err, err_size);
}

int store_set_crl(struct store *store, int64_t id, const CRYPTO_BUFFER *crl,
	int64_t number, int64_t time, char *err, size_t err_size)
{
	sqlite3_stmt *statement;

	if (store_prepare(store, "UPDATE ca SET crl = ?, crl_number = ?,"
		    " crl_time = ? WHERE id = ?", &statement, err,
		    err_size) != 0)
		return -1;
	bind_buffer(statement, 1, crl);
	sqlite3_bind_int64(statement, 2, number);
	sqlite3_bind_int64(statement, 3, time);
	sqlite3_bind_int64(statement, 4, id);
	return store_finish(store, statement, err, err_size);
}

int store_set_default(struct store *store, int64_t id, char *err,
	size_t err_size)
{
	sqlite3_stmt *statement;

	if (store_run(store, "UPDATE ca SET is_default = 0 WHERE is_default"
		    " = 1", err, err_size) != 0 ||
	    store_prepare(store, "UPDATE ca SET is_default = 1 WHERE id = ?",
		    &statement, err, err_size) != 0)
		return -1;
	sqlite3_bind_int64(statement, 1, id);
	return store_finish(store, statement, err, err_size);
}

int store_retire(struct store *store, int64_t id, int64_t now, char *err,
	size_t err_size)
{
	sqlite3_stmt *statement;

	if (store_prepare(store, "UPDATE ca SET retired = ?, key = NULL, csr ="
		    " NULL, status = 'DISABLED', name = name || ' (deleted ' ||"
		    " id || ' ' || hex(randomblob(8)) || ')' WHERE id = ?",
		    &statement, err, err_size) != 0)
		return -1;
	sqlite3_bind_int64(statement, 1, now);
	sqlite3_bind_int64(statement, 2, id);
	return store_finish(store, statement, err, err_size);
}
