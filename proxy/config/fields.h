/*
 * fields.h - from the keys of a file to what reads their values.
 *
 * fields_walk goes through a map of the file, finds for every key its row in
 * fields.def and lets the row's reader put the value into the struct; what has
 * no row is a mistake, with the nearest key that has one. fields_default then
 * fills in what was not given, reading the fallbacks as if they stood in the
 * file.
 *
 * One set of rows may serve several places: the criteria of a rule stand below
 * "ssl-rules[].match", "url-rules[].not" ..., their rows below "CRITERIA". A
 * reader gets its row with the path as the user wrote it, for its messages.
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
struct window;

typedef void field_read(struct loader *loader, const struct field *field,
	const struct node *node, void *member);

enum field_owner {
	OF_config,
	OF_category_draft,
	OF_criteria_draft,
	OF_time_draft,
	OF_ssl_draft,
	OF_url_draft,
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

/* --- what is read of categories and rules, before the policy has it ----
 *
 * Names and text are borrowed from the tree; sets and windows are owned until
 * the policy takes them. */

struct entry_text {
	char *at;    /* owned: entries, checked, a line each */
	size_t len, room;
};

struct file_list {
	struct category_file *at; /* owned, and the paths */
	size_t num;
};

struct category_draft {
	struct entry_text entries;
	struct file_list files;
};

struct name_list {
	const char **at; /* owned; the names are borrowed */
	size_t num;
};

struct port_list {
	struct port_range *at; /* owned */
	size_t num;
};

struct window_list {
	struct window **at; /* owned */
	size_t num;
};

struct criteria_draft {
	struct name_list categories, hosts, users, groups, user_agents, methods;
	struct netset *sources, *destinations;
	struct port_list ports;
	struct window_list times;
	uint32_t certificates;
};

struct time_draft {
	const char *days, *hours, *zone;
};

struct rule_draft {
	const char *name;
	const char *description; /* accepted; read by people in the file */
	bool enabled;
	struct criteria_draft match, not;
};

struct ssl_draft {
	struct rule_draft rule;
	struct verdict_options options;
};

struct url_draft {
	struct rule_draft rule;
	struct url_options options;
};

/* Where categories and rules stand: the configuration, or what goes over it. */
struct document {
	const char *name; /* in messages; NULL: none */
	const struct node *categories, *ssl_rules, *url_rules; /* or NULL */
};

struct loader {
	struct mistakes mistakes;
	struct config *config;
	const char *folder;            /* relative files are relative to it */
	bool to_look;                  /* config_source.to_look */
	struct document file, policy;  /* read when all else is */
	const struct node *groups;     /* likewise; or NULL */
	size_t num_windows;            /* of all rules */
};

/* Every row of fields.def, in its order. */
extern const struct field fields[];
extern const size_t num_fields;

/* A set of rows. */
enum { FIELDS_MAX = 192 };
struct given {
	uint64_t bits[FIELDS_MAX / 64];
};

/* fields_walk reads map into owner; its rows are those below section ("",
 * "limits", "ssl-rules[]"), and written is what the user calls that. Each row
 * that the file gives is put in given. Lists and maps of sections ("ssl-rules",
 * "categories") are left to the caller: kept in loader. */
void fields_walk(struct loader *loader, const struct node *map,
	const char *section, const char *written, void *owner,
	struct given *given);

/* fields_default reads the fallbacks of the rows of kind that are not given. */
void fields_default(struct loader *loader, enum field_owner kind, void *owner,
	const struct given *given);

/* fields_given: whether path, which must be in fields.def, is in given. */
bool fields_given(const struct given *given, const char *path);

#endif
