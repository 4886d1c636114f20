/*
 * path.h - the path of a URL in one spelling, or in several.
 *
 * "/%67ithub", "/./github" and "/x/../github" are one path, and RFC 3986, 6.2.2
 * says so. Of "//github", "/x%2F..%2Fgithub", "/x\..\github" and "/a;b/github"
 * it does not: some servers take them for another path, some do not, and some take
 * this liberty but not that. Some know no dot segments, and serve "/github/../x"
 * as what is below "/github". Each choice of liberties is a reading, and whoever
 * decides decides by all and takes the strictest. Two have names:
 *
 *	exact   percent-encodings decoded (once), but those of what parts a path:
 *	        "/", "\", ";"; dot segments removed
 *	lax     those as well; then backslashes are slashes, parameters (";b") cut
 *	        off, slashes that follow each other one, dot segments removed
 *
 * The order of these is a liberty, too: parameters may be cut off first, dot
 * segments removed before all else or before slashes are merged. A plain path has
 * one reading, one that holds a bit of everything PATH_READINGS at the most. What
 * is read twice over (decoded by a proxy and by the server behind it), and orders
 * beyond these, are nobody's reading here.
 *
 * All: the query and the fragment cut off; ASCII letters in small: GitHub, as
 * many others, takes capitals for the same. An empty path is "/". Encodings of
 * "%", "?", "#" and controls stay, in capitals, and so does one that would make
 * an encoding of what is none ("%%341"): a reading is its own reading. Text that
 * is bare stays as it is, UTF-8 and blanks too; a NUL, which no request has,
 * becomes another control.
 *
 * Owns:    nothing.
 * Threads: any.
 */
#ifndef POLICY_PATH_H
#define POLICY_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* What servers do that RFC 3986 does not say. */
enum path_liberty {
	PATH_DECODES = 1,      /* "%2F", "%5C", "%3B" are what they stand for */
	PATH_BACKSLASHES = 2,  /* are slashes */
	PATH_PARAMETERS = 4,   /* are cut off */
	PATH_MERGES = 8,       /* slashes that follow each other are one */
	PATH_LAX = 15,
	PATH_CUTS_FIRST = 16,  /* parameters, before anything is decoded */
	PATH_MERGES_LAST = 32, /* when dot segments are gone */
	PATH_DOTS = 64,        /* are names as any */
	PATH_DOTS_FIRST = 128, /* with PATH_DOTS: but those of the exact reading
	                        * are removed */
};

enum { PATH_READINGS = 70 }; /* of one path, at the most */

/* Of a path that has more than one reading: what takes too long to be read in all
 * ways while others wait. Sites' own such paths have some hundred bytes. */
enum { PATH_LONG = 4096 };

/* All readings of a path that differ, the exact one first. */
struct path_readings {
	char *at[PATH_READINGS]; /* owned */
	size_t num;
};

/* path_is_long: it is longer than PATH_LONG, and not plain. Whoever decides refuses
 * it, since one reading alone would be a way round the others. */
bool path_is_long(const char *in, size_t len) __attribute__((pure));

void path_read(const char *in, size_t len, struct path_readings *out);
void path_readings_clear(struct path_readings *readings);

/* path_exact and path_lax write a reading of the len bytes at in to out, which
 * has room for len + 2, NUL-ended. It begins with a slash. */
void path_exact(const char *in, size_t len, char *out);
void path_lax(const char *in, size_t len, char *out);

#endif
