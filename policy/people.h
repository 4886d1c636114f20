/*
 * people.h - who is in which groups. For this room.
 *
 * Users and groups are names to whoever writes rules and numbers to rules; a
 * user is looked up once a decision.
 *
 * Owns:    the names and who is where.
 * Threads: build on one thread; immutable after that.
 */
#ifndef POLICY_PEOPLE_H
#define POLICY_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/roster.h"

struct member;

struct people { /* zeroed: none */
	struct roster groups, users;
	struct member *members; /* owned: by the user's number */
};

/* A user as a decision sees it. */
struct person {
	unsigned user; /* PERSON_UNNAMED: no rule and no group has it */
	const unsigned *groups; /* ascending; borrowed from people */
	size_t num_groups;
};

enum { PERSON_UNNAMED = 0x7fffffff };

/* people_add_group: a name that is already there is an error. Users are copied;
 * one that is named twice is in it once. */
int people_add_group(struct people *people, const char *name,
	const char *const *users, size_t num_users, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* people_put_user returns the number of a user, who is added where needed. */
unsigned people_put_user(struct people *people, const char *name);

/* people_find_group gives the number of a group; false: there is none. */
bool people_find_group(
	const struct people *people, const char *name, unsigned *out);

/* people_find looks a user up; NULL is nobody, who is in no group. */
struct person people_find(const struct people *people, const char *user);

void people_clear(struct people *people);

#endif
