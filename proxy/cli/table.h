/*
 * table.h - what JSON says, for people: rows and columns, or a line a member.
 *
 * Threads: the main one.
 */
#ifndef PROXY_CLI_TABLE_H
#define PROXY_CLI_TABLE_H

#include <jansson.h>
#include <stdio.h>

/* A column: what stands over it, and which member it shows. TABLE_LINES, in
 * table_list alone, is text that is shown whole, its lines below each other. */
struct table_column {
	const char *title, *member;
	enum { TABLE_TEXT, TABLE_LINES, TABLE_DAY, TABLE_TIME, TABLE_YES } kind;
};

/* table_print writes a row for each object of list, the columns as wide as they
 * need. */
void table_print(FILE *out, const json_t *list,
	const struct table_column *columns, size_t num);

/* table_list writes one object, a line a member; what is not said is left
 * out. */
void table_list(FILE *out, const json_t *object,
	const struct table_column *columns, size_t num);

/* table_letters counts them, of UTF-8: what they take on a screen. */
unsigned table_letters(const char *text);

/* table_json writes it as it came, for programs. */
void table_json(FILE *out, const json_t *value);

#endif
