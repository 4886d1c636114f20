/*
 * options.h - "-c FILE", "--config FILE", "--config=FILE", "--help".
 *
 * Every option of Sallyport takes a value; nothing else may stand on the line.
 *
 * Owns:    nothing; values are borrowed from argv.
 * Threads: the main one.
 */
#ifndef PROXY_CLI_OPTIONS_H
#define PROXY_CLI_OPTIONS_H

#include <stdbool.h>

#include "proxy/cli/command.h"

struct option_row {
	char letter;        /* 0: none */
	const char *name;   /* without the dashes */
	const char **value; /* where the value goes */
	bool needed;
};

enum { OPTIONS_FINE = -1 };

/* options_read returns OPTIONS_FINE, or what the program shall exit with: help
 * was asked for and printed, or something was wrong and has been told. */
int options_read(const struct command *command, int argc, char **argv,
	const struct option_row *rows, size_t num)
	__attribute__((warn_unused_result));

#endif
