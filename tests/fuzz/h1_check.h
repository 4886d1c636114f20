/*
 * h1_check.h - what must hold of h1_in and h1_out for any bytes.
 *
 * One: the outcome is the same however the input is cut. Two: what h1_out
 * writes from a head, as it came or with the hop's fields stripped, h1_in
 * reads again as the same head with the same framing.
 */
#ifndef TESTS_FUZZ_H1_CHECK_H
#define TESTS_FUZZ_H1_CHECK_H

#include "proxy/http/h1_out.h"
#include "proxy/http/hop.h"
#include "tests/support/h1_events.h"

static inline void h1_must(bool holds)
{
	if (!holds)
		abort();
}

static inline size_t h1_piece_whole(void *arg, size_t left)
{
	(void)arg;
	return left;
}

static inline size_t h1_piece_byte(void *arg, size_t left)
{
	(void)arg;
	(void)left;
	return 1;
}

/* Pieces of many sizes, small ones mostly, drawn from a seed. */
static inline size_t h1_piece_random(void *arg, size_t left)
{
	uint32_t *seed = arg;
	size_t size;

	*seed = *seed * 1664525 + 1013904223;
	size = 1 + (*seed >> 24) % (*seed & 0x10000 ? 64 : 5);
	return size < left ? size : left;
}

static inline bool h1_is_framing(struct slice name)
{
	return slice_is_nocase(name, "content-length") ||
		slice_is_nocase(name, "transfer-encoding");
}

/* Start line, fields that do not frame, framing. The version is left out: what
 * is written is always HTTP/1.1. */
static inline void h1_log_meaning(UT_string *log, const struct head *head,
	enum h1_framing framing, uint64_t length)
{
	utstring_printf(log, "%u ", head_status(head));
	h1_log_slice(log, head_method(head));
	h1_log(log, " ");
	h1_log_slice(log, head_target(head));
	for (size_t i = 0; i < head_num_fields(head); i++) {
		struct slice name, value;

		head_field(head, i, &name, &value);
		if (h1_is_framing(name))
			continue;
		h1_log(log, "\n");
		h1_log_slice(log, name);
		h1_log(log, ": ");
		h1_log_slice(log, value);
	}
	utstring_printf(log, "\n%d %" PRIu64, (int)framing, length);
}

static inline void h1_check_same(const UT_string *a, const UT_string *b)
{
	h1_must(utstring_len(a) == utstring_len(b));
	h1_must(memcmp(utstring_body(a), utstring_body(b), utstring_len(a)) ==
		0);
}

static inline void h1_check_written(const struct head *head,
	enum h1_framing framing, uint64_t length, bool to_head)
{
	bool is_response = head_status(head) != 0;
	struct h1_in *in =
		h1_in_new(is_response ? H1_RESPONSE : H1_REQUEST, 1 << 20);
	UT_string before, after;
	char *wire = malloc(h1_out_head_room(head));
	const char *at = wire, *end;

	h1_must(wire != NULL);
	utstring_init(&before);
	utstring_init(&after);
	end = at + h1_out_head(wire, head, framing, length, true);
	h1_in_answers(in, to_head);
	h1_must(h1_in_next(in, &at, end) == H1_HEAD);
	h1_must(at == end);
	h1_log_meaning(&before, head, framing, length);
	h1_log_meaning(
		&after, h1_in_head(in), h1_in_framing(in), h1_in_length(in));
	h1_check_same(&before, &after);
	free(wire);
	utstring_done(&before);
	utstring_done(&after);
	h1_in_free(in);
}

/* For struct h1_run: arg is it. */
static inline void h1_check_head(struct h1_in *in, void *arg)
{
	const struct h1_run *run = arg;
	enum h1_framing framing = h1_in_framing(in);
	uint64_t length = h1_in_length(in);
	struct head *copy = head_copy(h1_in_head(in));

	/* HTTP/1.0 may go without Host, what we write may not. */
	if (run->kind == H1_REQUEST && head_count(copy, "host") == 0) {
		if (head_num_fields(copy) > 900)
			goto out;
		head_add_text(copy, "Host", "added.example");
	}
	h1_check_written(copy, framing, length, run->to_head);
	if (run->kind == H1_REQUEST)
		hop_strip_request(copy);
	else
		hop_strip_response(copy);
	h1_must(head_count(copy, "connection") <= 1);
	h1_must(head_count(copy, "proxy-connection") == 0);
	h1_check_written(copy, framing, length, run->to_head);
out:
	head_free(copy);
}

static inline void h1_check(
	struct h1_run *run, const char *data, size_t len, uint32_t seed)
{
	UT_string whole, other;

	utstring_init(&whole);
	utstring_init(&other);
	run->on_head = h1_check_head;
	run->arg = run;
	h1_run(run, data, len, h1_piece_whole, NULL, &whole);
	run->on_head = NULL;
	h1_run(run, data, len, h1_piece_byte, NULL, &other);
	h1_check_same(&whole, &other);
	utstring_clear(&other);
	h1_run(run, data, len, h1_piece_random, &seed, &other);
	h1_check_same(&whole, &other);
	utstring_done(&whole);
	utstring_done(&other);
}

#endif
