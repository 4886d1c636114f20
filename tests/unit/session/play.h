/*
 * play.h - an exchange on a stage: the client is a script, the origins are
 * streams that go nowhere, the host says what the play tells it to.
 *
 * Nothing waits: the facts change when the play changes them, and exchange_run
 * is called by hand. What the exchange says is kept as text.
 */
#ifndef TESTS_UNIT_SESSION_PLAY_H
#define TESTS_UNIT_SESSION_PLAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utstring.h>

#include <cmocka.h>

#include "proxy/config/config.h"
#include "proxy/session/exchange.h"
#include "proxy/session/h1_side.h"
#include "proxy/session/pool.h"

enum { ACTS_MAX = 32, ORIGINS_MAX = 4 };

struct act {
	enum codec_event event;
	const char *text; /* of CODEC_BODY */
};

struct actor { /* the client */
	struct codec codec;
	struct act acts[ACTS_MAX];
	size_t num, at;   /* said so far; next to be heard */
	struct head *head;
	struct body_plan plan;
	enum reason failure;
	bool once, full;  /* once: no other request on this connection */
	bool under_way;
	UT_string heard;
};

struct play {
	struct loop loop;
	struct shared shared;
	struct config config;
	struct snapshot snapshot;
	struct services services;
	struct actor client;
	struct exchange x;
	struct h1_side back;

	/* What the host says. */
	enum route route;
	enum reason refuse;       /* with ROUTE_ANSWER */
	enum reason judged;
	bool ending;
	/* How the next origins come. */
	enum origin_state state[ORIGINS_MAX];
	bool waited[ORIGINS_MAX];
	enum reason reason;       /* of a failed one */

	struct origin *origins[ORIGINS_MAX];
	struct origin_want wants[ORIGINS_MAX];
	size_t num_origins, num_closed;
	struct origin *held;
};

/* What most of them ask and are told. */
#define GET_X "GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define POST_X(len) "POST /x HTTP/1.1\r\nHost: a.example\r\n" \
	"Content-Length: " len "\r\n\r\n"
#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static struct play *play;

/* --- the client --------------------------------------------------------- */

static inline struct actor *actor_of(struct codec *codec)
{
	return (struct actor *)codec;
}

static inline enum codec_event actor_next(struct codec *codec)
{
	struct actor *actor = actor_of(codec);

	if (actor->at == actor->num)
		return CODEC_MORE;
	return actor->acts[actor->at++].event;
}

static inline struct head *actor_head(struct codec *codec)
{
	return actor_of(codec)->head;
}

static inline struct body_plan actor_plan(struct codec *codec)
{
	return actor_of(codec)->plan;
}

static inline struct slice actor_body(struct codec *codec)
{
	struct actor *actor = actor_of(codec);
	const char *text = actor->acts[actor->at - 1].text;

	return (struct slice){ text, strlen(text) };
}

static inline const struct head *actor_trailers(struct codec *codec)
{
	(void)codec;
	return NULL;
}

static inline enum reason actor_failure(struct codec *codec,
	const char **out_why)
{
	*out_why = "as the play has it";
	return actor_of(codec)->failure;
}

static inline bool actor_lasts(struct codec *codec)
{
	return !actor_of(codec)->once;
}

static inline bool actor_under_way(struct codec *codec)
{
	return actor_of(codec)->under_way;
}

static inline void hear(struct actor *actor, const char *text)
{
	utstring_printf(&actor->heard, "%s", text);
}

static inline void actor_send_head(struct codec *codec, struct head *head,
	const struct body_plan *plan, bool last)
{
	struct actor *actor = actor_of(codec);
	struct slice error = head_get(head, "Sallyport-Error");
	struct slice mark = head_get(head, "Mark");

	utstring_printf(&actor->heard, "%u", head_status(head));
	if (error.at)
		utstring_printf(&actor->heard, " %.*s", (int)error.len,
			error.at);
	if (mark.at)
		utstring_printf(&actor->heard, " mark=%.*s", (int)mark.len,
			mark.at);
	if (plan->kind == BODY_LENGTH && !error.at)
		utstring_printf(&actor->heard, " length=%u",
			(unsigned)plan->length);
	hear(actor, plan->kind == BODY_UNKNOWN ? " unknown" :
		plan->keep_length ? " keep-length" : "");
	hear(actor, last ? " last; " : "; ");
}

static inline void actor_send_body(struct codec *codec, struct slice piece)
{
	struct actor *actor = actor_of(codec);

	if (piece.len > 100)
		utstring_printf(&actor->heard, "[page]; ");
	else
		utstring_printf(&actor->heard, "[%.*s]; ", (int)piece.len,
			piece.at);
}

static inline void actor_send_end(struct codec *codec,
	const struct head *trailers)
{
	struct actor *actor = actor_of(codec);
	struct slice value;

	hear(actor, "end");
	if (trailers && (value = head_get(trailers, "Mark")).at)
		utstring_printf(&actor->heard, " mark=%.*s", (int)value.len,
			value.at);
	hear(actor, "; ");
}

static inline bool actor_full(struct codec *codec)
{
	return actor_of(codec)->full;
}

static const struct codec_ops actor_ops = {
	.next = actor_next,
	.head = actor_head,
	.plan = actor_plan,
	.body = actor_body,
	.trailers = actor_trailers,
	.failure = actor_failure,
	.lasts = actor_lasts,
	.under_way = actor_under_way,
	.send_head = actor_send_head,
	.send_body = actor_send_body,
	.send_end = actor_send_end,
	.full = actor_full,
};

static inline struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/* The client says a head; fields: "Name: value\n...". */
static inline void client_asks_in(const char *method, unsigned minor,
	const char *fields)
{
	struct actor *actor = &play->client;
	char name[64], value[200];
	int used;

	head_free(actor->head);
	actor->head = head_new();
	head_set_request(actor->head, slice_of(method), slice_of("/x"), minor);
	for (; sscanf(fields, "%63[^:]: %199[^\n]\n%n", name, value,
		     &used) == 2; fields += used)
		head_add_text(actor->head, name, value);
	actor->acts[actor->num++] = (struct act){ CODEC_HEAD, NULL };
}

static inline void client_asks(const char *method)
{
	client_asks_in(method, 1, "Host: a.example\n");
}

static inline void client_says(enum codec_event event, const char *text)
{
	assert_true(play->client.num < ACTS_MAX);
	play->client.acts[play->client.num++] = (struct act){ event, text };
}

static inline void client_gets(void)
{
	client_asks("GET");
	client_says(CODEC_END, NULL);
}

/* A request with a body of length bytes, none of it said yet. */
static inline void client_posts(const char *method, uint64_t length)
{
	client_asks(method);
	play->client.plan = (struct body_plan){ .kind = BODY_LENGTH,
		.length = length };
}

static inline void client_heard(const char *text)
{
	assert_string_equal(utstring_body(&play->client.heard), text);
	utstring_clear(&play->client.heard);
}

/* --- the origins -------------------------------------------------------- */

static inline size_t nothing_on_data(void *owner, const uint8_t *data,
	size_t len)
{
	(void)owner;
	(void)data;
	return len;
}

static inline void nothing_on_event(void *owner)
{
	(void)owner;
}

static inline void origin_on_closed(void *owner)
{
	free(owner);
	play->num_closed++;
}

static const struct stream_ops origin_stream_ops = { nothing_on_data,
	nothing_on_event, origin_on_closed };

/* An open stream that has no socket: what is written stays in out. */
static inline void open_stream(struct stream *stream, struct origin *origin)
{
	stream->loop = &play->loop;
	stream->ops = &origin_stream_ops;
	stream->owner = origin;
	stream->tcp = malloc(sizeof(*stream->tcp));
	assert_non_null(stream->tcp);
	assert_int_equal(uv_tcp_init(&play->loop.uv, stream->tcp), 0);
	stream->tcp->data = stream;
	stream->open = stream->writing = true;
}

static inline struct origin *make_origin(void *host, struct exchange *x)
{
	struct origin *origin = calloc(1, sizeof(*origin));
	size_t i = play->num_origins++;

	(void)host;
	assert_true(i < ORIGINS_MAX);
	assert_non_null(origin);
	origin->services = &play->services;
	origin->state = play->state[i];
	origin->waited = play->waited[i];
	if (origin->state == ORIGIN_FAILED)
		origin->reason = play->reason;
	if (origin->state == ORIGIN_READY)
		open_stream(&origin->stream, origin);
	play->origins[i] = origin;
	play->wants[i] = x->want;
	return origin;
}

static inline struct origin *the_origin(void)
{
	assert_true(play->num_origins > 0);
	return play->origins[play->num_origins - 1];
}

/* What the exchange has said to the origin, which takes it. */
static inline void origin_heard(const char *text)
{
	struct buffer *out = &the_origin()->stream.out;

	assert_int_equal(buffer_len(out), strlen(text));
	assert_memory_equal(buffer_at(out), text, strlen(text));
	buffer_clear(out);
}

static inline void origin_forget(void)
{
	struct stream *stream = &the_origin()->stream;

	stream->bytes_out += buffer_len(&stream->out);
	buffer_clear(&stream->out);
}

static inline enum exchange_result run(void)
{
	return exchange_run(&play->x);
}

/* The origin, which has taken what it was told, says text; returns what
 * exchange_run does, *out_left what is not eaten of it. */
static inline enum exchange_result origin_says_all(const char *text,
	size_t *out_left)
{
	enum exchange_result result;

	assert_non_null(play->x.server);
	origin_forget();
	h1_side_give(&play->back, (const uint8_t *)text, strlen(text));
	result = run();
	*out_left = play->x.server ? h1_side_left(&play->back) : 0;
	return result;
}

static inline enum exchange_result origin_says(const char *text)
{
	size_t left;
	enum exchange_result result = origin_says_all(text, &left);

	assert_int_equal(left, 0);
	return result;
}

static inline enum exchange_result origin_ends(void)
{
	the_origin()->stream.ended = true;
	return run();
}

static inline enum exchange_result origin_breaks(void)
{
	the_origin()->stream.error = STREAM_RESET;
	return run();
}

static inline bool is_pooled(const struct origin *origin)
{
	return origin->stream.open && origin->owner == origin;
}

/* --- the host ----------------------------------------------------------- */

static inline enum route host_route(void *host, struct exchange *x,
	struct head *head)
{
	(void)host;
	assert_ptr_equal(head, play->client.head);
	return play->route == ROUTE_ANSWER ?
		exchange_refuse(x, play->refuse, "why not") : play->route;
}

static inline enum reason host_judge(void *host, const struct origin *origin)
{
	(void)host;
	assert_int_equal(origin->state, ORIGIN_READY);
	return play->judged;
}

static inline struct codec *host_open(void *host, struct origin *origin,
	bool to_head)
{
	(void)host;
	h1_side_init(&play->back, &origin->stream, false, h1_in_new(
		H1_RESPONSE, play->config.limits.header_bytes));
	h1_side_answers(&play->back, to_head);
	return &play->back.codec;
}

static inline void host_shut(void *host)
{
	(void)host;
	h1_side_clear(&play->back);
}

static inline void host_hold(void *host, struct origin *origin)
{
	(void)host;
	assert_null(play->held);
	play->held = origin;
}

static inline void host_describe(void *host, struct refusal *refusal)
{
	(void)host;
	refusal->host = "a.example";
}

static inline bool host_ending(void *host)
{
	(void)host;
	return play->ending;
}

static const struct exchange_host host = { host_route, make_origin,
	host_judge, host_open, host_shut, host_hold, host_describe,
	host_ending };

/* --- curtain ------------------------------------------------------------ */

static inline int begin(void **state)
{
	(void)state;
	play = calloc(1, sizeof(*play));
	if (!play)
		return -1;
	loop_init(&play->loop);
	play->config.limits.header_bytes = 65536;
	play->config.origin.pool = true;
	play->snapshot.config = &play->config;
	play->services.loop = &play->loop;
	play->services.shared = &play->shared;
	play->services.snapshot = &play->snapshot;
	play->services.pool = pool_new(&play->services);
	play->client.codec.ops = &actor_ops;
	utstring_init(&play->client.heard);
	for (size_t i = 0; i < ORIGINS_MAX; i++)
		play->state[i] = ORIGIN_READY;
	exchange_init(&play->x, &play->services, &play->client.codec, &host,
		play);
	return 0;
}

static inline void on_pool_closed(void *arg)
{
	*(bool *)arg = true;
}

static inline int end(void **state)
{
	bool closed = false;

	(void)state;
	exchange_clear(&play->x);
	origin_release(play->held, false);
	pool_close(play->services.pool, on_pool_closed, &closed);
	loop_stop(&play->loop);
	loop_run(&play->loop);
	assert_true(closed);
	loop_clear(&play->loop);
	head_free(play->client.head);
	utstring_done(&play->client.heard);
	free(play);
	return 0;
}

#endif
