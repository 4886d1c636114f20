/*
 * bad_lines.h - lines of a file that are passed over, told of as warnings: the first
 * twenty one by one, then how many more there are.
 *
 * Owns:    nothing.
 * Threads: one a file.
 */
#ifndef PROXY_CORE_BAD_LINES_H
#define PROXY_CORE_BAD_LINES_H

#include <stddef.h>
#include <stdio.h>

struct bad_lines {
	FILE *out;        /* borrowed */
	const char *path; /* borrowed: of the file */
	size_t num;       /* so far */
};

/* bad_lines_tell writes "FILE:LINE: warning: what". */
void bad_lines_tell(struct bad_lines *bad, unsigned line, const char *what);

/* bad_lines_end: there are no more. */
void bad_lines_end(const struct bad_lines *bad);

#endif
