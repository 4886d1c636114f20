#include "proxy/admin/policy_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/admin/put.h"
#include "proxy/config/memory.h"
#include "proxy/config/mistakes.h"
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

/* --- places ------------------------------------------------------------- */

enum { PLACE_SIZE = (YAML_MAX_DEPTH + 1) * 160 };

/* add_step adds "/key", or "/number", to the len bytes of place. */
static size_t add_step(char place[PLACE_SIZE], size_t len, const char *key,
	size_t number)
{
	struct shown name = shown(key ? key : "");

	if (!key)
		return len + (size_t)snprintf(place + len, PLACE_SIZE - len,
			"/%zu", number);
	place[len++] = '/';
	for (const char *at = name.text; *at; at++) {
		if (*at == '~' || *at == '/') {
			place[len++] = '~';
			place[len++] = *at == '~' ? '0' : '1';
		} else {
			place[len++] = *at;
		}
	}
	place[len] = '\0';
	return len;
}

/* place_of finds what begins in that line, or last before it. */
static void place_of(const struct node *node, unsigned line,
	char place[PLACE_SIZE])
{
	size_t len = 0;

	place[0] = '\0';
	while (node->num > 0 && node->at[0]->line <= line) {
		size_t i = node->num - 1;

		while (node->at[i]->line > line)
			i--;
		len = add_step(place, len, node->at[i]->key, i);
		node = node->at[i];
	}
}

/* tell_at writes where the line of that number is in the policy, and gives what
 * stands behind the number. */
static const char *tell_at(FILE *out, const struct node *root,
	const char *number)
{
	char place[PLACE_SIZE], *end;

	place_of(root, (unsigned)strtoul(number, &end, 10), place);
	fprintf(out, " %s", place[0] ? place : "/");
	return end;
}

/* number_of is where a line of told says which one of the policy's it is about, or
 * NULL. */
static const char *number_of(const char *line, size_t len)
{
	static const char policy[] = "policy", version[] = " version ";
	const char *at = line + sizeof(policy) - 1;

	if (len < sizeof(policy) || memcmp(line, policy, sizeof(policy) - 1) != 0)
		return NULL;
	if (strncmp(at, version, sizeof(version) - 1) == 0) {
		at += sizeof(version) - 1;
		at += strspn(at, "0123456789");
	}
	return at[0] == ':' && at[1] >= '0' && at[1] <= '9' ? at + 1 : NULL;
}

static void place_line(FILE *out, const struct node *root, const char *line,
	size_t len)
{
	static const char mark[] = " in line ";
	const char *end = line + len, *at = number_of(line, len), *other;

	if (!at) {
		fwrite(line, 1, len, out);
		return;
	}
	fwrite(line, 1, (size_t)(at - 1 - line), out);
	at = tell_at(out, root, at);
	other = memmem(at, (size_t)(end - at), mark, sizeof(mark) - 1);
	if (other && strchr("0123456789", other[sizeof(mark) - 1])) {
		fwrite(at, 1, (size_t)(other - at), out);
		fputs(" at", out);
		at = tell_at(out, root, other + sizeof(mark) - 1);
	}
	fwrite(at, 1, (size_t)(end - at), out);
}

char *policy_json_places(const char *text, size_t len, const char *told)
{
	struct node *root = NULL;
	char *placed = NULL, err[256];
	unsigned line;
	size_t size;
	FILE *out = must(open_memstream(&placed, &size));

	if (!memchr(text, '\n', len) ||
	    node_read(text, len, &root, &line, err, sizeof(err)) != 0)
		root = NULL;
	for (size_t n; told[0]; told += n) {
		n = strcspn(told, "\n");
		n += told[n] == '\n';
		if (root)
			place_line(out, root, told, n);
		else
			fwrite(told, 1, n, out);
	}
	if (fclose(out) != 0)
		abort(); /* for want of memory */
	node_free(root);
	return placed;
}
