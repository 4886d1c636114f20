/*
 * h1_in.c - the HTTP/1 reader.
 *
 * It cuts the input into lines and knows nothing but CRLF; it is strict where
 * RFC 9112 lets a recipient be kind (2.2, 5.2), since what one hop repairs the
 * next reads otherwise. A head is gathered into one block, and llhttp reads
 * the block whole (h1_llhttp.h). So the outcome does not depend on how the
 * bytes came in, and fields need no copying: they are pointed at where they
 * lie.
 *
 *	HEAD -+-> LENGTH -----------------------------+-> END
 *	      +-> UNTIL_CLOSE (ends with h1_in_eof) --+
 *	      +-> CHUNK_LINE -+-> TRAILERS -----------+
 *	      |    ^          v                       |
 *	      |    |      CHUNK_DATA                  |
 *	      |    +-- CHUNK_CRLF                     |
 *	      +---------------------------------------+
 */

#include "proxy/http/h1_in.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/http/framing.h"
#include "proxy/http/h1_llhttp.h"
#include "proxy/http/message_private.h"
#include "proxy/http/start_line.h"

enum {
	MAX_BLANK_LINES = 4,   /* before a request (RFC 9112, 2.2) */
	MAX_EXTENSIONS = 4096, /* bytes of chunk extensions, a message */
	MAX_SIZE_DIGITS = 16,
	FIRST_ROOM = 2048, /* for a head whose end is not in sight */
};

enum phase {
	IN_HEAD,
	IN_LENGTH,
	IN_UNTIL_CLOSE,
	IN_CHUNK_LINE,
	IN_CHUNK_DATA,
	IN_CHUNK_CRLF,
	IN_TRAILERS,
	AT_END, /* and H1_END is still to be told */
	ENDED,
	BROKEN,
};

/* What a step returns beside an event. */
enum { GO_ON = 100, GATHERED = 101 };

struct h1_in {
	struct h1_llhttp second;
	enum h1_kind kind;
	enum phase phase;
	size_t max_head;

	struct head head, trailers;
	struct head *filling; /* one of the two */
	size_t line;          /* where the unfinished line of it begins */
	unsigned blank_lines;
	bool to_head;

	struct framing framing;
	uint64_t left;     /* of the body or the chunk */
	struct slice body; /* borrowed from the caller's bytes */

	unsigned digits; /* of the chunk size */
	bool in_extension, has_cr;
	size_t extensions; /* bytes, in this message */

	enum h1_error error;
	const char *why; /* borrowed, static */
};

static int fail(struct h1_in *in, enum h1_error error, const char *why)
{
	/* The first reason wins. */
	if (in->error == H1_OK) {
		in->error = error;
		in->why = why;
	}
	in->phase = BROKEN;
	return H1_FAILED;
}

/* llhttp did not like it. */
static int fail_second(struct h1_in *in)
{
	return fail(in, in->second.error, in->second.why);
}

/* The line reader. */

static bool at_start_line(const struct h1_in *in)
{
	return in->filling == &in->head && in->line == 0;
}

/* A line that has not ended: is there any use in waiting for more of it? */
static int check_begin(struct h1_in *in)
{
	struct slice begin = {in->head.text, in->head.len};

	if (!at_start_line(in) || begin.len == 0)
		return H1_MORE;
	if (in->kind == H1_REQUEST && slice_is(begin, "\r"))
		return H1_MORE;
	if (start_line_may_begin(in->kind, begin))
		return H1_MORE;
	return fail(in, H1_BAD_SYNTAX, "this is not HTTP");
}

static int read_start_line(struct h1_in *in, struct slice line)
{
	struct start_line start = {0};
	struct head *head = &in->head;
	const char *why;
	enum h1_error error;

	if (line.len == 0 && in->kind == H1_REQUEST &&
		in->blank_lines < MAX_BLANK_LINES) {
		in->blank_lines++;
		head->len = 0;
		return GO_ON;
	}
	error = in->kind == H1_REQUEST ?
		start_line_request(line, &start, &why) :
		start_line_response(line, &start, &why);
	if (error != H1_OK)
		return fail(in, error, why);
	head->method = head_span(head, start.method);
	head->rest = head_span(head, start.rest);
	head->status = start.status;
	head->minor = start.minor;
	return GO_ON;
}

/* RFC 9112, 2.2 and 5.2: what a recipient may replace by a space or take for
 * the end of a line, we refuse. */
static int end_line(struct h1_in *in)
{
	const struct head *head = in->filling;
	struct slice line = {head->text + in->line, head->len - in->line};

	if (line.len < 2 || line.at[line.len - 2] != '\r')
		return fail(in, H1_BAD_SYNTAX, "a line ends with a bare LF");
	line.len -= 2;
	if (memchr(line.at, '\r', line.len))
		return fail(in, H1_BAD_SYNTAX, "a bare CR in the head");
	if (memchr(line.at, '\0', line.len))
		return fail(in, H1_BAD_SYNTAX, "a NUL in the head");
	if (at_start_line(in)) {
		if (read_start_line(in, line) != GO_ON)
			return H1_FAILED;
	} else if (line.len == 0) {
		return GATHERED;
	} else if (line.at[0] == ' ' || line.at[0] == '\t') {
		return fail(in, H1_BAD_SYNTAX, "a folded field (obs-fold)");
	}
	in->line = head->len;
	return GO_ON;
}

/* Gathers lines into the head or the trailers up to the empty one. */
static int gather(struct h1_in *in, const char **at, const char *end)
{
	struct head *head = in->filling;

	while (*at < end) {
		size_t room = in->max_head - head->len;
		size_t avail = (size_t)(end - *at);
		const char *newline = memchr(*at, '\n', avail);
		size_t len = newline ? (size_t)(newline + 1 - *at) : avail;
		size_t taken = len < room ? len : room;
		int r;

		head_append(head, *at, taken);
		*at += taken;
		r = newline && taken == len ? end_line(in) : check_begin(in);
		if (taken < len) /* after what check_begin found */
			return fail(in, H1_HEAD_TOO_LARGE,
				"the head or trailer section is too large");
		if (r != GO_ON && r != H1_MORE)
			return r;
	}
	return H1_MORE;
}

/* The steps, one for each phase. */

static int end_head(struct h1_in *in)
{
	static const enum phase next[] = {
		[H1_NO_BODY] = AT_END,
		[H1_LENGTH] = IN_LENGTH,
		[H1_CHUNKED] = IN_CHUNK_LINE,
		[H1_UNTIL_CLOSE] = IN_UNTIL_CLOSE,
	};
	const char *why;
	enum h1_error error;

	if (!h1_llhttp_head(&in->second, &in->head))
		return fail_second(in);
	error = in->kind == H1_REQUEST ?
		framing_of_request(&in->head, &in->framing, &why) :
		framing_of_response(&in->head, in->to_head, &in->framing, &why);
	if (error != H1_OK)
		return fail(in, error, why);
	if (in->framing.kind == H1_CHUNKED) {
		if (!h1_llhttp_chunked(&in->second))
			return fail_second(in);
		in->filling = &in->trailers;
		in->line = 0;
	}
	in->left = in->framing.length;
	in->phase = next[in->framing.kind];
	return H1_HEAD;
}

static int step_head(struct h1_in *in, const char **at, const char *end)
{
	size_t avail = (size_t)(end - *at);
	int r;

	if (avail > 0 && in->head.len == 0)
		head_reserve(
			&in->head, avail < FIRST_ROOM ? avail : FIRST_ROOM);
	r = gather(in, at, end);
	return r == GATHERED ? end_head(in) : r;
}

/* Takes what is there of the body, but no more than limit. */
static int take_body(
	struct h1_in *in, const char **at, const char *end, uint64_t limit)
{
	size_t avail = (size_t)(end - *at);

	in->body.len = 0;
	if (avail == 0)
		return H1_MORE;
	in->body.at = *at;
	in->body.len = avail < limit ? avail : (size_t)limit;
	*at += in->body.len;
	return H1_BODY;
}

static int step_length(struct h1_in *in, const char **at, const char *end)
{
	int r;

	if (in->left == 0) {
		in->phase = AT_END;
		return GO_ON;
	}
	r = take_body(in, at, end, in->left);
	in->left -= in->body.len;
	return r;
}

static int step_until_close(struct h1_in *in, const char **at, const char *end)
{
	return take_body(in, at, end, UINT64_MAX);
}

/* One byte of "size[;extensions]\r\n"; what the size is llhttp will say, what
 * extensions mean nobody asks (RFC 9112, 7.1.1). Digits beyond what a size can
 * need are leading zeros, and count as extensions. NULL: good so far. */
static const char *check_chunk_byte(struct h1_in *in, char c)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	if (in->has_cr || c == '\n')
		return in->has_cr && c == '\n' ?
			NULL :
			"a bare CR or LF in a chunk's size line";
	if (c == '\r') {
		in->has_cr = true;
		return in->digits > 0 ? NULL : "a chunk without a size";
	}
	if (!in->in_extension && c != '\0' && strchr(hex, c)) {
		if (in->digits < MAX_SIZE_DIGITS) {
			in->digits++;
			return NULL;
		}
	} else if (!in->in_extension) {
		if (c != ';' || in->digits == 0)
			return "a chunk's size is malformed";
		in->in_extension = true;
	} else if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f) {
		return "a control character in a chunk extension";
	}
	return ++in->extensions > MAX_EXTENSIONS ? "too many chunk extensions" :
						   NULL;
}

static int end_chunk_line(struct h1_in *in)
{
	if (!h1_llhttp_size_end(&in->second, &in->left))
		return fail_second(in);
	in->phase = in->left > 0 ? IN_CHUNK_DATA : IN_TRAILERS;
	in->has_cr = in->in_extension = false;
	in->digits = 0;
	return GO_ON;
}

/* llhttp does not get to see extensions, which nobody uses and version 8 reads
 * wrongly ("1;a=b;c" is refused): nothing of them is passed on. */
static int step_chunk_line(struct h1_in *in, const char **at, const char *end)
{
	const char *start = *at;
	size_t size_len = 0;
	bool whole = false;

	while (*at < end && !whole) {
		const char *why = check_chunk_byte(in, **at);

		if (why)
			return fail(in, H1_BAD_FRAMING, why);
		if (!in->in_extension && !in->has_cr)
			size_len++;
		whole = *(*at)++ == '\n';
	}
	if (size_len > 0 && !h1_llhttp_size(&in->second, start, size_len))
		return fail_second(in);
	return whole ? end_chunk_line(in) : H1_MORE;
}

static int step_chunk_data(struct h1_in *in, const char **at, const char *end)
{
	int r = take_body(in, at, end, in->left);

	if (r == H1_MORE)
		return r;
	if (!h1_llhttp_data(&in->second, in->body.at, in->body.len))
		return fail_second(in);
	in->left -= in->body.len;
	if (in->left == 0)
		in->phase = IN_CHUNK_CRLF;
	return r;
}

static int step_chunk_crlf(struct h1_in *in, const char **at, const char *end)
{
	while (*at < end) {
		if (*(*at)++ != (in->has_cr ? '\n' : '\r'))
			return fail(in, H1_BAD_FRAMING,
				"a chunk is longer than its size");
		in->has_cr = !in->has_cr;
		if (in->has_cr)
			continue;
		if (!h1_llhttp_data_end(&in->second))
			return fail_second(in);
		in->phase = IN_CHUNK_LINE;
		return GO_ON;
	}
	return H1_MORE;
}

static int end_trailers(struct h1_in *in)
{
	const char *why;
	enum h1_error error;

	if (!h1_llhttp_trailers(&in->second, &in->trailers))
		return fail_second(in);
	error = framing_of_trailers(&in->trailers, &why);
	if (error != H1_OK)
		return fail(in, error, why);
	in->phase = AT_END;
	return GO_ON;
}

static int step_trailers(struct h1_in *in, const char **at, const char *end)
{
	int r;

	/* Mostly there are none: no memory for that. */
	if (in->trailers.len == 0 && end - *at >= 2 &&
		memcmp(*at, "\r\n", 2) == 0) {
		*at += 2;
		if (!h1_llhttp_no_trailers(&in->second))
			return fail_second(in);
		in->phase = AT_END;
		return GO_ON;
	}
	r = gather(in, at, end);
	return r == GATHERED ? end_trailers(in) : r;
}

static int step_end(struct h1_in *in, const char **at, const char *end)
{
	(void)at;
	(void)end;
	in->phase = ENDED;
	return H1_END;
}

static int step_broken(struct h1_in *in, const char **at, const char *end)
{
	(void)in;
	(void)at;
	(void)end;
	return H1_FAILED;
}

static int (*const steps[])(struct h1_in *, const char **, const char *) = {
	[IN_HEAD] = step_head,
	[IN_LENGTH] = step_length,
	[IN_UNTIL_CLOSE] = step_until_close,
	[IN_CHUNK_LINE] = step_chunk_line,
	[IN_CHUNK_DATA] = step_chunk_data,
	[IN_CHUNK_CRLF] = step_chunk_crlf,
	[IN_TRAILERS] = step_trailers,
	[AT_END] = step_end,
	[ENDED] = step_end,
	[BROKEN] = step_broken,
};

enum h1_event h1_in_next(struct h1_in *in, const char **at, const char *end)
{
	int r;

	do {
		r = steps[in->phase](in, at, end);
	} while (r == GO_ON);
	return (enum h1_event)r;
}

enum h1_event h1_in_eof(struct h1_in *in)
{
	if (in->phase == BROKEN)
		return H1_FAILED;
	if (h1_in_idle(in))
		return H1_MORE;
	if (in->phase == AT_END || in->phase == IN_UNTIL_CLOSE ||
		(in->phase == IN_LENGTH && in->left == 0)) {
		in->phase = ENDED;
		return H1_END;
	}
	return (enum h1_event)fail(
		in, H1_TRUNCATED, "the connection ended within a message");
}

/* Everything of a message but the memory of its heads. */
static void begin(struct h1_in *in)
{
	h1_llhttp_reset(&in->second);
	head_clear(&in->head);
	head_reset(&in->trailers);
	in->phase = IN_HEAD;
	in->filling = &in->head;
	in->line = 0;
	in->body = (struct slice){NULL, 0};
	in->blank_lines = 0;
	in->to_head = false;
	in->framing = (struct framing){0};
	in->left = 0;
	in->digits = 0;
	in->in_extension = in->has_cr = false;
	in->extensions = 0;
}

struct h1_in *h1_in_new(enum h1_kind kind, size_t max_head)
{
	struct h1_in *in = calloc(1, sizeof *in);

	if (!in)
		abort();
	in->kind = kind;
	in->max_head = max_head;
	h1_llhttp_init(&in->second, kind);
	begin(in);
	return in;
}

void h1_in_free(struct h1_in *in)
{
	if (!in)
		return;
	head_reset(&in->head);
	head_reset(&in->trailers);
	free(in);
}

void h1_in_next_message(struct h1_in *in, bool to_head)
{
	assert(in->phase == ENDED || in->phase == BROKEN);
	if (in->phase == BROKEN)
		return;
	begin(in);
	in->to_head = to_head;
}

void h1_in_renew(struct h1_in *in, size_t max_head)
{
	assert(h1_in_idle(in));
	begin(in);
	in->max_head = max_head;
}

void h1_in_answers(struct h1_in *in, bool to_head)
{
	assert(in->phase == IN_HEAD);
	in->to_head = to_head;
}

struct head *h1_in_head(struct h1_in *in)
{
	return &in->head;
}

enum h1_framing h1_in_framing(const struct h1_in *in)
{
	return in->framing.kind;
}

uint64_t h1_in_length(const struct h1_in *in)
{
	return in->framing.length;
}

struct slice h1_in_body(const struct h1_in *in)
{
	return in->body;
}

const struct head *h1_in_trailers(const struct h1_in *in)
{
	return in->trailers.num > 0 ? &in->trailers : NULL;
}

bool h1_in_keep_alive(const struct h1_in *in)
{
	return in->framing.keep_alive;
}

bool h1_in_idle(const struct h1_in *in)
{
	return in->phase == ENDED ||
		(in->phase == IN_HEAD && in->head.len == 0);
}

enum h1_error h1_in_error(const struct h1_in *in)
{
	return in->error;
}

const char *h1_in_why(const struct h1_in *in)
{
	return in->why ? in->why : "nothing is wrong";
}
