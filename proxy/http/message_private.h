/*
 * message_private.h - the inside of a head, for this room's codecs only.
 *
 * A codec that has a whole head in one piece appends it as raw text and then
 * points at the parts: no field is copied by itself, and no field costs an
 * allocation.
 *
 *	text    GET / HTTP/1.1\r\nHost: a.example\r\nAccept: *\r\n\r\n
 *	        ^^^ ^             ^^^^  ^^^^^^^^^
 *	method -'   '- target     '-----'-------- fields[0].name, .value
 *
 * Threads: one, the head's.
 */
#ifndef PROXY_HTTP_MESSAGE_PRIVATE_H
#define PROXY_HTTP_MESSAGE_PRIVATE_H

#include "proxy/http/message.h"

/* What a message's Connection fields may hold in all, with a comma behind each.
 * They are looked up once for each field when hops end (hop.c): long ones
 * would cost the square of the limit on heads. h1_in refuses more. */
enum { MAX_CONNECTION = 1024 };

struct span { /* of head.text */
	uint32_t at, len;
};

struct field {
	struct span name, value;
};

struct head {                 /* zeroed is empty */
	char *text;           /* owned */
	size_t len, room;     /* of text */
	struct field *fields; /* owned */
	size_t num, fields_room;
	struct span method; /* requests */
	struct span rest;   /* target or reason */
	unsigned status, minor;
};

/* head_reset empties an embedded head and frees what it owns. */
void head_reset(struct head *head);

/* head_reserve makes room for len more bytes of text; head_append adds them
 * and says where they lie. */
void head_reserve(struct head *head, size_t len);
struct span head_append(struct head *head, const char *at, size_t len);

/* head_point adds a field whose name and value are in the text already. */
void head_point(struct head *head, struct span name, struct span value);

/* head_drop removes the fields for which unwanted says true, and returns how
 * many went; the order of the others stays. */
size_t head_drop(struct head *head,
	bool (*unwanted)(struct slice name, const void *arg), const void *arg);

static inline struct slice head_slice(const struct head *head, struct span s)
{
	return (struct slice){head->text ? head->text + s.at : "", s.len};
}

/* head_span says where a slice of the head's text lies. */
static inline struct span head_span(const struct head *head, struct slice s)
{
	return (struct span){
		s.at ? (uint32_t)(s.at - head->text) : 0, (uint32_t)s.len};
}

/* slice_is_token: one or more tchar (RFC 9110, 5.6.2). slice_equal_nocase
 * compares two slices, ASCII letters alike. slice_has_prefix_nocase. */
bool slice_is_token(struct slice s);
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_has_prefix_nocase(struct slice s, const char *prefix);

/* slice_trim takes spaces and tabs off both ends (OWS). */
struct slice slice_trim(struct slice s);

/* slice_next_element takes the next element off a comma-separated list, blanks
 * trimmed and empty elements passed over (RFC 9110, 5.6.1); false at the
 * end. */
bool slice_next_element(struct slice *list, struct slice *out_element);

static inline bool char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

#endif
