/*
 * version_json.h - a policy's version as the JSON that its file holds.
 *
 * What is said of the document stands before it, so that who wants no more need
 * not read more. All of it is checked: somebody may have changed the file.
 *
 * Threads: any.
 */
#ifndef PROXY_CONFIG_VERSION_JSON_H
#define PROXY_CONFIG_VERSION_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "proxy/config/versions.h"

enum {
	/* Of a file, what stands before the document: who and note may take six
	 * bytes each. */
	VERSION_HEAD_MAX = 6 * (sizeof(((struct version *)0)->who) +
		sizeof(((struct version *)0)->note)) + 256,
};

/* version_json_read reads all of a file, and the document too where out_text is
 * not NULL; it is the caller's, NUL-ended. False: it is not that version. */
bool version_json_read(const char *text, size_t len, unsigned number,
	struct version *out, char **out_text, size_t *out_len);

/* version_json_head reads a file's beginning, which it changes, as
 * version_json_write lays it out. False: it is not that version, or laid out
 * otherwise. */
bool version_json_head(char *text, unsigned number, struct version *out);

/* version_json_write gives the file's text, the caller's; NULL: text is not UTF-8,
 * and so no document. */
char *version_json_write(const struct version *version, const char *text,
	size_t len);

#endif
