/*
 * json_line.h - flat JSON objects, one a line, written straight to memory.
 *
 * The access log writes one for every request, at the speed of the data path;
 * a tree of values (jansson) would cost more than the request. Text is taken as
 * UTF-8; bytes that are not, and controls, are escaped (RFC 8259, 7), so that a
 * line stays a line whatever a peer sends. Those of Unicode are controls, too, and
 * what turns the direction of text.
 *
 * Owns:    text; the caller frees it. Threads: one.
 */
#ifndef PROXY_REPORT_JSON_LINE_H
#define PROXY_REPORT_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_line { /* zeroed is empty */
	char *text; /* owned */
	size_t len, cap;
	bool first;
};

void json_open(struct json_line *line);
/* A NULL value leaves the key out. */
void json_text(struct json_line *line, const char *key, const char *value);
void json_bytes(struct json_line *line, const char *key, const char *value,
	size_t len);
void json_number(struct json_line *line, const char *key, uint64_t value);
void json_bool(struct json_line *line, const char *key, bool value);
void json_close(struct json_line *line);

/* For who writes members of its own: json_room is room for len bytes behind what
 * is there, to be counted into line->len; json_escape and json_digits write a
 * string's inside and a number there, and return where they end. */
#define JSON_ESCAPED(len) (6 * (len))
enum { JSON_DIGITS = 20 };
char *json_room(struct json_line *line, size_t len);
char *json_escape(char *at, const char *value, size_t len);
char *json_digits(char *at, uint64_t value);

#endif
