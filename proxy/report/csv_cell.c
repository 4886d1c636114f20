#include "proxy/report/csv_cell.h"

#include <string.h>

/* Quoted, a cell may have commas and quotes in it. */
static bool is_quoted(const char *text, size_t len)
{
	return memchr(text, ',', len) || memchr(text, '"', len);
}

/* What formulas begin with, as OWASP lists it; where full width is usual, signs of
 * full width count, too. Its tab, carriage return and line feed are escaped in any
 * case. */
static bool is_sign(const char *text, size_t len)
{
	if (len > 0 && memchr("=+-@", text[0], 4))
		return true;
	return len >= 3 && (memcmp(text, "\xef\xbc\x9d", 3) == 0 ||
		memcmp(text, "\xef\xbc\x8b", 3) == 0 ||
		memcmp(text, "\xef\xbc\x8d", 3) == 0 ||
		memcmp(text, "\xef\xbc\xa0", 3) == 0);
}

static size_t skip(const char *text, size_t len, char what)
{
	size_t n = 0;

	while (n < len && text[n] == what)
		n++;
	return n;
}

/* One with apostrophes of its own gets another, which is then the one to be taken
 * away again. */
bool csv_is_formula(const char *text, size_t len)
{
	size_t begin = skip(text, len, '\'');

	return is_sign(text + begin, len - begin);
}

/* cell_end: a semicolon that begins a formula, where that parts cells. */
static const char *cell_end(const char *text, const char *end)
{
	const char *found = text, *next;
	size_t left;

	while ((found = memchr(found, ';', (size_t)(end - found)))) {
		left = (size_t)(end - ++found);
		next = found + skip(found, left, '"');
		if (is_sign(next, (size_t)(end - next)))
			return found - 1;
	}
	return end;
}

static char *escape(char *at, const char *text, size_t len)
{
	const char *end = text + len, *to = cell_end(text, end);

	for (; to < end; to = cell_end(text, end)) {
		at = json_escape(at, text, (size_t)(to - text));
		memcpy(at, "\\u003b", 6);
		at += 6;
		text = to + 1;
	}
	return json_escape(at, text, (size_t)(end - text));
}

/* unescape makes "" of the quotes that json_escape has put a backslash before,
 * and one of two backslashes. */
static char *unescape(char *from, const char *end)
{
	char *to = from;

	while (from < end) {
		if (*from == '\\' && (from[1] == '"' || from[1] == '\\')) {
			if (*++from == '"')
				*to++ = '"';
		}
		*to++ = *from++;
	}
	return to;
}

void csv_cell(struct json_line *line, const char *text, size_t len)
{
	char *at = json_room(line, JSON_ESCAPED(len) + 4), *begin;
	bool quoted = text && is_quoted(text, len);

	if (quoted)
		*at++ = '"';
	if (text && csv_is_formula(text, len))
		*at++ = '\'';
	begin = at;
	if (text)
		at = escape(at, text, len);
	if (memchr(begin, '\\', (size_t)(at - begin)))
		at = unescape(begin, at);
	if (quoted)
		*at++ = '"';
	*at++ = ',';
	line->len = (size_t)(at - line->text);
}
