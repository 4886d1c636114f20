#include "policy/text.h"

#include <string.h>

enum { FACT_MAX = 80 };

static const char dots[] = "...";

struct text text_begin(char *out, size_t size)
{
	out[0] = '\0';
	return (struct text){.at = out, .size = size};
}

/* append adds all of piece, or none of it and no more. */
static void append(struct text *text, const char *piece, size_t len)
{
	if (text->cut)
		return;
	if (len > text->size - sizeof(dots) - text->len) {
		piece = dots;
		len = sizeof(dots) - 1;
		text->cut = true;
	}
	memcpy(text->at + text->len, piece, len);
	text->len += len;
	text->at[text->len] = '\0';
}

static void append_escaped(struct text *text, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	char piece[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};

	append(text, piece, sizeof(piece));
}

void text_add(struct text *text, const char *words)
{
	append(text, words, strlen(words));
}

static bool is_control(unsigned char c)
{
	return c < ' ' || c == 0x7f;
}

/* A letter of several bytes is cut nowhere but at its end. */
static size_t letter_len(const char *at)
{
	size_t len = 1;

	while (((unsigned char)at[len] & 0xc0) == 0x80)
		len++;
	return len;
}

void text_add_name(struct text *text, const char *name)
{
	size_t len;

	for (; *name; name += len) {
		len = letter_len(name);
		if (is_control((unsigned char)*name))
			append_escaped(text, (unsigned char)*name);
		else
			append(text, name, len);
	}
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || (c && strchr(".-_@/:%~+", c));
}

static bool all_plain(const char *fact, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_plain(fact[i]))
			return false;
	return len > 0;
}

static void append_fact(struct text *text, unsigned char c)
{
	char quoted[2] = {'\\', (char)c};

	if (is_control(c) || c >= 0x80)
		append_escaped(text, c);
	else if (c == '"' || c == '\\')
		append(text, quoted, 2);
	else
		append(text, quoted + 1, 1);
}

void text_add_fact(struct text *text, const char *fact)
{
	size_t len = strnlen(fact, FACT_MAX + 1);
	const char *quote = all_plain(fact, len) ? "" : "\"";

	text_add(text, quote);
	for (size_t i = 0; i < len && i < FACT_MAX; i++)
		append_fact(text, (unsigned char)fact[i]);
	if (len > FACT_MAX)
		text_add(text, dots);
	text_add(text, quote);
}
