/*
 * log_show.h - lines of the access log for people.
 *
 * What is in them is of anybody's making: nothing reaches a terminal that it could
 * take for a command.
 *
 * Owns:    a table its rows.
 * Threads: the main one.
 */
#ifndef PROXY_CLI_LOG_SHOW_H
#define PROXY_CLI_LOG_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "proxy/logbook/entry.h"

enum { LOG_COLUMNS = 5, LOG_ROWS_HELD = 100 };

/* Columns take the width that the first rows need; what is longer later is cut. */
struct log_table { /* zeroed but for out and width is empty */
	FILE *out;
	unsigned width; /* of a line; 0: any */
	char *held[LOG_ROWS_HELD][LOG_COLUMNS]; /* owned */
	size_t num;
	bool begun;
	unsigned widths[LOG_COLUMNS];
};

void log_table_add(struct log_table *table, const struct entry *entry);
void log_table_end(struct log_table *table);

/* log_show_line writes an entry as one line: when, what came of it, who, where to,
 * why. */
void log_show_line(FILE *out, const struct entry *entry, bool colour,
	unsigned width);

/* log_width is that of the terminal out is, or 0. */
unsigned log_width(FILE *out);

#endif
