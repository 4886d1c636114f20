#include "tests/unit/session/play.h"

/* --- again -------------------------------------------------------------- */

static void asks_again_when_a_rested_connection_is_dead(void **state)
{
	(void)state;
	play->waited[0] = true;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_false(play->wants[0].fresh);
	assert_false(play->wants[0].once);
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
	play->waited[0] = true;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_int_equal(origin_breaks(), EXCHANGE_WAIT);
	assert_int_equal(play->num_origins, 2);
	assert_int_equal(origin_says(HELLO), EXCHANGE_NEXT);
}

/* Nothing of the request has gone: what comes is no answer to it. */
static void asks_another_when_one_speaks_unasked(void **state)
{
	static const char poison[] = "HTTP/1.1 200 OK\r\n"
				     "Content-Length: 6\r\n\r\npoison";

	(void)state;
	play->waited[0] = true;
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	h1_side_give(&play->back, (const uint8_t *)poison, strlen(poison));
	assert_int_equal(run(), EXCHANGE_WAIT);
	client_heard("");
	assert_int_equal(play->num_origins, 2);
	assert_true(play->wants[1].fresh);
	assert_false(play->origins[0]->stream.open);
	assert_int_equal(origin_says(HELLO), EXCHANGE_NEXT);
	client_heard("200 length=5; [hello]; end; ");
}

static void asks_again_only_once(void **state)
{
	(void)state;
	play->waited[0] = play->waited[1] = true;
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
		play->waited[0] = true;
		client_posts(methods[i], 3);
		client_says(CODEC_BODY, "abc");
		client_says(CODEC_END, NULL);
		assert_int_equal(run(), EXCHANGE_WAIT);
		/* a connection that rested long may be closing just now */
		assert_true(play->wants[0].once);
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
	play->waited[0] = true;
	client_asks("POST"); /* without a body */
	client_says(CODEC_END, NULL);
	assert_int_equal(run(), EXCHANGE_WAIT);
	assert_true(play->wants[0].once);
	assert_int_equal(origin_ends(), EXCHANGE_NEXT);
	assert_int_equal(play->num_origins, 1);
	client_heard("502 origin-closed; [page]; end; ");
}

static void asks_not_again_once_answered(void **state)
{
	(void)state;
	play->waited[0] = true;
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
	play->waited[0] = true; /* not tried again for that */
	client_gets();
	assert_int_equal(run(), EXCHANGE_WAIT);
	play->x.timed_out = true;
	assert_int_equal(run(), EXCHANGE_NEXT);
	client_heard("504 origin-timed-out; [page]; end; ");
	assert_false(the_origin()->stream.open);
}

static void no_request_in_time(void **state)
{
	(void)state;
	play->x.timed_out = true; /* and none has begun: the host's affair */
	assert_int_equal(run(), EXCHANGE_WAIT);
	play->client.under_way = true;
	assert_int_equal(run(), EXCHANGE_CLOSE);
	client_heard("408 request-timeout last; [page]; end; ");
	assert_int_equal(play->x.reason, REASON_REQUEST_TIMEOUT);
}

static void no_whole_request_in_time(void **state)
{
	(void)state;
	client_posts("POST", 5);
	client_says(CODEC_BODY, "abc");
	assert_int_equal(run(), EXCHANGE_WAIT);
	play->x.timed_out = true;
	assert_int_equal(run(), EXCHANGE_CLOSE);
	client_heard("408 request-timeout last; [page]; end; ");
}

/* A client that waits for 100 (Continue) is not who is late. */
static void no_100_in_time(void **state)
{
	(void)state;
	client_asks_in("POST", 1,
		"Host: a.example\nContent-Length: 5\nExpect: 100-continue\n");
	play->client.plan.kind = BODY_LENGTH;
	play->client.plan.length = 5;
	assert_int_equal(run(), EXCHANGE_WAIT);
	play->x.timed_out = true;
	assert_int_equal(run(), EXCHANGE_CLOSE);
	client_heard("504 origin-timed-out last; [page]; end; ");
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(asks_again_when_a_rested_connection_is_dead),
		TEST(asks_again_after_a_reset),
		TEST(asks_another_when_one_speaks_unasked),
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
		TEST(no_request_in_time),
		TEST(no_whole_request_in_time),
		TEST(no_100_in_time),
		TEST(no_whole_answer_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
