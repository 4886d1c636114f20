/* message.c - heads: one block of text, and a table that points into it. */

#include "proxy/http/message.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/http/message_private.h"

enum {
	/* What a new head starts with and a cleared one may hold on to: enough
	 * for a plain GET, little enough for thousands of idle connections. */
	FIRST_TEXT = 320,
	FIRST_FIELDS = 16,
};

/* tchar (RFC 9110, 5.6.2). */
/* clang-format off */
static const bool token_chars[256] = {
	['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true,
	['\''] = true, ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true,
	['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true,
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};
/* clang-format on */

/* Codecs bound what a peer may send, so running out here is our own doing. */
static void *grow(void *old, size_t size)
{
	void *p = realloc(old, size);

	if (!p)
		abort();
	return p;
}

static struct slice text_slice(const char *text)
{
	return (struct slice){text, strlen(text)};
}

/* Not tolower: the locale has no say in a protocol. */
static unsigned char lower(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

static bool same_nocase(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i] && lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

bool slice_is(struct slice s, const char *text)
{
	size_t len = strlen(text);

	return s.len == len && (len == 0 || memcmp(s.at, text, len) == 0);
}

bool slice_is_nocase(struct slice s, const char *text)
{
	/* Asked of every field of every head; mostly the first letter says
	 * no. */
	if (s.len == 0 || lower(s.at[0]) != lower(text[0]))
		return s.len == 0 && text[0] == '\0';
	return slice_equal_nocase(s, text_slice(text));
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
	return a.len == b.len && same_nocase(a.at, b.at, a.len);
}

bool slice_has_prefix_nocase(struct slice s, const char *prefix)
{
	size_t len = strlen(prefix);

	return s.len >= len && same_nocase(s.at, prefix, len);
}

bool slice_is_token(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!token_chars[(unsigned char)s.at[i]])
			return false;
	return s.len > 0;
}

void slice_text(struct slice s, char *out, size_t size)
{
	size_t len = s.len < size ? s.len : size - 1;

	if (len > 0)
		memcpy(out, s.at, len);
	out[len] = '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
	while (s.len > 0 && is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

bool slice_next_element(struct slice *list, struct slice *out_element)
{
	while (list->len > 0) {
		const char *comma = memchr(list->at, ',', list->len);
		size_t len = comma ? (size_t)(comma - list->at) : list->len;
		size_t taken = comma ? len + 1 : len;

		*out_element = slice_trim((struct slice){list->at, len});
		list->at += taken;
		list->len -= taken;
		if (out_element->len > 0)
			return true;
	}
	return false;
}

struct head *head_new(void)
{
	struct head *head = calloc(1, sizeof *head);

	if (!head)
		abort();
	return head;
}

void head_reset(struct head *head)
{
	free(head->text);
	free(head->fields);
	*head = (struct head){0};
}

void head_free(struct head *head)
{
	if (!head)
		return;
	head_reset(head);
	free(head);
}

void head_clear(struct head *head)
{
	struct head kept = {0};

	if (head->room <= FIRST_TEXT) {
		kept.text = head->text;
		kept.room = head->room;
		head->text = NULL;
	}
	if (head->fields_room <= FIRST_FIELDS) {
		kept.fields = head->fields;
		kept.fields_room = head->fields_room;
		head->fields = NULL;
	}
	head_reset(head);
	*head = kept;
}

struct head *head_copy(const struct head *head)
{
	struct head *copy = head_new();
	size_t fields_size = head->num * sizeof *head->fields;

	*copy = *head;
	copy->text = NULL;
	copy->fields = NULL;
	copy->room = head->len;
	copy->fields_room = head->num;
	if (head->len > 0) {
		copy->text = grow(NULL, head->len);
		memcpy(copy->text, head->text, head->len);
	}
	if (head->num > 0) {
		copy->fields = grow(NULL, fields_size);
		memcpy(copy->fields, head->fields, fields_size);
	}
	return copy;
}

void head_reserve(struct head *head, size_t len)
{
	size_t room = head->room > 0 ? head->room : FIRST_TEXT;

	if (head->text && head->room - head->len >= len)
		return;
	if (len > UINT32_MAX - head->len) /* spans could not say where */
		abort();
	while (room - head->len < len)
		room *= 2;
	head->text = grow(head->text, room);
	head->room = room;
}

struct span head_append(struct head *head, const char *at, size_t len)
{
	struct span span = {(uint32_t)head->len, (uint32_t)len};

	head_reserve(head, len);
	if (len > 0)
		memcpy(head->text + head->len, at, len);
	head->len += len;
	return span;
}

/* Where s lies now that the text, which was at old, may have moved: what is
 * added may be a slice of this very head. */
static const char *moved(const struct head *head, uintptr_t old, struct slice s)
{
	uintptr_t offset = (uintptr_t)s.at - old;

	return old != 0 && offset < head->len ? head->text + offset : s.at;
}

static void append_both(struct head *head, struct slice a, struct slice b,
	struct span *out_a, struct span *out_b)
{
	uintptr_t old = (uintptr_t)head->text;

	head_reserve(head, a.len + b.len);
	a.at = moved(head, old, a);
	b.at = moved(head, old, b);
	*out_a = head_append(head, a.at, a.len);
	*out_b = head_append(head, b.at, b.len);
}

void head_point(struct head *head, struct span name, struct span value)
{
	if (head->num == head->fields_room) {
		head->fields_room =
			head->num > 0 ? 2 * head->num : FIRST_FIELDS;
		head->fields = grow(
			head->fields, head->fields_room * sizeof *head->fields);
	}
	head->fields[head->num++] = (struct field){name, value};
}

void head_set_request(struct head *head, struct slice method,
	struct slice target, unsigned minor)
{
	append_both(head, method, target, &head->method, &head->rest);
	head->status = 0;
	head->minor = minor;
}

void head_set_response(
	struct head *head, unsigned status, struct slice reason, unsigned minor)
{
	append_both(head, (struct slice){NULL, 0}, reason, &head->method,
		&head->rest);
	head->status = status;
	head->minor = minor;
}

struct slice head_method(const struct head *head)
{
	return head_slice(head, head->method);
}

struct slice head_target(const struct head *head)
{
	return head_slice(head, head->rest);
}

struct slice head_reason(const struct head *head)
{
	return head_slice(head, head->rest);
}

unsigned head_status(const struct head *head)
{
	return head->status;
}

unsigned head_minor(const struct head *head)
{
	return head->minor;
}

void head_add(struct head *head, struct slice name, struct slice value)
{
	struct span name_span, value_span;

	append_both(head, name, value, &name_span, &value_span);
	head_point(head, name_span, value_span);
}

void head_add_text(struct head *head, const char *name, const char *value)
{
	head_add(head, text_slice(name), text_slice(value));
}

size_t head_drop(struct head *head,
	bool (*unwanted)(struct slice name, const void *arg), const void *arg)
{
	size_t kept = 0, num = head->num;

	for (size_t i = 0; i < num; i++) {
		struct field field = head->fields[i];

		if (!unwanted(head_slice(head, field.name), arg))
			head->fields[kept++] = field;
	}
	head->num = kept;
	return num - kept;
}

static bool is_named(struct slice name, const void *arg)
{
	return slice_is_nocase(name, arg);
}

size_t head_remove(struct head *head, const char *name)
{
	return head_drop(head, is_named, name);
}

size_t head_num_fields(const struct head *head)
{
	return head->num;
}

void head_field(const struct head *head, size_t i, struct slice *out_name,
	struct slice *out_value)
{
	*out_name = head_slice(head, head->fields[i].name);
	*out_value = head_slice(head, head->fields[i].value);
}

/* The first field of the name from i on, or num. */
static size_t find(const struct head *head, size_t i, struct slice name)
{
	for (; i < head->num; i++)
		if (slice_equal_nocase(
			    head_slice(head, head->fields[i].name), name))
			break;
	return i;
}

struct slice head_get(const struct head *head, const char *name)
{
	size_t i = find(head, 0, text_slice(name));

	if (i == head->num)
		return (struct slice){NULL, 0};
	return head_slice(head, head->fields[i].value);
}

size_t head_count(const struct head *head, const char *name)
{
	struct slice s = text_slice(name);
	size_t count = 0;

	for (size_t i = find(head, 0, s); i < head->num;
		i = find(head, i + 1, s))
		count++;
	return count;
}

static bool list_has(struct slice list, struct slice token)
{
	struct slice element;

	while (slice_next_element(&list, &element))
		if (slice_equal_nocase(element, token))
			return true;
	return false;
}

bool head_has_token(
	const struct head *head, const char *name, const char *token)
{
	struct slice s = text_slice(name), wanted = text_slice(token);

	for (size_t i = find(head, 0, s); i < head->num;
		i = find(head, i + 1, s))
		if (list_has(head_slice(head, head->fields[i].value), wanted))
			return true;
	return false;
}

size_t head_size(const struct head *head)
{
	return head->len;
}
