/*
 * entry.h - a line of the access log, read back.
 *
 * JSON and CSV alike: both are written from proxy/report/log_fields.def, and that
 * table is what is known here. A field whose kind is not what the table says is
 * not there; what the table has not, of a later version, is left alone. Text may
 * be of anybody's making: a URL, a user agent.
 *
 * Owns:    what its values point to, until the next line is read into it.
 * Threads: one an entry.
 */
#ifndef PROXY_LOGBOOK_ENTRY_H
#define PROXY_LOGBOOK_ENTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/report/log_line.h"

enum entry_field {
#define LOG_FIELD(json, column, kind, known, value, help) ENTRY_##json,
#include "proxy/report/log_fields.def"
#undef LOG_FIELD
	ENTRY_FIELDS
};

enum { ENTRY_COLUMNS_MAX = 256 };

/* What the cells of CSV are, by the last headings that came; zeroed: those of
 * this version. */
struct entry_columns {
	size_t num;
	int16_t field[ENTRY_COLUMNS_MAX]; /* -1: not known here */
};

struct entry { /* zeroed is empty */
	/* NULL: not there. true and false; numbers in decimal. */
	const char *value[ENTRY_FIELDS];
	int64_t at_ms;    /* time, since 1970 */
	const char *line; /* borrowed from who read it, without its end */
	size_t len;
	bool is_json;
	json_t *tree;     /* owned */
	char *cells;      /* owned: the line, cut up */
	size_t cells_cap;
	char digits[ENTRY_FIELDS][JSON_DIGITS + 1];
};

enum entry_kind {
	ENTRY_FINE,
	ENTRY_HEADINGS, /* of CSV; or an empty line */
	ENTRY_FOREIGN,  /* no line of this log, or not whole */
};

enum entry_kind entry_read(struct entry *entry, const char *line, size_t len,
	struct entry_columns *columns);
void entry_clear(struct entry *entry);

/* entry_text is a value, "" where there is none. */
const char *entry_text(const struct entry *entry, enum entry_field field);
bool entry_is(const struct entry *entry, enum entry_field field,
	const char *word);

/* entry_what is what the column URL shows: the URL, else the host. */
const char *entry_what(const struct entry *entry);

/* entry_write adds its line, JSON or CSV, as the log would have written it. */
void entry_write(struct json_line *line, enum log_form form,
	const struct entry *entry);

#endif
