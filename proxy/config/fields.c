#include "proxy/config/fields.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "proxy/config/nearest.h"
#include "proxy/config/values.h"

enum { PATH_SIZE = 160, WORD_SIZE = 64 };

const struct field fields[] = {
#define FIELD(path, kind, owner, member, fallback, low, high, needs, help) \
	{path, read_##kind, OF_##owner, offsetof(struct owner, member), \
		fallback, low, high, NEEDS_##needs, help},
#define LATER(path)
#include "proxy/config/fields.def"
#undef FIELD
#undef LATER
};

const size_t num_fields = sizeof(fields) / sizeof(fields[0]);

/* A set of rows is a uint64_t. */
_Static_assert(sizeof(fields) / sizeof(fields[0]) <= 64, "too many rows");

static const char *const later[] = {
#define FIELD(path, kind, owner, member, fallback, low, high, needs, help)
#define LATER(path) path,
#include "proxy/config/fields.def"
#undef FIELD
#undef LATER
};

/* below returns what path has behind section and what divides them, or NULL. */
static const char *below(const char *path, const char *section,
	const char *divider)
{
	size_t len = strlen(section), len2 = strlen(divider);

	if (strncmp(path, section, len) != 0 ||
		strncmp(path + len, divider, len2) != 0)
		return NULL;
	return path + len + len2;
}

/* any_below: whether a row's path is section, divider and more. */
static bool any_below(const char *section, const char *divider)
{
	for (size_t i = 0; i < num_fields; i++) {
		if (below(fields[i].path, section, divider))
			return true;
	}
	return false;
}

static const struct field *find(const char *path)
{
	for (size_t i = 0; i < num_fields; i++) {
		if (strcmp(fields[i].path, path) == 0)
			return &fields[i];
	}
	return NULL;
}

static bool is_later(const char *path)
{
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		if (strcmp(later[i], path) == 0)
			return true;
	}
	return false;
}

/* The keys that a section may have. */
struct keys {
	char text[64][WORD_SIZE];
	const char *at[64];
	size_t num;
};

static void keys_add(struct keys *keys, const char *key, size_t len)
{
	char *copy = keys->text[keys->num];

	memcpy(copy, key, len);
	copy[len] = '\0';
	for (size_t i = 0; i < keys->num; i++) {
		if (strcmp(keys->at[i], copy) == 0)
			return;
	}
	keys->at[keys->num++] = copy;
}

static void keys_of(const char *section, struct keys *keys)
{
	const char *divider = section[0] ? "." : "";

	keys->num = 0;
	for (size_t i = 0; i < num_fields; i++) {
		const char *key = below(fields[i].path, section, divider);

		if (key && strcspn(key, ".[") < WORD_SIZE)
			keys_add(keys, key, strcspn(key, ".["));
	}
}

/* elsewhere finds a row that ends in key, or whose whole path key is. */
static const char *elsewhere(const char *key)
{
	for (size_t i = 0; i < num_fields; i++) {
		const char *last = strrchr(fields[i].path, '.');

		if (strcmp(fields[i].path, key) == 0)
			return key;
		if (last && strcmp(last + 1, key) == 0)
			return fields[i].path;
	}
	return NULL;
}

static void list_keys(const struct keys *keys, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < keys->num && len < size; i++) {
		int n = snprintf(out + len, size - len, "%s%s",
			i > 0 ? ", " : "", keys->at[i]);

		len += n > 0 ? (size_t)n : 0;
	}
}

static void tell_unknown(struct loader *loader, const struct node *node,
	const char *section)
{
	const char *close, *other = elsewhere(node->key);
	char path[PATH_SIZE], all[256];
	struct keys keys;

	keys_of(section, &keys);
	close = nearest(node->key, keys.at, keys.num);
	list_keys(&keys, all, sizeof(all));
	if (close && nearest_distance(close, node->key) == 0)
		other = NULL; /* only upper case is wrong */
	snprintf(path, sizeof(path), "%s%s%s", section, section[0] ? "." : "",
		shown(node->key).text);
	if (other && strrchr(other, '.'))
		mistakes_error(&loader->mistakes, node->line,
			"there is no key \"%s\"; did you mean \"%s\" below "
			"\"%.*s\"?", path, strrchr(other, '.') + 1,
			(int)(strrchr(other, '.') - other), other);
	else if (other)
		mistakes_error(&loader->mistakes, node->line,
			"there is no key \"%s\"; did you mean \"%s\" at the "
			"top of the file?", path, other);
	else if (close)
		mistakes_error(&loader->mistakes, node->line,
			"there is no key \"%s\"; did you mean \"%s\"?", path,
			close);
	else
		mistakes_error(&loader->mistakes, node->line,
			"there is no key \"%s\"; there are %s", path, all);
}

static void walk_section(struct loader *loader, const struct node *node,
	const char *path, void *owner, uint64_t *given)
{
	if (node->kind == NODE_MAP)
		fields_walk(loader, node, path, owner, given);
	else if (!node_is_null(node))
		mistakes_error(&loader->mistakes, node->line,
			"%s must have keys below it", path);
	else if (strchr(path, '[')) /* an emptied match would match all */
		mistakes_error(&loader->mistakes, node->line,
			"%s has nothing below it; leave it out to match all",
			path);
}

static void walk_key(struct loader *loader, const struct node *node,
	const char *section, void *owner, uint64_t *given)
{
	char path[PATH_SIZE];
	const struct field *field;

	if (strlen(node->key) >= WORD_SIZE || strpbrk(node->key, ".[]")) {
		tell_unknown(loader, node, section);
		return;
	}
	snprintf(path, sizeof(path), "%s%s%s", section, section[0] ? "." : "",
		node->key);
	field = find(path);
	if (field) {
		*given |= UINT64_C(1) << (field - fields);
		field->read(loader, field, node,
			(char *)owner + field->offset);
	} else if (any_below(path, "[].")) {
		loader->rules = node;
	} else if (any_below(path, ".NAME.")) {
		loader->categories = node;
	} else if (any_below(path, ".")) {
		walk_section(loader, node, path, owner, given);
	} else if (is_later(path)) {
		mistakes_error(&loader->mistakes, node->line,
			"\"%s\" is not in this version yet", path);
	} else {
		tell_unknown(loader, node, section);
	}
}

void fields_walk(struct loader *loader, const struct node *map,
	const char *section, void *owner, uint64_t *given)
{
	for (size_t i = 0; i < map->num; i++)
		walk_key(loader, map->at[i], section, owner, given);
}

static void read_fallback(struct loader *loader, const struct field *field,
	void *owner)
{
	struct node *node = NULL;
	unsigned line;
	char err[128];

	/* The table is ours: what does not parse is a mistake in the program,
	 * and a reader's complaint would be one with line 1 of no file. */
	if (node_read(field->fallback, strlen(field->fallback), &node, &line,
		err, sizeof(err)) == 0 && node)
		field->read(loader, field, node,
			(char *)owner + field->offset);
	node_free(node);
}

void fields_default(struct loader *loader, enum field_owner kind, void *owner,
	uint64_t given)
{
	for (size_t i = 0; i < num_fields; i++) {
		if (fields[i].owner == kind && fields[i].fallback[0] != '\0' &&
			!(given & UINT64_C(1) << i))
			read_fallback(loader, &fields[i], owner);
	}
}

bool fields_given(uint64_t given, const char *path)
{
	const struct field *field = find(path);

	return field && (given & UINT64_C(1) << (field - fields));
}
