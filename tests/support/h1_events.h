/*
 * h1_events.h - what h1_in makes of some bytes, as one line of text.
 *
 * For tests that feed the same bytes cut in different ways and compare. A run
 * reads one message after the other until the bytes end, h1_in fails, or the
 * connection turns into something else (CONNECT, 101):
 *
 *	GET / 1.1 {Host=a} none keep; end; eof more
 *	200 1.1 {} chunked keep; [hello]; end {T=1}; eof more
 *	fail bad-framing
 *
 * Pieces of a body are joined: how they are cut is not part of the outcome.
 */
#ifndef TESTS_SUPPORT_H1_EVENTS_H
#define TESTS_SUPPORT_H1_EVENTS_H

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utstring.h>

#include "proxy/http/h1_in.h"

/* How much of the left bytes comes next; at least one. */
typedef size_t (*h1_piece)(void *arg, size_t left);

struct h1_run {
	enum h1_kind kind;
	bool to_head;    /* every response answers HEAD */
	size_t max_head; /* 0: 65536 */
	/* Called at each H1_HEAD if not NULL. */
	void (*on_head)(struct h1_in *in, void *arg);
	void *arg;
};

static inline const char *h1_error_name(enum h1_error error)
{
	static const char *const names[] = {
		[H1_OK] = "ok",
		[H1_BAD_SYNTAX] = "bad-syntax",
		[H1_BAD_FRAMING] = "bad-framing",
		[H1_HEAD_TOO_LARGE] = "too-large",
		[H1_UNKNOWN_METHOD] = "unknown-method",
		[H1_BAD_VERSION] = "bad-version",
		[H1_UNKNOWN_CODING] = "unknown-coding",
		[H1_TRUNCATED] = "truncated",
	};

	return names[error];
}

static inline void h1_log(UT_string *log, const char *text)
{
	utstring_bincpy(log, text, strlen(text));
}

static inline void h1_log_slice(UT_string *log, struct slice s)
{
	utstring_bincpy(log, s.at, s.len);
}

static inline void h1_log_fields(UT_string *log, const struct head *head)
{
	h1_log(log, " {");
	for (size_t i = 0; i < head_num_fields(head); i++) {
		struct slice name, value;

		head_field(head, i, &name, &value);
		if (i > 0)
			h1_log(log, ",");
		h1_log_slice(log, name);
		h1_log(log, "=");
		h1_log_slice(log, value);
	}
	h1_log(log, "}");
}

static inline void h1_log_start(UT_string *log, const struct head *head)
{
	if (head_status(head) != 0) {
		utstring_printf(
			log, "%u 1.%u", head_status(head), head_minor(head));
		if (head_reason(head).len > 0)
			h1_log(log, " ");
		h1_log_slice(log, head_reason(head));
		return;
	}
	h1_log_slice(log, head_method(head));
	h1_log(log, " ");
	h1_log_slice(log, head_target(head));
	utstring_printf(log, " 1.%u", head_minor(head));
}

static inline void h1_log_head(UT_string *log, struct h1_in *in)
{
	static const char *const framings[] = {
		[H1_NO_BODY] = " none",
		[H1_LENGTH] = " length",
		[H1_CHUNKED] = " chunked",
		[H1_UNTIL_CLOSE] = " until-close",
	};

	h1_log_start(log, h1_in_head(in));
	h1_log_fields(log, h1_in_head(in));
	h1_log(log, framings[h1_in_framing(in)]);
	if (h1_in_framing(in) == H1_LENGTH)
		utstring_printf(log, " %" PRIu64, h1_in_length(in));
	h1_log(log, h1_in_keep_alive(in) ? " keep; " : " close; ");
}

static inline void h1_log_end(UT_string *log, struct h1_in *in)
{
	h1_log(log, "end");
	if (h1_in_trailers(in))
		h1_log_fields(log, h1_in_trailers(in));
	h1_log(log, "; ");
}

/* Is what follows no longer HTTP/1? */
static inline bool h1_run_is_over(struct h1_in *in)
{
	return head_status(h1_in_head(in)) == 101 ||
		slice_is(head_method(h1_in_head(in)), "CONNECT");
}

struct h1_progress {
	const struct h1_run *run;
	struct h1_in *in;
	UT_string *log;
	bool in_body;
};

/* One event; false when nothing more can come. */
static inline bool h1_run_event(
	struct h1_progress *p, enum h1_event event, size_t left)
{
	if (event != H1_BODY && event != H1_MORE && p->in_body) {
		h1_log(p->log, "]; ");
		p->in_body = false;
	}
	switch (event) {
	case H1_HEAD:
		h1_log_head(p->log, p->in);
		if (p->run->on_head)
			p->run->on_head(p->in, p->run->arg);
		return true;
	case H1_BODY:
		if (!p->in_body)
			h1_log(p->log, "[");
		p->in_body = true;
		h1_log_slice(p->log, h1_in_body(p->in));
		return true;
	case H1_END:
		h1_log_end(p->log, p->in);
		if (h1_run_is_over(p->in)) {
			utstring_printf(p->log, "%zu left", left);
			return false;
		}
		h1_in_next_message(p->in, p->run->to_head);
		return true;
	case H1_FAILED:
		utstring_printf(
			p->log, "fail %s", h1_error_name(h1_in_error(p->in)));
		return false;
	case H1_MORE:
		break;
	}
	return true;
}

static inline void h1_run_eof(struct h1_progress *p)
{
	enum h1_event event = h1_in_eof(p->in);

	if (p->in_body)
		h1_log(p->log, "]; ");
	p->in_body = false;
	if (event == H1_FAILED)
		h1_run_event(p, event, 0);
	else if (event == H1_END)
		h1_log_end(p->log, p->in);
	if (event != H1_FAILED)
		h1_log(p->log, event == H1_END ? "eof end" : "eof more");
}

/* h1_run appends the outcome to log. Each piece is fed from memory of its own
 * size, so that sanitizers see a read past it. */
static inline void h1_run(const struct h1_run *run, const char *data,
	size_t len, h1_piece piece, void *piece_arg, UT_string *log)
{
	struct h1_progress p = {.run = run, .log = log};
	bool more = true;

	p.in = h1_in_new(run->kind, run->max_head ? run->max_head : 65536);
	h1_in_answers(p.in, run->to_head);
	while (len > 0 && more) {
		size_t size = piece(piece_arg, len);
		char *copy = malloc(size);
		const char *at = copy;
		enum h1_event event;

		if (!copy)
			abort();
		memcpy(copy, data, size);
		data += size;
		len -= size;
		do {
			event = h1_in_next(p.in, &at, copy + size);
			more = h1_run_event(
				&p, event, len + (size_t)(copy + size - at));
			if (event == H1_MORE && at != copy + size)
				abort(); /* it must eat all */
		} while (more && event != H1_MORE);
		free(copy);
	}
	if (more)
		h1_run_eof(&p);
	h1_in_free(p.in);
}

#endif
