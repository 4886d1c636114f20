/*
 * log_ask.h - what `sallyport log query`, `tail` and `pinned` share: which files,
 * and which of their lines.
 *
 * Owns:    what log_ask_read has made, until log_ask_clear.
 * Threads: the main one.
 * Errors:  OPTIONS_FINE, or what the program shall exit with; already told.
 */
#ifndef PROXY_CLI_LOG_ASK_H
#define PROXY_CLI_LOG_ASK_H

#include "proxy/cli/options.h"
#include "proxy/config/config.h"
#include "proxy/logbook/book.h"
#include "proxy/logbook/filter.h"

enum { LOG_FILES_MAX = 1000, LOG_ASK_ROWS = 10 };

struct log_ask { /* zeroed is empty */
	const char *config;
	const char *files[LOG_FILES_MAX];
	struct option_list list;
	const char *since, *until, *client;
	struct filter filter;
	struct config *settings; /* owned */
};

/* log_ask_rows writes the rows of the options to rows, of which there are
 * LOG_ASK_ROWS. */
void log_ask_rows(struct log_ask *ask, struct option_row *rows);

/* log_ask_read makes the filter of what the options say, and finds the file. */
int log_ask_read(const struct command *command, struct log_ask *ask)
	__attribute__((warn_unused_result));

/* log_ask_open opens the files, with those that became of the configuration's. */
int log_ask_open(const struct log_ask *ask, struct book *book)
	__attribute__((warn_unused_result));

/* log_ask_end tells of lines that could not be read, and gives the exit code. */
int log_ask_end(const struct book *book);
void log_ask_clear(struct log_ask *ask);

#endif
