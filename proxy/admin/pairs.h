/*
 * pairs.h - "a=1&b=two+words": a query, or a form (application/x-www-form-
 * urlencoded, as the URL standard has it).
 *
 * Threads: any.
 */
#ifndef PROXY_ADMIN_PAIRS_H
#define PROXY_ADMIN_PAIRS_H

#include "proxy/http/message.h"

enum pairs_found {
	PAIRS_FOUND,
	PAIRS_NONE,   /* nobody is called so; out is "" */
	PAIRS_BAD,    /* twice, or not well encoded, or longer than out */
};

/* pairs_get looks for a name (plain ASCII) and decodes its value. */
enum pairs_found pairs_get(struct slice text, const char *name, char *out,
	size_t size);

/* pairs_stranger is the first name that is none of names, which NULL ends; false:
 * there is none. What does not decode is one, as it stands. */
bool pairs_stranger(struct slice text, const char *const *names,
	struct slice *out);

/* pairs_decode decodes %XX, and '+' where plus; false: it is not well encoded,
 * holds a NUL, or is longer than out. */
bool pairs_decode(struct slice text, bool plus, char *out, size_t size);

#endif
