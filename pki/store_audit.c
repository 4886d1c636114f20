#include "pki/store_audit.h"

#include <string.h>

#include "pki/store_private.h"

int store_audit_add(struct store *store, const struct store_audit *line,
	char *err, size_t err_size)
{
	sqlite3_stmt *statement;

	if (store_prepare(store, "INSERT INTO audit (time, who, what, ca,"
		    " name, detail) VALUES (?, ?, ?, ?, ?, ?)", &statement,
		    err, err_size) != 0)
		return -1;
	sqlite3_bind_int64(statement, 1, line->time);
	bind_text(statement, 2, line->who[0] ? line->who : "?");
	bind_text(statement, 3, line->what);
	if (line->ca)
		sqlite3_bind_int64(statement, 4, line->ca);
	bind_text(statement, 5, line->name);
	bind_text(statement, 6, line->detail);
	return store_finish(store, statement, err, err_size);
}

bool store_audit_known(struct store *store, const struct store_audit *line,
	int64_t per_s)
{
	sqlite3_stmt *row;
	bool known;

	if (sqlite3_prepare_v2(store->db, "SELECT 1 FROM (SELECT who, what,"
		    " time FROM audit ORDER BY id DESC LIMIT 1000) WHERE who = ?"
		    " AND what = ? AND time > ?", -1, &row, NULL) != SQLITE_OK)
		return false;
	bind_text(row, 1, line->who);
	bind_text(row, 2, line->what);
	sqlite3_bind_int64(row, 3, line->time - per_s);
	known = sqlite3_step(row) == SQLITE_ROW;
	sqlite3_finalize(row);
	return known;
}

static void read_line(sqlite3_stmt *row, struct store_audit *out)
{
	out->id = sqlite3_column_int64(row, 0);
	out->time = sqlite3_column_int64(row, 1);
	copy_text(row, 2, out->who, sizeof(out->who));
	copy_text(row, 3, out->what, sizeof(out->what));
	out->ca = sqlite3_column_int64(row, 4);
	copy_text(row, 5, out->name, sizeof(out->name));
	copy_text(row, 6, out->detail, sizeof(out->detail));
}

int store_audit_list(struct store *store, size_t most,
	struct store_audit **out, size_t *out_num, char *err,
	size_t err_size)
{
	sqlite3_stmt *rows;
	int code, result;

	*out = NULL;
	*out_num = 0;
	if (store_prepare(store, "SELECT * FROM (SELECT id, time, who, what,"
		    " ca, name, detail FROM audit ORDER BY id DESC LIMIT ?)"
		    " ORDER BY id", &rows, err, err_size) != 0)
		return -1;
	sqlite3_bind_int64(rows, 1, (int64_t)most);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		*out = store_grow(*out, *out_num, sizeof(**out));
		read_line(rows, &(*out)[(*out_num)++]);
	}
	result = code == SQLITE_DONE ? 0 : store_fail(store, err, err_size);
	sqlite3_finalize(rows);
	return result;
}
