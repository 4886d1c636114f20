/*
 * yaml.h - a YAML document as a small tree that knows its lines.
 *
 * Only what a configuration needs: scalars, lists, maps. Anchors, aliases,
 * tags, several documents, keys that are not scalars and keys given twice are
 * refused, so that a document means what it looks like and can't grow beyond
 * its own size.
 *
 * Owns:    all of the tree; node_free.
 * Threads: one.
 * Errors:  -1 with a sentence in err and the line it is about.
 */
#ifndef PROXY_CONFIG_YAML_H
#define PROXY_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>

enum {
	YAML_MAX_DEPTH = 16,
	YAML_MAX_NODES = 2000000,
	YAML_MAX_BYTES = 16 * 1024 * 1024,
};

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	unsigned line;     /* from 1: of the key in a map, else of the value */
	bool quoted;       /* a scalar in quotes, or a block of text */
	char *key;         /* owned; NULL but in a map */
	char *text;        /* owned; NULL but in a scalar */
	struct node **at;  /* owned; what a list or a map holds, in order */
	size_t num;
};

/* node_read makes a tree of len bytes of text. *out is NULL for a document
 * that is empty or only comments. */
int node_read(const char *text, size_t len, struct node **out,
	unsigned *out_line, char *err, size_t err_size)
	__attribute__((warn_unused_result));
void node_free(struct node *node);

/* node_get is what a map has under key, or NULL. */
const struct node *node_get(const struct node *map, const char *key);

/* node_is_null: a scalar that says nothing ("key:", "~", "null"). */
bool node_is_null(const struct node *node);

#endif
