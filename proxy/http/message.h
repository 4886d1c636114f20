/*
 * message.h - the head of a request or a response, apart from its wire form.
 *
 * A head is a start line and fields in the order they came; trailers are a
 * head without a start line. HTTP/1 is read into it (h1_in) and written from it
 * (h1_out); the exchange and the rules look only at this.
 *
 * Glossary: slice - borrowed bytes, not NUL-ended. field - one header line.
 *
 * Owns:    all its text, in one block bounded by the codec that fills it.
 *          Slices that the accessors return live until the head is changed or
 *          freed.
 * Threads: one.
 */
#ifndef PROXY_HTTP_MESSAGE_H
#define PROXY_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
	const char *at;
	size_t len;
};

/* slice_is compares with a literal; slice_is_nocase without regard to the
 * case of ASCII letters, as field names and tokens are compared. */
bool slice_is(struct slice s, const char *text);
bool slice_is_nocase(struct slice s, const char *text);

/* slice_text copies what fits to out, NUL-ended. */
void slice_text(struct slice s, char *out, size_t size);

struct head;

struct head *head_new(void);
void head_free(struct head *head);
void head_clear(struct head *head); /* empty again, memory kept if small */
struct head *head_copy(const struct head *head);

/* Start line. A request has a method and a target, a response a status and
 * perhaps a reason. minor is of HTTP/1.minor. All text is copied. */
void head_set_request(struct head *head, struct slice method,
	struct slice target, unsigned minor);
void head_set_response(struct head *head, unsigned status, struct slice reason,
	unsigned minor);
struct slice head_method(const struct head *head);
struct slice head_target(const struct head *head);
struct slice head_reason(const struct head *head);
unsigned head_status(const struct head *head);
unsigned head_minor(const struct head *head);

/* Fields. Names compare without regard to case; text is copied. */
void head_add(struct head *head, struct slice name, struct slice value);
void head_add_text(struct head *head, const char *name, const char *value);
size_t head_remove(struct head *head, const char *name); /* how many went */
size_t head_num_fields(const struct head *head);
void head_field(const struct head *head, size_t i, struct slice *out_name,
	struct slice *out_value);

/* head_get returns the first field's value; at is NULL when there is none.
 * head_count says how many fields have the name. */
struct slice head_get(const struct head *head, const char *name);
size_t head_count(const struct head *head, const char *name);

/* head_has_token says whether a comma-separated list field (over all fields of
 * the name) has the token, without regard to case: Connection, Upgrade, TE. */
bool head_has_token(
	const struct head *head, const char *name, const char *token);

size_t head_size(const struct head *head); /* bytes of text held */

#endif
