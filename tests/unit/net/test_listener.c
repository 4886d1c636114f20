#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/net/address.h"
#include "proxy/net/listener.h"

enum { MANY = 100 };

struct net {
	uv_loop_t loop;
	uv_timer_t guard;
	struct listener *listener;
	struct sockaddr_in at;
	int accepted[MANY];
	unsigned num_accepted, num_paused, num_closed;
	unsigned turns;       /* of the loop, in the last run */
	unsigned stop_at;     /* pause or close when so many are accepted */
	bool close_then;
	int error;
	struct sockaddr_storage peer;
};

static void on_closed(void *arg)
{
	((struct net *)arg)->num_closed++;
}

static void net_close(struct net *net)
{
	if (net->listener)
		listener_close(net->listener, on_closed, net);
	net->listener = NULL;
}

static void on_accepted(void *arg, int fd, const struct sockaddr *peer)
{
	struct net *net = arg;

	assert_true(net->num_accepted < MANY);
	net->accepted[net->num_accepted++] = fd;
	memcpy(&net->peer, peer, address_len(peer));
	if (net->num_accepted != net->stop_at)
		return;
	if (net->close_then)
		net_close(net);
	else
		listener_pause(net->listener);
}

static void on_paused(void *arg, int error)
{
	struct net *net = arg;

	net->num_paused++;
	net->error = error;
}

static const struct listener_ops ops = { on_accepted, on_paused };

/* free_port finds one by taking it for a moment. */
static struct sockaddr_in free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	(void)close(fd);
	return at;
}

static int open_at(struct net *net, const struct sockaddr_in *at,
	struct listener **out, char err[200])
{
	int fd;

	if (listener_bind((const struct sockaddr *)at, &fd, err, 200) != 0)
		return -1;
	return listener_open(&net->loop, fd, &ops, net, out, err, 200);
}

static int set_up(void **state)
{
	struct net *net = calloc(1, sizeof(*net));
	char err[200] = "";

	assert_non_null(net);
	assert_int_equal(uv_loop_init(&net->loop), 0);
	(void)uv_timer_init(&net->loop, &net->guard);
	net->at = free_port();
	if (open_at(net, &net->at, &net->listener, err) != 0)
		fail_msg("%s", err);
	*state = net;
	return 0;
}

static int tear_down(void **state)
{
	struct net *net = *state;

	net_close(net);
	uv_close((uv_handle_t *)&net->guard, NULL);
	(void)uv_run(&net->loop, UV_RUN_DEFAULT);
	assert_int_equal(net->num_closed, 1);
	assert_int_equal(uv_loop_close(&net->loop), 0);
	for (unsigned i = 0; i < net->num_accepted; i++)
		(void)close(net->accepted[i]);
	free(net);
	return 0;
}

static void on_guard(uv_timer_t *timer)
{
	(void)timer;
}

/* run runs the loop for ms, or until num are accepted. */
static void run(struct net *net, unsigned num, uint64_t ms)
{
	uv_update_time(&net->loop);
	(void)uv_timer_start(&net->guard, on_guard, ms, 0);
	for (net->turns = 0; uv_is_active((uv_handle_t *)&net->guard)
			&& net->num_accepted < num; net->turns++)
		(void)uv_run(&net->loop, UV_RUN_ONCE);
	(void)uv_timer_stop(&net->guard);
}

static int try_connect(struct net *net, int fd)
{
	return connect(fd, (struct sockaddr *)&net->at, sizeof(net->at));
}

static int client(struct net *net)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(try_connect(net, fd), 0);
	return fd;
}

static void accepts(void **state)
{
	struct net *net = *state;
	struct sockaddr_in local;
	socklen_t len = sizeof(local);
	int fd = client(net);

	run(net, 1, 2000);
	assert_int_equal(net->num_accepted, 1);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&local, &len), 0);
	assert_true(address_equal((void *)&net->peer, (void *)&local));
	assert_true(fcntl(net->accepted[0], F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(net->accepted[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(net->num_paused, 0);
	(void)close(fd);
}

static void accepts_64_at_a_time(void **state)
{
	struct net *net = *state;
	int fds[MANY];

	for (int i = 0; i < MANY; i++)
		fds[i] = client(net);
	(void)uv_run(&net->loop, UV_RUN_NOWAIT);
	assert_int_equal(net->num_accepted, 64);
	(void)uv_run(&net->loop, UV_RUN_NOWAIT);
	assert_int_equal(net->num_accepted, MANY);
	for (int i = 0; i < MANY; i++)
		(void)close(fds[i]);
}

static void pauses_and_resumes(void **state)
{
	struct net *net = *state;
	int fds[3];

	listener_pause(net->listener);
	listener_pause(net->listener);
	fds[0] = client(net);
	run(net, 1, 250);
	assert_int_equal(net->num_accepted, 0);
	assert_true(net->turns < 10); /* it sleeps */
	listener_resume(net->listener);
	run(net, 1, 2000);
	assert_int_equal(net->num_accepted, 1);
	net->stop_at = 2;
	fds[1] = client(net);
	fds[2] = client(net);
	run(net, 3, 250);
	assert_int_equal(net->num_accepted, 2);
	listener_resume(net->listener);
	run(net, 3, 2000);
	assert_int_equal(net->num_accepted, 3);
	assert_int_equal(net->num_paused, 0);
	for (int i = 0; i < 3; i++)
		(void)close(fds[i]);
}

static void closes_at_once(void **state)
{
	struct net *net = *state;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	net_close(net);
	assert_int_equal(net->num_closed, 0);
	assert_int_equal(try_connect(net, fd), -1);
	assert_int_equal(errno, ECONNREFUSED);
	(void)close(fd);
}

static void may_close_when_accepting(void **state)
{
	struct net *net = *state;
	int a = client(net), b = client(net);

	net->stop_at = 1;
	net->close_then = true;
	run(net, 2, 100);
	assert_int_equal(net->num_accepted, 1);
	assert_int_equal(net->num_closed, 1);
	(void)close(a);
	(void)close(b);
}

static void limit_files(rlim_t num)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		_exit(10);
	limit.rlim_cur = num;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		_exit(11);
}

#define CHECK(what) do { if (!(what)) _exit(__LINE__ % 200 + 20); } while (0)

/* In a process of its own: there, what has no descriptor for it waits in the
 * kernel's queue, is told of once, and is accepted when there is room. */
static void without_descriptors(struct net *net)
{
	int fds[4], next;

	for (int i = 0; i < 4; i++)
		CHECK((fds[i] = socket(AF_INET, SOCK_STREAM, 0)) >= 0);
	next = dup(0);
	CHECK(next >= 0 && close(next) == 0);
	limit_files((rlim_t)next + 1); /* room for one */
	for (int i = 0; i < 4; i++)
		CHECK(try_connect(net, fds[i]) == 0);
	run(net, 4, 450);
	CHECK(net->num_accepted == 1);
	CHECK(net->turns < 30);
	CHECK(net->num_paused == 1 && net->error == EMFILE);
	limit_files((rlim_t)next + 3);
	run(net, 3, 2000);
	CHECK(net->num_accepted == 3);
	run(net, 4, 50);
	CHECK(net->num_paused == 2);
	limit_files((rlim_t)next + 10);
	listener_resume(net->listener);
	(void)uv_run(&net->loop, UV_RUN_NOWAIT); /* no rest any more */
	CHECK(net->num_accepted == 4);
	CHECK(net->num_paused == 2);
	_exit(0);
}

static void survives_without_descriptors(void **state)
{
	struct net *net = *state;
	int status = -1;
	pid_t pid;

	/* libuv's loop is not for use after a fork: the child makes its own */
	net_close(net);
	(void)uv_run(&net->loop, UV_RUN_NOWAIT);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct net *own = NULL;

		CHECK(set_up((void **)&own) == 0);
		without_descriptors(own);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void several_share_an_address(void **state)
{
	struct net *net = *state;
	struct listener *second = NULL;
	char err[200] = "";

	assert_int_equal(open_at(net, &net->at, &second, err), 0);
	listener_close(second, NULL, NULL);
}

static void claim_tells_who_has_it(void **state)
{
	struct net *net = *state;
	char err[200] = "", pid[32], place[32];
	struct sockaddr_in everywhere = net->at;

	(void)snprintf(place, sizeof(place), "127.0.0.1:%u is in use by ",
		ntohs(net->at.sin_port));
	(void)snprintf(pid, sizeof(pid), "(pid %d)",
		(int)getpid());
	assert_int_equal(listener_claim((struct sockaddr *)&net->at, err,
		sizeof(err)), -1);
	assert_ptr_equal(strstr(err, place), err);
	assert_non_null(strstr(err, pid));
	everywhere.sin_addr.s_addr = htonl(INADDR_ANY);
	assert_int_equal(listener_claim((struct sockaddr *)&everywhere, err,
		sizeof(err)), -1);
	assert_non_null(strstr(err, pid));
	net_close(net);
	assert_int_equal(listener_claim((struct sockaddr *)&net->at, err,
		sizeof(err)), 0);
	assert_int_equal(listener_claim((struct sockaddr *)&net->at, err,
		sizeof(err)), 0);
}

static void claim_tells_what_else(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct net *net = *state;
	struct listener *listener = NULL;
	char err[200] = "";

	assert_int_equal(inet_pton(AF_INET, "198.51.100.7", &at.sin_addr), 1);
	at.sin_port = htons(8080);
	assert_int_equal(listener_claim((struct sockaddr *)&at, err,
		sizeof(err)), -1);
	assert_string_equal(err, "cannot listen on 198.51.100.7:8080: "
		"Cannot assign requested address");
	err[0] = '\0';
	assert_int_equal(open_at(net, &at, &listener, err), -1);
	assert_non_null(strstr(err, "198.51.100.7:8080"));
	assert_null(listener);
}

/* A number that libuv still knows of, closed behind its back: what the next
 * socket gets. */
static void tells_what_libuv_says(void **state)
{
	struct net *net = *state;
	struct listener *listener = NULL;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char err[200] = "";
	uv_poll_t old;

	assert_int_equal(uv_poll_init(&net->loop, &old, fd), 0);
	assert_int_equal(uv_poll_start(&old, UV_READABLE, NULL), 0);
	assert_int_equal(close(fd), 0);
	errno = 0;
	assert_int_equal(open_at(net, &net->at, &listener, err), -1);
	uv_close((uv_handle_t *)&old, NULL);
	(void)uv_run(&net->loop, UV_RUN_NOWAIT);
	assert_non_null(strstr(err, "File exists"));
}

static void claim_of_ipv6(void **state)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	char err[200] = "", pid[32];

	(void)state;
	at.sin6_addr = in6addr_loopback;
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0
			|| listen(fd, 1) != 0) {
		print_message("not run: no IPv6 here\n");
		if (fd >= 0)
			(void)close(fd);
		skip();
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(listener_claim((struct sockaddr *)&at, err,
		sizeof(err)), -1);
	(void)snprintf(pid, sizeof(pid), "(pid %d)", (int)getpid());
	assert_ptr_equal(strstr(err, "[::1]:"), err);
	assert_non_null(strstr(err, pid));
	(void)close(fd);
}

/* Without a rule that redirects, the kernel knows of nothing, or of where the
 * connection went anyway. */
static void origdst_of_a_plain_connection(void **state)
{
	struct net *net = *state;
	struct sockaddr_storage was = {0};
	int fd = client(net);

	run(net, 1, 2000);
	assert_int_equal(net->num_accepted, 1);
	if (origdst_get(net->accepted[0], &was) == 0)
		assert_true(address_equal((void *)&was, (void *)&net->at));
	assert_int_equal(origdst_get(-1, &was), -1);
	(void)close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accepts),
		TEST(accepts_64_at_a_time),
		TEST(pauses_and_resumes),
		TEST(closes_at_once),
		TEST(may_close_when_accepting),
		TEST(survives_without_descriptors),
		TEST(several_share_an_address),
		TEST(claim_tells_who_has_it),
		TEST(claim_tells_what_else),
		TEST(tells_what_libuv_says),
		TEST(claim_of_ipv6),
		TEST(origdst_of_a_plain_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
