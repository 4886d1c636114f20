#include "policy/glob.h"

#include <stdint.h>
#include <string.h>

enum { HEAD_MAX = 255 }; /* what a byte of the table counts */

/* By hand, since tolower follows the locale. */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

/* back[i] is how much of the head's beginning also ends its first i + 1
 * bytes, itself left aside (Knuth, Morris and Pratt). */
static void find_borders(const char *head, size_t len, uint8_t *back)
{
	size_t have = 0;

	back[0] = 0;
	for (size_t i = 1; i < len; i++) {
		while (have > 0 && lower(head[i]) != lower(head[have]))
			have = back[have - 1];
		if (lower(head[i]) == lower(head[have]))
			have++;
		back[i] = (uint8_t)have;
	}
}

/* Where literal is first found, or NULL. What of it is beyond its head is
 * compared where the head was found. */
static const char *find(
	const char *text, size_t text_len, const char *literal, size_t len)
{
	uint8_t back[HEAD_MAX];
	size_t head = len < HEAD_MAX ? len : HEAD_MAX, have = 0;

	if (len == 0)
		return text;
	find_borders(literal, head, back);
	for (size_t i = 0; i < text_len; i++) {
		while (have > 0 && lower(text[i]) != lower(literal[have]))
			have = back[have - 1];
		if (lower(text[i]) == lower(literal[have]))
			have++;
		if (have < head)
			continue;
		if (text_len - (i + 1) >= len - head &&
			same(text + i + 1, literal + head, len - head))
			return text + i + 1 - head;
		have = back[have - 1];
	}
	return NULL;
}

/* The first literal is where text begins, the last where it ends; each one
 * between is taken where it is found first, which leaves the most for those
 * that follow. */
bool glob_match(const char *glob, const char *text)
{
	size_t len = strcspn(glob, "*"), left = strlen(text);

	if (left < len || !same(glob, text, len))
		return false;
	if (glob[len] == '\0')
		return left == len;
	for (;;) {
		const char *found;

		text += len;
		left -= len;
		glob += strcspn(glob, "*") + 1;
		len = strcspn(glob, "*");
		if (glob[len] == '\0')
			return left >= len &&
				same(glob, text + left - len, len);
		found = find(text, left, glob, len);
		if (!found)
			return false;
		left -= (size_t)(found - text);
		text = found;
	}
}
