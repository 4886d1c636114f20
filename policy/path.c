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

/* bare: c has not been decoded. */
static void put(struct reading *reading, char c, bool bare)
{
	unsigned liberties = reading->liberties;
	bool first = liberties & PATH_CUTS_FIRST;

	if ((liberties & PATH_BACKSLASHES) && c == '\\')
		c = '/';
	if (c == '/' && (bare || !first))
		reading->skipping = false;
	else if (c == ';' &&
		((liberties & PATH_PARAMETERS) || (first && bare)))
		reading->skipping = true;
	if (reading->skipping)
		return;
	if ((liberties & PATH_MERGES) && c == '/' && reading->len > 0 &&
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

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
		c == '_' || c == '.' || (c >= 'A' && c <= 'Z');
}

/* take_word takes what is itself in every reading, and says how much that was. */
static size_t take_word(struct reading *reading, const char *in, size_t len)
{
	char *out = reading->text + reading->len;
	size_t n = 0;

	for (; n < len && is_word(in[n]); n++)
		out[n] = lower(in[n]);
	if (!reading->skipping)
		reading->len += n;
	return n;
}

/* All but the dot segments. */
static void decode(struct reading *reading, const char *in, size_t len)
{
	if (len == 0 || in[0] != '/')
		put(reading, '/', true);
	for (size_t i = 0;; i++) {
		int byte;

		i += take_word(reading, in + i, len - i);
		if (i == len || in[i] == '?' || in[i] == '#')
			return;
		byte = encoded(in + i, len - i);
		if (byte < 0) {
			put(reading, in[i], true);
			if (in[i] == '%' && !reading->skipping)
				reading->bare = reading->len;
			continue;
		}
		if (stays_encoded(reading, byte))
			put_encoded(reading, byte);
		else
			put(reading, (char)byte, false);
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

static void merge_slashes(char *text)
{
	char *kept = text;

	for (const char *at = text; *at; at++) {
		if (*at != '/' || kept == text || kept[-1] != '/')
			*kept++ = *at;
	}
	*kept = '\0';
}

static void read_path(const char *in, size_t len, char *out,
	unsigned liberties)
{
	struct reading reading = {.text = out, .liberties = liberties};

	decode(&reading, in, len);
	if (liberties & PATH_DOTS)
		out[reading.len] = '\0';
	else
		remove_dot_segments(out, reading.len);
	if (liberties & PATH_MERGES_LAST)
		merge_slashes(out);
}

void path_exact(const char *in, size_t len, char *out)
{
	read_path(in, len, out, 0);
}

void path_lax(const char *in, size_t len, char *out)
{
	read_path(in, len, out, PATH_LAX);
}

/* What of a path can be read in several ways. */
struct room {
	bool encoded; /* a slash, backslash or semicolon */
	bool bare_semicolon, semicolon, backslash, slashes, dots;
};

/* A segment as some reading may have it. */
struct segment {
	size_t dots; /* that it begins with */
	bool only;   /* there is nothing else in it */
	bool empty;
};

static void end_segment(struct room *room, struct segment *segment, bool slash)
{
	if (segment->only && (segment->dots == 1 || segment->dots == 2))
		room->dots = true;
	if (slash && segment->empty)
		room->slashes = true;
	*segment = (struct segment){.only = true, .empty = true};
}

static void look_at(struct room *room, struct segment *segment, int c)
{
	bool slash = c == '/' || c == '\\';

	if (c == '\\')
		room->backslash = true;
	if (c == ';')
		room->semicolon = true;
	if (slash || c == ';') {
		end_segment(room, segment, slash);
		/* cut off, it may leave an empty one, or dots */
		room->slashes |= c == ';';
		return;
	}
	segment->empty = false;
	if (c == '.')
		segment->dots++;
	else
		segment->only = false;
}

static struct room room_of(const char *in, size_t len)
{
	struct room room = {0};
	struct segment segment = {.only = true}; /* before the first slash */

	for (size_t i = 0; i < len; i++) {
		int byte = in[i] == '%' ? encoded(in + i, len - i) : -1;

		if (byte < 0) {
			room.bare_semicolon |= in[i] == ';';
			look_at(&room, &segment, (unsigned char)in[i]);
			continue;
		}
		if (byte > 0 && strchr("/\\;", byte))
			room.encoded = true;
		look_at(&room, &segment, byte);
		i += 2;
	}
	end_segment(&room, &segment, false);
	return room;
}

/* liberties_of are those that this path gives any room to. */
static unsigned liberties_of(const char *in, size_t len)
{
	struct room room = room_of(in, len);
	unsigned liberties = room.encoded ? PATH_DECODES : 0;

	if (room.backslash)
		liberties |= PATH_BACKSLASHES;
	if (room.semicolon)
		liberties |= PATH_PARAMETERS;
	if (room.bare_semicolon && room.encoded)
		liberties |= PATH_CUTS_FIRST;
	if (room.slashes)
		liberties |= PATH_MERGES;
	if (!room.dots)
		return liberties;
	if (room.slashes)
		liberties |= PATH_MERGES_LAST;
	if (liberties)
		liberties |= PATH_DOTS_FIRST;
	return liberties | PATH_DOTS;
}

/* is_choice: liberties that are one server's, and no others' under another name. */
static bool is_choice(unsigned some)
{
	bool dots = some & PATH_DOTS;

	if ((some & PATH_CUTS_FIRST) &&
		(!(some & PATH_DECODES) || (some & PATH_PARAMETERS)))
		return false;
	if ((some & PATH_MERGES_LAST) && (dots || (some & PATH_MERGES)))
		return false;
	return dots || !(some & PATH_DOTS_FIRST);
}

static bool is_new(const struct path_readings *all, const char *text)
{
	for (size_t i = 0; i < all->num; i++) {
		if (strcmp(all->at[i], text) == 0)
			return false;
	}
	return true;
}

static char *new_text(size_t len)
{
	char *text = malloc(len + 2);

	if (!text)
		abort();
	return text;
}

/* read_again is read_path but for what begins with the exact reading. */
static void read_again(const char *in, size_t len, const char *exact,
	char *out, unsigned liberties)
{
	if (liberties & PATH_DOTS_FIRST)
		read_path(exact, strlen(exact), out, liberties);
	else
		read_path(in, len, out, liberties);
}

/* path_len is where the query or the fragment begins. */
static size_t path_len(const char *in, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (in[i] == '?' || in[i] == '#')
			return i;
	}
	return len;
}

bool path_is_long(const char *in, size_t len)
{
	len = path_len(in, len);
	return len > PATH_LONG && liberties_of(in, len) != 0;
}

void path_read(const char *in, size_t len, struct path_readings *out)
{
	unsigned liberties, some = 0;
	char *text;

	len = path_len(in, len);
	liberties = liberties_of(in, len);
	out->at[0] = new_text(len);
	path_exact(in, len, out->at[0]);
	out->num = 1;
	if (liberties == 0)
		return;
	text = new_text(len);
	/* every choice of them, from none on */
	while ((some = (some - liberties) & liberties) != 0) {
		if (!is_choice(some))
			continue;
		read_again(in, len, out->at[0], text, some);
		if (!is_new(out, text))
			continue;
		out->at[out->num++] = text;
		text = new_text(len);
	}
	free(text);
}

void path_readings_clear(struct path_readings *readings)
{
	for (size_t i = 0; i < readings->num; i++)
		free(readings->at[i]);
	readings->num = 0;
}
