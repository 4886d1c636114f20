/*
 * start_line.h - the first line of an HTTP/1 message, read strictly.
 *
 * RFC 9112, 3 and 4: one space between the parts, a version of five fixed
 * bytes and two digits. llhttp reads the same line afterwards; reading it here
 * first gives early and exact answers to what is not HTTP/1 at all (a method
 * nobody knows, HTTP/0.9, the preface of HTTP/2), as soon as the line is whole
 * and alike however it was cut.
 *
 * Threads: any.
 */
#ifndef PROXY_HTTP_START_LINE_H
#define PROXY_HTTP_START_LINE_H

#include "proxy/http/h1_in.h"

struct start_line {          /* slices borrowed from the line */
	struct slice method; /* requests */
	struct slice rest;   /* target or reason */
	unsigned status;     /* responses */
	unsigned minor;
};

/* start_line_request, start_line_response read a line without its CRLF. On
 * anything but H1_OK out_why is a sentence. */
enum h1_error start_line_request(
	struct slice line, struct start_line *out, const char **out_why);
enum h1_error start_line_response(
	struct slice line, struct start_line *out, const char **out_why);

/* start_line_knows_method: others end in H1_UNKNOWN_METHOD. */
bool start_line_knows_method(struct slice method);

/* start_line_may_begin says whether a message of this kind may begin so, so
 * that what is not HTTP is refused without waiting for its line to end. What
 * it refuses the readers above refuse with H1_BAD_SYNTAX. */
bool start_line_may_begin(enum h1_kind kind, struct slice begin);

#endif
