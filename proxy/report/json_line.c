#include "proxy/report/json_line.h"

#include <stdlib.h>
#include <string.h>

static char *room(struct json_line *line, size_t len)
{
	size_t cap = line->cap ? line->cap : 1024;

	while (cap - line->len < len)
		cap *= 2;
	if (cap != line->cap) {
		line->text = realloc(line->text, cap);
		if (!line->text)
			abort();
		line->cap = cap;
	}
	return line->text + line->len;
}

static void raw(struct json_line *line, const char *text, size_t len)
{
	memcpy(room(line, len), text, len);
	line->len += len;
}

static void key(struct json_line *line, const char *name)
{
	if (!line->first)
		raw(line, ",", 1);
	line->first = false;
	raw(line, "\"", 1);
	raw(line, name, strlen(name));
	raw(line, "\":", 2);
}

/* utf8_len is the length of the well-formed sequence at s (RFC 3629, 4), or 0:
 * no overlong forms, no surrogates, nothing past U+10FFFF. */
static size_t utf8_len(const unsigned char *s, size_t left)
{
	static const struct {
		unsigned char first, last, low, high;
		size_t len;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (s[0] < forms[i].first || s[0] > forms[i].last)
			continue;
		if (left < forms[i].len || s[1] < forms[i].low ||
		    s[1] > forms[i].high)
			return 0;
		for (size_t k = 2; k < forms[i].len; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].len;
	}
	return 0;
}

static void escape(struct json_line *line, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

	if (c == '"' || c == '\\') {
		text[1] = (char)c;
		raw(line, text, 2);
	} else {
		raw(line, text, 6);
	}
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void json_bytes(struct json_line *line, const char *name, const char *value,
	size_t len)
{
	const unsigned char *s = (const unsigned char *)value;
	size_t i = 0, n;

	if (!value)
		return;
	key(line, name);
	raw(line, "\"", 1);
	while (i < len) {
		for (n = 0; i + n < len && is_plain(s[i + n]); n++)
			;
		if (n == 0 && s[i] >= 0x80)
			n = utf8_len(s + i, len - i);
		if (n > 0)
			raw(line, value + i, n);
		else
			escape(line, s[i]);
		i += n > 0 ? n : 1;
	}
	raw(line, "\"", 1);
}

void json_text(struct json_line *line, const char *name, const char *value)
{
	if (value)
		json_bytes(line, name, value, strlen(value));
}

void json_number(struct json_line *line, const char *name, uint64_t value)
{
	char digits[20];
	size_t n = sizeof(digits);

	key(line, name);
	do {
		digits[--n] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	raw(line, digits + n, sizeof(digits) - n);
}

void json_bool(struct json_line *line, const char *name, bool value)
{
	key(line, name);
	raw(line, value ? "true" : "false", value ? 4 : 5);
}

void json_open(struct json_line *line)
{
	line->first = true;
	raw(line, "{", 1);
}

void json_close(struct json_line *line)
{
	raw(line, "}\n", 2);
}
