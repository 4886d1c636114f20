/*
 * plain.h - a line of JSON as the log nearly always writes it.
 *
 * An object without objects in it, whose text is ASCII and has nothing escaped, and
 * whose numbers count something, needs no tree to be read: that is ten times as
 * fast. Anything else is left to who knows all of JSON; what is read here, that
 * reads as the same (a fuzz test).
 *
 * Owns:    nothing; it cuts up the text that it is given.
 * Threads: one.
 */
#ifndef PROXY_LOGBOOK_PLAIN_H
#define PROXY_LOGBOOK_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

enum plain_kind { PLAIN_TEXT, PLAIN_NUMBER, PLAIN_BOOL };

struct plain {
	char *at, *end;
	char mark;          /* what stood at at */
	bool fine;          /* it was read to its end */
	const char *key, *value; /* of the member; true and false, digits */
	enum plain_kind kind;
};

/* plain_open: text has a NUL behind its len bytes. */
void plain_open(struct plain *plain, char *text, size_t len);

/* plain_next reads the next member. False: there is none, and fine says whether it
 * was all plain. */
bool plain_next(struct plain *plain);

#endif
