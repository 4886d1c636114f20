/* test_stream_tls.c - streams in TLS; the far end is the client. */
#include "tests/unit/net/stream_test.h"

static const uint16_t versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

/* Each test runs with both versions. */
static uint16_t version(void **state)
{
	return *(const uint16_t *)*state;
}

static void near_tls(uint16_t v, const void *raw, size_t len)
{
	stream_tls(&near->stream, tls_test_ssl(server_ctx, 1, v), raw, len);
}

static void shake_hands(void **state)
{
	near_tls(version(state), NULL, 0);
	far_tls(version(state));
	UNTIL(near->stream.secure && far_secure());
	assert_int_equal(near->stream.error, STREAM_FINE);
}

static void speaks_both_ways(void **state)
{
	shake_hands(state);
	stream_want(&near->stream, true);
	far_say_text("hello");
	UNTIL(buffer_len(&near->got) == 5);
	stream_write(&near->stream, "head ", 5);
	stream_write(&near->stream, "body", 4);
	UNTIL(buffer_len(&far.got) == 9);
	is_text(&far.got, "head body");
	UNTIL(stream_flushed(&near->stream));
}

static void much_both_ways_a_little_at_a_time(void **state)
{
	enum { LEN = 1000000 };

	far.piece = 997;
	shake_hands(state);
	near->bite = 501;
	stream_want(&near->stream, true);
	far_say_long(LEN);
	near_say_long(LEN);
	UNTIL(buffer_len(&near->got) == LEN);
	UNTIL(buffer_len(&far.got) == LEN);
	is_long_text(&near->got, LEN);
	is_long_text(&far.got, LEN);
}

static void byte_by_byte(void **state)
{
	far.piece = 1;
	shake_hands(state);
	stream_want(&near->stream, true);
	far_say_text("hello");
	UNTIL(buffer_len(&near->got) == 5);
	is_text(&near->got, "hello");
}

/* What was eaten of a record comes again before the rest of it. */
static void unread_in_the_middle(void **state)
{
	shake_hands(state);
	near->bite = 4;
	near->in_data = put_back;
	stream_want(&near->stream, true);
	far_say_text("GET / HTTP/1.1");
	UNTIL(buffer_len(&near->got) == 14);
	is_text(&near->got, "GET / HTTP/1.1");
}

/* What goes together in one turn goes in one record. */
static void gathers_a_turns_writes(void **state)
{
	uint64_t before;

	shake_hands(state);
	stream_write(&near->stream, "x", 1); /* and tickets */
	UNTIL(buffer_len(&far.got) == 1);
	before = near->stream.bytes_out;
	for (int i = 0; i < 10; i++)
		stream_write(&near->stream, "0123456789", 10);
	UNTIL(buffer_len(&far.got) == 101);
	assert_in_range(near->stream.bytes_out - before, 100, 100 + 40);
}

/* The session has peeked at the hello, whole or not, and gives it back. */
static void takes_up_a_peeked_hello(void **state)
{
	for (size_t most = 1; most <= 1000; most += 333) {
		struct buffer peeked = {0};

		near->may_eat = most;
		stream_want(&near->stream, true);
		far_tls(version(state));
		UNTIL(buffer_len(&far.out) == 0);
		UNTIL(buffer_len(&near->got) > 0);
		peeked = near->got;
		near->got = (struct buffer){0};
		near->may_eat = SIZE_MAX;
		near_tls(version(state), buffer_at(&peeked),
			buffer_len(&peeked));
		buffer_clear(&peeked);
		UNTIL(near->stream.secure && far_secure());
		far_say_text("hello");
		UNTIL(buffer_len(&near->got) == 5);
		is_text(&near->got, "hello");
		assert_int_equal(end(state), 0);
		assert_int_equal(begin(state), 0);
	}
}

static void no_data_before_wanted(void **state)
{
	near->may_eat = 0;
	shake_hands(state);
	far_say_text("hello");
	a_while();
	assert_int_equal(near->offers, 0);
	stream_want(&near->stream, true);
	UNTIL(near->offers > 0);
	a_while();
	assert_int_equal(near->offers, 1);
	near->may_eat = 2;
	far_say_text(" you");
	stream_want(&near->stream, false);
	stream_want(&near->stream, true);
	UNTIL(buffer_len(&near->got) == 2);
	near->may_eat = SIZE_MAX;
	stream_want(&near->stream, false);
	stream_want(&near->stream, true);
	UNTIL(buffer_len(&near->got) == 9);
	is_text(&near->got, "hello you");
}

static void stop(struct near_end *n)
{
	stream_want(&n->stream, false);
}

static void wants_no_more_in_the_middle(void **state)
{
	shake_hands(state);
	near->bite = 1;
	near->in_data = stop;
	far_say_text("01234");
	far_say_text("56789"); /* a record of its own */
	for (size_t n = 1; n <= 10; n++) {
		stream_want(&near->stream, true);
		UNTIL(buffer_len(&near->got) == n);
		a_while();
		assert_int_equal(near->offers, n);
	}
	is_text(&near->got, "0123456789");
}

static void what_nobody_eats_stops_the_sender(void **state)
{
	enum { LEN = 1 << 24 };
	uint64_t before;

	shake_hands(state);
	far_say_long(LEN);
	before = near->stream.bytes_in;
	a_while();
	assert_in_range(near->stream.bytes_in - before, 1,
		LOOP_READ_SIZE + 5 * 1024);
	assert_true(buffer_len(&far.out) > 0);
	stream_want(&near->stream, true);
	UNTIL(buffer_len(&near->got) == LEN);
	is_long_text(&near->got, LEN);
}

static void writes_wait_for_the_handshake(void **state)
{
	near_tls(version(state), NULL, 0);
	stream_write(&near->stream, "first", 5);
	near_say_long(STREAM_HIGH + 1);
	assert_true(stream_full(&near->stream));
	far_tls(version(state));
	UNTIL(buffer_len(&far.got) == 5 + STREAM_HIGH + 1);
	assert_memory_equal(buffer_at(&far.got), "first", 5);
	UNTIL(!stream_full(&near->stream));
}

static void full_and_no_more(void **state)
{
	shake_hands(state);
	far.mute = true;
	near_say_long(1 << 24);
	assert_true(stream_full(&near->stream));
	a_while();
	assert_true(stream_full(&near->stream));
	near->events = 0;
	far.mute = false;
	UNTIL(!stream_full(&near->stream));
	UNTIL(near->events > 0);
	UNTIL(buffer_len(&far.got) == 1 << 24);
	is_long_text(&far.got, 1 << 24);
}

/* --- ends --------------------------------------------------------------- */

static void far_says_goodbye(void **state)
{
	shake_hands(state);
	far_say_text("bye");
	tls_engine_close(&far.tls);
	UNTIL(buffer_len(&far.out) == 0);
	a_while();
	assert_false(stream_ended(&near->stream)); /* not eaten yet */
	stream_want(&near->stream, true);
	UNTIL(stream_ended(&near->stream));
	is_text(&near->got, "bye");
	assert_false(near->stream.truncated);
	assert_int_equal(near->stream.error, STREAM_FINE);
	/* it hears on */
	near_say_long(300000);
	UNTIL(buffer_len(&far.got) == 300000);
	stream_shutdown(&near->stream);
	UNTIL(far.eof);
	assert_int_equal(far.last, TLS_CLOSED);
	is_long_text(&far.got, 300000);
}

static void far_says_goodbye_and_goes(void **state)
{
	shake_hands(state);
	stream_want(&near->stream, true);
	far_say_text("bye");
	tls_engine_close(&far.tls);
	UNTIL(buffer_len(&far.out) == 0);
	assert_int_equal(shutdown(far.fd, SHUT_WR), 0);
	UNTIL(stream_ended(&near->stream));
	a_while();
	assert_false(near->stream.truncated);
	is_text(&near->got, "bye");
}

static void far_goes_without_goodbye(void **state)
{
	shake_hands(state);
	stream_want(&near->stream, true);
	far_say_text("by");
	UNTIL(buffer_len(&far.out) == 0);
	assert_int_equal(shutdown(far.fd, SHUT_WR), 0);
	UNTIL(stream_ended(&near->stream));
	assert_true(near->stream.truncated);
	is_text(&near->got, "by");
}

static void far_goes_in_a_record(void **state)
{
	shake_hands(state);
	stream_want(&near->stream, true);
	UNTIL(buffer_len(&far.out) == 0);
	far.piece = 10;
	far_say_text("never whole");
	far.piece = 0;
	assert_int_equal(shutdown(far.fd, SHUT_WR), 0);
	UNTIL(stream_ended(&near->stream));
	assert_true(near->stream.truncated);
	assert_int_equal(buffer_len(&near->got), 0);
}

/* Unwanted bytes lie before the end; it is not told before they are eaten. */
static void cut_off_behind_unwanted_bytes(void **state)
{
	shake_hands(state);
	far_say_long(100000);
	UNTIL(buffer_len(&far.out) == 0);
	assert_int_equal(shutdown(far.fd, SHUT_WR), 0);
	a_while();
	assert_false(stream_ended(&near->stream));
	stream_want(&near->stream, true);
	UNTIL(stream_ended(&near->stream));
	assert_true(near->stream.truncated);
	is_long_text(&near->got, 100000);
}

static void far_goes_in_the_handshake(void **state)
{
	near_tls(version(state), NULL, 0);
	far_tls(version(state));
	UNTIL(buffer_len(&far.got) + buffer_len(&far.out) == 0);
	assert_int_equal(shutdown(far.fd, SHUT_WR), 0);
	UNTIL(near->stream.truncated || near->stream.error != STREAM_FINE);
	UNTIL(near->events > 0);
	assert_false(near->stream.secure);
}

static void near_says_goodbye(void **state)
{
	shake_hands(state);
	stream_want(&near->stream, true);
	stream_write(&near->stream, "bye", 3);
	stream_shutdown(&near->stream);
	UNTIL(far.eof);
	is_text(&far.got, "bye");
	assert_int_equal(far.last, TLS_CLOSED);
	far_say_long(100000);
	UNTIL(buffer_len(&near->got) == 100000);
	is_long_text(&near->got, 100000);
}

static void all_goes_before_the_end(void **state)
{
	shake_hands(state);
	far.mute = true;
	near_say_long(10000000);
	stream_shutdown(&near->stream);
	a_while();
	far.mute = false;
	UNTIL(far.eof);
	assert_int_equal(far.last, TLS_CLOSED);
	is_long_text(&far.got, 10000000);
}

/* --- what breaks -------------------------------------------------------- */

static void garbage_instead_of_a_hello(void **state)
{
	near_tls(version(state), NULL, 0);
	far_say("\x16\3\1\0\5\2\0\0\1\0", 10); /* a ServerHello */
	UNTIL(near->stream.error == STREAM_TLS);
	UNTIL(near->events > 0);
	UNTIL(buffer_len(&far.got) >= 7); /* the alert goes out */
	assert_int_equal(buffer_at(&far.got)[0], 0x15);
	assert_true(strlen(near->stream.tls.why) > 0);
}

static void garbage_after_the_handshake(void **state)
{
	shake_hands(state);
	stream_want(&near->stream, true);
	far_say_text("fine");
	UNTIL(buffer_len(&near->got) == 4);
	buffer_add(&far.out, "\x17\3\3\0\x20" "0123456789abcdef"
		"0123456789abcdef", 37);
	UNTIL(near->stream.error == STREAM_TLS);
	UNTIL(near->events > 0);
	is_text(&near->got, "fine");
	stream_write(&near->stream, "x", 1);
	a_while();
	assert_false(stream_ended(&near->stream));
}

static enum ssl_verify_result_t disbelieve(SSL *ssl, uint8_t *out_alert)
{
	(void)ssl;
	*out_alert = SSL_AD_UNKNOWN_CA;
	return ssl_verify_invalid;
}

/* A client that does not know the root says so; with TLS 1.3 only after our
 * side has finished its handshake, or nearly. */
static void keeps_the_peers_alert(void **state)
{
	near_tls(version(state), NULL, 0);
	stream_want(&near->stream, true);
	far_tls(version(state));
	SSL_set_custom_verify(far.tls.ssl, SSL_VERIFY_PEER, disbelieve);
	UNTIL(near->stream.error != STREAM_FINE);
	assert_int_equal(near->stream.error, STREAM_TLS);
	assert_int_equal(near->stream.tls.alert, SSL_AD_UNKNOWN_CA);
}

static void early_answer_then_reset(void **state)
{
	shake_hands(state);
	UNTIL(buffer_len(&far.out) == 0);
	far.mute = true;
	near_say_long(1 << 24);
	a_while();
	far_say_text("413 too much");
	far_close();
	a_while();
	near_say_long(100000);
	a_while();
	stream_want(&near->stream, true);
	UNTIL(buffer_len(&near->got) == 12);
	is_text(&near->got, "413 too much");
	UNTIL(near->stream.error == STREAM_RESET ||
		stream_ended(&near->stream));
	assert_true(near->stream.error == STREAM_RESET ||
		near->stream.truncated);
}

static void close_it(struct near_end *n)
{
	stream_close(&n->stream);
}

static void closes_in_on_data(void **state)
{
	shake_hands(state);
	near->bite = 1;
	near->in_data = close_it;
	stream_want(&near->stream, true);
	far_say_long(20000);
	UNTIL(near->closed);
	assert_int_equal(near->offers, 1);
}

static void closes_when_offered_again(void **state)
{
	shake_hands(state);
	far_say_long(20000);
	a_while();
	near->bite = 1;
	near->in_data = close_it;
	stream_want(&near->stream, true);
	UNTIL(near->closed);
	assert_int_equal(near->offers, 1);
}

static void closes_in_the_handshake(void **state)
{
	near_tls(version(state), NULL, 0);
	far_tls(version(state));
	turn();
	stream_close(&near->stream);
	UNTIL(near->closed);
}


#define TEST(name, v) { #name "_1." #v, name, begin, end, \
	(void *)(uintptr_t)&versions[v - 2] }
#define BOTH(name) TEST(name, 2), TEST(name, 3)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(speaks_both_ways),
		BOTH(much_both_ways_a_little_at_a_time),
		BOTH(byte_by_byte),
		BOTH(unread_in_the_middle),
		BOTH(gathers_a_turns_writes),
		BOTH(takes_up_a_peeked_hello),
		BOTH(no_data_before_wanted),
		BOTH(wants_no_more_in_the_middle),
		BOTH(what_nobody_eats_stops_the_sender),
		BOTH(writes_wait_for_the_handshake),
		BOTH(full_and_no_more),
		BOTH(far_says_goodbye),
		BOTH(far_says_goodbye_and_goes),
		BOTH(far_goes_without_goodbye),
		BOTH(far_goes_in_a_record),
		BOTH(cut_off_behind_unwanted_bytes),
		BOTH(far_goes_in_the_handshake),
		BOTH(near_says_goodbye),
		BOTH(all_goes_before_the_end),
		BOTH(garbage_instead_of_a_hello),
		BOTH(garbage_after_the_handshake),
		BOTH(keeps_the_peers_alert),
		BOTH(early_answer_then_reset),
		BOTH(closes_in_on_data),
		BOTH(closes_when_offered_again),
		BOTH(closes_in_the_handshake),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
