#include "proxy/config/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "proxy/config/memory.h"

struct reader {
	yaml_parser_t parser;
	const char *text; /* borrowed */
	size_t len;
	size_t num_nodes;
	unsigned line;
	char *err;
	size_t err_size;
};

static unsigned line_of(yaml_mark_t mark)
{
	return (unsigned)mark.line + 1;
}

static int fail(struct reader *r, unsigned line, const char *what)
{
	r->line = line;
	snprintf(r->err, r->err_size, "%s", what);
	return -1;
}

/* problem_line: for bytes that are no text libyaml has an offset, no line. */
static unsigned problem_line(const struct reader *r)
{
	size_t offset = r->parser.problem_offset;
	unsigned line = 1;

	if (r->parser.error != YAML_READER_ERROR)
		return line_of(r->parser.problem_mark);
	for (size_t i = 0; i < r->len && i < offset; i++)
		line += r->text[i] == '\n';
	return line;
}

/* next_event fills event, which the caller deletes, whatever is returned. */
static int next_event(struct reader *r, yaml_event_t *event)
{
	const char *problem, *context, *hint = "";

	memset(event, 0, sizeof(*event));
	if (yaml_parser_parse(&r->parser, event))
		return 0;
	if (r->parser.error == YAML_MEMORY_ERROR)
		abort();
	problem = r->parser.problem ? r->parser.problem : "unreadable";
	if (strstr(problem, "cannot start any token"))
		hint = "; YAML wants spaces, not tabs, and quotes round "
			"values with special characters";
	context = r->parser.context;
	if (context && strstr(context, "alias")) /* hosts: [*.example.com] */
		hint = "; a value that begins with * goes in quotes";
	r->line = problem_line(r);
	snprintf(r->err, r->err_size, "not YAML: %s%s", problem, hint);
	return -1;
}

static struct node *node_new(struct reader *r, enum node_kind kind,
	const yaml_event_t *event)
{
	struct node *node = must(calloc(1, sizeof(*node)));

	r->num_nodes++;
	node->kind = kind;
	node->line = line_of(event->start_mark);
	return node;
}

static void node_push(struct node *parent, struct node *child)
{
	if ((parent->num & (parent->num - 1)) == 0) {
		size_t room = parent->num ? parent->num * 2 : 1;

		parent->at = must(realloc(parent->at,
			room * sizeof(struct node *)));
	}
	parent->at[parent->num++] = child;
}

static int read_scalar(struct reader *r, const yaml_event_t *event,
	struct node **out)
{
	const char *text = (const char *)event->data.scalar.value;

	if (strlen(text) != event->data.scalar.length)
		return fail(r, line_of(event->start_mark),
			"a value holds a NUL character");
	*out = node_new(r, NODE_SCALAR, event);
	(*out)->text = must(strdup(text));
	(*out)->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return 0;
}

static int read_node(struct reader *r, const yaml_event_t *event,
	unsigned depth, struct node **out);

static int read_list(struct reader *r, struct node *list, unsigned depth)
{
	for (;;) {
		struct node *child = NULL;
		yaml_event_t event;
		bool end;
		int rc = next_event(r, &event);

		end = rc == 0 && event.type == YAML_SEQUENCE_END_EVENT;
		if (rc == 0 && !end)
			rc = read_node(r, &event, depth, &child);
		yaml_event_delete(&event);
		if (rc != 0 || end)
			return rc;
		node_push(list, child);
	}
}

/* read_key: 0 a key, 1 the map's end, -1 failed. */
static int read_key(struct reader *r, char **out_key, unsigned *out_line)
{
	yaml_event_t event;
	int rc = next_event(r, &event);

	*out_key = NULL;
	if (rc != 0)
		goto out;
	*out_line = line_of(event.start_mark);
	if (event.type == YAML_MAPPING_END_EVENT) {
		rc = 1;
	} else if (event.type != YAML_SCALAR_EVENT ||
		event.data.scalar.anchor || event.data.scalar.tag ||
		strlen((const char *)event.data.scalar.value) !=
		event.data.scalar.length) {
		rc = fail(r, *out_line, "a key must be plain text");
	} else {
		*out_key = must(strdup((const char *)event.data.scalar.value));
	}
out:
	yaml_event_delete(&event);
	return rc;
}

static int read_map(struct reader *r, struct node *map, unsigned depth)
{
	for (;;) {
		struct node *child = NULL;
		yaml_event_t event;
		unsigned line = 0;
		char *key;
		int rc = read_key(r, &key, &line);

		if (rc != 0)
			return rc < 0 ? rc : 0;
		rc = next_event(r, &event);
		if (rc == 0)
			rc = read_node(r, &event, depth, &child);
		yaml_event_delete(&event);
		if (rc != 0) {
			free(key);
			return rc;
		}
		child->key = key;
		child->line = line;
		node_push(map, child);
	}
}

static int by_key(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a;
	const struct node *y = *(struct node *const *)b;
	int order = strcmp(x->key, y->key);

	if (order != 0)
		return order;
	return (x->line > y->line) - (x->line < y->line);
}

/* Of two equal keys most readers silently take the last; a rule or a limit
 * would be gone without a word. */
static int refuse_twice(struct reader *r, const struct node *map)
{
	struct node **sorted;
	int rc = 0;

	if (map->num < 2)
		return 0;
	sorted = must(malloc(map->num * sizeof(struct node *)));
	memcpy(sorted, map->at, map->num * sizeof(struct node *));
	qsort(sorted, map->num, sizeof(struct node *), by_key);
	for (size_t i = 1; i < map->num && rc == 0; i++) {
		if (strcmp(sorted[i - 1]->key, sorted[i]->key) != 0)
			continue;
		r->line = sorted[i]->line;
		snprintf(r->err, r->err_size,
			"the key \"%.60s\" is there twice, in line %u too",
			sorted[i]->key, sorted[i - 1]->line);
		rc = -1;
	}
	free(sorted);
	return rc;
}

/* allowed refuses what would make a document mean more than it shows. */
static int allowed(struct reader *r, const yaml_event_t *event, unsigned depth)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	unsigned line = line_of(event->start_mark);

	if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor || event->type == YAML_ALIAS_EVENT)
		return fail(r, line, "anchors (&) and aliases (*) are not "
			"allowed; write the value out, or put it in quotes");
	if (tag)
		return fail(r, line, "tags (!) are not allowed; "
			"put the value in quotes");
	if (depth > YAML_MAX_DEPTH)
		return fail(r, line, "nested too deep");
	if (r->num_nodes >= YAML_MAX_NODES)
		return fail(r, line, "more values than a file may have");
	return 0;
}

static int read_node(struct reader *r, const yaml_event_t *event,
	unsigned depth, struct node **out)
{
	struct node *node = NULL;
	int rc = allowed(r, event, depth);

	if (rc != 0)
		return rc;
	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(r, event, out);
	if (event->type == YAML_SEQUENCE_START_EVENT) {
		node = node_new(r, NODE_LIST, event);
		rc = read_list(r, node, depth + 1);
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		node = node_new(r, NODE_MAP, event);
		rc = read_map(r, node, depth + 1);
		if (rc == 0)
			rc = refuse_twice(r, node);
	} else {
		return fail(r, line_of(event->start_mark), "not YAML");
	}
	if (rc != 0)
		node_free(node);
	else
		*out = node;
	return rc;
}

/* read_stream: a stream's start, at most one document, its end. */
static int read_stream(struct reader *r, struct node **root)
{
	bool seen = false;

	for (;;) {
		yaml_event_t event;
		int rc = next_event(r, &event);
		bool end = rc == 0 && event.type == YAML_STREAM_END_EVENT;
		bool frame = event.type == YAML_STREAM_START_EVENT ||
			event.type == YAML_DOCUMENT_START_EVENT ||
			event.type == YAML_DOCUMENT_END_EVENT;

		if (rc == 0 && seen && event.type == YAML_DOCUMENT_START_EVENT)
			rc = fail(r, line_of(event.start_mark),
				"a second document begins; only one is read");
		if (rc == 0 && !end && !frame) {
			rc = read_node(r, &event, 0, root);
			seen = true;
		}
		yaml_event_delete(&event);
		if (rc != 0 || end)
			return rc;
	}
}

int node_read(const char *text, size_t len, struct node **out,
	unsigned *out_line, char *err, size_t err_size)
{
	struct reader r = {
		.text = text, .len = len, .err = err, .err_size = err_size,
	};
	struct node *root = NULL;
	int rc;

	*out_line = 0;
	if (len > YAML_MAX_BYTES) {
		snprintf(err, err_size, "larger than 16 MB");
		return -1;
	}
	if (!yaml_parser_initialize(&r.parser))
		abort();
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text,
		len);
	rc = read_stream(&r, &root);
	yaml_parser_delete(&r.parser);
	if (rc != 0) {
		*out_line = r.line;
		node_free(root);
		return rc;
	}
	if (root && node_is_null(root)) {
		node_free(root);
		root = NULL;
	}
	*out = root;
	return 0;
}

void node_free(struct node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->num; i++)
		node_free(node->at[i]);
	free(node->at);
	free(node->key);
	free(node->text);
	free(node);
}

const struct node *node_get(const struct node *map, const char *key)
{
	for (size_t i = 0; map->kind == NODE_MAP && i < map->num; i++) {
		if (strcmp(map->at[i]->key, key) == 0)
			return map->at[i];
	}
	return NULL;
}

bool node_is_null(const struct node *node)
{
	if (node->kind != NODE_SCALAR || node->quoted)
		return false;
	return node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
		strcmp(node->text, "null") == 0;
}
