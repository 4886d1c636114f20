#include "tests/unit/session/play.h"

#define GET_X "GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define POST_X(len) "POST /x HTTP/1.1\r\nHost: a.example\r\n" \
	"Content-Length: " len "\r\n\r\n"
#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

/* --- the plain way ------------------------------------------------------ */

static void asks_and_is_answered(void **state)
{
	(void)state;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(play->x.at, EXCHANGE_RELAY);
	origin_heard(GET_X);
	assert_int_equal(origin_says(HELLO), EXCHANGE_NEXT);
	client_heard("200 length=5; [hello]; end; ");
	assert_int_equal(play->x.at, EXCHANGE_OVER);
	assert_int_equal(play->x.reason, REASON_OK);
	assert_int_equal(play->x.status, 200);
	assert_int_equal(play->x.bytes_out, 5);
	assert_string_equal(play->x.method, "GET");
	assert_true(is_pooled(the_origin()));
	assert_int_equal(run(), EXCHANGE_WAIT); /* nothing more to do */
}

static void gets_byte_by_byte(void **state)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nMark: it\r\n"
		"Transfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n0\r\nMark: too\r\n\r\n";
	char one[2] = "";

	(void)state;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	for (size_t i = 0; text[i]; i++) {
		one[0] = text[i];
		assert_int_equal(origin_says(one), text[i + 1] ?
			EXCHANGE_WAIT : EXCHANGE_NEXT);
	}
	client_heard("200 mark=it unknown; [a]; [b]; [c]; end mark=too; ");
	assert_true(is_pooled(the_origin()));
}

static void one_after_the_other(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		client_gets();
		assert_int_equal(run(), EXCHANGE_WAIT);
		origin_heard(GET_X);
		assert_int_equal(origin_says(HELLO), EXCHANGE_NEXT);
		client_heard("200 length=5; [hello]; end; ");
		exchange_next(&play->x);
		assert_int_equal(play->x.at, EXCHANGE_HEAD);
		assert_int_equal(play->x.status, 0);
		assert_true(exchange_wants_client(&play->x));
	}
}

static void waits_for_the_request(void **state)
{
	(void)state;
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_true(exchange_wants_client(&play->x));
	assert_false(exchange_wants_origin(&play->x));
	client_says(CODEC_CLOSED, NULL);
	assert_int_equal(run(), EXCHANGE_GONE);
	client_heard("");
}

static void waits_for_the_origin(void **state)
{
	(void)state;
	play->state[0] = ORIGIN_DIALLING;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(play->x.at, EXCHANGE_ORIGIN);
	assert_false(exchange_wants_client(&play->x));
	the_origin()->state = ORIGIN_SHAKING;
	assert_int_equal(run(), EXCHANGE_WAIT);
	the_origin()->state = ORIGIN_READY;
	open_stream(&the_origin()->stream, the_origin());
	assert_int_equal(run(), EXCHANGE_WAIT);
	origin_heard(GET_X);
	assert_int_equal(origin_says(HELLO), EXCHANGE_NEXT);
}

/* --- bodies ------------------------------------------------------------- */

static void posts(void **state)
{
	(void)state;
	client_posts("POST", 6);
	client_says(CODEC_BODY, "abc");
	assert_int_equal(run(), EXCHANGE_WAIT);
	origin_heard(POST_X("6") "abc");
	assert_true(exchange_wants_client(&play->x));
	client_says(CODEC_BODY, "def");
	client_says(CODEC_END, NULL);
	assert_int_equal(run(), EXCHANGE_WAIT);
	origin_heard("def");
	assert_false(exchange_wants_client(&play->x));
	assert_int_equal(play->x.bytes_in, 6);
	assert_int_equal(origin_says(HELLO), EXCHANGE_NEXT);
	assert_true(is_pooled(the_origin()));
}

static void posts_chunks(void **state)
{
	(void)state;
	client_asks("POST");
	play->client.plan.kind = BODY_UNKNOWN;
	client_says(CODEC_BODY, "abc");
	client_says(CODEC_END, NULL);
	assert_int_equal(run(), EXCHANGE_WAIT);
	origin_heard("POST /x HTTP/1.1\r\nHost: a.example\r\n"
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
}

static void a_slow_origin_stops_the_client(void **state)
{
	(void)state;
	client_posts("POST", 6);
	assert_int_equal(run(), EXCHANGE_WAIT);
	origin_forget();
	the_origin()->stream.full = true;
	client_says(CODEC_BODY, "abc");
	client_says(CODEC_BODY, "def");
	client_says(CODEC_END, NULL);
	assert_int_equal(run(), EXCHANGE_WAIT);
	origin_heard("");
	assert_false(exchange_wants_client(&play->x));
	assert_true(exchange_wants_origin(&play->x));
	the_origin()->stream.full = false;
	assert_true(exchange_wants_client(&play->x));
	assert_int_equal(run(), EXCHANGE_WAIT);
	origin_heard("abcdef");
}

static void a_slow_client_stops_the_origin(void **state)
{
	size_t left;

	(void)state;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says("HTTP/1.1 200 OK\r\n"
		"Content-Length: 5\r\n\r\nhe"), EXCHANGE_WAIT);
	client_heard("200 length=5; [he]; ");
	play->client.full = true;
	assert_false(exchange_wants_origin(&play->x));
	assert_int_equal(origin_says_all("llo", &left), EXCHANGE_WAIT);
	assert_int_equal(left, 3);
	client_heard("");
	play->client.full = false;
	assert_true(exchange_wants_origin(&play->x));
	assert_int_equal(origin_says("llo"), EXCHANGE_NEXT);
	client_heard("[llo]; end; ");
}

/* An answer that comes before all of the request does not end the request. */
static void answer_before_the_end(void **state)
{
	(void)state;
	client_posts("POST", 6);
	client_says(CODEC_BODY, "abc");
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says(HELLO), EXCHANGE_WAIT);
	client_heard("200 length=5; [hello]; end; ");
	assert_true(exchange_wants_client(&play->x));
	client_says(CODEC_BODY, "def");
	client_says(CODEC_END, NULL);
	assert_int_equal(run(), EXCHANGE_NEXT);
	assert_int_equal(play->x.bytes_in, 6);
	assert_int_equal(play->x.reason, REASON_OK);
}

static void answer_before_the_end_and_gone(void **state)
{
	(void)state;
	client_posts("POST", 6);
	client_says(CODEC_BODY, "abc");
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says(HELLO), EXCHANGE_WAIT);
	client_heard("200 length=5; [hello]; end; ");
	assert_int_equal(origin_ends(), EXCHANGE_CLOSE);
	assert_false(the_origin()->stream.open);
	assert_int_equal(play->x.reason, REASON_OK);
}

static void answer_before_the_end_of_a_client_that_stops(void **state)
{
	(void)state;
	client_posts("POST", 6);
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says(HELLO), EXCHANGE_WAIT);
	play->x.timed_out = true;
	assert_int_equal(run(), EXCHANGE_CLOSE);
	assert_false(the_origin()->stream.open);
}

/* --- provisional answers ------------------------------------------------ */

static void passes_on_1xx(void **state)
{
	(void)state;
	client_posts("POST", 3);
	assert_int_equal(run(), EXCHANGE_WAIT);
	origin_heard(POST_X("3"));
	assert_int_equal(origin_says("HTTP/1.1 100 Continue\r\n\r\n"),
		EXCHANGE_WAIT);
	client_heard("100; ");
	client_says(CODEC_BODY, "abc");
	client_says(CODEC_END, NULL);
	assert_int_equal(run(), EXCHANGE_WAIT);
	origin_heard("abc");
	assert_int_equal(origin_says("HTTP/1.1 103 Early Hints\r\n"
		"Mark: hint\r\n\r\n" HELLO), EXCHANGE_NEXT);
	client_heard("103 mark=hint; 200 length=5; [hello]; end; ");
	assert_int_equal(play->x.status, 200);
}

/* RFC 9110, 15.2: not to a client that speaks HTTP/1.0. */
static void no_1xx_for_old_clients(void **state)
{
	(void)state;
	client_asks_in("GET", 0, "Host: a.example\n");
	client_says(CODEC_END, NULL);
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says("HTTP/1.1 103 Early Hints\r\n\r\n" HELLO),
		EXCHANGE_NEXT);
	client_heard("200 length=5; [hello]; end; ");
}

static void old_clients_get_unknown_lengths_until_the_close(void **state)
{
	(void)state;
	client_asks_in("GET", 0, "Host: a.example\n");
	client_says(CODEC_END, NULL);
	assert_int_equal(run(), EXCHANGE_WAIT);
	origin_heard(GET_X);
	assert_int_equal(origin_says("HTTP/1.1 200 OK\r\n"
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
		EXCHANGE_CLOSE);
	client_heard("200 unknown last; [abc]; end; ");
	assert_true(is_pooled(the_origin()));
}

/* --- again -------------------------------------------------------------- */

static void asks_again_when_a_rested_connection_is_dead(void **state)
{
	(void)state;
	play->reused[0] = true;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_false(play->wants[0].fresh);
	assert_int_equal(play->wants[0].max_idle_ms, 0);
	origin_heard(GET_X);
	assert_int_equal(origin_ends(), EXCHANGE_WAIT);
	client_heard("");
	assert_int_equal(play->num_origins, 2);
	assert_true(play->wants[1].fresh);
	assert_false(play->origins[0]->stream.open);
	origin_heard(GET_X);
	assert_int_equal(origin_says(HELLO), EXCHANGE_NEXT);
	client_heard("200 length=5; [hello]; end; ");
	assert_int_equal(play->x.reason, REASON_OK);
}

static void asks_again_after_a_reset(void **state)
{
	(void)state;
	play->reused[0] = true;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_breaks(), EXCHANGE_WAIT);
	assert_int_equal(play->num_origins, 2);
	assert_int_equal(origin_says(HELLO), EXCHANGE_NEXT);
}

static void asks_again_only_once(void **state)
{
	(void)state;
	play->reused[0] = play->reused[1] = true;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_ends(), EXCHANGE_WAIT);
	assert_int_equal(origin_ends(), EXCHANGE_NEXT);
	assert_int_equal(play->num_origins, 2);
	client_heard("502 origin-closed; [page]; end; ");
	assert_int_equal(play->x.reason, REASON_ORIGIN_CLOSED);
}

static void asks_not_again_what_was_new(void **state)
{
	(void)state;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_ends(), EXCHANGE_NEXT);
	assert_int_equal(play->num_origins, 1);
	client_heard("502 origin-closed; [page]; end; ");
}

static void asks_not_again_with_a_body(void **state)
{
	static const char *const methods[] = { "POST", "PUT" };

	for (size_t i = 0; i < 2; i++) {
		play->reused[0] = true;
		client_posts(methods[i], 3);
		client_says(CODEC_BODY, "abc");
		client_says(CODEC_END, NULL);
		assert_int_equal(run(), EXCHANGE_WAIT);
		/* a connection that rested long may be closing just now */
		assert_in_range(play->wants[0].max_idle_ms, 1, 5000);
		assert_int_equal(origin_ends(), EXCHANGE_NEXT);
		assert_int_equal(play->num_origins, 1);
		client_heard("502 origin-closed; [page]; end; ");
		assert_int_equal(end(state), 0);
		assert_int_equal(begin(state), 0);
	}
}

static void asks_not_again_what_does_not_allow_it(void **state)
{
	(void)state;
	play->reused[0] = true;
	client_asks("POST"); /* without a body */
	client_says(CODEC_END, NULL);
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_true(play->wants[0].max_idle_ms > 0);
	assert_int_equal(origin_ends(), EXCHANGE_NEXT);
	assert_int_equal(play->num_origins, 1);
	client_heard("502 origin-closed; [page]; end; ");
}

static void asks_not_again_once_answered(void **state)
{
	(void)state;
	play->reused[0] = true;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says("HTTP/1.1 200 OK\r\n"
		"Content-Length: 5\r\n\r\nhe"), EXCHANGE_WAIT);
	assert_int_equal(origin_breaks(), EXCHANGE_CUT);
	assert_int_equal(play->num_origins, 1);
}

/* --- failures ----------------------------------------------------------- */

static void no_connection(void **state)
{
	(void)state;
	play->state[0] = ORIGIN_FAILED;
	play->reason = REASON_REFUSED;
	client_gets();
	assert_int_equal(run(), EXCHANGE_NEXT);
	client_heard("502 connection-refused; [page]; end; ");
	assert_int_equal(play->x.reason, REASON_REFUSED);
	assert_int_equal(play->x.status, 502);
}

static void no_connection_for_a_body(void **state)
{
	(void)state;
	play->state[0] = ORIGIN_FAILED;
	play->reason = REASON_NAME_TIMEOUT;
	client_posts("POST", 3);
	client_says(CODEC_BODY, "abc");
	assert_int_equal(run(), EXCHANGE_CLOSE);
	client_heard("504 name-lookup-timed-out last; [page]; end; ");
}

static void a_connection_that_may_not_be_shown(void **state)
{
	(void)state;
	play->judged = REASON_CERT_UNKNOWN_ISSUER;
	client_gets();
	assert_int_equal(run(), EXCHANGE_NEXT);
	client_heard("502 origin-certificate-unknown-issuer; [page]; end; ");
	assert_int_equal(buffer_len(&the_origin()->stream.out), 0);
	assert_false(the_origin()->stream.open);
}

static void reset_before_the_answer(void **state)
{
	(void)state;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_breaks(), EXCHANGE_NEXT);
	client_heard("502 origin-reset; [page]; end; ");
}

static void cut_off_in_the_head(void **state)
{
	(void)state;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says("HTTP/1.1 200 OK\r\nMark: i"),
		EXCHANGE_WAIT);
	assert_int_equal(origin_ends(), EXCHANGE_NEXT);
	client_heard("502 origin-response-truncated; [page]; end; ");
}

static void cut_off_in_the_body(void **state)
{
	static const char *const heads[] = { "Content-Length: 5",
		"Transfer-Encoding: chunked" };
	char text[200];

	for (size_t i = 0; i < 2; i++) {
		client_gets();
		assert_int_equal(run(), EXCHANGE_WAIT);
		(void)snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n%s"
			"\r\n\r\n%s", heads[i], i ? "3\r\nabc\r\n" : "abc");
		assert_int_equal(origin_says(text), EXCHANGE_WAIT);
		assert_int_equal(origin_ends(), EXCHANGE_CUT);
		assert_int_equal(play->x.reason, REASON_ORIGIN_TRUNCATED);
		assert_false(the_origin()->stream.open);
		client_heard(i ? "200 unknown; [abc]; " :
			"200 length=5; [abc]; ");
		assert_int_equal(end(state), 0);
		assert_int_equal(begin(state), 0);
	}
}

static void a_body_until_the_close(void **state)
{
	(void)state;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says("HTTP/1.0 200 OK\r\n\r\nabc"),
		EXCHANGE_WAIT);
	assert_int_equal(origin_ends(), EXCHANGE_NEXT);
	client_heard("200 unknown; [abc]; end; ");
	assert_false(the_origin()->stream.open);
	assert_int_equal(play->x.reason, REASON_OK);
}

/* TLS that ends without close_notify could be anybody's end. */
static void a_body_until_a_close_that_is_not_proved(void **state)
{
	(void)state;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says("HTTP/1.1 200 OK\r\n\r\nabc"),
		EXCHANGE_WAIT);
	the_origin()->stream.truncated = true;
	assert_int_equal(origin_ends(), EXCHANGE_CUT);
	client_heard("200 unknown; [abc]; ");
	assert_int_equal(play->x.reason, REASON_ORIGIN_TRUNCATED);
}

static void nonsense_for_an_answer(void **state)
{
	(void)state;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says("SSH-2.0-OpenSSH_9.2\r\n"),
		EXCHANGE_NEXT);
	client_heard("502 origin-response-bad; [page]; end; ");
	assert_false(the_origin()->stream.open);
}

static void asked_for_a_certificate(void **state)
{
	(void)state;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	the_origin()->asked_cert = true;
	the_origin()->stream.error = STREAM_TLS;
	assert_int_equal(run(), EXCHANGE_NEXT);
	client_heard("502 origin-wants-client-certificate; [page]; end; ");
}

/* --- time --------------------------------------------------------------- */

static void no_connection_in_time(void **state)
{
	(void)state;
	play->state[0] = ORIGIN_DIALLING;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	play->x.timed_out = true;
	assert_int_equal(run(), EXCHANGE_NEXT);
	client_heard("504 connection-timed-out; [page]; end; ");
}

static void no_answer_in_time(void **state)
{
	(void)state;
	play->reused[0] = true; /* not tried again for that */
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	play->x.timed_out = true;
	assert_int_equal(run(), EXCHANGE_NEXT);
	client_heard("504 origin-timed-out; [page]; end; ");
	assert_false(the_origin()->stream.open);
}

static void no_whole_answer_in_time(void **state)
{
	(void)state;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says("HTTP/1.1 200 OK\r\n"
		"Content-Length: 5\r\n\r\nhe"), EXCHANGE_WAIT);
	play->x.timed_out = true;
	assert_int_equal(run(), EXCHANGE_CUT);
	assert_int_equal(play->x.reason, REASON_ORIGIN_TIMEOUT);
	client_heard("200 length=5; [he]; ");
}

/* --- the client's doing ------------------------------------------------- */

static void a_bad_request(void **state)
{
	(void)state;
	play->client.failure = REASON_BAD_REQUEST;
	client_says(CODEC_FAILED, NULL);
	assert_int_equal(run(), EXCHANGE_CLOSE);
	client_heard("400 bad-request last; [page]; end; ");
	assert_int_equal(play->num_origins, 0);
	assert_string_equal(play->x.why, "as the play has it");
}

static void a_client_gone_in_its_head(void **state)
{
	(void)state;
	play->client.failure = REASON_CLIENT_GONE;
	client_says(CODEC_FAILED, NULL);
	assert_int_equal(run(), EXCHANGE_GONE);
	client_heard("");
}

static void a_bad_body(void **state)
{
	(void)state;
	client_asks("POST");
	play->client.plan.kind = BODY_UNKNOWN;
	client_says(CODEC_BODY, "abc");
	assert_int_equal(run(), EXCHANGE_WAIT);
	play->client.failure = REASON_BAD_REQUEST;
	client_says(CODEC_FAILED, NULL);
	assert_int_equal(run(), EXCHANGE_CLOSE);
	client_heard("400 bad-request last; [page]; end; ");
	/* what has no end must not be taken for whole */
	assert_false(the_origin()->stream.open);
	assert_memory_equal(buffer_at(&the_origin()->stream.out) +
		buffer_len(&the_origin()->stream.out) - 8, "3\r\nabc\r\n", 8);
}

static void a_client_gone_in_its_body(void **state)
{
	static const enum codec_event ways[] = { CODEC_FAILED, CODEC_CLOSED };

	for (size_t i = 0; i < 2; i++) {
		client_posts("POST", 6);
		client_says(CODEC_BODY, "abc");
		assert_int_equal(run(), EXCHANGE_WAIT);
		play->client.failure = REASON_CLIENT_GONE;
		client_says(ways[i], NULL);
		assert_int_equal(run(), EXCHANGE_CUT);
		assert_int_equal(play->x.reason, REASON_CLIENT_GONE);
		assert_false(the_origin()->stream.open);
		client_heard("");
		assert_int_equal(end(state), 0);
		assert_int_equal(begin(state), 0);
	}
}

static void a_client_that_asks_once(void **state)
{
	(void)state;
	play->client.once = true;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says(HELLO), EXCHANGE_CLOSE);
	client_heard("200 length=5 last; [hello]; end; ");
	assert_true(is_pooled(the_origin()));
}

static void a_connection_that_is_to_end(void **state)
{
	(void)state;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	play->ending = true;
	assert_int_equal(origin_says(HELLO), EXCHANGE_CLOSE);
	client_heard("200 length=5 last; [hello]; end; ");
}

/* --- routes ------------------------------------------------------------- */

static void refused_by_the_host(void **state)
{
	(void)state;
	play->route = ROUTE_ANSWER;
	play->refuse = REASON_BLOCKED;
	client_gets();
	assert_int_equal(run(), EXCHANGE_NEXT);
	client_heard("403 blocked-by-rule; [page]; end; ");
	assert_int_equal(play->num_origins, 0);
	assert_int_equal(play->x.reason, REASON_BLOCKED);
	assert_string_equal(play->x.why, "why not");
	/* a body that follows can't be told from the next request */
	exchange_next(&play->x);
	client_posts("POST", 3);
	assert_int_equal(run(), EXCHANGE_CLOSE);
	client_heard("403 blocked-by-rule last; [page]; end; ");
}

static void refused_without_a_body(void **state)
{
	(void)state;
	play->route = ROUTE_ANSWER;
	play->refuse = REASON_BLOCKED;
	client_asks("HEAD");
	client_says(CODEC_END, NULL);
	assert_int_equal(run(), EXCHANGE_NEXT);
	client_heard("403 blocked-by-rule; end; ");
}

static void a_tunnel_is_the_hosts(void **state)
{
	(void)state;
	play->route = ROUTE_CONNECT;
	client_asks("CONNECT");
	assert_int_equal(run(), EXCHANGE_CONNECT);
	client_heard("");
	assert_int_equal(play->num_origins, 0);
}

/* --- HEAD, 304, 204 ----------------------------------------------------- */

static void answers_without_bodies(void **state)
{
	static const struct {
		const char *method, *answer, *heard;
	} rows[] = {
		{ "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
			"200 keep-length; end; " },
		{ "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
			"\r\n\r\n", "200 keep-length; end; " },
		{ "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5"
			"\r\n\r\n", "304 keep-length; end; " },
		{ "GET", "HTTP/1.1 204 No Content\r\n\r\n",
			"204; end; " },
		{ "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
			"200 length=0; end; " },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		client_asks(rows[i].method);
		client_says(CODEC_END, NULL);
		assert_int_equal(run(), EXCHANGE_WAIT);
		assert_int_equal(origin_says(rows[i].answer), EXCHANGE_NEXT);
		client_heard(rows[i].heard);
		assert_true(is_pooled(the_origin()));
		assert_int_equal(end(state), 0);
		assert_int_equal(begin(state), 0);
	}
}

/* --- upgrades ----------------------------------------------------------- */

#define SWITCH "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" \
	"Upgrade: websocket\r\n\r\n"

static void client_offers(const char *protocol)
{
	char fields[200];

	(void)snprintf(fields, sizeof(fields), "Host: a.example\n"
		"Connection: Upgrade\nUpgrade: %s\n", protocol);
	client_asks_in("GET", 1, fields);
	client_says(CODEC_END, NULL);
}

static void upgrades(void **state)
{
	size_t left;

	(void)state;
	client_offers("websocket");
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says_all(SWITCH "frames", &left),
		EXCHANGE_UPGRADED);
	assert_int_equal(left, 6); /* the host's to take */
	client_heard("101; ");
	assert_non_null(play->x.origin);
	assert_true(play->x.origin->pinned);
	assert_int_equal(play->x.status, 101);
}

static void an_upgrade_may_be_refused(void **state)
{
	(void)state;
	client_offers("websocket");
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says(HELLO), EXCHANGE_NEXT);
	client_heard("200 length=5; [hello]; end; ");
}

static void no_upgrade_that_was_not_asked(void **state)
{
	static const char *const offers[] = { NULL, "h2c", "TLS/1.2" };

	for (size_t i = 0; i < 3; i++) {
		if (offers[i])
			client_offers(offers[i]);
		else
			client_gets();
		assert_int_equal(run(), EXCHANGE_WAIT);
		origin_heard(GET_X); /* without the offer */
		assert_int_equal(origin_says(SWITCH), EXCHANGE_NEXT);
		client_heard("502 origin-upgrade-not-asked; [page]; end; ");
		assert_false(the_origin()->stream.open);
		assert_int_equal(end(state), 0);
		assert_int_equal(begin(state), 0);
	}
}

static void no_upgrade_to_something_else(void **state)
{
	(void)state;
	client_offers("websocket");
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says("HTTP/1.1 101 Switching Protocols\r\n"
		"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"), EXCHANGE_NEXT);
	client_heard("502 origin-upgrade-not-asked; [page]; end; ");
}

/* --- what becomes of the connection ------------------------------------- */

static void rests_only_when_clean(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nConnection: close\r\n"
			"Content-Length: 2\r\n\r\nhi",
		"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!",
		HELLO HELLO,
	};
	size_t left;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		client_gets();
		assert_int_equal(run(), EXCHANGE_WAIT);
		assert_int_equal(origin_says_all(answers[i], &left),
			EXCHANGE_NEXT);
		assert_false(the_origin()->stream.open);
		assert_int_equal(play->x.reason, REASON_OK);
		assert_int_equal(end(state), 0);
		assert_int_equal(begin(state), 0);
	}
}

static void one_bound_to_its_client_is_held(void **state)
{
	static const char *const schemes[] = { "NTLM", "Negotiate",
		"negotiate YII=" };
	char text[200];

	for (size_t i = 0; i < 3; i++) {
		client_gets();
		assert_int_equal(run(), EXCHANGE_WAIT);
		(void)snprintf(text, sizeof(text), "HTTP/1.1 401 No\r\n"
			"WWW-Authenticate: %s\r\nContent-Length: 0\r\n\r\n",
			schemes[i]);
		assert_int_equal(origin_says(text), EXCHANGE_NEXT);
		assert_ptr_equal(play->held, the_origin());
		assert_true(play->held->pinned);
		assert_true(play->held->stream.open);
		assert_int_equal(end(state), 0);
		assert_int_equal(begin(state), 0);
	}
}

/* Who is authenticated may be answered without a challenge. */
static void one_bound_by_the_request_is_held(void **state)
{
	(void)state;
	client_asks_in("GET", 1, "Host: a.example\nAuthorization: NTLM TlR\n");
	client_says(CODEC_END, NULL);
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says(HELLO), EXCHANGE_NEXT);
	assert_ptr_equal(play->held, the_origin());
}

static void one_bound_to_a_client_that_goes_is_closed(void **state)
{
	(void)state;
	play->client.once = true;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_says("HTTP/1.1 401 No\r\n"
		"WWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n"),
		EXCHANGE_CLOSE);
	assert_null(play->held);
	assert_false(the_origin()->stream.open);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(asks_and_is_answered),
		TEST(gets_byte_by_byte),
		TEST(one_after_the_other),
		TEST(waits_for_the_request),
		TEST(waits_for_the_origin),
		TEST(posts),
		TEST(posts_chunks),
		TEST(a_slow_origin_stops_the_client),
		TEST(a_slow_client_stops_the_origin),
		TEST(answer_before_the_end),
		TEST(answer_before_the_end_and_gone),
		TEST(answer_before_the_end_of_a_client_that_stops),
		TEST(passes_on_1xx),
		TEST(no_1xx_for_old_clients),
		TEST(old_clients_get_unknown_lengths_until_the_close),
		TEST(asks_again_when_a_rested_connection_is_dead),
		TEST(asks_again_after_a_reset),
		TEST(asks_again_only_once),
		TEST(asks_not_again_what_was_new),
		TEST(asks_not_again_with_a_body),
		TEST(asks_not_again_what_does_not_allow_it),
		TEST(asks_not_again_once_answered),
		TEST(no_connection),
		TEST(no_connection_for_a_body),
		TEST(a_connection_that_may_not_be_shown),
		TEST(reset_before_the_answer),
		TEST(cut_off_in_the_head),
		TEST(cut_off_in_the_body),
		TEST(a_body_until_the_close),
		TEST(a_body_until_a_close_that_is_not_proved),
		TEST(nonsense_for_an_answer),
		TEST(asked_for_a_certificate),
		TEST(no_connection_in_time),
		TEST(no_answer_in_time),
		TEST(no_whole_answer_in_time),
		TEST(a_bad_request),
		TEST(a_client_gone_in_its_head),
		TEST(a_bad_body),
		TEST(a_client_gone_in_its_body),
		TEST(a_client_that_asks_once),
		TEST(a_connection_that_is_to_end),
		TEST(refused_by_the_host),
		TEST(refused_without_a_body),
		TEST(a_tunnel_is_the_hosts),
		TEST(answers_without_bodies),
		TEST(upgrades),
		TEST(an_upgrade_may_be_refused),
		TEST(no_upgrade_that_was_not_asked),
		TEST(no_upgrade_to_something_else),
		TEST(rests_only_when_clean),
		TEST(one_bound_to_its_client_is_held),
		TEST(one_bound_by_the_request_is_held),
		TEST(one_bound_to_a_client_that_goes_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
