#include "policy/people.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy/memory.h"

struct member {
	unsigned *groups; /* owned, ascending */
	unsigned num_groups;
};

unsigned people_put_user(struct people *people, const char *name)
{
	unsigned known = people->users.num;
	unsigned user = roster_put(&people->users, name);

	if (user == known) {
		people->members = memory_grow(
			people->members, user, sizeof(*people->members));
		people->members[user] = (struct member){NULL, 0};
	}
	return user;
}

/* Groups come in the order of their numbers, so the last is the highest. */
static void join(struct member *member, unsigned group)
{
	if (member->num_groups > 0 &&
		member->groups[member->num_groups - 1] == group)
		return;
	member->groups = memory_grow(
		member->groups, member->num_groups, sizeof(*member->groups));
	member->groups[member->num_groups++] = group;
}

int people_add_group(struct people *people, const char *name,
	const char *const *users, size_t num_users, char *err, size_t err_size)
{
	unsigned group;

	if (roster_find(&people->groups, name, &group)) {
		snprintf(err, err_size,
			"there are two groups called \"%.100s\"", name);
		return -1;
	}
	group = roster_put(&people->groups, name);
	for (size_t i = 0; i < num_users; i++) {
		unsigned user = people_put_user(people, users[i]);

		join(&people->members[user], group);
	}
	return 0;
}

bool people_find_group(
	const struct people *people, const char *name, unsigned *out)
{
	return roster_find(&people->groups, name, out);
}

struct person people_find(const struct people *people, const char *user)
{
	struct person person = {.user = PERSON_UNNAMED};

	if (!user || !roster_find(&people->users, user, &person.user))
		return person;
	person.groups = people->members[person.user].groups;
	person.num_groups = people->members[person.user].num_groups;
	return person;
}

void people_clear(struct people *people)
{
	for (unsigned i = 0; i < people->users.num; i++)
		free(people->members[i].groups);
	free(people->members);
	roster_clear(&people->users);
	roster_clear(&people->groups);
	*people = (struct people){0};
}
