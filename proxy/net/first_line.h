/*
 * first_line.h - whether a stream's first line is a request, whatever its bytes.
 *
 * There are servers that take anything for a method (the JDK's; what follows the
 * target no less), servers that split the line at blanks of every kind (Python's),
 * and methods that look like another protocol's greeting ("SSH-2.0-x"). A line is
 * a request here when
 *
 *	its first two spaces stand around what begins with a slash or has a
 *	scheme, and no control in it; a line's end is CR LF;
 *	its third word begins "HTTP/", cut by spaces or by blanks of any kind;
 *	its words, so cut, are two, and "GET" the first (HTTP/0.9).
 *
 * How long such a line is, and when its end comes, is its sender's choice. So it is
 * read as it comes and nothing is kept of it: bytes may be passed on while the line
 * is not settled, as long as those that make it a request are not. Of streams of
 * chance bytes one in some thousands is taken for one.
 *
 * Owns:    nothing; zeroed, nothing has come.
 * Threads: any.
 */
#ifndef PROXY_NET_FIRST_LINE_H
#define PROXY_NET_FIRST_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The line, cut into words in one of the two ways. */
struct first_line_words {
	uint8_t num;     /* begun */
	uint8_t get;     /* how much of "GET" the first is */
	uint8_t scheme;  /* ... of "://" the second has */
	uint8_t version; /* ... of "HTTP/" the third begins with */
	uint8_t last;    /* the byte before */
	bool between;    /* two words */
	bool path;       /* the second is one */
	bool over;       /* it is no request */
};

struct first_line {
	struct first_line_words by_space, by_blank;
};

enum first_line_is {
	FIRST_LINE_OPEN, /* it may become a request */
	FIRST_LINE_REQUEST,
	FIRST_LINE_NONE, /* whatever comes */
};

/* first_line_read takes the next bytes. Not after it has said REQUEST. */
enum first_line_is first_line_read(struct first_line *line,
	const uint8_t *data, size_t len);

/* first_line_blank: of these there are servers that pass over any number before a
 * method. */
bool first_line_blank(uint8_t c);

#endif
