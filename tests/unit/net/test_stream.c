/* test_stream.c - streams in the clear; test_stream_tls.c has those in TLS. */
#include <netinet/tcp.h>

#include "tests/unit/net/stream_test.h"

static void speaks_both_ways(void **state)
{
	socklen_t len = sizeof(int);
	int fd, on = 0;

	(void)state;
	stream_want(&near->stream, true);
	far_say_text("hello");
	UNTIL(buffer_len(&near->got) == 5);
	is_text(&near->got, "hello");
	stream_write(&near->stream, "you", 3);
	stream_write(&near->stream, "", 0);
	stream_write(&near->stream, " too", 4);
	assert_false(stream_flushed(&near->stream));
	UNTIL(buffer_len(&far.got) == 7);
	is_text(&far.got, "you too");
	assert_true(stream_flushed(&near->stream));
	assert_int_equal(near->stream.bytes_in, 5);
	assert_int_equal(near->stream.bytes_out, 7);
	assert_false(near->stream.secure);
	assert_int_equal(uv_fileno((uv_handle_t *)near->stream.tcp, &fd), 0);
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len),
		0);
	assert_true(on);
}

static void offers_nothing_unwanted(void **state)
{
	(void)state;
	far_say_text("hello");
	a_while();
	assert_int_equal(near->offers, 0);
	far_say_text(" you");
	a_while();
	stream_want(&near->stream, true);
	assert_int_equal(near->offers, 0);
	UNTIL(buffer_len(&near->got) == 9);
	is_text(&near->got, "hello you");
	stream_want(&near->stream, false);
	far_say_text("!");
	a_while();
	assert_int_equal(buffer_len(&near->got), 9);
}

static void offers_again_what_was_left(void **state)
{
	(void)state;
	near->may_eat = 3;
	near->bite = 2;
	stream_want(&near->stream, true);
	far_say_text("0123456789");
	UNTIL(buffer_len(&near->got) == 3);
	far_say_text("abc");
	a_while();
	assert_int_equal(buffer_len(&near->got), 3);
	near->may_eat = 5;
	stream_want(&near->stream, false);
	stream_want(&near->stream, true);
	UNTIL(buffer_len(&near->got) == 8);
	near->may_eat = SIZE_MAX;
	a_while();
	stream_want(&near->stream, false);
	stream_want(&near->stream, true);
	UNTIL(buffer_len(&near->got) == 13);
	is_text(&near->got, "0123456789abc");
}

static void stop(struct near_end *n)
{
	stream_want(&n->stream, false);
}

static void wants_no_more_in_the_middle(void **state)
{
	(void)state;
	near->bite = 1;
	near->in_data = stop;
	far_say_text("0123456789");
	for (size_t n = 1; n <= 10; n++) {
		stream_want(&near->stream, true);
		UNTIL(buffer_len(&near->got) == n);
		a_while();
		assert_int_equal(near->offers, n);
	}
	is_text(&near->got, "0123456789");
}

static void unread_comes_first(void **state)
{
	(void)state;
	stream_unread(&near->stream, "one ", 4);
	stream_unread(&near->stream, "two ", 4);
	far_say_text("three");
	a_while();
	assert_int_equal(near->offers, 0);
	stream_want(&near->stream, true);
	UNTIL(buffer_len(&near->got) == 13);
	is_text(&near->got, "one two three");
}

/* As a peek does that ate the first bytes to look at them. */
static void unread_in_the_middle(void **state)
{
	(void)state;
	near->bite = 4;
	near->in_data = put_back;
	stream_want(&near->stream, true);
	far_say_text("GET / HTTP/1.1");
	UNTIL(buffer_len(&near->got) == 14);
	is_text(&near->got, "GET / HTTP/1.1");
}

static void bytes_in_bytes_out(void **state)
{
	enum { LEN = 3000000 };

	(void)state;
	stream_want(&near->stream, true);
	far_say_long(LEN);
	UNTIL(buffer_len(&near->got) == LEN);
	is_long_text(&near->got, LEN);
	near_say_long(LEN);
	UNTIL(buffer_len(&far.got) == LEN);
	is_long_text(&far.got, LEN);
	assert_int_equal(near->stream.bytes_in, LEN);
	assert_int_equal(near->stream.bytes_out, LEN);
}

/* Small pieces and large ones, gathered or sent at once, stay in order. */
static void pieces_stay_in_order(void **state)
{
	enum { LEN = 400000 };
	uint8_t *text = long_text(LEN);

	(void)state;
	for (size_t at = 0, n = 1; at < LEN; at += n, n = n * 2 % 19997 + 1) {
		n = LEN - at < n ? LEN - at : n;
		stream_write(&near->stream, text + at, n);
		if (n % 3 == 0)
			turn();
	}
	free(text);
	UNTIL(buffer_len(&far.got) == LEN);
	is_long_text(&far.got, LEN);
}

/* --- backpressure ------------------------------------------------------- */

static void fill(size_t *out_len)
{
	uint8_t *text = long_text(1 << 24);

	far.mute = true;
	for (*out_len = 0; !stream_full(&near->stream); *out_len += 1000) {
		assert_true(*out_len + 1000 <= 1 << 24);
		stream_write(&near->stream, text + *out_len, 1000);
		turn();
	}
	free(text);
}

static void tells_full_and_no_more(void **state)
{
	size_t len, queued;

	(void)state;
	fill(&len);
	a_while();
	assert_true(stream_full(&near->stream));
	assert_false(stream_flushed(&near->stream));
	queued = len - near->stream.bytes_out;
	assert_in_range(queued, STREAM_HIGH + 1, STREAM_HIGH + 1000);
	near->events = 0;
	far.mute = false;
	UNTIL(!stream_full(&near->stream));
	queued = len - near->stream.bytes_out;
	assert_in_range(queued, 0, STREAM_LOW);
	UNTIL(near->events > 0);
	UNTIL(buffer_len(&far.got) == len);
	is_long_text(&far.got, len);
	UNTIL(stream_flushed(&near->stream));
}

/* The kernel takes little at a time: the mark below which it is full no more
 * is not the one above which it is. */
static void is_full_until_little_is_left(void **state)
{
	int small = 4096, fd;
	uint64_t len = 0;

	(void)state;
	assert_int_equal(uv_fileno((uv_handle_t *)near->stream.tcp, &fd), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small,
		sizeof(small)), 0);
	assert_int_equal(setsockopt(far.fd, SOL_SOCKET, SO_RCVBUF, &small,
		sizeof(small)), 0);
	far.mute = true;
	for (int i = 0; i < 20; i++, len += 2000) {
		near_say_long(2000);
		turn();
	}
	near_say_long(STREAM_HIGH);
	len += STREAM_HIGH;
	a_while();
	assert_true(stream_full(&near->stream));
	far.mute = false;
	far.bite = 2000;
	UNTIL(!stream_full(&near->stream));
	assert_in_range(len - near->stream.bytes_out, 0, STREAM_LOW);
	UNTIL(buffer_len(&far.got) == len);
}

static void is_full_at_once_when_given_much(void **state)
{
	(void)state;
	far.mute = true;
	near_say_long(1 << 24);
	assert_true(stream_full(&near->stream));
	far.mute = false;
	UNTIL(buffer_len(&far.got) == 1 << 24);
	is_long_text(&far.got, 1 << 24);
	assert_false(stream_full(&near->stream));
}

static void what_nobody_eats_stops_the_sender(void **state)
{
	enum { LEN = 1 << 24 };
	uint64_t before;

	(void)state;
	far_say_long(LEN);
	a_while();
	before = near->stream.bytes_in;
	assert_in_range(before, 1, LOOP_READ_SIZE);
	a_while();
	assert_int_equal(near->stream.bytes_in, before);
	assert_true(buffer_len(&far.out) > 0);
	stream_want(&near->stream, true);
	UNTIL(buffer_len(&near->got) == LEN);
	is_long_text(&near->got, LEN);
}

/* --- ends --------------------------------------------------------------- */

static void far_half_closes(void **state)
{
	(void)state;
	far_say_text("bye");
	assert_int_equal(shutdown(far.fd, SHUT_WR), 0);
	a_while();
	assert_false(stream_ended(&near->stream)); /* not eaten yet */
	stream_want(&near->stream, true);
	UNTIL(stream_ended(&near->stream));
	is_text(&near->got, "bye");
	UNTIL(near->events > 0);
	assert_int_equal(near->stream.error, STREAM_FINE);
	assert_false(near->stream.truncated);
	near_say_long(300000);
	UNTIL(buffer_len(&far.got) == 300000);
	assert_false(far.eof);
	stream_shutdown(&near->stream);
	UNTIL(far.eof);
	is_long_text(&far.got, 300000);
}

static void near_half_closes(void **state)
{
	(void)state;
	stream_want(&near->stream, true);
	stream_write(&near->stream, "bye", 3);
	stream_shutdown(&near->stream);
	stream_shutdown(&near->stream);
	stream_write(&near->stream, "more", 4); /* too late */
	UNTIL(far.eof);
	is_text(&far.got, "bye");
	far_say_long(300000);
	UNTIL(buffer_len(&near->got) == 300000);
	assert_false(stream_ended(&near->stream));
	assert_int_equal(shutdown(far.fd, SHUT_WR), 0);
	UNTIL(stream_ended(&near->stream));
	is_long_text(&near->got, 300000);
}

static void all_goes_before_the_end(void **state)
{
	(void)state;
	far.mute = true;
	near_say_long(10000000);
	stream_shutdown(&near->stream);
	a_while();
	far.mute = false;
	UNTIL(far.eof);
	is_long_text(&far.got, 10000000);
}

static void end_is_noticed_unwanted(void **state)
{
	(void)state;
	assert_int_equal(shutdown(far.fd, SHUT_WR), 0);
	UNTIL(near->events > 0);
	assert_true(stream_ended(&near->stream));
}

static void reset_is_noticed_unwanted(void **state)
{
	(void)state;
	far_reset();
	UNTIL(near->stream.error == STREAM_RESET);
	UNTIL(near->events > 0);
	assert_false(stream_ended(&near->stream));
	stream_write(&near->stream, "x", 1);
	assert_true(stream_flushed(&near->stream));
}

/* libuv calls what follows the last bytes an end, whatever it is. */
static void reset_right_behind_bytes_is_no_end(void **state)
{
	(void)state;
	stream_want(&near->stream, true);
	far_say_text("cut o");
	far_reset(); /* the loop has not turned */
	UNTIL(near->stream.error == STREAM_RESET ||
		stream_ended(&near->stream));
	is_text(&near->got, "cut o");
	assert_false(stream_ended(&near->stream));
}

static void resets(void **state)
{
	(void)state;
	stream_write(&near->stream, "part", 4);
	UNTIL(buffer_len(&far.got) == 4);
	stream_reset(&near->stream);
	stream_close(&near->stream);
	UNTIL(far.eof || far.error);
	assert_int_equal(far.error, ECONNRESET);
}

static void closes_in_order(void **state)
{
	(void)state;
	stream_write(&near->stream, "all", 3);
	UNTIL(buffer_len(&far.got) == 3);
	stream_close(&near->stream);
	assert_false(near->closed);
	UNTIL(far.eof || far.error);
	assert_int_equal(far.error, 0);
}

/* A server that answers before it has read all, and goes: what it said counts,
 * though writing to it failed first. */
static void early_answer_then_reset(void **state)
{
	size_t len;

	(void)state;
	fill(&len);
	far_say_text("413 too much");
	far_close(); /* with bytes unread: a reset */
	a_while();
	near_say_long(100000);
	a_while();
	stream_want(&near->stream, true);
	UNTIL(buffer_len(&near->got) == 12);
	is_text(&near->got, "413 too much");
	UNTIL(near->stream.error == STREAM_RESET ||
		stream_ended(&near->stream));
	UNTIL(near->events > 0);
	assert_false(stream_full(&near->stream));
}

/* The same, but writing fails while the answer is still with the kernel. */
static void early_answer_found_by_writing(void **state)
{
	(void)state;
	far.mute = true;
	stream_write(&near->stream, "unread", 6);
	UNTIL(stream_flushed(&near->stream));
	stream_want(&near->stream, true);
	far_say_text("413 too much");
	far_close();
	near_say_long(100000); /* at once: the loop has not turned */
	assert_true(stream_flushed(&near->stream));
	UNTIL(buffer_len(&near->got) == 12);
	is_text(&near->got, "413 too much");
	UNTIL(near->stream.error == STREAM_RESET ||
		stream_ended(&near->stream));
}

static void early_answer_while_reading(void **state)
{
	size_t len;

	(void)state;
	stream_want(&near->stream, true);
	fill(&len);
	near->events = 0;
	far_say_text("413 too much");
	far_close();
	UNTIL(near->stream.error == STREAM_RESET ||
		stream_ended(&near->stream));
	is_text(&near->got, "413 too much");
	UNTIL(near->events > 0);
	/* writing on ends in an error, whichever way the end was noticed */
	near_say_long(100000);
	UNTIL(stream_flushed(&near->stream));
}

/* far_acts does something and sees that the loop need not turn for the stream
 * to be quiet no more. */
static void far_acts(void (*act)(void))
{
	assert_true(stream_is_quiet(&near->stream));
	act();
	assert_false(stream_is_quiet(&near->stream));
}

static void say_a_byte(void)
{
	far_say_text("x");
}

static void say_the_end(void)
{
	assert_int_equal(shutdown(far.fd, SHUT_WR), 0);
}

static void is_quiet_until_something_came(void **state)
{
	(void)state;
	a_while();
	far_acts(say_a_byte);
	stream_want(&near->stream, true);
	UNTIL(buffer_len(&near->got) == 1);
	far_acts(say_the_end);
}

static void is_not_quiet_after_a_reset(void **state)
{
	(void)state;
	far_acts(far_reset);
	stream_close(&near->stream);
	assert_false(stream_is_quiet(&near->stream));
}

/* Of a peer that has ended its direction there is nothing to read; that ours
 * can't be ended is all that tells of its going. */
static void an_end_after_a_reset_is_told(void **state)
{
	(void)state;
	far.mute = true;
	assert_int_equal(shutdown(far.fd, SHUT_WR), 0);
	UNTIL(stream_ended(&near->stream));
	stream_write(&near->stream, "unread", 6);
	UNTIL(stream_flushed(&near->stream));
	far_close(); /* with bytes unread: a reset */
	assert_false(stream_broken(&near->stream));
	near->events = 0;
	stream_shutdown(&near->stream);
	UNTIL(stream_broken(&near->stream));
	UNTIL(near->events > 0);
}

static void an_end_libuv_refuses_is_told(void **state)
{
	uv_shutdown_t first;

	(void)state;
	assert_int_equal(shutdown(far.fd, SHUT_WR), 0);
	UNTIL(stream_ended(&near->stream));
	assert_int_equal(uv_shutdown(&first,
		(uv_stream_t *)near->stream.tcp, NULL), 0);
	stream_shutdown(&near->stream);
	UNTIL(stream_broken(&near->stream));
}

/* --- closing from within ------------------------------------------------ */

static void close_it(struct near_end *n)
{
	stream_close(&n->stream);
	stream_close(&n->stream);
}

static void closes_in_on_data(void **state)
{
	(void)state;
	near->bite = 1;
	near->in_data = close_it;
	stream_want(&near->stream, true);
	far_say_text("0123456789");
	UNTIL(near->closed);
	assert_int_equal(near->offers, 1);
	is_text(&near->got, "0");
}

static void closes_when_offered_again(void **state)
{
	(void)state;
	far_say_text("0123456789");
	a_while();
	near->bite = 1;
	near->in_data = close_it;
	stream_want(&near->stream, true);
	UNTIL(near->closed);
	assert_int_equal(near->offers, 1);
	assert_int_equal(near->events, 0);
}

static void closes_in_on_event(void **state)
{
	(void)state;
	near->in_event = close_it;
	far_say_text("never offered");
	far_close();
	stream_want(&near->stream, true);
	UNTIL(near->closed);
	assert_int_equal(near->events, 1);
}

static void closes_with_much_queued(void **state)
{
	size_t len;

	(void)state;
	fill(&len);
	stream_close(&near->stream);
	stream_write(&near->stream, "x", 1);
	stream_shutdown(&near->stream);
	stream_want(&near->stream, true);
	UNTIL(near->closed);
	assert_int_equal(near->offers, 0);
}

/* What cannot be a connection is told as one that broke. */
static void a_bad_descriptor_is_an_error(void **state)
{
	struct near_end *other = calloc(1, sizeof(*other));
	struct near_end *mine = near;

	(void)state;
	assert_non_null(other);
	near = other;
	stream_open(&other->stream, &the_loop, -1, &near_ops, other);
	UNTIL(other->events > 0);
	assert_int_equal(other->stream.error, STREAM_RESET);
	stream_close(&other->stream);
	UNTIL(other->closed);
	near = mine;
	free(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(speaks_both_ways),
		TEST(offers_nothing_unwanted),
		TEST(offers_again_what_was_left),
		TEST(wants_no_more_in_the_middle),
		TEST(unread_comes_first),
		TEST(unread_in_the_middle),
		TEST(bytes_in_bytes_out),
		TEST(pieces_stay_in_order),
		TEST(tells_full_and_no_more),
		TEST(is_full_until_little_is_left),
		TEST(is_full_at_once_when_given_much),
		TEST(what_nobody_eats_stops_the_sender),
		TEST(far_half_closes),
		TEST(near_half_closes),
		TEST(all_goes_before_the_end),
		TEST(end_is_noticed_unwanted),
		TEST(reset_is_noticed_unwanted),
		TEST(reset_right_behind_bytes_is_no_end),
		TEST(resets),
		TEST(closes_in_order),
		TEST(early_answer_then_reset),
		TEST(early_answer_found_by_writing),
		TEST(early_answer_while_reading),
		TEST(is_quiet_until_something_came),
		TEST(is_not_quiet_after_a_reset),
		TEST(an_end_after_a_reset_is_told),
		TEST(an_end_libuv_refuses_is_told),
		TEST(closes_in_on_data),
		TEST(closes_when_offered_again),
		TEST(closes_in_on_event),
		TEST(closes_with_much_queued),
		TEST(a_bad_descriptor_is_an_error),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
