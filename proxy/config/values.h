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
field_read read_log_target;   /* char *, a word or a path */
field_read read_count;        /* unsigned */
field_read read_size;         /* size_t */
field_read read_small_size;   /* unsigned */
field_read read_seconds;      /* unsigned */
field_read read_milliseconds; /* unsigned */
field_read read_onoff;        /* bool */
field_read read_choice;       /* an enum: the place of the word in low */
field_read read_format;       /* nothing: there is one format */
field_read read_trust;        /* config's origin */
field_read read_connect_to;   /* config's origin */
field_read read_dns;          /* char *, addresses with commas between */
field_read read_crl_url;      /* char * */
field_read read_name;         /* const char *, borrowed from node */
field_read read_note;         /* const char *, borrowed from node */
field_read read_names;        /* struct name_list */
field_read read_hosts;        /* struct domains *, sealed */
field_read read_networks;     /* struct netset * */
field_read read_ports;        /* struct port_list */

/* value_scalar is the text of node, or NULL with the mistake told. */
const char *value_scalar(struct loader *loader, const struct field *field,
	const struct node *node);

/* value_each runs one for every item of node, which may be a list of scalars
 * or a scalar, within the field's limits. one tells what is wrong with it. */
typedef void value_one(struct loader *loader, const struct field *field,
	const struct node *item, void *member);
void value_each(struct loader *loader, const struct field *field,
	const struct node *node, value_one *one, void *member);

/* value_in finds word in words, split by bars: its place, or -1. */
int value_in(const char *words, const char *word);

#endif
