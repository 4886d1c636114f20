#include "proxy/report/json_line.h"

#include <stdlib.h>
#include <string.h>

char *json_room(struct json_line *line, size_t len)
{
	size_t cap = line->cap ? line->cap : 1024;

	if (line->cap - line->len >= len)
		return line->text + line->len;
	while (cap - line->len < len)
		cap *= 2;
	line->text = realloc(line->text, cap);
	if (!line->text)
		abort();
	line->cap = cap;
	return line->text + line->len;
}

static void raw(struct json_line *line, const char *text, size_t len)
{
	memcpy(json_room(line, len), text, len);
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

/* control_of is the character, if it is one that a terminal or a viewer would obey:
 * of C1, the separators of lines and paragraphs, and what turns the direction of
 * text. Else 0. All of them are of two or three bytes. */
static unsigned control_of(const unsigned char *s, size_t len)
{
	unsigned c;

	if (len == 2)
		c = (s[0] & 0x1fu) << 6 | (s[1] & 0x3fu);
	else if (len == 3)
		c = (s[0] & 0xfu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	else
		return 0;
	return c < 0xa0 || c == 0x61c || c == 0x200e || c == 0x200f ||
		(c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ?
		c : 0;
}

static char *escape(char *at, unsigned c)
{
	static const char hex[] = "0123456789abcdef";

	*at++ = '\\';
	if (c == '"' || c == '\\') {
		*at++ = (char)c;
		return at;
	}
	*at++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*at++ = hex[c >> shift & 15];
	return at;
}

/* escape_wide copies a character that is not ASCII, or escapes what is a control or
 * no character; *out_len: how many bytes that was. */
static char *escape_wide(char *at, const unsigned char *s, size_t left,
	size_t *out_len)
{
	size_t len = utf8_len(s, left);
	unsigned control = control_of(s, len);

	*out_len = len ? len : 1;
	if (len == 0 || control)
		return escape(at, control ? control : s[0]);
	memcpy(at, s, len);
	return at + len;
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* zero_in: a byte of word is 0 (or was made to look so by one below it that is:
 * then the answer is right all the same). */
static bool zero_in(uint64_t word)
{
	return ((word - 0x0101010101010101) & ~word & 0x8080808080808080) != 0;
}

/* is_plain8 is is_plain of eight bytes at once: nearly all of a line. */
static bool is_plain8(uint64_t word)
{
	const uint64_t each = 0x0101010101010101, high = 0x80 * each;

	return ((word | (word - 0x20 * each)) & high) == 0 &&
		!zero_in(word ^ '"' * each) && !zero_in(word ^ '\\' * each) &&
		!zero_in(word ^ 0x7f * each);
}

char *json_escape(char *at, const char *value, size_t len)
{
	const unsigned char *s = (const unsigned char *)value;
	size_t i = 0, n;
	uint64_t word;

	while (i < len) {
		if (len - i >= sizeof(word)) {
			memcpy(&word, value + i, sizeof(word));
			if (is_plain8(word)) {
				memcpy(at, &word, sizeof(word));
				at += sizeof(word);
				i += sizeof(word);
				continue;
			}
		}
		if (is_plain(s[i])) {
			*at++ = value[i++];
			continue;
		}
		n = 1;
		at = s[i] < 0x80 ? escape(at, s[i]) :
			escape_wide(at, s + i, len - i, &n);
		i += n;
	}
	return at;
}

char *json_digits(char *at, uint64_t value)
{
	char digits[20];
	size_t n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	memcpy(at, digits + n, sizeof(digits) - n);
	return at + sizeof(digits) - n;
}

void json_bytes(struct json_line *line, const char *name, const char *value,
	size_t len)
{
	char *at;

	if (!value)
		return;
	key(line, name);
	at = json_room(line, JSON_ESCAPED(len) + 2);
	*at++ = '"';
	at = json_escape(at, value, len);
	*at++ = '"';
	line->len = (size_t)(at - line->text);
}

void json_text(struct json_line *line, const char *name, const char *value)
{
	if (value)
		json_bytes(line, name, value, strlen(value));
}

void json_number(struct json_line *line, const char *name, uint64_t value)
{
	char *at;

	key(line, name);
	at = json_digits(json_room(line, JSON_DIGITS), value);
	line->len = (size_t)(at - line->text);
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
