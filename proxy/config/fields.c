#include "proxy/config/fields.h"

#include <ctype.h>
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

_Static_assert(sizeof(fields) / sizeof(fields[0]) <= FIELDS_MAX, "FIELDS_MAX");

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

/* last_of is the last key of a path. */
static const char *last_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? dot + 1 : path;
}

/* is_placeholder: "CRITERIA.hosts" stands for several paths, and is none. */
static bool is_placeholder(const char *path)
{
	return isupper((unsigned char)path[0]);
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

		if (key && !is_placeholder(key) && strcspn(key, ".[") < WORD_SIZE)
			keys_add(keys, key, strcspn(key, ".["));
	}
}

static bool is_criterion(const char *key)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "CRITERIA.%.*s", WORD_SIZE, key);
	return find(path) != NULL;
}

/* find_key finds a row whose path begins as written does, as far as len, and ends
 * in key, or is key. */
static const char *find_key(const char *key, const char *written, size_t len)
{
	for (size_t i = 0; i < num_fields; i++) {
		const char *path = fields[i].path;

		if (!is_placeholder(path) && strncmp(path, written, len) == 0 &&
			(strcmp(path, key) == 0 ||
				strcmp(last_of(path), key) == 0))
			return path;
	}
	return NULL;
}

/* elsewhere writes to out a path that ends in key, or that key is as a whole: one
 * near what stands at written, rather than any. False: there is none. */
static bool elsewhere(const char *key, const char *written, char *out,
	size_t size)
{
	char match[PATH_SIZE];
	const char *path;

	snprintf(match, sizeof(match), "%s.match", written);
	if (find(match) && is_criterion(key))
		return snprintf(out, size, "%s.%s", match, key) < (int)size;
	path = find_key(key, written, strcspn(written, "."));
	if (!path)
		path = find_key(key, "", 0);
	if (path)
		snprintf(out, size, "%s", path);
	else
		snprintf(out, size, "ssl-rules[].match.%.*s", WORD_SIZE, key);
	return path || is_criterion(key);
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

/* tell_meant says where the key, path, may belong. */
static bool tell_meant(struct loader *loader, const struct node *node,
	const char *written, const char *path)
{
	char other[PATH_SIZE];
	const char *key;

	if (!elsewhere(node->key, written, other, sizeof(other)))
		return false;
	key = last_of(other);
	if (key != other)
		mistakes_error(&loader->mistakes, node->line,
			"there is no key \"%s\"; did you mean \"%s\" below "
			"\"%.*s\"?", path, key, (int)(key - other - 1), other);
	else
		mistakes_error(&loader->mistakes, node->line,
			"there is no key \"%s\"; did you mean \"%s\" at the "
			"top of the file?", path, other);
	return true;
}

static void tell_unknown(struct loader *loader, const struct node *node,
	const char *section, const char *written, const char *path)
{
	const char *close;
	struct keys keys;
	char all[256];

	keys_of(section, &keys);
	close = nearest(node->key, keys.at, keys.num);
	list_keys(&keys, all, sizeof(all));
	/* where only upper case is wrong, it belongs here */
	if (!(close && nearest_distance(close, node->key) == 0) &&
		tell_meant(loader, node, written, path))
		return;
	if (close)
		mistakes_error(&loader->mistakes, node->line,
			"there is no key \"%s\"; did you mean \"%s\"?", path,
			close);
	else
		mistakes_error(&loader->mistakes, node->line,
			"there is no key \"%s\"; there are %s", path, all);
}

static void walk_section(struct loader *loader, const struct node *node,
	const char *path, const char *written, void *owner,
	struct given *given)
{
	if (node->kind == NODE_MAP)
		fields_walk(loader, node, path, written, owner, given);
	else if (!node_is_null(node))
		mistakes_error(&loader->mistakes, node->line,
			"%s must have keys below it", written);
}

static void add_given(struct given *given, const struct field *field)
{
	size_t i = (size_t)(field - fields);

	given->bits[i / 64] |= UINT64_C(1) << i % 64;
}

static bool has_given(const struct given *given, const struct field *field)
{
	size_t i = (size_t)(field - fields);

	return given->bits[i / 64] & UINT64_C(1) << i % 64;
}

static void read_field(struct loader *loader, const struct field *field,
	const char *written, const struct node *node, void *owner)
{
	struct field as_written = *field;

	as_written.path = written;
	field->read(loader, &as_written, node, (char *)owner + field->offset);
}

static void keep_list(struct loader *loader, const char *path,
	const struct node *node)
{
	if (strcmp(path, "url-rules") == 0)
		loader->file.url_rules = node;
	else
		loader->file.ssl_rules = node;
}

/* may_be_key: others stand for something in the table's paths. */
static bool may_be_key(const char *key)
{
	return strlen(key) < WORD_SIZE && !strpbrk(key, ".[]") &&
		!isupper((unsigned char)key[0]);
}

static void join(char out[PATH_SIZE], const char *section, const char *key)
{
	snprintf(out, PATH_SIZE, "%s%s%s", section, section[0] ? "." : "", key);
}

static void walk_key(struct loader *loader, const struct node *node,
	const char *section, const char *written, void *owner,
	struct given *given)
{
	char path[PATH_SIZE], shown_path[PATH_SIZE];
	const struct field *field;

	join(shown_path, written, shown(node->key).text);
	if (!may_be_key(node->key)) {
		tell_unknown(loader, node, section, written, shown_path);
		return;
	}
	join(path, section, node->key);
	field = find(path);
	if (field) {
		add_given(given, field);
		read_field(loader, field, shown_path, node, owner);
	} else if (any_below(path, "[].")) {
		keep_list(loader, path, node);
	} else if (any_below(path, ".NAME.")) {
		loader->file.categories = node;
	} else if (any_below(path, ".")) {
		walk_section(loader, node, path, shown_path, owner, given);
	} else if (is_later(path)) {
		mistakes_error(&loader->mistakes, node->line,
			"\"%s\" is not in this version yet", path);
	} else {
		tell_unknown(loader, node, section, written, shown_path);
	}
}

void fields_walk(struct loader *loader, const struct node *map,
	const char *section, const char *written, void *owner,
	struct given *given)
{
	for (size_t i = 0; i < map->num; i++)
		walk_key(loader, map->at[i], section, written, owner, given);
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
	const struct given *given)
{
	for (size_t i = 0; i < num_fields; i++) {
		if (fields[i].owner == kind && fields[i].fallback[0] != '\0' &&
			!has_given(given, &fields[i]))
			read_fallback(loader, &fields[i], owner);
	}
}

bool fields_given(const struct given *given, const char *path)
{
	const struct field *field = find(path);

	return field && has_given(given, field);
}
