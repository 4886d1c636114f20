#include "tests/unit/session/play.h"

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bad_request),
		TEST(a_client_gone_in_its_head),
		TEST(a_bad_body),
		TEST(a_client_gone_in_its_body),
		TEST(a_client_that_asks_once),
		TEST(a_connection_that_is_to_end),
		TEST(refused_by_the_host),
		TEST(refused_without_a_body),
		TEST(a_tunnel_is_the_hosts),
		TEST(upgrades),
		TEST(an_upgrade_may_be_refused),
		TEST(no_upgrade_that_was_not_asked),
		TEST(no_upgrade_to_something_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
