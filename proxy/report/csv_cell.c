#include "proxy/report/csv_cell.h"

#include <string.h>

/* Quoted, a cell may have commas and quotes in it. */
static bool is_quoted(const char *text, size_t len)
{
	return memchr(text, ',', len) || memchr(text, '"', len);
}

/* A spreadsheet may calculate what begins so; it would with controls, too, but
 * these are escaped in any case. */
bool csv_is_formula(const char *text, size_t len)
{
	return len > 0 && memchr("=+-@", text[0], 4);
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
		at = json_escape(at, text, len);
	if (memchr(begin, '\\', (size_t)(at - begin)))
		at = unescape(begin, at);
	if (quoted)
		*at++ = '"';
	*at++ = ',';
	line->len = (size_t)(at - line->text);
}
