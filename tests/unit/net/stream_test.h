/*
 * stream_test.h - a stream on a loop, and at the other end of its connection
 * the test itself: bare TCP, or TLS on top.
 */
#ifndef TESTS_UNIT_NET_STREAM_TEST_H
#define TESTS_UNIT_NET_STREAM_TEST_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/net/stream.h"
#include "tests/support/tls_test.h"

enum { PATIENCE_MS = 10000 };

struct near_end { /* owns the stream */
	struct stream stream;
	struct buffer got;
	size_t may_eat;  /* what on_data eats in all, before it eats nothing */
	size_t bite;     /* at most at a time */
	unsigned events, offers;
	bool closed;
	void (*in_data)(struct near_end *near); /* after eating */
	void (*in_event)(struct near_end *near);
};

struct far_end {
	int fd;
	bool is_tls, eof;
	int error;       /* errno of the first failed read or write */
	struct buffer got, out;
	struct tls_engine tls;
	enum tls_result last;
	size_t piece;    /* bytes written at a time */
	size_t bite;     /* bytes read at a time */
	bool mute;       /* reads nothing */
};

static struct loop the_loop;
static bool running, inside;
static struct near_end *near;
static struct far_end far;
static SSL_CTX *client_ctx, *server_ctx;

/* --- the near end ------------------------------------------------------- */

/* No callback comes from inside a call of the test, nor of another callback. */
static inline void enter(const struct near_end *n)
{
	assert_true(running && !inside);
	assert_false(n->closed);
	inside = true;
}

static inline size_t near_on_data(void *owner, const uint8_t *data, size_t len)
{
	struct near_end *n = owner;
	size_t take = len < n->bite ? len : n->bite;

	enter(n);
	assert_true(n->stream.open);
	assert_true(len > 0);
	n->offers++;
	if (take > n->may_eat)
		take = n->may_eat;
	buffer_add(&n->got, data, take);
	n->may_eat -= take;
	if (n->in_data)
		n->in_data(n);
	inside = false;
	return take;
}

static inline void near_on_event(void *owner)
{
	struct near_end *n = owner;

	enter(n);
	assert_true(n->stream.open);
	n->events++;
	if (n->in_event)
		n->in_event(n);
	inside = false;
}

static inline void near_on_closed(void *owner)
{
	struct near_end *n = owner;

	enter(n);
	assert_false(n->stream.open);
	n->closed = true;
	inside = false;
}

static const struct stream_ops near_ops = { near_on_data, near_on_event,
	near_on_closed };

/* put_back, as in_data, gives back the four bytes that were eaten first. */
static inline void put_back(struct near_end *n)
{
	if (n->offers > 1)
		return;
	assert_int_equal(buffer_len(&n->got), 4);
	stream_unread(&n->stream, buffer_at(&n->got), 4);
	buffer_clear(&n->got);
	n->bite = SIZE_MAX;
}

/* --- the far end -------------------------------------------------------- */

static inline void far_failed(void)
{
	if (errno != EAGAIN && errno != EINTR && !far.error)
		far.error = errno;
}

/* far_flush sends what the socket takes of out. */
static inline void far_flush(void)
{
	size_t n = buffer_len(&far.out);
	ssize_t sent;

	if (n > far.piece)
		n = far.piece;
	if (n == 0 || far.fd < 0)
		return;
	sent = send(far.fd, buffer_at(&far.out), n, MSG_NOSIGNAL);
	if (sent < 0)
		far_failed();
	else
		buffer_eat(&far.out, (size_t)sent);
}

static inline void far_decrypt(const uint8_t *data, size_t len)
{
	uint8_t plain[5000];
	size_t n = 1;

	tls_engine_give(&far.tls, data, len);
	far.last = tls_engine_handshake(&far.tls);
	if (far.last == TLS_OK)
		do {
			far.last = tls_engine_read(&far.tls, plain,
				sizeof(plain), &n);
			buffer_add(&far.got, plain, n);
		} while (far.last == TLS_OK);
	(void)tls_engine_left(&far.tls);
}

static inline void far_pump(void)
{
	static uint8_t bytes[100000];
	ssize_t n;

	far_flush();
	if (far.mute || far.fd < 0 || far.eof)
		return;
	n = recv(far.fd, bytes, far.bite < sizeof(bytes) ? far.bite :
		sizeof(bytes), 0);
	if (n < 0)
		far_failed();
	else if (n == 0)
		far.eof = true;
	else if (far.is_tls)
		far_decrypt(bytes, (size_t)n);
	else
		buffer_add(&far.got, bytes, (size_t)n);
}

static inline void far_say(const void *data, size_t len)
{
	if (far.is_tls)
		assert_int_equal(tls_engine_write(&far.tls, data, len),
			TLS_OK);
	else
		buffer_add(&far.out, data, len);
	far_flush();
}

static inline void far_say_text(const char *text)
{
	far_say(text, strlen(text));
}

static inline void far_close(void)
{
	assert_int_equal(close(far.fd), 0);
	far.fd = -1;
}

static inline void far_reset(void)
{
	struct linger hard = { .l_onoff = 1 };

	assert_int_equal(setsockopt(far.fd, SOL_SOCKET, SO_LINGER, &hard,
		sizeof(hard)), 0);
	far_close();
}

static inline bool far_secure(void)
{
	return SSL_is_init_finished(far.tls.ssl) && buffer_len(&far.out) == 0;
}

/* far_tls begins TLS as the client. */
static inline void far_tls(uint16_t version)
{
	far.is_tls = true;
	tls_engine_init(&far.tls, tls_test_ssl(client_ctx, 0, version),
		&far.out);
	far.last = tls_engine_handshake(&far.tls);
	assert_int_equal(far.last, TLS_MORE);
}

/* --- time --------------------------------------------------------------- */

static inline uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline void turn(void)
{
	running = true;
	(void)uv_run(&the_loop.uv, UV_RUN_NOWAIT);
	running = false;
}

/* UNTIL turns the loop, and lets the far end speak, until holds. */
#define UNTIL(holds) do { \
	uint64_t until_ = now_ms() + PATIENCE_MS; \
	while (!(holds)) { \
		turn(); \
		far_pump(); \
		if (now_ms() > until_) \
			fail_msg("waited in vain: " #holds); \
	} \
} while (0)

/* a_while is long enough for what should not happen to happen. */
static inline void a_while(void)
{
	uint64_t until = now_ms() + 30;

	while (now_ms() < until) {
		turn();
		far_pump();
	}
}

/* --- a test ------------------------------------------------------------- */

static inline void make_pair(int *out_near, int *out_far)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*out_near = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(door >= 0 && *out_near >= 0);
	assert_int_equal(bind(door, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(door, 1), 0);
	assert_int_equal(getsockname(door, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(connect(*out_near, (struct sockaddr *)&at, len), 0);
	*out_far = accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(*out_far >= 0);
	assert_int_equal(fcntl(*out_near, F_SETFL, O_NONBLOCK), 0);
	(void)close(door);
}

static inline int begin(void **state)
{
	int fd;

	(void)state;
	loop_init(&the_loop);
	near = calloc(1, sizeof(*near));
	if (!near)
		return -1;
	near->may_eat = near->bite = SIZE_MAX;
	far = (struct far_end){ .last = TLS_MORE, .piece = SIZE_MAX,
		.bite = SIZE_MAX };
	make_pair(&fd, &far.fd);
	stream_open(&near->stream, &the_loop, fd, &near_ops, near);
	return 0;
}

/* end closes all; what is left then is a leak, for the sanitizer to tell. */
static inline int end(void **state)
{
	(void)state;
	stream_close(&near->stream);
	UNTIL(near->closed);
	buffer_clear(&near->got);
	free(near);
	near = NULL;
	loop_stop(&the_loop);
	loop_run(&the_loop);
	loop_clear(&the_loop);
	if (far.fd >= 0)
		(void)close(far.fd);
	if (far.is_tls)
		tls_engine_clear(&far.tls);
	buffer_clear(&far.got);
	buffer_clear(&far.out);
	return 0;
}

static inline int group_begin(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	client_ctx = tls_test_client_ctx();
	server_ctx = tls_test_server_ctx();
	return 0;
}

static inline int group_end(void **state)
{
	(void)state;
	SSL_CTX_free(client_ctx);
	SSL_CTX_free(server_ctx);
	return 0;
}

static inline void is_text(const struct buffer *buffer, const char *text)
{
	assert_int_equal(buffer_len(buffer), strlen(text));
	assert_memory_equal(buffer_at(buffer), text, strlen(text));
}

/* A long text of which every part can be told from every other. */
static inline uint8_t *long_text(size_t len)
{
	uint8_t *text = malloc(len);

	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = (uint8_t)(i % 251 + i / 251 * 17 + i / 65521);
	return text;
}

static inline void is_long_text(const struct buffer *buffer, size_t len)
{
	uint8_t *text = long_text(len);

	assert_int_equal(buffer_len(buffer), len);
	assert_memory_equal(buffer_at(buffer), text, len);
	free(text);
}

static inline void near_say_long(size_t len)
{
	uint8_t *text = long_text(len);

	stream_write(&near->stream, text, len);
	free(text);
}

static inline void far_say_long(size_t len)
{
	uint8_t *text = long_text(len);

	far_say(text, len);
	free(text);
}

#endif
