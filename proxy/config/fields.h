/*
 * fields.h - from the keys of a file to what reads their values.
 *
 * fields_walk goes through a map of the file, finds for every key its row in
 * fields.def and lets the row's reader put the value into the struct; what has
 * no row is a mistake, with the nearest key that has one. fields_default then
 * fills in what was not given, reading the fallbacks as if they stood in the
 * file.
 *
 * Owns:    nothing; the table is static.
 * Threads: one.
 */
#ifndef PROXY_CONFIG_FIELDS_H
#define PROXY_CONFIG_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"
#include "proxy/config/config.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/yaml.h"

struct loader; /* what one loading gathers */
struct field;

typedef void field_read(struct loader *loader, const struct field *field,
	const struct node *node, void *member);

enum field_owner {
	OF_config,
	OF_category_draft,
	OF_rule_draft,
};

enum field_needs { NEEDS_reload, NEEDS_start };

struct field {
	const char *path;
	field_read *read;
	enum field_owner owner;
	size_t offset;
	const char *fallback, *low, *high;
	enum field_needs needs;
	const char *help; /* for the man page's test alone */
};

/* A category and a rule while they are read. Text is borrowed from the tree;
 * sets are owned until the policy takes them. */
struct category_draft {
	struct domains *hosts;
};

struct name_list {
	const char **at; /* owned; the names are borrowed */
	size_t num;
};

struct port_list {
	struct port_range *at; /* owned */
	size_t num;
};

struct rule_draft {
	const char *name;
	const char *description; /* accepted; read by people in the file */
	bool enabled;
	struct name_list categories;
	struct domains *hosts;
	struct netset *sources;
	struct port_list ports;
	struct verdict_options options;
};

struct loader {
	struct mistakes mistakes;
	struct config *config;
	const char *folder;            /* relative files are relative to it */
	const struct node *categories; /* kept for when all else is read */
	const struct node *rules;
};

/* Every row of fields.def, in its order. */
extern const struct field fields[];
extern const size_t num_fields;

/* fields_walk reads map, which stands at section ("", "limits",
 * "ssl-rules[].match"), into owner. Bit i of *given is set for each row i that
 * the file gives. Lists and maps of sections ("ssl-rules", "categories") are
 * left to the caller: kept in loader. */
void fields_walk(struct loader *loader, const struct node *map,
	const char *section, void *owner, uint64_t *given);

/* fields_default reads the fallbacks of the rows of kind that are not given. */
void fields_default(struct loader *loader, enum field_owner kind, void *owner,
	uint64_t given);

/* fields_given: whether path, which must be in fields.def, is in given. */
bool fields_given(uint64_t given, const char *path);

#endif
