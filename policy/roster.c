#include "policy/roster.h"

#include <stdlib.h>
#include <string.h>

#include "policy/memory.h"

#define uthash_fatal(msg) abort()
#include <uthash.h>

struct name {
	UT_hash_handle hh;
	unsigned number;
	char text[];
};

static struct name *find(const struct roster *names, const char *text)
{
	struct name *name;

	HASH_FIND_STR(names->table, text, name);
	return name;
}

unsigned roster_put(struct roster *names, const char *text)
{
	struct name *name = find(names, text);
	size_t len = strlen(text);

	if (name)
		return name->number;
	name = memory_new(sizeof(*name) + len + 1);
	memcpy(name->text, text, len + 1);
	name->number = names->num;
	HASH_ADD_KEYPTR(hh, names->table, name->text, len, name);
	names->at = memory_grow(names->at, names->num, sizeof(*names->at));
	names->at[names->num++] = name;
	return name->number;
}

bool roster_find(const struct roster *names, const char *text, unsigned *out)
{
	const struct name *name = find(names, text);

	if (name)
		*out = name->number;
	return name;
}

const char *roster_text(const struct roster *names, unsigned number)
{
	return names->at[number]->text;
}

void roster_clear(struct roster *names)
{
	HASH_CLEAR(hh, names->table);
	for (unsigned i = 0; i < names->num; i++)
		free(names->at[i]);
	free(names->at);
	*names = (struct roster){0};
}
