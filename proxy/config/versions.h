/*
 * versions.h - policies that came by the API, each a version that stays.
 *
 *	STATE/policy/000007.json   {"version", "made", "who", "note", "policy"}:
 *	                           policy is the document's text, so that its
 *	                           lines stay what they were told as
 *	STATE/policy/current       the number of the one in force; 0: the
 *	                           configuration file's own. There before any
 *	                           version is: gone beside one it is damage
 *
 * Written whole or not at all: beside it, flushed, renamed. A version is never
 * changed, and a number never given twice while a later one is there. Of files
 * that can't be read the others know nothing: a list says so where they stand.
 *
 * Threads: any may read while one writes; who writes sees to it that it is one.
 * Errors:  -1 with a sentence in err that names the file as the state folder has it.
 */
#ifndef PROXY_CONFIG_VERSIONS_H
#define PROXY_CONFIG_VERSIONS_H

#include <stddef.h>
#include <stdint.h>

enum {
	VERSIONS_TEXT_MAX = 1024 * 1024, /* bytes of a document */
	VERSIONS_KEPT = 200,             /* and the one in force */
	VERSIONS_LAST = 999999,
	VERSIONS_ERR = 256,
};

struct version {
	unsigned number;        /* 0: none; the file's own is in force */
	int64_t made;           /* when, seconds */
	char who[128];          /* "token ci", as in the audit trail */
	char note[256];         /* "": none */
	char err[VERSIONS_ERR]; /* in a list: why it can't be read; else "" */
};

/* There is no such version; or, asked for the one in force, none is. */
enum { VERSIONS_NONE = 1 };

/* state is the state folder, as it can be reached. What is given is the
 * caller's (free), text NUL-ended. */

/* versions_list gives them by number: the last VERSIONS_KEPT, and the one in force.
 * Their documents are not read: whether those are whole versions_read says. */
int versions_list(const char *state, struct version **out, size_t *out_num,
	char *err, size_t err_size) __attribute__((warn_unused_result));

int versions_read(const char *state, unsigned number, struct version *out,
	char **out_text, size_t *out_len, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* versions_current gives the version in force and its document, to be laid over
 * the configuration (config_load_source). */
int versions_current(const char *state, struct version *out, char **out_text,
	size_t *out_len, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* versions_next is the number that the next one will have. */
int versions_next(const char *state, unsigned *out, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* versions_add stores one under version->number, which versions_next has given,
 * and lets go of the oldest where there are more than VERSIONS_KEPT. It is not in
 * force by that. */
int versions_add(const char *state, const struct version *version,
	const char *text, size_t len, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* versions_remove takes back one that versions_add has stored, and that never was
 * in force. */
void versions_remove(const char *state, unsigned number);

/* versions_set_current: 0, or one that is there. */
int versions_set_current(const char *state, unsigned number, char *err,
	size_t err_size) __attribute__((warn_unused_result));

#endif
