#include "pki/store_token.h"

#include <openssl/mem.h>
#include <stdlib.h>
#include <string.h>

#include "pki/store_private.h"

static const char *const kinds[NUM_TOKEN_KINDS] = {
	[TOKEN_BEARER] = "bearer",
	[TOKEN_OAUTH] = "oauth",
	[TOKEN_SESSION] = "session",
};

const char *token_kind_word(enum token_kind kind)
{
	return kinds[kind];
}

bool token_kind_named(const char *word, enum token_kind *out)
{
	for (int i = 0; i < (int)NUM_TOKEN_KINDS; i++) {
		if (strcmp(kinds[i], word) == 0) {
			*out = (enum token_kind)i;
			return true;
		}
	}
	return false;
}

/* --- writing ------------------------------------------------------------ */

int store_token_add(struct store *store, const struct store_token *token,
	char *err, size_t err_size)
{
	sqlite3_stmt *statement;

	if (store_prepare(store, "INSERT INTO token (name, kind, client,"
		    " digest, api_key, read_only, made) VALUES (?, ?, ?, ?, ?,"
		    " ?, ?) ON CONFLICT (name) DO NOTHING", &statement, err,
		    err_size) != 0)
		return -1;
	bind_text(statement, 1, token->name);
	bind_text(statement, 2, kinds[token->kind]);
	bind_text(statement, 3, token->client);
	bind_der(statement, 4, (struct der){token->digest, TOKEN_DIGEST});
	bind_text(statement, 5, token->api_key);
	sqlite3_bind_int(statement, 6, token->read_only);
	sqlite3_bind_int64(statement, 7, token->made);
	if (store_finish(store, statement, err, err_size) != 0)
		return -1;
	return sqlite3_changes(store->db) == 1 ? 0 : STORE_TOKEN_TAKEN;
}

int store_token_delete(struct store *store, const char *name, char *err,
	size_t err_size)
{
	sqlite3_stmt *statement;

	if (store_prepare(store, "DELETE FROM token WHERE name = ?",
		    &statement, err, err_size) != 0)
		return -1;
	bind_text(statement, 1, name);
	if (store_finish(store, statement, err, err_size) != 0)
		return -1;
	return sqlite3_changes(store->db) == 1 ? 0 : STORE_TOKEN_NONE;
}

/* --- reading ------------------------------------------------------------ */

/* read_token: false, a kind that is not known, or no digest: as if it were not
 * there. */
static bool read_token(sqlite3_stmt *row, struct store_token *out)
{
	const char *kind = (const char *)sqlite3_column_text(row, 2);
	const void *digest = sqlite3_column_blob(row, 4);

	if (!kind || !token_kind_named(kind, &out->kind) || !digest ||
	    sqlite3_column_bytes(row, 4) != TOKEN_DIGEST)
		return false;
	out->id = sqlite3_column_int64(row, 0);
	copy_text(row, 1, out->name, sizeof(out->name));
	copy_text(row, 3, out->client, sizeof(out->client));
	memcpy(out->digest, digest, TOKEN_DIGEST);
	copy_text(row, 5, out->api_key, sizeof(out->api_key));
	out->read_only = sqlite3_column_int(row, 6) != 0;
	out->made = sqlite3_column_int64(row, 7);
	return true;
}

int store_token_list(struct store *store, struct store_token **out,
	size_t *out_num, char *err, size_t err_size)
{
	sqlite3_stmt *rows;
	int code, result;

	*out = NULL;
	*out_num = 0;
	if (store_prepare(store, "SELECT id, name, kind, client, digest,"
		    " api_key, read_only, made FROM token ORDER BY name",
		    &rows, err, err_size) != 0)
		return -1;
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		*out = store_grow(*out, *out_num, sizeof(**out));
		if (read_token(rows, &(*out)[*out_num]))
			(*out_num)++;
	}
	result = code == SQLITE_DONE ? 0 : store_fail(store, err, err_size);
	sqlite3_finalize(rows);
	if (result == 0)
		return 0;
	store_token_free(*out, *out_num);
	*out = NULL;
	*out_num = 0;
	return -1;
}

static int list_if_any(struct store *store, struct store_token **out,
	size_t *out_num, char *err, size_t err_size)
{
	int64_t tables = 0;

	if (store_number(store, "SELECT count(*) FROM sqlite_master WHERE name"
		    " = 'token'", &tables, err, err_size) != 0)
		return -1;
	return tables == 0 ? 0 :
		store_token_list(store, out, out_num, err, err_size);
}

int store_token_read(const char *path, struct store_token **out,
	size_t *out_num, char *err, size_t err_size)
{
	struct store *store;
	int result;

	*out = NULL;
	*out_num = 0;
	if (store_open_to_read(path, &store, err, err_size) != 0)
		return -1;
	result = list_if_any(store, out, out_num, err, err_size);
	store_close(store);
	return result;
}

void store_token_free(struct store_token *list, size_t num)
{
	if (list)
		OPENSSL_cleanse(list, num * sizeof(*list));
	free(list);
}
