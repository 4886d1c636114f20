/*
 * log_line.h - a record as a line: JSON, CSV, or an entry of the journal.
 *
 * log_fields.def says what is in it, whichever form it has; here is how a field
 * of each kind looks in each form. A line stays a line whatever a peer sends:
 * controls and what is no UTF-8 are escaped as in JSON. A cell of CSV (RFC 4180)
 * that a spreadsheet would take for a formula gets an apostrophe before it.
 *
 * An entry of the journal is what its socket takes as one datagram, and ends
 * with an empty line.
 *
 * Owns:    nothing. Threads: one a line and clock.
 */
#ifndef PROXY_REPORT_LOG_LINE_H
#define PROXY_REPORT_LOG_LINE_H

#include <time.h>

#include "proxy/report/json_line.h"
#include "proxy/report/record.h"

enum log_form { LOG_JSON, LOG_CSV, LOG_JOURNAL };

/* What log.redact leaves out. */
enum {
	LOG_REDACT_QUERY = 1 << 0,
	LOG_REDACT_PATH = 1 << 1, /* and the query */
	LOG_REDACT_USER_AGENT = 1 << 2,
	LOG_REDACT_USER = 1 << 3,
	LOG_REDACT_CLIENT = 1 << 4,
};

/* The time in text, but its milliseconds made anew only once a second. */
struct log_clock {
	time_t second;
	char text[28]; /* "2026-11-20T23:16:00.000Z" */
};

/* The Policy Action of RECORD_LOG, which has no reason. */
#define LOG_LINE_LOST "Lines of the log were lost"

/* log_line_kind is the word of the field kind. */
const char *log_line_kind(enum record_kind kind);

/* log_line adds the line of r to what is in line. */
void log_line(struct json_line *line, enum log_form form, unsigned redact,
	struct log_clock *clock, const struct record *r);

/* log_line_header adds what a file in that form begins with, if anything. */
void log_line_header(struct json_line *line, enum log_form form);

#endif
