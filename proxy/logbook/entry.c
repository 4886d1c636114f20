#include "proxy/logbook/entry.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/logbook/moment.h"
#include "proxy/logbook/plain.h"
#include "proxy/report/csv_cell.h"

enum kind { TEXT, URL, NUMBER, COUNT, FLAG, MARK };

static const struct {
	const char *name, *column;
	enum kind kind;
} fields[] = {
#define LOG_FIELD(json, column, kind, known, value, help) {#json, column, kind},
#include "proxy/report/log_fields.def"
#undef LOG_FIELD
};

static void forget(struct entry *entry)
{
	json_decref(entry->tree);
	entry->tree = NULL;
	memset(entry->value, 0, sizeof(entry->value));
}

void entry_clear(struct entry *entry)
{
	forget(entry);
	free(entry->cells);
	*entry = (struct entry){.cells = NULL};
}

const char *entry_text(const struct entry *entry, enum entry_field field)
{
	return entry->value[field] ? entry->value[field] : "";
}

bool entry_is(const struct entry *entry, enum entry_field field,
	const char *word)
{
	return entry->value[field] && strcmp(entry->value[field], word) == 0;
}

const char *entry_what(const struct entry *entry)
{
	return entry->value[ENTRY_url] ? entry->value[ENTRY_url] :
					 entry_text(entry, ENTRY_host);
}

/* digits_of: of what is no number that was counted, NULL. */
static const char *digits_of(char out[JSON_DIGITS + 1], json_int_t number)
{
	if (number < 0)
		return NULL;
	*json_digits(out, (uint64_t)number) = '\0';
	return out;
}

static void make_cells(struct entry *entry, size_t len)
{
	size_t need = len + 2;

	if (entry->cells_cap >= need)
		return;
	free(entry->cells);
	entry->cells = malloc(need);
	if (!entry->cells)
		abort();
	entry->cells_cap = need;
}

/* --- JSON --------------------------------------------------------------- */

static const char *json_value(const json_t *value, enum kind kind,
	char digits[JSON_DIGITS + 1])
{
	switch (kind) {
	case NUMBER:
	case COUNT:
		return json_is_integer(value) ?
			digits_of(digits, json_integer_value(value)) : NULL;
	case FLAG:
	case MARK:
		if (!json_is_boolean(value))
			return NULL;
		return json_is_true(value) ? "true" : "false";
	case TEXT:
	case URL:
	default:
		return json_string_value(value);
	}
}

/* field_named looks from where the one before was: fields have an order. */
static int field_named(const char *name, int from)
{
	for (int i = 0; i < ENTRY_FIELDS; i++) {
		int field = (from + i) % ENTRY_FIELDS;

		if (strcmp(fields[field].name, name) == 0)
			return field;
	}
	return -1;
}

static bool is_of(enum plain_kind is, enum kind kind)
{
	switch (kind) {
	case NUMBER:
	case COUNT:
		return is == PLAIN_NUMBER;
	case FLAG:
	case MARK:
		return is == PLAIN_BOOL;
	case TEXT:
	case URL:
	default:
		return is == PLAIN_TEXT;
	}
}

/* read_plain: false, it is no plain line, and nothing is known of it. */
static bool read_plain(struct entry *entry, const char *line, size_t len)
{
	struct plain plain;
	int field = 0, found;

	make_cells(entry, len);
	memcpy(entry->cells, line, len);
	entry->cells[len] = '\0';
	plain_open(&plain, entry->cells, len);
	while (plain_next(&plain)) {
		found = field_named(plain.key, field);
		if (found < 0)
			continue;
		field = found;
		entry->value[field] = is_of(plain.kind, fields[field].kind) ?
			plain.value : NULL;
	}
	if (!plain.fine)
		forget(entry);
	return plain.fine;
}

static bool read_json(struct entry *entry, const char *line, size_t len)
{
	if (read_plain(entry, line, len))
		return true;
	entry->tree = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
	if (!json_is_object(entry->tree))
		return false;
	for (int i = 0; i < ENTRY_FIELDS; i++)
		entry->value[i] = json_value(
			json_object_get(entry->tree, fields[i].name),
			fields[i].kind, entry->digits[i]);
	return true;
}

/* --- CSV ---------------------------------------------------------------- */

/* next_cell takes the cell at *at from between its commas and writes it, NUL-ended,
 * to out; *at is then behind the comma, or NULL. False: it is cut or not a cell.
 */
static bool next_cell(const char **at, const char *end, char **out)
{
	const char *from = *at;
	char *to = *out;
	bool quoted = from < end && *from == '"';

	if (quoted)
		from++;
	while (from < end) {
		if (quoted ? *from == '"' : *from == ',') {
			if (!quoted || from + 1 == end || from[1] != '"')
				break;
			from++;
		}
		*to++ = *from++;
	}
	if (quoted && from == end)
		return false;
	from += quoted;
	*to++ = '\0';
	*out = to;
	*at = from < end ? from + 1 : NULL;
	return from == end || *from == ',';
}

/* formula_undone takes the apostrophe away that csv_cell has put there. */
static char *formula_undone(char *cell)
{
	return cell[0] == '\'' && csv_is_formula(cell + 1, strlen(cell + 1)) ?
		cell + 1 : cell;
}

static const char *csv_value(char *cell, enum kind kind)
{
	if (cell[0] == '\0')
		return NULL;
	switch (kind) {
	case NUMBER:
	case COUNT:
		return strspn(cell, "0123456789") == strlen(cell) ? cell : NULL;
	case FLAG:
	case MARK:
		if (strcmp(cell, "Yes") == 0)
			return "true";
		return strcmp(cell, "No") == 0 ? "false" : NULL;
	case URL: /* the host stands there where there is none */
		return strstr(cell, "://") ? cell : NULL;
	case TEXT:
	default:
		return formula_undone(cell);
	}
}

static int field_of(const char *column)
{
	for (int i = 0; i < ENTRY_FIELDS; i++) {
		if (strcmp(fields[i].column, column) == 0)
			return i;
	}
	return -1;
}

static void take_cell(struct entry *entry, char *cell, size_t number,
	const struct entry_columns *columns)
{
	int field = columns->num > 0 ? columns->field[number] : (int)number;

	if (field >= 0)
		entry->value[field] = csv_value(cell, fields[field].kind);
}

static bool is_heading(const char *line, size_t len)
{
	size_t first = strlen(fields[0].column);

	return len > first && memcmp(line, fields[0].column, first) == 0 &&
		line[first] == ',';
}

/* read_csv: a line of headings is taken into columns. */
static bool read_csv(struct entry *entry, const char *line, size_t len,
	bool heading, struct entry_columns *columns)
{
	size_t num = 0, due = columns->num > 0 ? columns->num : ENTRY_FIELDS;
	char *out = entry->cells, *cell;

	for (const char *at = line; at; num++) {
		cell = out;
		if (num >= (heading ? ENTRY_COLUMNS_MAX : due) ||
		    !next_cell(&at, line + len, &out))
			return false;
		if (heading)
			columns->field[num] = (int16_t)field_of(cell);
		else
			take_cell(entry, cell, num, columns);
	}
	if (heading)
		columns->num = num;
	return heading || num == due;
}

/* --- either ------------------------------------------------------------- */

enum entry_kind entry_read(struct entry *entry, const char *line, size_t len,
	struct entry_columns *columns)
{
	bool fine, heading;

	forget(entry);
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0)
		return ENTRY_HEADINGS;
	entry->line = line;
	entry->len = len;
	entry->is_json = line[0] == '{';
	heading = is_heading(line, len);
	if (entry->is_json) {
		fine = read_json(entry, line, len);
	} else {
		make_cells(entry, len);
		fine = read_csv(entry, line, len, heading, columns);
	}
	if (fine && heading)
		return ENTRY_HEADINGS;
	return fine && moment_of(entry_text(entry, ENTRY_time), &entry->at_ms) ?
		ENTRY_FINE : ENTRY_FOREIGN;
}

static void put_json(struct json_line *line, enum entry_field field,
	const char *value)
{
	const char *name = fields[field].name;

	switch (fields[field].kind) {
	case NUMBER:
	case COUNT:
		json_number(line, name, strtoull(value, NULL, 10));
		break;
	case MARK:
		if (strcmp(value, "true") != 0)
			break;
		json_bool(line, name, true);
		break;
	case FLAG:
		json_bool(line, name, strcmp(value, "true") == 0);
		break;
	case TEXT:
	case URL:
	default:
		json_text(line, name, value);
		break;
	}
}

/* mark_known: JSON leaves out what is false. */
static bool mark_known(const struct entry *entry, enum entry_field field)
{
	return entry->value[field == ENTRY_origin_wildcard ? ENTRY_origin_days :
							     ENTRY_origin_verified];
}

static void put_csv(struct json_line *line, const struct entry *entry,
	enum entry_field field)
{
	const char *value = entry->value[field];
	enum kind kind = fields[field].kind;

	if (kind == URL)
		value = entry_what(entry);
	else if ((kind == FLAG || kind == MARK) && value)
		value = strcmp(value, "true") == 0 ? "Yes" : "No";
	else if (kind == MARK && entry->is_json && mark_known(entry, field))
		value = "No";
	csv_cell(line, value, value ? strlen(value) : 0);
}

void entry_write(struct json_line *line, enum log_form form,
	const struct entry *entry)
{
	if (form == LOG_CSV) {
		for (int i = 0; i < ENTRY_FIELDS; i++)
			put_csv(line, entry, (enum entry_field)i);
		line->text[line->len - 1] = '\r';
		*json_room(line, 1) = '\n';
		line->len++;
		return;
	}
	json_open(line);
	for (int i = 0; i < ENTRY_FIELDS; i++) {
		if (entry->value[i])
			put_json(line, (enum entry_field)i, entry->value[i]);
	}
	json_close(line);
}
