/*
 * csv_cell.h - text as a cell of CSV (RFC 4180).
 *
 * Controls and what is no UTF-8 are escaped as in JSON, so that a line stays a
 * line; and so is a semicolon before what would be a formula in a spreadsheet that
 * parts cells by semicolons: no quotes help there. What any would take for a formula
 * gets an apostrophe before it.
 *
 * Owns:    nothing. Threads: one a line.
 */
#ifndef PROXY_REPORT_CSV_CELL_H
#define PROXY_REPORT_CSV_CELL_H

#include <stdbool.h>
#include <stddef.h>

#include "proxy/report/json_line.h"

/* csv_cell adds it, and a comma. text may be NULL: an empty one. */
void csv_cell(struct json_line *line, const char *text, size_t len);

/* csv_is_formula: whether a cell that begins so gets the apostrophe. */
bool csv_is_formula(const char *text, size_t len);

#endif
