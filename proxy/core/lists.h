/*
 * lists.h - what is in the categories: in the configuration, and in its files.
 *
 * A list file has an entry a line (entry.h has what that may be). What is wrong
 * with a line is a warning, "FILE:LINE: warning: what", the first twenty of a file;
 * the rest of it counts. A file that can't be read is an error, as is one that is no
 * regular file; one that has nothing in it any more, so that its category is empty,
 * is a warning.
 *
 * Threads: any that may block: a million entries take about a second.
 */
#ifndef PROXY_CORE_LISTS_H
#define PROXY_CORE_LISTS_H

#include <stdint.h>
#include <stdio.h>

#include "proxy/config/config.h"

struct catalog;
struct settings;

enum {
	LIST_FILE_MAX = 256 << 20,
	LIST_LINE_MAX = 4096,
	LIST_DIGEST_SIZE = 32,
};

/* lists_load makes a catalog of config's categories, set n being the n-th; or
 * gives another reference to that of before, where they are what that was made of
 * to the byte: then nothing is told of their lines again. The digest is of all
 * that. *told is what is, or was, told of their lines, the caller's. -1: told to
 * errors. */
int lists_load(const struct config *config, const struct settings *before,
	FILE *errors, struct catalog **out, uint8_t digest[LIST_DIGEST_SIZE],
	char **told)
	__attribute__((warn_unused_result));

#endif
