#include "proxy/session/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/config/config.h"
#include "proxy/http/hop.h"
#include "proxy/session/words.h"

/* --- refusing ----------------------------------------------------------- */

static void note(struct exchange *x, enum reason reason, const char *why)
{
	if (x->reason != REASON_OK)
		return;
	x->reason = reason;
	words_set(&x->why, why);
}

static void shut(struct exchange *x)
{
	if (x->server)
		x->ops->shut_origin(x->host);
	x->server = NULL;
}

static void drop_origin(struct exchange *x, bool keep)
{
	struct origin *origin = x->origin;

	shut(x);
	x->origin = NULL;
	origin_release(origin, keep);
}

/* send_answer sends what we say ourselves. A request whose body has not been
 * read ends the connection: what follows on it can't be told from the body. */
static enum exchange_result send_answer(struct exchange *x)
{
	struct body_plan plan = {.kind = BODY_LENGTH,
		.length = utstring_len(&x->answer.body)};
	struct slice body = {utstring_body(&x->answer.body),
		utstring_len(&x->answer.body)};

	x->status = head_status(x->answer.head);
	x->last = x->last || !x->request_ended || x->ops->ending(x->host);
	x->client->ops->send_head(x->client, x->answer.head, &plan, x->last);
	if (!x->to_head) {
		x->client->ops->send_body(x->client, body);
		x->bytes_out += body.len;
	}
	x->client->ops->send_end(x->client, NULL);
	answer_clear(&x->answer);
	x->at = EXCHANGE_OVER;
	return x->last ? EXCHANGE_CLOSE : EXCHANGE_NEXT;
}

static void make_refusal(struct exchange *x)
{
	struct refusal refusal = {.reason = x->reason, .why = x->why,
		.url = x->url, .page = x->page};

	x->ops->describe(x->host, &refusal);
	answer_refuse(&x->answer, &refusal);
}

/* fail ends an exchange that went wrong: with a page while nothing has been
 * said yet, else by breaking off, so that the client sees it is not whole. */
static enum exchange_result fail(struct exchange *x, enum reason reason,
	const char *why)
{
	note(x, reason, why);
	drop_origin(x, false);
	x->at = EXCHANGE_OVER;
	if (x->response_begun)
		return EXCHANGE_CUT;
	make_refusal(x);
	return send_answer(x);
}

enum route exchange_refuse(struct exchange *x, enum reason reason,
	const char *why)
{
	note(x, reason, why);
	make_refusal(x);
	return ROUTE_ANSWER;
}

/* --- the request's head ------------------------------------------------- */

/* RFC 9110, 9.2.2: these may be sent again when a connection dies. */
static bool is_idempotent(struct slice method)
{
	static const char *const names[] = {
		"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_is(method, names[i]))
			return true;
	return false;
}

/* Who says nothing may be a browser. */
static bool accepts_html(const struct head *head)
{
	struct slice accept = head_get(head, "Accept");

	return !accept.at || answer_names_html(accept);
}

static void begin(struct exchange *x, struct head *head)
{
	struct slice method = head_method(head);
	struct body_plan plan = x->client->ops->plan(x->client);

	x->started_ms = loop_now(x->services->loop);
	x->to_head = slice_is(method, "HEAD");
	x->page = accepts_html(head);
	x->old_client = head_minor(head) == 0;
	x->expects = head_has_token(head, "Expect", "100-continue");
	x->replayable = plan.kind == BODY_NONE && is_idempotent(method);
	x->last = !x->client->ops->lasts(x->client);
	slice_text(method, x->method, sizeof(x->method));
}

/* finish_bodiless reads the end of a request that has no body at once, so that
 * an answer of our own need not close the connection. */
static void finish_bodiless(struct exchange *x)
{
	if (x->client->ops->plan(x->client).kind == BODY_NONE &&
	    x->client->ops->next(x->client) == CODEC_END)
		x->request_ended = true;
}

static enum exchange_result get_origin(struct exchange *x)
{
	x->want.once = !x->replayable;
	x->origin = x->ops->get_origin(x->host, x);
	x->at = EXCHANGE_ORIGIN;
	return EXCHANGE_NEXT;
}

static enum exchange_result step_route(struct exchange *x)
{
	struct head *head = x->client->ops->head(x->client);

	switch (x->ops->route(x->host, x, head)) {
	case ROUTE_WAIT:
		return EXCHANGE_WAIT;
	case ROUTE_CONNECT:
		return EXCHANGE_CONNECT;
	case ROUTE_ANSWER:
		finish_bodiless(x);
		return send_answer(x);
	case ROUTE_ORIGIN:
	default:
		break;
	}
	x->upgrade_asked = hop_strip_request(head);
	finish_bodiless(x);
	return get_origin(x);
}

static enum exchange_result route(struct exchange *x)
{
	begin(x, x->client->ops->head(x->client));
	x->at = EXCHANGE_ROUTE;
	return EXCHANGE_NEXT;
}

static enum exchange_result bad_head(struct exchange *x, enum reason reason,
	const char *why)
{
	x->last = true;
	x->started_ms = loop_now(x->services->loop);
	return fail(x, reason, why);
}

static enum exchange_result step_head(struct exchange *x)
{
	const char *why;
	enum reason reason;

	if (x->client->ops->full(x->client)) /* it does not read our answers */
		return EXCHANGE_WAIT;
	switch (x->client->ops->next(x->client)) {
	case CODEC_HEAD:
		return route(x);
	case CODEC_FAILED:
		reason = x->client->ops->failure(x->client, &why);
		return reason == REASON_CLIENT_GONE ? EXCHANGE_GONE :
			bad_head(x, reason, why);
	case CODEC_CLOSED:
		return EXCHANGE_GONE;
	case CODEC_MORE:
		if (!x->timed_out || !x->client->ops->under_way(x->client))
			return EXCHANGE_WAIT;
		return bad_head(x, REASON_REQUEST_TIMEOUT, "in the head");
	case CODEC_BODY:
	case CODEC_END:
	default:
		return EXCHANGE_WAIT;
	}
}

/* --- the origin --------------------------------------------------------- */

static enum exchange_result send_request(struct exchange *x)
{
	struct head *head = x->client->ops->head(x->client);
	struct body_plan plan = x->client->ops->plan(x->client);

	origin_describe(x->origin, &x->origin_facts);
	x->server = x->ops->open_origin(x->host, x->origin, x->to_head);
	x->server->ops->send_head(x->server, head, &plan, false);
	x->asked_at = x->origin->stream.bytes_out;
	x->at = EXCHANGE_RELAY;
	return EXCHANGE_NEXT;
}

static enum exchange_result step_origin(struct exchange *x)
{
	enum reason reason;

	switch (x->origin->state) {
	case ORIGIN_READY:
		reason = x->ops->judge_origin(x->host, x->origin);
		return reason == REASON_OK ? send_request(x) :
					     fail(x, reason, x->origin->why);
	case ORIGIN_FAILED:
		origin_describe(x->origin, &x->origin_facts);
		return fail(x, x->origin->reason, x->origin->why);
	case ORIGIN_DIALLING:
	case ORIGIN_SHAKING:
	default:
		return x->timed_out ? fail(x, REASON_CONNECT_TIMEOUT, "") :
				      EXCHANGE_WAIT;
	}
}

/* retry sends a request again that died with a connection that had waited for
 * it, before a byte of the answer came (RFC 9112, 9.3.1). */
static bool may_retry(const struct exchange *x)
{
	return x->origin->waited && x->replayable && !x->retried &&
		!x->response_begun && !x->timed_out;
}

static enum exchange_result retry(struct exchange *x)
{
	drop_origin(x, false);
	x->retried = true;
	x->want.fresh = true;
	return get_origin(x);
}

/* unasked: it speaks, or ends, before a byte of the request has gone. What it
 * says answers somebody else, if anybody, and there is time to ask another. */
static bool unasked(const struct exchange *x)
{
	return may_retry(x) && x->origin->stream.bytes_out == x->asked_at;
}

/* --- the request's body ------------------------------------------------- */

static enum exchange_result cut(struct exchange *x)
{
	drop_origin(x, false);
	x->at = EXCHANGE_OVER;
	return EXCHANGE_CUT;
}

static enum exchange_result request_failed(struct exchange *x)
{
	const char *why;
	enum reason reason = x->client->ops->failure(x->client, &why);

	if (reason != REASON_CLIENT_GONE)
		return fail(x, reason, why);
	note(x, reason, why);
	return cut(x);
}

/* send_end ends a message; of its trailers only what may come so late. */
static void send_end(struct codec *to, const struct head *trailers)
{
	struct head *copy = trailers ? head_copy(trailers) : NULL;

	if (copy)
		hop_strip_trailers(copy);
	to->ops->send_end(to, copy);
	head_free(copy);
}

/* pump_request returns EXCHANGE_NEXT as long as it moved something. */
static enum exchange_result pump_request(struct exchange *x)
{
	struct codec *origin = x->server;
	struct slice piece;

	if (x->request_ended || origin->ops->full(origin))
		return EXCHANGE_WAIT;
	switch (x->client->ops->next(x->client)) {
	case CODEC_BODY:
		piece = x->client->ops->body(x->client);
		x->expects = false;
		x->bytes_in += piece.len;
		origin->ops->send_body(origin, piece);
		return EXCHANGE_NEXT;
	case CODEC_END:
		send_end(origin, x->client->ops->trailers(x->client));
		x->request_ended = true;
		return EXCHANGE_NEXT;
	case CODEC_FAILED:
		return request_failed(x);
	case CODEC_CLOSED:
		note(x, REASON_CLIENT_GONE, "");
		return cut(x);
	case CODEC_MORE:
	case CODEC_HEAD:
	default:
		return EXCHANGE_WAIT;
	}
}

/* --- the response ------------------------------------------------------- */

static void note_binding(struct exchange *x, const struct head *response)
{
	if (hop_binds(response, "WWW-Authenticate") ||
	    hop_binds(x->client->ops->head(x->client), "Authorization"))
		x->origin->pinned = true;
}

static enum exchange_result switch_protocols(struct exchange *x,
	struct head *head)
{
	struct body_plan none = {0};

	if (!x->upgrade_asked || !head_has_token(head, "Upgrade", "websocket"))
		return fail(x, REASON_ORIGIN_UPGRADE, "");
	hop_strip_response(head);
	x->client->ops->send_head(x->client, head, &none, false);
	x->response_begun = true;
	x->status = 101;
	x->origin->pinned = true;
	x->at = EXCHANGE_OVER;
	return EXCHANGE_UPGRADED;
}

static void send_response(struct exchange *x, struct head *head)
{
	struct codec *origin = x->server;
	struct body_plan plan = origin->ops->plan(origin);

	note_binding(x, head);
	hop_strip_response(head);
	x->last = x->last || x->ops->ending(x->host);
	if (plan.kind == BODY_UNKNOWN && x->old_client)
		x->last = true;
	x->client->ops->send_head(x->client, head, &plan, x->last);
	x->response_begun = true;
}

/* nginx lets the handshake pass without the certificate it asked for, answers
 * 400 to whatever is asked, and closes. */
static bool refused_for_certificate(const struct exchange *x)
{
	return x->asked_cert && x->status == 400 &&
		!x->server->ops->lasts(x->server);
}

static enum exchange_result on_response(struct exchange *x)
{
	struct head *head = x->server->ops->head(x->server);
	struct body_plan none = {0};

	x->status = head_status(head);
	x->asked_cert = x->origin->asked_cert;
	if (x->status == 101)
		return switch_protocols(x, head);
	if (refused_for_certificate(x))
		return fail(x, REASON_ORIGIN_WANTS_CERT, "");
	if (x->status >= 200) {
		send_response(x, head);
	} else if (!x->old_client) {
		hop_strip_response(head);
		x->client->ops->send_head(x->client, head, &none, false);
		x->expects = false;
	}
	return EXCHANGE_NEXT;
}

static enum exchange_result end_response(struct exchange *x)
{
	struct codec *origin = x->server;

	if (x->status < 200) { /* 100, 103: the real one follows */
		origin->ops->next_message(origin, x->to_head);
		return EXCHANGE_NEXT;
	}
	send_end(x->client, origin->ops->trailers(origin));
	x->response_ended = true;
	return EXCHANGE_NEXT;
}

static enum exchange_result origin_ended(struct exchange *x,
	enum reason reason, const char *why)
{
	if (may_retry(x))
		return retry(x);
	if (x->origin->stream.error == STREAM_RESET)
		reason = REASON_ORIGIN_RESET;
	if (x->origin->asked_cert && x->origin->stream.error == STREAM_TLS)
		reason = REASON_ORIGIN_WANTS_CERT;
	return fail(x, reason, why);
}

/* late: nothing came for too long; from whom it should have come, is why. */
static enum exchange_result late(struct exchange *x)
{
	bool client = !x->request_ended && !x->expects &&
		!stream_full(&x->origin->stream);

	return fail(x, client ? REASON_REQUEST_TIMEOUT : REASON_ORIGIN_TIMEOUT,
		"");
}

static enum exchange_result pump_response(struct exchange *x)
{
	struct codec *origin = x->server;
	enum codec_event event;
	struct slice piece;
	enum reason reason;
	const char *why;

	if (x->response_ended)
		return EXCHANGE_WAIT;
	if (x->client->ops->full(x->client))
		return x->timed_out ? fail(x, REASON_IDLE, "") : EXCHANGE_WAIT;
	event = origin->ops->next(origin);
	if (event != CODEC_MORE && unasked(x))
		return retry(x);
	switch (event) {
	case CODEC_HEAD:
		return on_response(x);
	case CODEC_BODY:
		piece = origin->ops->body(origin);
		x->bytes_out += piece.len;
		x->client->ops->send_body(x->client, piece);
		return EXCHANGE_NEXT;
	case CODEC_END:
		return end_response(x);
	case CODEC_CLOSED:
		return origin_ended(x, REASON_ORIGIN_CLOSED, "");
	case CODEC_FAILED:
		reason = origin->ops->failure(origin, &why);
		return origin_ended(x, reason, why);
	case CODEC_MORE:
	default:
		return x->timed_out ? late(x) : EXCHANGE_WAIT;
	}
}

/* --- the end ------------------------------------------------------------ */

static enum exchange_result finish(struct exchange *x)
{
	struct codec *origin = x->server;
	struct origin *bound = x->origin;
	bool keep = x->request_ended && origin->ops->lasts(origin) &&
		origin->ops->drained(origin);

	x->at = EXCHANGE_OVER;
	if (keep && bound->pinned && !x->last) {
		shut(x);
		x->origin = NULL;
		x->ops->hold_origin(x->host, bound);
	} else {
		drop_origin(x, keep);
	}
	return x->last ? EXCHANGE_CLOSE : EXCHANGE_NEXT;
}

/* After the response a client may still be sending. An origin that goes on
 * reading gets the rest; when it stops, the connection ends. */
static enum exchange_result after_response(struct exchange *x)
{
	struct stream *stream = &x->origin->stream;

	if (x->request_ended)
		return finish(x);
	if (x->last || x->timed_out || stream->error != STREAM_FINE ||
	    stream_ended(stream)) {
		x->last = true;
		return finish(x);
	}
	return EXCHANGE_WAIT;
}

static enum exchange_result step_relay(struct exchange *x)
{
	enum exchange_result up, down;

	do {
		up = pump_request(x);
		if (x->at != EXCHANGE_RELAY)
			return up;
		down = pump_response(x);
		if (x->at != EXCHANGE_RELAY || (down != EXCHANGE_NEXT &&
						       down != EXCHANGE_WAIT))
			return down;
	} while (up == EXCHANGE_NEXT || down == EXCHANGE_NEXT);
	return x->response_ended ? after_response(x) : EXCHANGE_WAIT;
}

enum exchange_result exchange_run(struct exchange *x)
{
	enum exchange_result result;

	do {
		switch (x->at) {
		case EXCHANGE_HEAD:
			result = step_head(x);
			break;
		case EXCHANGE_ROUTE:
			result = step_route(x);
			break;
		case EXCHANGE_ORIGIN:
			result = step_origin(x);
			break;
		case EXCHANGE_RELAY:
			result = step_relay(x);
			break;
		case EXCHANGE_OVER:
		default:
			return EXCHANGE_WAIT;
		}
	} while (result == EXCHANGE_NEXT && x->at != EXCHANGE_OVER);
	return result;
}

/* --- interest and life -------------------------------------------------- */

bool exchange_wants_client(const struct exchange *x)
{
	if (x->at == EXCHANGE_HEAD)
		return !x->client->ops->full(x->client);
	return x->at == EXCHANGE_RELAY && !x->request_ended &&
		!stream_full(&x->origin->stream);
}

bool exchange_wants_origin(const struct exchange *x)
{
	return x->at == EXCHANGE_RELAY && !x->client->ops->full(x->client);
}

void exchange_init(struct exchange *x, struct services *services,
	struct codec *client, const struct exchange_host *ops, void *host)
{
	*x = (struct exchange){
		.services = services,
		.client = client,
		.ops = ops,
		.host = host,
	};
}

void exchange_clear(struct exchange *x)
{
	drop_origin(x, false);
	answer_clear(&x->answer);
	free(x->url);
	x->url = NULL;
	words_clear(&x->why);
	words_clear(&x->other_name);
	words_clear(&x->location);
	words_clear(&x->url_rule);
}

void exchange_next(struct exchange *x)
{
	struct exchange before = *x;

	exchange_clear(x);
	exchange_init(x, before.services, before.client, before.ops,
		before.host);
}
