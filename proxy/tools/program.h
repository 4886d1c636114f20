/*
 * program.h - another program, run to its end without anybody looking on.
 *
 *	const char *const argv[] = {"certutil", "-L", "-d", folder, NULL};
 *	status = program_run(argv, NULL, said, sizeof(said));
 *
 * It is looked for where PATH says, and where administrators' programs are, which
 * are in nobody else's PATH.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  what the program said, or why it could not be run.
 */
#ifndef PROXY_TOOLS_PROGRAM_H
#define PROXY_TOOLS_PROGRAM_H

#include <stddef.h>

/* program_find is its path, which the caller frees; NULL: there is none. A name with a
 * slash is a path already. */
char *program_find(const char *name);

/* program_run hands it input (NULL: none) and takes what it says, both ways of it, as far
 * as there is room; NUL-ended. Its exit status; -1: it was not run, or did not end
 * by itself. */
int program_run(const char *const *argv, const char *input, char *said,
	size_t size) __attribute__((warn_unused_result));

/* program_run_within ends it, by SIGKILL, when it takes longer; 0: as program_run. */
int program_run_within(const char *const *argv, const char *input, char *said,
	size_t size, unsigned limit_ms) __attribute__((warn_unused_result));

/* program_fail makes a sentence of the first line of what a program said, and returns -1. */
int program_fail(const char *name, const char *said, char *err,
	size_t err_size);

#endif
