/* test_stream_pair.c - two streams on a pair of sockets, in one loop. */
#include "tests/unit/net/stream_test.h"

static struct near_end *other;

static struct near_end *open_end(int fd)
{
	struct near_end *end_ = calloc(1, sizeof(*end_));

	assert_non_null(end_);
	end_->may_eat = end_->bite = SIZE_MAX;
	stream_open(&end_->stream, &the_loop, fd, &near_ops, end_);
	return end_;
}

static int begin_pair(void **state)
{
	int ends[2];

	(void)state;
	loop_init(&the_loop);
	far = (struct far_end){.fd = -1};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		    ends) != 0)
		return -1;
	near = open_end(ends[0]);
	other = open_end(ends[1]);
	stream_pair(&near->stream, &other->stream);
	stream_want(&near->stream, true);
	stream_want(&other->stream, true);
	return 0;
}

static int end_pair(void **state)
{
	stream_close(&other->stream);
	UNTIL(other->closed);
	buffer_clear(&other->got);
	free(other);
	return end(state);
}

static void speaks_both_ways(void **state)
{
	(void)state;
	stream_write(&near->stream, "hello", 5);
	stream_write(&other->stream, "you", 3);
	UNTIL(buffer_len(&near->got) == 3 && buffer_len(&other->got) == 5);
	is_text(&near->got, "you");
	is_text(&other->got, "hello");
	assert_false(stream_alone(&near->stream));
}

static void half_closes(void **state)
{
	(void)state;
	stream_write(&near->stream, "last", 4);
	stream_shutdown(&near->stream);
	UNTIL(stream_ended(&other->stream));
	is_text(&other->got, "last");
	stream_write(&other->stream, "answer", 6);
	UNTIL(buffer_len(&near->got) == 6);
	assert_false(stream_alone(&other->stream));
	assert_false(stream_ended(&near->stream));
}

static void a_close_is_told_and_what_came_before_is_read(void **state)
{
	(void)state;
	other->may_eat = 0;
	stream_write(&near->stream, "last", 4);
	UNTIL(other->offers > 0);
	stream_close(&near->stream);
	assert_true(stream_alone(&other->stream));
	UNTIL(other->events > 0);
	assert_false(stream_ended(&other->stream));
	other->may_eat = SIZE_MAX;
	stream_want(&other->stream, false);
	stream_want(&other->stream, true);
	UNTIL(stream_ended(&other->stream));
	is_text(&other->got, "last");
	assert_int_equal(other->stream.error, STREAM_FINE);
}

static void a_reset_is_one_once_what_came_before_is_read(void **state)
{
	(void)state;
	stream_write(&near->stream, "part", 4);
	UNTIL(stream_flushed(&near->stream));
	stream_reset(&near->stream);
	stream_close(&near->stream);
	UNTIL(other->stream.error == STREAM_RESET);
	is_text(&other->got, "part");
	assert_true(stream_broken(&other->stream));
	assert_false(stream_ended(&other->stream));
}

static void who_is_refused_is_deaf(void **state)
{
	(void)state;
	stream_refuse(&near->stream);
	stream_write(&other->stream, "nobody hears", 12);
	UNTIL(stream_deaf(&other->stream));
	assert_false(stream_broken(&other->stream));
	stream_write(&near->stream, "still", 5);
	UNTIL(buffer_len(&other->got) == 5);
}

static void closed_together_they_do_not_know_each_other(void **state)
{
	(void)state;
	stream_close(&near->stream);
	stream_reset(&other->stream);
	stream_close(&other->stream);
	UNTIL(near->closed && other->closed);
}

static void what_nobody_eats_stops_the_sender(void **state)
{
	const size_t len = 4 << 20;
	uint8_t *text = long_text(len);

	(void)state;
	stream_want(&other->stream, false);
	stream_write(&near->stream, text, len);
	a_while();
	assert_true(stream_full(&near->stream));
	stream_want(&other->stream, true);
	UNTIL(buffer_len(&other->got) == len);
	assert_memory_equal(buffer_at(&other->got), text, len);
	UNTIL(!stream_full(&near->stream));
	free(text);
}

#define PAIR(test) cmocka_unit_test_setup_teardown(test, begin_pair, end_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR(speaks_both_ways),
		PAIR(half_closes),
		PAIR(a_close_is_told_and_what_came_before_is_read),
		PAIR(a_reset_is_one_once_what_came_before_is_read),
		PAIR(who_is_refused_is_deaf),
		PAIR(closed_together_they_do_not_know_each_other),
		PAIR(what_nobody_eats_stops_the_sender),
	};

	return cmocka_run_group_tests(tests, group_begin, group_end);
}
