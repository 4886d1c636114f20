#include "proxy/admin/pairs.h"

#include <string.h>

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* take gives the next byte and moves on; -1: there is no well-formed one. */
static int take(struct slice text, size_t *at, bool plus)
{
	char c = text.at[(*at)++];
	int high, low;

	if (c == '+' && plus)
		return ' ';
	if (c != '%')
		return (unsigned char)c;
	if (text.len - *at < 2)
		return -1;
	high = nibble(text.at[(*at)++]);
	low = nibble(text.at[(*at)++]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool pairs_decode(struct slice text, bool plus, char *out, size_t size)
{
	size_t num = 0;

	out[0] = '\0';
	for (size_t at = 0; at < text.len;) {
		int byte = take(text, &at, plus);

		if (byte <= 0 || num + 1 >= size)
			return false;
		out[num++] = (char)byte;
		out[num] = '\0';
	}
	return true;
}

/* cut gives what stands before the mark, and leaves what stands behind it. */
static struct slice cut(struct slice *text, char mark)
{
	const char *found = text->len ? memchr(text->at, mark, text->len) :
					NULL;
	struct slice before = *text;

	if (!found) {
		*text = (struct slice){NULL, 0};
		return before;
	}
	before.len = (size_t)(found - text->at);
	text->at = found + 1;
	text->len -= before.len + 1;
	return before;
}

enum pairs_found pairs_get(struct slice text, const char *name, char *out,
	size_t size)
{
	enum pairs_found found = PAIRS_NONE;

	out[0] = '\0';
	while (text.len > 0) {
		struct slice value = cut(&text, '&');
		struct slice key = cut(&value, '=');

		if (!slice_is(key, name))
			continue;
		if (found != PAIRS_NONE ||
		    !pairs_decode(value, true, out, size))
			return PAIRS_BAD;
		found = PAIRS_FOUND;
	}
	return found;
}

bool pairs_stranger(struct slice text, const char *const *names,
	struct slice *out)
{
	while (text.len > 0) {
		struct slice value = cut(&text, '&');
		struct slice key = cut(&value, '=');
		size_t i = 0;

		while (names[i] && !slice_is(key, names[i]))
			i++;
		if (!names[i] && key.len > 0) {
			*out = key;
			return true;
		}
	}
	return false;
}
