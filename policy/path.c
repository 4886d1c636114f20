#include "policy/path.h"

#include <stdlib.h>
#include <string.h>

/* One reading as it grows. */
struct reading {
	char *text; /* borrowed */
	size_t len;
	/* Behind the last "%" that no two hex digits follow; 0: none. */
	size_t bare;
	unsigned liberties;
	bool skipping; /* a parameter, up to the next slash */
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* By hand, since tolower follows the locale. */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The byte that a percent-encoding at the beginning of in stands for, or -1. */
static int encoded(const char *in, size_t len)
{
	if (len < 3 || in[0] != '%' || hex_value(in[1]) < 0 ||
		hex_value(in[2]) < 0)
		return -1;
	return hex_value(in[1]) << 4 | hex_value(in[2]);
}

/* A hex digit right behind a bare "%" would make an encoding of what is none,
 * which the next to read it would decode: "%%341" is not "%41". */
static bool would_encode(const struct reading *reading, char c)
{
	if (reading->bare == 0 || hex_value(c) < 0)
		return false;
	return reading->len == reading->bare ||
		(reading->len == reading->bare + 1 &&
			hex_value(reading->text[reading->bare]) >= 0);
}

static bool stays_encoded(const struct reading *reading, int byte)
{
	if (byte < ' ' || byte == 0x7f || strchr("%?#", byte))
		return true;
	if (!(reading->liberties & PATH_DECODES) && strchr("/\\;", byte))
		return true;
	return would_encode(reading, (char)byte);
}

static void put(struct reading *reading, char c)
{
	if ((reading->liberties & PATH_BACKSLASHES) && c == '\\')
		c = '/';
	if (c == '/')
		reading->skipping = false;
	else if ((reading->liberties & PATH_PARAMETERS) && c == ';')
		reading->skipping = true;
	if (reading->skipping)
		return;
	if ((reading->liberties & PATH_MERGES) && c == '/' && reading->len > 0 &&
		reading->text[reading->len - 1] == '/')
		return;
	/* Text ends with a NUL, so it holds none. No request does either. */
	reading->text[reading->len++] = c ? lower(c) : '\x01';
}

static void put_encoded(struct reading *reading, int byte)
{
	static const char digits[] = "0123456789ABCDEF";

	if (reading->skipping)
		return;
	reading->text[reading->len++] = '%';
	reading->text[reading->len++] = digits[byte >> 4];
	reading->text[reading->len++] = digits[byte & 15];
}

/* All but the dot segments. */
static void decode(struct reading *reading, const char *in, size_t len)
{
	if (len == 0 || in[0] != '/')
		put(reading, '/');
	for (size_t i = 0; i < len && in[i] != '?' && in[i] != '#'; i++) {
		int byte = encoded(in + i, len - i);

		if (byte < 0) {
			put(reading, in[i]);
			if (in[i] == '%' && !reading->skipping)
				reading->bare = reading->len;
			continue;
		}
		if (stays_encoded(reading, byte))
			put_encoded(reading, byte);
		else
			put(reading, (char)byte);
		i += 2;
	}
}

static bool is_dots(const char *segment, size_t len, size_t dots)
{
	return len == dots && memcmp(segment, "..", dots) == 0;
}

/* RFC 3986 5.2.4, in place: text begins with a slash, what is kept never overtakes
 * what is read, and the last segment leaves at least a slash. */
static void remove_dot_segments(char *text, size_t len)
{
	size_t kept = 0;

	for (size_t at = 0; at < len;) {
		const char *segment = text + at + 1;
		const char *slash = memchr(segment, '/', len - at - 1);
		size_t n = slash ? (size_t)(slash - segment) : len - at - 1;
		bool up = is_dots(segment, n, 2);

		if (up || is_dots(segment, n, 1)) {
			while (up && kept > 0 && text[--kept] != '/')
				;
			if (!slash)
				text[kept++] = '/';
		} else {
			memmove(text + kept, text + at, n + 1);
			kept += n + 1;
		}
		at += n + 1;
	}
	text[kept] = '\0';
}

static void read_path(const char *in, size_t len, char *out,
	unsigned liberties)
{
	struct reading reading = {.text = out, .liberties = liberties};

	decode(&reading, in, len);
	remove_dot_segments(out, reading.len);
}

void path_exact(const char *in, size_t len, char *out)
{
	read_path(in, len, out, 0);
}

void path_lax(const char *in, size_t len, char *out)
{
	read_path(in, len, out, PATH_ALL);
}

/* has_encoded: of a slash, a backslash or a semicolon. */
static bool has_encoded(const char *in, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int byte = encoded(in + i, len - i);

		if (byte > 0 && strchr("/\\;", byte))
			return true;
	}
	return false;
}

/* liberties_of are those that this path gives any room to. */
static unsigned liberties_of(const char *in, size_t len)
{
	bool hidden = has_encoded(in, len);
	bool backslash = memchr(in, '\\', len) || hidden;
	unsigned liberties = hidden ? PATH_DECODES : 0;

	if (backslash)
		liberties |= PATH_BACKSLASHES;
	if (hidden || memchr(in, ';', len))
		liberties |= PATH_PARAMETERS;
	if (backslash || memmem(in, len, "//", 2) || memchr(in, ';', len))
		liberties |= PATH_MERGES;
	return liberties;
}

static bool is_new(const struct path_readings *all, const char *text)
{
	for (size_t i = 0; i < all->num; i++) {
		if (strcmp(all->at[i], text) == 0)
			return false;
	}
	return true;
}

void path_read(const char *in, size_t len, struct path_readings *out)
{
	unsigned some, liberties;
	char *at;

	for (size_t i = 0; i < len; i++) {
		if (in[i] == '?' || in[i] == '#')
			len = i;
	}
	liberties = len > 0 ? liberties_of(in, len) : 0;
	out->num = 0;
	out->text = at = malloc(((size_t)1 << __builtin_popcount(liberties)) *
		(len + 2));
	if (!at)
		abort();
	/* every choice of them, from none on */
	for (some = 0;; some = (some - liberties) & liberties) {
		read_path(in, len, at, some);
		if (is_new(out, at)) {
			out->at[out->num++] = at;
			at += strlen(at) + 1;
		}
		if (some == liberties)
			return;
	}
}

void path_readings_clear(struct path_readings *readings)
{
	free(readings->text);
	*readings = (struct path_readings){0};
}
