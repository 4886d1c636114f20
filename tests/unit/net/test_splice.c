#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/net/splice.h"
#include "proxy/net/stream.h"

/* --- sockets ------------------------------------------------------------ */

/* tcp_pair makes a connection on loopback; out[0] is non-blocking. */
static void tcp_pair(int out[2])
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (void *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (void *)&at, &len), 0);
	out[1] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(out[1], (void *)&at, sizeof(at)), 0);
	out[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(out[0] >= 0);
	close(listener);
}

/* reset_hard ends the connection of fd with a RST, and forgets it. */
static void reset_hard(int *fd)
{
	struct linger hard = {.l_onoff = 1};

	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(*fd);
	*fd = -1;
}

static void wait_readable(int fd)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	assert_int_equal(select(fd + 1, &set, NULL, NULL, NULL), 1);
}

/* --- one move ----------------------------------------------------------- */

static struct splicer splicer;
static struct buffer rest;
static struct spliced moved;
static int from[2], to[2];

static int set_up(void **state)
{
	(void)state;
	splicer_init(&splicer);
	tcp_pair(from);
	tcp_pair(to);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	splicer_clear(&splicer);
	buffer_clear(&rest);
	for (int i = 0; i < 2; i++) {
		close(from[i]);
		close(to[i]);
	}
	return 0;
}

static enum splice_result move(void)
{
	return splice_move(&splicer, from[0], to[0], &rest, &moved);
}

static void what_came_goes(void **state)
{
	char got[20];

	(void)state;
	assert_int_equal(move(), SPLICE_NOTHING);
	assert_int_equal(write(from[1], "some bytes", 10), 10);
	wait_readable(from[0]);
	assert_int_equal(move(), SPLICE_MOVED);
	assert_int_equal(moved.in, 10);
	assert_int_equal(moved.out, 10);
	assert_int_equal(buffer_len(&rest), 0);
	assert_int_equal(read(to[1], got, sizeof(got)), 10);
	assert_memory_equal(got, "some bytes", 10);
}

static void the_end_is_told(void **state)
{
	(void)state;
	assert_int_equal(shutdown(from[1], SHUT_WR), 0);
	wait_readable(from[0]);
	assert_int_equal(move(), SPLICE_ENDED);
}

static void a_reset_is_told(void **state)
{
	(void)state;
	reset_hard(&from[1]);
	wait_readable(from[0]);
	assert_int_equal(move(), SPLICE_BROKE);
}

/* fill writes until the socket takes no more. */
static size_t fill(int fd)
{
	static char bytes[65536];
	size_t all = 0;
	ssize_t n;

	while ((n = write(fd, bytes, sizeof(bytes))) > 0)
		all += (size_t)n;
	assert_int_equal(errno, EAGAIN);
	return all;
}

static void what_is_not_taken_is_kept(void **state)
{
	static char bytes[100000];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	(void)fill(to[0]);
	assert_int_equal(write(from[1], bytes, sizeof(bytes)), sizeof(bytes));
	while (buffer_len(&rest) < sizeof(bytes)) {
		wait_readable(from[0]);
		assert_int_equal(move(), SPLICE_MOVED);
		assert_int_equal(moved.out, 0);
		assert_false(moved.deaf);
	}
	assert_memory_equal(buffer_at(&rest), bytes, sizeof(bytes));
	/* and the pipe is empty for the next */
	assert_int_equal(move(), SPLICE_NOTHING);
}

static void one_who_takes_nothing_more(void **state)
{
	(void)state;
	reset_hard(&to[1]);
	wait_readable(to[0]);
	assert_int_equal(write(from[1], "lost", 4), 4);
	wait_readable(from[0]);
	assert_int_equal(move(), SPLICE_MOVED);
	assert_true(moved.deaf);
	assert_int_equal(buffer_len(&rest), 0);
	/* what was lost does not turn up in what is moved next */
	close(to[0]);
	tcp_pair(to);
	what_came_goes(state);
}

/* limit_descriptors lets no more be opened, or as many as before. */
static void limit_descriptors(bool limit)
{
	struct rlimit now;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	now.rlim_cur = limit ? 3 : now.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
}

static void without_a_pipe_nothing_moves(void **state)
{
	(void)state;
	splicer_clear(&splicer);
	assert_int_equal(write(from[1], "stays", 5), 5);
	wait_readable(from[0]);
	limit_descriptors(true);
	assert_int_equal(move(), SPLICE_NOTHING);
	/* until there may be one again */
	limit_descriptors(false);
	assert_int_equal(move(), SPLICE_MOVED);
	assert_int_equal(moved.out, 5);
}

/* What breaks a connection, other than its peer, breaks it here too: the
 * administrator's ss -K for one. */
static void an_abort_is_told(void **state)
{
	struct pollfd poll_from = {.fd = from[0]};
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	char command[100];

	(void)state;
	assert_int_equal(getsockname(from[0], (void *)&at, &len), 0);
	(void)snprintf(command, sizeof(command), "ss -K state established "
		"dst 127.0.0.1 sport = :%u >/dev/null 2>&1",
		ntohs(at.sin_port));
	if (geteuid() != 0 || system(command) != 0 ||
	    poll(&poll_from, 1, 0) != 1 || !(poll_from.revents & POLLERR)) {
		puts("not run: only root may break connections, by ss -K, and "
		     "not in every kernel");
		skip();
	}
	assert_int_equal(move(), SPLICE_BROKE);
}

/* --- two streams, joined ------------------------------------------------ */

enum { BYTES = 48 * 1000 * 1000 };

struct side {
	struct stream stream;
	struct side *other;
	size_t seen; /* that on_data was shown */
	bool closed;
};

static struct loop loop;
static struct side sides[2];
static bool no_pipe;

/* What a tunnel does. */
static void relay(struct side *side)
{
	struct stream *stream = &side->stream, *other = &side->other->stream;

	if (stream_ended(stream))
		stream_shutdown(other);
	stream_want(stream, !stream_full(other));
	stream_want(other, !stream_full(stream));
	if (stream_ended(stream) && stream_ended(other) &&
		stream_flushed(stream) && stream_flushed(other)) {
		stream_close(stream);
		stream_close(other);
		loop_stop(&loop);
	}
}

static size_t on_data(void *owner, const uint8_t *data, size_t len)
{
	struct side *side = owner;

	side->seen += len;
	stream_write(&side->other->stream, data, len);
	relay(side);
	return len;
}

static void on_event(void *owner)
{
	relay(owner);
}

static void on_closed(void *owner)
{
	struct side *side = owner;

	side->closed = true;
}

static const struct stream_ops ops = {on_data, on_event, on_closed};

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i ^ i >> 8 ^ i >> 17);
}

static void *writer(void *arg)
{
	static uint8_t bytes[100000];
	int fd = *(int *)arg;
	size_t at = 0, n;

	while (at < BYTES) {
		n = BYTES - at < sizeof(bytes) ? BYTES - at : sizeof(bytes);
		for (size_t i = 0; i < n; i++)
			bytes[i] = byte_at(at + i);
		if (write(fd, bytes, n) != (ssize_t)n)
			abort();
		at += n;
	}
	shutdown(fd, SHUT_WR);
	return NULL;
}

/* reader stops now and then, so that the relay has to wait for it. */
static void *reader(void *arg)
{
	static uint8_t bytes[300000];
	int fd = *(int *)arg;
	size_t at = 0, pause = BYTES / 5;
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (bytes[i] != byte_at(at + (size_t)i))
				abort();
		at += (size_t)n;
		if (at > pause) {
			usleep(50000);
			pause += BYTES / 5;
		}
	}
	shutdown(fd, SHUT_WR);
	return at == BYTES && n == 0 ? arg : NULL;
}

/* open_joined has from[0] and to[0] relayed by two streams on a new loop. */
static void open_joined(void)
{
	memset(sides, 0, sizeof(sides));
	loop_init(&loop);
	for (int i = 0; i < 2; i++) {
		sides[i].other = &sides[!i];
		stream_open(&sides[i].stream, &loop, i ? to[0] : from[0], &ops,
			&sides[i]);
		stream_want(&sides[i].stream, true);
	}
	stream_join(&sides[0].stream, &sides[1].stream);
	from[0] = to[0] = -1;
}

static void run_joined(size_t *out_seen)
{
	pthread_t threads[2];
	void *whole;

	open_joined();
	if (no_pipe) {
		splicer_clear(&loop.splicer);
		limit_descriptors(true);
	}
	pthread_create(&threads[0], NULL, writer, &from[1]);
	pthread_create(&threads[1], NULL, reader, &to[1]);
	loop_run(&loop);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], &whole);
	limit_descriptors(false);
	loop_clear(&loop);
	assert_non_null(whole);
	assert_true(sides[0].closed && sides[1].closed);
	assert_int_equal(sides[0].stream.bytes_in, BYTES);
	assert_int_equal(sides[1].stream.bytes_out, BYTES);
	*out_seen = sides[0].seen;
}

static void joined_streams_relay_unseen(void **state)
{
	size_t seen;

	(void)state;
	run_joined(&seen);
	assert_in_range(seen, 1, BYTES / 2);
}

/* The same, when the loop has no pipe. */
static void joined_streams_without_a_pipe(void **state)
{
	size_t seen;

	(void)state;
	no_pipe = true;
	run_joined(&seen);
	no_pipe = false;
	assert_int_equal(seen, BYTES);
}

/* drain reads until nothing comes for a moment, turning the loop if told to;
 * returns the last 11 bytes. */
static const char *drain(int fd, bool turn)
{
	static char bytes[65536], last[12];
	ssize_t n;

	for (int quiet = 0; quiet < 20; quiet++) {
		if (turn)
			(void)uv_run(&loop.uv, UV_RUN_NOWAIT);
		n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n > 0) {
			for (ssize_t i = n > 11 ? n - 11 : 0; i < n; i++) {
				memmove(last, last + 1, 10);
				last[10] = bytes[i];
			}
			quiet = 0;
		} else {
			usleep(1000);
		}
	}
	return last;
}

/* When the socket can take bytes again, what has come is told of before that:
 * it must not overtake what waits. */
static void what_waits_goes_first(void **state)
{
	int near_from = from[0];

	(void)state;
	(void)fill(to[0]);
	open_joined();
	stream_write(&sides[1].stream, "first", 5);
	(void)uv_run(&loop.uv, UV_RUN_NOWAIT);
	sides[0].stream.splicing = true;
	assert_int_equal(write(from[1], "second", 6), 6);
	wait_readable(near_from);
	(void)drain(to[1], false);
	assert_string_equal(drain(to[1], true), "firstsecond");
	stream_close(&sides[0].stream);
	stream_close(&sides[1].stream);
	loop_stop(&loop);
	loop_run(&loop);
	loop_clear(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_came_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_end_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_reset_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_not_taken_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			one_who_takes_nothing_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			without_a_pipe_nothing_moves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_abort_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_waits_goes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			joined_streams_relay_unseen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			joined_streams_without_a_pipe, set_up, tear_down),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("splice", tests, NULL, NULL);
}
