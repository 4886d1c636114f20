#include "proxy/admin/policy_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/admin/put.h"
#include "proxy/config/yaml.h"

static const char *const parts[] = {"categories", "ssl-rules", "url-rules"};

/* is_number: as JSON writes it, so that it comes back as the same text. */
static bool is_number(const char *text)
{
	const char *digits = text + (text[0] == '-');
	size_t len = strspn(digits, "0123456789");

	return len > 0 && len <= 15 && digits[len] == '\0' &&
		(digits[0] != '0' || (len == 1 && digits == text));
}

static json_t *scalar(const struct node *node)
{
	if (node_is_null(node))
		return json_null();
	if (!node->quoted && is_number(node->text))
		return json_integer(strtoll(node->text, NULL, 10));
	if (!node->quoted && strcmp(node->text, "true") == 0)
		return json_true();
	if (!node->quoted && strcmp(node->text, "false") == 0)
		return json_false();
	return put_string(node->text, strlen(node->text));
}

/* value: a tree is at most YAML_MAX_DEPTH deep. */
static json_t *value(const struct node *node)
{
	json_t *out;

	if (node->kind == NODE_SCALAR)
		return scalar(node);
	out = node->kind == NODE_MAP ? json_object() : json_array();
	for (size_t i = 0; i < node->num; i++) {
		const struct node *item = node->at[i];

		if (node->kind == NODE_MAP)
			put_value(out, item->key, value(item));
		else if (json_array_append_new(out, value(item)) != 0)
			abort();
	}
	return out;
}

json_t *policy_json(const char *text, size_t len, char *err, size_t err_size)
{
	json_t *out;
	struct node *root;
	const struct node *part;
	unsigned line = 0;
	char why[256];

	if (node_read(text, len, &root, &line, why, sizeof(why)) != 0) {
		snprintf(err, err_size, "line %u: %s", line, why);
		return NULL;
	}
	out = json_object();
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		part = root && root->kind == NODE_MAP ?
			node_get(root, parts[i]) : NULL;
		if (part)
			put_value(out, parts[i], value(part));
	}
	node_free(root);
	return out;
}

/* is_deep: the reader refuses it, and indented it may be a thousand times as
 * large as it came. */
static bool is_deep(const json_t *value, unsigned room)
{
	const char *key;
	json_t *one;
	size_t i;

	if (!json_is_object(value) && !json_is_array(value))
		return false;
	if (room == 0)
		return true;
	json_object_foreach((json_t *)(uintptr_t)value, key, one) {
		if (is_deep(one, room - 1))
			return true;
	}
	json_array_foreach(value, i, one) {
		if (is_deep(one, room - 1))
			return true;
	}
	return false;
}

bool policy_json_is_deep(const json_t *policy)
{
	return is_deep(policy, YAML_MAX_DEPTH);
}

char *policy_json_text(const json_t *policy, size_t most)
{
	char *text = json_dumps(policy, JSON_INDENT(2));

	if (text && strlen(text) > most) {
		free(text);
		text = json_dumps(policy, JSON_COMPACT);
	}
	if (!text)
		abort(); /* what came as JSON can be written */
	if (strlen(text) <= most)
		return text;
	free(text);
	return NULL;
}
