#include "proxy/config/values.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/config/memory.h"
#include "proxy/config/nearest.h"
#include "proxy/config/units.h"

void value_told(struct loader *loader, const struct field *field,
	const struct node *node, const char *err)
{
	mistakes_error(&loader->mistakes, node->line, "%s: %s", field->path,
		err);
}

const char *value_scalar(struct loader *loader, const struct field *field,
	const struct node *node)
{
	if (node->kind != NODE_SCALAR)
		mistakes_error(&loader->mistakes, node->line,
			"%s must be one value, not a %s", field->path,
			node->kind == NODE_LIST ? "list" : "map of keys");
	else if (node_is_null(node) || node->text[0] == '\0')
		mistakes_error(&loader->mistakes, node->line,
			"%s has no value; give one, or leave the key out",
			field->path);
	else
		return node->text;
	return NULL;
}

void value_each(struct loader *loader, const struct field *field,
	const struct node *node, value_one *one, void *member)
{
	uint64_t low = 0, high = 0;

	if (node->kind == NODE_MAP) {
		mistakes_error(&loader->mistakes, node->line,
			"%s must be a value or a list, not a map of keys",
			field->path);
		return;
	}
	if (node->kind == NODE_SCALAR) {
		if (value_scalar(loader, field, node))
			one(loader, field, node, member);
		return;
	}
	if (units_count(field->low, &low) != 0 ||
		units_count(field->high, &high) != 0)
		abort();
	if (node->num < low || node->num > high) {
		mistakes_error(&loader->mistakes, node->line, node->num < low ?
			"%s is an empty list; give a value, or leave the key "
			"out" : "%s is a list of more than %s values",
			field->path, field->high);
		return;
	}
	for (size_t i = 0; i < node->num; i++) {
		if (value_scalar(loader, field, node->at[i]))
			one(loader, field, node->at[i], member);
	}
}

/* split_words fills at with the words between bars; text holds them. */
static size_t split_words(const char *words, char text[128],
	const char *at[8])
{
	char *next = text, *word;
	size_t num = 0;

	snprintf(text, 128, "%s", words);
	while (num < 8 && (word = strsep(&next, "|")) != NULL)
		at[num++] = word;
	return num;
}

int value_in(const char *words, const char *word)
{
	const char *at[8];
	char text[128];
	size_t num = split_words(words, text, at);

	for (size_t i = 0; i < num; i++) {
		if (at[i][0] != '\0' && strcmp(at[i], word) == 0)
			return (int)i;
	}
	return -1;
}

/* choose returns the place of node's word in the field's, or -1. */
static int choose(struct loader *loader, const struct field *field,
	const struct node *node)
{
	const char *word = value_scalar(loader, field, node), *close, *at[8];
	int place = word ? value_in(field->low, word) : -1;
	char text[128];
	size_t num;

	if (!word || place >= 0)
		return place;
	if (value_in(field->high, word) >= 0) {
		mistakes_error(&loader->mistakes, node->line,
			"%s: %s is not in this version yet", field->path, word);
		return -1;
	}
	num = split_words(field->low, text, at);
	close = nearest(word, at, num);
	/* no number is nearer than another by its letters */
	if (close && isalpha((unsigned char)close[0]))
		mistakes_error(&loader->mistakes, node->line,
			"%s: there is no \"%s\"; did you mean \"%s\"?",
			field->path, shown(word).text, close);
	else
		mistakes_error(&loader->mistakes, node->line,
			"%s: there is no \"%s\"; it is one of %s", field->path,
			shown(word).text, field->low);
	return -1;
}

void read_choice(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	int place = choose(loader, field, node);
	unsigned value = (unsigned)place;

	/* Enums without negative members are unsigned here (GCC and Clang on
	 * every ABI that Sallyport is built for). */
	_Static_assert(sizeof(enum action) == sizeof(value), "enum's size");
	if (place >= 0)
		memcpy(member, &value, sizeof(value));
}

void read_onoff(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	const char *word = value_scalar(loader, field, node);

	if (!word)
		return;
	if (value_in("on|true|yes", word) >= 0)
		*(bool *)member = true;
	else if (value_in("off|false|no", word) >= 0)
		*(bool *)member = false;
	else
		mistakes_error(&loader->mistakes, node->line,
			"%s: \"%s\" is neither on nor off (nor true nor false)",
			field->path, shown(word).text);
}

/* bounded_text is a scalar of at most as many bytes as high says. */
static const char *bounded_text(struct loader *loader,
	const struct field *field, const struct node *node)
{
	const char *text = value_scalar(loader, field, node);
	uint64_t most;

	if (!text)
		return NULL;
	if (units_count(field->high, &most) != 0)
		abort();
	if (strlen(text) > most) {
		mistakes_error(&loader->mistakes, node->line,
			"%s: longer than %s bytes", field->path, field->high);
		return NULL;
	}
	return text;
}

void read_note(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	if (node->kind != NODE_SCALAR || node->text[0] != '\0')
		*(const char **)member = bounded_text(loader, field, node);
}

bool value_shows(const char *text)
{
	char *masked = must(strdup(text));
	bool same;

	shown_mask(masked);
	same = strcmp(masked, text) == 0;
	free(masked);
	return same;
}

/* A rule's name goes to logs and to pages. */
void read_name(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	const char *text = bounded_text(loader, field, node);

	if (text && !value_shows(text))
		mistakes_error(&loader->mistakes, node->line,
			"%s: \"%s\" has characters that can't be shown",
			field->path, shown(text).text);
	else
		*(const char **)member = text;
}

void read_word(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	read_name(loader, field, node, member);
}

void value_name(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct name_list *names = member;

	(void)loader;
	(void)field;
	names->at = grow(names->at, names->num, sizeof(const char *));
	names->at[names->num++] = item->text;
}

void read_names(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, value_name, member);
}

typedef int read_unit(const char *text, uint64_t *out);

static bool read_number(struct loader *loader, const struct field *field,
	const struct node *node, read_unit *unit, const char *form,
	uint64_t *out)
{
	const char *text = value_scalar(loader, field, node);
	uint64_t low, high;

	if (!text)
		return false;
	if (unit(field->low, &low) != 0 || unit(field->high, &high) != 0)
		abort();
	if (unit(text, out) != 0) {
		mistakes_error(&loader->mistakes, node->line,
			"%s: \"%s\" is not %s", field->path, shown(text).text,
			form);
		return false;
	}
	if (*out < low || *out > high) {
		mistakes_error(&loader->mistakes, node->line,
			"%s: %s is too %s; %s to %s is allowed", field->path,
			shown(text).text, *out < low ? "little" : "much",
			field->low, field->high);
		return false;
	}
	return true;
}

void read_count(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	uint64_t value;

	if (read_number(loader, field, node, units_count,
		"a whole number, as 20000", &value))
		*(unsigned *)member = (unsigned)value;
}

static const char size_form[] = "a size, as 65536, 64KB, 64MB or 1GB";
static const char duration_form[] =
	"a duration with its unit, as 500ms, 10s, 5m, 12h or 14d";

void read_size(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	uint64_t value;

	if (read_number(loader, field, node, units_size, size_form, &value))
		*(size_t *)member = (size_t)value;
}

void read_small_size(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	uint64_t value;

	if (read_number(loader, field, node, units_size, size_form, &value))
		*(unsigned *)member = (unsigned)value;
}

void read_seconds(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	uint64_t value;

	if (!read_number(loader, field, node, units_duration, duration_form,
		&value))
		return;
	if (value % 1000 != 0)
		mistakes_error(&loader->mistakes, node->line,
			"%s must be whole seconds", field->path);
	else
		*(unsigned *)member = (unsigned)(value / 1000);
}

void read_milliseconds(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	uint64_t value;

	if (read_number(loader, field, node, units_duration, duration_form,
		&value))
		*(unsigned *)member = (unsigned)value;
}
