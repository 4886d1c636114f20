#include "proxy/admin/visit.h"

#include <openssl/mem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "proxy/admin/hosts.h"
#include "proxy/http/h1_in.h"
#include "proxy/session/answer.h"

enum {
	HEAD_MAX = 16 * 1024,
	READ_MAX = 4 << 20,      /* of a body, most of it for nothing */
	LINGER_MS = 5 * 1000,
	TLS_HANDSHAKE = 22,
	REQUEST_MS = 30 * 1000,  /* from its first byte to its last */
	IDLE_MS = 60 * 1000,
};

static void run(struct visit *visit);

/* --- the request -------------------------------------------------------- */

static struct slice slice_of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

/* put_off: the request is turned down once it has been read. */
static void put_off(struct visit *visit, unsigned status, const char *what,
	const char *why)
{
	visit->refusal = status;
	snprintf(visit->why, sizeof(visit->why), "%s%s", what, why);
}

/* copy_field: a field that does not fit can't be left out: that would be another
 * request than the one that was sent. */
static bool copy_field(struct slice value, char *out, size_t size,
	struct slice *copy)
{
	*copy = (struct slice){out, 0};
	out[0] = '\0';
	if (value.len >= size)
		return false;
	if (value.at)
		slice_text(value, out, size);
	copy->len = strlen(out);
	return true;
}

static void take_fields(struct visit *visit, const struct head *head)
{
	struct api_request *request = &visit->request;
	const struct {
		const char *name;
		char *out;
		size_t size;
		struct slice *copy;
	} fields[] = {
		{"Host", visit->host_field, VISIT_FIELD, &request->host},
		{"Authorization", visit->authorization, VISIT_FIELD,
			&request->authorization},
		{"Cookie", visit->cookie, VISIT_COOKIE, &request->cookie},
		{"Origin", visit->origin, VISIT_FIELD, &request->origin},
		{"Content-Type", visit->type, VISIT_FIELD,
			&request->content_type},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (!copy_field(head_get(head, fields[i].name), fields[i].out,
			    fields[i].size, fields[i].copy))
			put_off(visit, 431, fields[i].name, " is too long.");
	}
}

/* take_target splits path and query; of an absolute form (RFC 9112, 3.2.2) the
 * path counts. */
static bool take_target(struct visit *visit, struct slice target)
{
	const char *at = target.at, *end = at + target.len, *query;

	if (target.len > 7 && strncasecmp(at, "http", 4) == 0) {
		at = memmem(at, target.len, "://", 3);
		at = at ? memchr(at + 3, '/', (size_t)(end - at - 3)) : NULL;
		if (!at)
			return false;
	}
	query = memchr(at, '?', (size_t)(end - at));
	if ((size_t)((query ? query : end) - at) >= VISIT_PATH ||
	    (query && (size_t)(end - query) >= VISIT_PATH))
		return false;
	slice_text((struct slice){at, (size_t)((query ? query : end) - at)},
		visit->path, VISIT_PATH);
	visit->query[0] = '\0';
	if (query)
		slice_text((struct slice){query + 1,
			(size_t)(end - query - 1)}, visit->query, VISIT_PATH);
	return visit->path[0] == '/';
}

static void take_head(struct visit *visit, const struct head *head)
{
	struct api_request *request = &visit->request;

	visit->refusal = 0;
	visit->path[0] = visit->query[0] = '\0';
	take_fields(visit, head);
	if (head_method(head).len >= sizeof(visit->method) ||
	    !take_target(visit, head_target(head)))
		put_off(visit, 400, "The request's target",
			" is malformed, or too long.");
	slice_text(head_method(head), visit->method, sizeof(visit->method));
	visit->to_head = strcmp(visit->method, "HEAD") == 0;
	visit->html = answer_names_html(head_get(head, "Accept"));
	request->method = slice_of(visit->method);
	request->path = slice_of(visit->path);
	request->query = slice_of(visit->query);
	visit->body_max = api_body_max(request->method, request->path);
}

/* --- answering ---------------------------------------------------------- */

static void go(struct visit *visit, enum visit_step step)
{
	visit->at = step;
	visit->begun = false;
	visit->since_ms = loop_now(visit->stream.loop);
}

/* RFC 9110, 6.6.1 */
static void add_date(struct head *head)
{
	time_t now = time(NULL);
	char text[64];
	struct tm tm;

	if (gmtime_r(&now, &tm) && strftime(text, sizeof(text),
		    "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0)
		head_add_text(head, "Date", text);
}

/* drop_body: what was large once does not stay so. */
static void drop_body(struct visit *visit)
{
	OPENSSL_cleanse(utstring_body(&visit->body),
		utstring_len(&visit->body));
	utstring_clear(&visit->body);
	visit->request.body = (struct slice){NULL, 0};
	if (!visit->large)
		return;
	visit->large = false;
	utstring_done(&visit->body);
	utstring_init(&visit->body);
}

static void send_out(struct visit *visit, struct head *head, struct slice body)
{
	struct codec *codec = &visit->side.codec;
	struct body_plan plan = {.kind = BODY_LENGTH, .length = body.len};

	if (head_status(head) == 204)
		plan.kind = BODY_NONE;
	add_date(head);
	codec->ops->send_head(codec, head, &plan, visit->last);
	if (!visit->to_head && plan.kind == BODY_LENGTH)
		codec->ops->send_body(codec, body);
	codec->ops->send_end(codec, NULL);
	visit->to_head = false; /* nor is what comes next to that path */
	visit->request.path.len = 0;
	drop_body(visit);
	if (visit->last)
		stream_shutdown(&visit->stream);
	else
		codec->ops->next_message(codec, false);
	go(visit, visit->last ? VISIT_OVER : VISIT_HEAD);
}

static const struct status {
	unsigned number;
	const char *phrase;
	const char *code; /* of a refusal that is none of api.h's */
} statuses[] = {
	{200, "OK", ""},
	{204, "No Content", ""},
	{400, "Bad Request", "INVALID_INPUT_ARGUMENT"},
	{401, "Unauthorized", ""},
	{403, "Forbidden", ""},
	{404, "Not Found", ""},
	{405, "Method Not Allowed", ""},
	{409, "Conflict", ""},
	{413, "Content Too Large", "PAYLOAD_TOO_LARGE"},
	{415, "Unsupported Media Type", ""},
	{421, "Misdirected Request", "MISDIRECTED_REQUEST"},
	{431, "Request Header Fields Too Large", "FIELD_TOO_LARGE"},
	{500, "Internal Server Error", ""},
	{503, "Service Unavailable", "SERVICE_UNAVAILABLE"},
};

static const struct status *status_of(unsigned number)
{
	static const struct status other = {0, "", ""};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		if (statuses[i].number == number)
			return &statuses[i];
	}
	return &other;
}

static void add_if(struct head *head, const char *name, const char *value)
{
	if (value && value[0])
		head_add_text(head, name, value);
}

static void send_reply(struct visit *visit)
{
	struct api_reply *reply = &visit->reply;
	struct head *head = head_new();
	struct slice body = {NULL, 0};

	head_set_response(head, reply->status,
		slice_of(status_of(reply->status)->phrase), 1);
	add_if(head, "Content-Type", reply->content_type);
	head_add_text(head, "Cache-Control", "no-store");
	head_add_text(head, "X-Content-Type-Options", "nosniff");
	add_if(head, "Set-Cookie", reply->cookie);
	add_if(head, "Content-Disposition", reply->disposition);
	add_if(head, "Allow", reply->allow);
	if (reply->challenge)
		head_add_text(head, "WWW-Authenticate",
			"Bearer realm=\"sallyport\"");
	if (reply->content_type)
		body = (struct slice){utstring_body(&reply->body),
			utstring_len(&reply->body)};
	send_out(visit, head, body);
	head_free(head);
	api_reply_clear(reply);
}

static void send_answer(struct visit *visit, struct answer *answer)
{
	struct slice body = {utstring_body(&answer->body),
		utstring_len(&answer->body)};

	send_out(visit, answer->head, body);
	answer_clear(answer);
}

/* turn_down answers with a sentence, as the API does where the path is one of
 * its own. */
static void turn_down(struct visit *visit, unsigned number, const char *why)
{
	const struct status *status = status_of(number);
	bool json = api_is_mine(visit->request.path);
	struct head *head = head_new();
	char text[512];

	if (json)
		snprintf(text, sizeof(text), "{\"code\":\"%s\","
			"\"message\":\"%s\"}", status->code, why);
	else
		snprintf(text, sizeof(text), "%s\n", why);
	head_set_response(head, number, slice_of(status->phrase), 1);
	head_add_text(head, "Content-Type", json ? "application/json" :
		"text/plain; charset=utf-8");
	head_add_text(head, "Cache-Control", "no-store");
	head_add_text(head, "X-Content-Type-Options", "nosniff");
	send_out(visit, head, slice_of(text));
	head_free(head);
}

/* refuse ends the connection, too: what was not read whole can't be told from
 * what follows. */
static void refuse(struct visit *visit, unsigned status, const char *why)
{
	visit->last = visit->cut = true;
	turn_down(visit, status, why);
}

static void page(struct visit *visit)
{
	struct answer answer = {NULL};

	visit->ops->page(visit->host, visit, &answer);
	send_answer(visit, &answer);
}

/* is_page: on this machine's own listeners /metrics is open to all. */
static bool is_page(const struct visit *visit)
{
	const struct api_request *request = &visit->request;

	return !api_is_mine(request->path) || (visit->loopback &&
		slice_is(request->path, "/metrics") &&
		(slice_is(request->method, "GET") ||
			slice_is(request->method, "HEAD")));
}

static void work(struct visit *visit)
{
	struct api_request *request = &visit->request;

	visit->last = visit->last ||
		!visit->side.codec.ops->lasts(&visit->side.codec);
	request->body = (struct slice){utstring_body(&visit->body),
		utstring_len(&visit->body)};
	if (visit->refusal) {
		turn_down(visit, visit->refusal, visit->why);
	} else if (!visit->local && !hosts_know(request->host, visit->self)) {
		turn_down(visit, 421, "This is Sallyport's admin listener; it "
			"does not go by that name.");
	} else if (is_page(visit)) {
		page(visit);
	} else {
		go(visit, VISIT_WORK);
		if (!visit->ops->handle(visit->host, visit))
			turn_down(visit, 503, "Too many calls are waiting "
				"already; try again later.");
	}
}

void visit_answered(struct visit *visit)
{
	OPENSSL_cleanse(visit->authorization, sizeof(visit->authorization));
	OPENSSL_cleanse(visit->cookie, sizeof(visit->cookie));
	drop_body(visit);
	if (visit->at != VISIT_WORK)
		abort();
	if (visit->closing) {
		api_reply_clear(&visit->reply);
		go(visit, VISIT_OVER);
		stream_close(&visit->stream);
		return;
	}
	send_reply(visit);
	run(visit);
}

/* --- reading ------------------------------------------------------------ */

/* RFC 9110, 10.1.1 */
static void go_on(struct visit *visit, const struct head *head)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (head_has_token(head, "Expect", "100-continue"))
		stream_write(&visit->stream, text, sizeof(text) - 1);
}

static void on_head(struct visit *visit)
{
	const struct head *head =
		visit->side.codec.ops->head(&visit->side.codec);

	utstring_clear(&visit->body);
	visit->came = 0;
	take_head(visit, head);
	visit->at = VISIT_BODY;
	go_on(visit, head);
}

/* may_grow: who has no login yet may send a large body, too, but not many may
 * at a time. */
static bool may_grow(struct visit *visit)
{
	if (visit->body_max > API_BODY_MAX && !visit->large)
		visit->large = visit->ops->grow(visit->host);
	if (visit->body_max == API_BODY_MAX || visit->large)
		return true;
	put_off(visit, 503, "Too many large bodies are on their way already; ",
		"try again later.");
	return false;
}

/* Of a body that is too large the API needs no more than it would take to see
 * that. The rest is read all the same: who is still sending gets no answer from
 * a connection that is closed (RFC 9112, 9.6). */
static void on_body(struct visit *visit)
{
	struct slice piece = visit->side.codec.ops->body(&visit->side.codec);
	size_t room;

	visit->came += piece.len;
	if (visit->came > API_BODY_MAX && !may_grow(visit))
		visit->body_max = API_BODY_MAX;
	room = visit->body_max + 1 - utstring_len(&visit->body);
	utstring_bincpy(&visit->body, piece.at,
		piece.len < room ? piece.len : room);
	if (visit->came <= READ_MAX)
		return;
	visit->last = visit->cut = true;
	work(visit);
}

/* step heeds the next event; false: there is none. */
static bool step(struct visit *visit)
{
	struct codec *codec = &visit->side.codec;
	const char *why;

	switch (codec->ops->next(codec)) {
	case CODEC_HEAD:
		on_head(visit);
		return true;
	case CODEC_BODY:
		on_body(visit);
		return true;
	case CODEC_END:
		work(visit);
		return true;
	case CODEC_FAILED:
		refuse(visit, codec->ops->failure(codec, &why) ==
			REASON_HEAD_TOO_LARGE ? 431 : 400, "The request is "
			"not well-formed HTTP/1.1, or its head too large.");
		return true;
	case CODEC_CLOSED:
		go(visit, VISIT_OVER);
		stream_shutdown(&visit->stream);
		return false;
	case CODEC_MORE:
	default:
		return false;
	}
}

static bool reads(const struct visit *visit)
{
	return visit->at == VISIT_HEAD || visit->at == VISIT_BODY;
}

static void read_on(struct visit *visit)
{
	struct codec *codec = &visit->side.codec;

	while (reads(visit) && step(visit))
		continue;
	if (visit->begun || !reads(visit) || !codec->ops->under_way(codec))
		return;
	visit->begun = true;
	visit->since_ms = loop_now(visit->stream.loop);
}

/* run: an end that came while nothing was wanted is heeded. What is over and
 * sent is closed; but what was cut short only once the client, too, has ended. */
static void run(struct visit *visit)
{
	if (reads(visit) && stream_ended(&visit->stream))
		read_on(visit);
	stream_want(&visit->stream, visit->at != VISIT_WORK);
	if (visit->closing || visit->at == VISIT_WORK)
		return;
	if (stream_broken(&visit->stream) || (visit->at == VISIT_OVER &&
		stream_flushed(&visit->stream) &&
		(!visit->cut || stream_ended(&visit->stream))))
		visit_end(visit);
}

/* begin_tls: whoever speaks TLS begins with a handshake record (RFC 8446, 5.1);
 * anybody else is told in what he speaks, for that is most likely HTTP. */
static void begin_tls(struct visit *visit, const uint8_t *data, size_t len)
{
	SSL *ssl = visit->ssl;

	visit->ssl = NULL;
	if (data[0] == TLS_HANDSHAKE) {
		stream_tls(&visit->stream, ssl, data, len);
		return;
	}
	SSL_free(ssl);
	refuse(visit, 400, "This speaks https, not http.");
	run(visit);
}

static size_t on_data(void *owner, const uint8_t *data, size_t len)
{
	struct visit *visit = owner;
	size_t left;

	if (visit->ssl) {
		begin_tls(visit, data, len);
		return len;
	}
	h1_side_give(&visit->side, data, len);
	read_on(visit);
	left = h1_side_left(&visit->side);
	run(visit);
	return visit->at == VISIT_OVER ? len : len - left;
}

static void on_event(void *owner)
{
	run(owner);
}

/* --- life --------------------------------------------------------------- */

static void on_closed(void *owner)
{
	struct visit *visit = owner;

	SSL_free(visit->ssl);
	h1_side_clear(&visit->side);
	utstring_done(&visit->body);
	visit->ops->gone(visit->host, visit);
	free(visit);
}

static const struct stream_ops ops = {on_data, on_event, on_closed};

struct visit *visit_new(const struct visit_order *order)
{
	struct visit *visit = calloc(1, sizeof(*visit));

	if (!visit)
		abort();
	visit->ops = order->ops;
	visit->host = order->host;
	visit->local = order->who != NULL;
	visit->loopback = order->loopback;
	visit->request.tls = order->ssl != NULL;
	visit->request.caller = order->who ? API_LOCAL : API_REMOTE;
	if (order->who)
		snprintf(visit->request.who, sizeof(visit->request.who), "%s",
			order->who);
	snprintf(visit->self, sizeof(visit->self), "%s", order->self);
	snprintf(visit->peer, sizeof(visit->peer), "%s", order->peer);
	utstring_init(&visit->body);
	stream_open(&visit->stream, order->loop, order->fd, &ops, visit);
	visit->ssl = order->ssl;
	h1_side_init(&visit->side, &visit->stream, true,
		h1_in_new(H1_REQUEST, HEAD_MAX));
	go(visit, VISIT_HEAD);
	stream_want(&visit->stream, true);
	return visit;
}

void visit_end(struct visit *visit)
{
	if (visit->closing)
		return;
	visit->closing = true;
	if (visit->at != VISIT_WORK)
		stream_close(&visit->stream);
}

void visit_check(struct visit *visit, uint64_t now_ms)
{
	uint64_t age = now_ms - visit->since_ms;
	uint64_t most = visit->begun ? REQUEST_MS :
		visit->at == VISIT_OVER ? LINGER_MS : IDLE_MS;

	if (visit->at != VISIT_WORK && age > most)
		visit_end(visit);
}
