/*
 * options.h - "-c FILE", "--config FILE", "--config=FILE", "--json", "--help",
 * and operands: words without a dash, in their order.
 *
 * Owns:    nothing; values are borrowed from argv.
 * Threads: the main one.
 */
#ifndef PROXY_CLI_OPTIONS_H
#define PROXY_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "proxy/cli/command.h"

/* The values of an option that may be given more than once. */
struct option_list {
	const char **at; /* room for max */
	size_t num, max;
};

struct option_row {
	char letter;        /* 0: none */
	const char *name;   /* without the dashes; of an operand: "ID" */
	const char **value; /* where the value goes; NULL: there is none ... */
	bool needed;
	bool *flag;         /* ... and this is set */
	bool operand;
	struct option_list *list; /* value is NULL, too: each goes there */
};

enum { OPTIONS_FINE = -1 };

/* options_read returns OPTIONS_FINE, or what the program shall exit with: help
 * was asked for and printed, or something was wrong and has been told. */
int options_read(const struct command *command, int argc, char **argv,
	const struct option_row *rows, size_t num)
	__attribute__((warn_unused_result));

/* options_count reads a count from 1 to max; text may be NULL: out stays. */
int options_count(const struct command *command, const char *name,
	const char *text, unsigned max, unsigned *out)
	__attribute__((warn_unused_result));

/* options_wrong tells of a value that is wrong. */
int options_wrong(const struct command *command, const char *option,
	const char *value, const char *how);

#endif
