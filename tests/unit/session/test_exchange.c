#include "tests/unit/session/play.h"

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

/* Who asks, or where its host leads, is being looked up: the client is not read
 * meanwhile, and the same head is asked about again. */
static void waits_for_where_it_goes(void **state)
{
	(void)state;
	play->route = ROUTE_WAIT;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(play->x.at, EXCHANGE_ROUTE);
	assert_false(exchange_wants_client(&play->x));
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(play->num_origins, 0);
	play->route = ROUTE_ORIGIN;
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(play->x.at, EXCHANGE_RELAY);
	origin_heard(GET_X);
	assert_int_equal(origin_says(HELLO), EXCHANGE_NEXT);
}

static void waits_and_is_refused(void **state)
{
	(void)state;
	play->route = ROUTE_WAIT;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	play->route = ROUTE_ANSWER;
	play->refuse = REASON_WRONG_PASSWORD;
	assert_int_equal(run(), EXCHANGE_NEXT);
	assert_int_equal(play->x.status, 407);
	assert_int_equal(play->x.reason, REASON_WRONG_PASSWORD);
	assert_int_equal(play->num_origins, 0);
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
		TEST(waits_for_where_it_goes),
		TEST(waits_and_is_refused),
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
		TEST(answers_without_bodies),
		TEST(rests_only_when_clean),
		TEST(one_bound_to_its_client_is_held),
		TEST(one_bound_by_the_request_is_held),
		TEST(one_bound_to_a_client_that_goes_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
