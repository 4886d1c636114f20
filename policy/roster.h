/*
 * roster.h - names and their numbers. For this room.
 *
 * Rules are full of names (categories, groups, users); what decides compares
 * numbers. A name's number is its place, from 0.
 *
 * Owns:    copies of the names.
 * Threads: build on one thread; immutable after that.
 */
#ifndef POLICY_ROSTER_H
#define POLICY_ROSTER_H

#include <stdbool.h>

struct name;

struct roster { /* zeroed: none */
	struct name *table; /* owned: by name */
	struct name **at;   /* the same, by number */
	unsigned num;
};

/* roster_put returns the number of name, which is added where it is not there. */
unsigned roster_put(struct roster *names, const char *name);

/* roster_find gives the number of name; false: it is not there. */
bool roster_find(const struct roster *names, const char *name, unsigned *out);

/* roster_text returns the name that has this number, borrowed. */
const char *roster_text(const struct roster *names, unsigned number);

void roster_clear(struct roster *names);

#endif
