/*
 * values.h - one reader for each kind of value in fields.def.
 *
 * A reader puts the value of node into member, whose type its comment names,
 * or tells loader->mistakes what is wrong. A scalar stands for a list of one.
 *
 * Threads: one.
 */
#ifndef PROXY_CONFIG_VALUES_H
#define PROXY_CONFIG_VALUES_H

#include "proxy/config/fields.h"

field_read read_endpoints;    /* struct endpoints */
field_read read_clients;      /* config's clients and clients_any */
field_read read_state;        /* char *, a path */
field_read read_file;         /* char *, a path of a file that is there */
field_read read_new_file;     /* char *: one that is written to */
field_read read_log_target;   /* char *, a word or a path */
field_read read_count;        /* unsigned */
field_read read_size;         /* size_t */
field_read read_small_size;   /* unsigned */
field_read read_seconds;      /* unsigned */
field_read read_milliseconds; /* unsigned */
field_read read_onoff;        /* bool */
field_read read_choice;       /* an enum: the place of the word in low */
field_read read_redact;       /* unsigned: bits */
field_read read_locations;    /* config's log */
field_read read_trust;        /* config's origin */
field_read read_connect_to;   /* config's origin */
field_read read_dns;          /* char *, addresses with commas between */
field_read read_crl_url;      /* char * */
field_read read_name;         /* const char *, borrowed from node */
field_read read_word;         /* likewise */
field_read read_note;         /* likewise */
field_read read_names;        /* struct name_list */
field_read read_networks;     /* struct netset * */
field_read read_ports;        /* struct port_list */
field_read read_entries;      /* struct entry_text */
field_read read_list_files;   /* struct file_list */
field_read read_criteria;     /* struct criteria_draft */
field_read read_hosts;        /* struct name_list, of entries */
field_read read_users;        /* struct name_list */
field_read read_user_agents;  /* struct name_list */
field_read read_methods;      /* struct name_list */
field_read read_certificates; /* uint32_t: bits */
field_read read_times;        /* struct window_list */
field_read read_direct;       /* nothing: config's portal */
field_read read_isolate;      /* const char *, borrowed from node */
field_read read_realm;        /* char * */
field_read read_user_sources; /* config's users */
field_read read_groups;       /* nothing: kept in loader */

/* value_scalar is the text of node, or NULL with the mistake told. */
const char *value_scalar(struct loader *loader, const struct field *field,
	const struct node *node);

/* value_each runs one for every item of node, which may be a list of scalars
 * or a scalar, within the field's limits. one tells what is wrong with it. */
typedef void value_one(struct loader *loader, const struct field *field,
	const struct node *item, void *member);
void value_each(struct loader *loader, const struct field *field,
	const struct node *node, value_one *one, void *member);

/* value_map says whether node is a map of as many keys as field allows, or tells;
 * form is one as it should be. */
bool value_map(struct loader *loader, const struct field *field,
	const struct node *node, const char *form);

/* value_name adds item, whatever it is, to a struct name_list. */
value_one value_name;

/* value_told passes on what is wrong with node. */
void value_told(struct loader *loader, const struct field *field,
	const struct node *node, const char *err);

/* value_shows: text has no characters that can't be shown. */
bool value_shows(const char *text);

/* value_user says whether text can be a user's name, or tells. */
bool value_user(struct loader *loader, const struct field *field,
	unsigned line, const char *text);

/* value_in finds word in words, split by bars: its place, or -1. */
int value_in(const char *words, const char *word);

/* What log.access may be that is no file. */
#define VALUE_LOG_WORDS "stdout|stderr|none|syslog|journald"

#endif
