#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/net/dial.h"
#include "tests/support/tiny_dns.h"

static const struct tiny_row all_rows[] = {
	{ .name = "live.test", .v4 = "127.0.0.3", .ttl = 60 },
	{ .name = "refused-first.test", .v4 = "127.0.0.4 127.0.0.5 127.0.0.3",
		.ttl = 60 },
	{ .name = "dead-first.test", .v4 = "127.0.0.2 127.0.0.3", .ttl = 60 },
	{ .name = "dead.test", .v4 = "127.0.0.2", .ttl = 60 },
	{ .name = "refused.test", .v4 = "127.0.0.4 127.0.0.5", .ttl = 60 },
	{ .name = "dead-and-refused.test", .v4 = "127.0.0.4 127.0.0.2",
		.ttl = 60 },
	{ .name = "multicast-first.test", .v4 = "224.0.0.1 127.0.0.3",
		.ttl = 60 },
	{ .name = "both.test", .v6 = "::1", .v4 = "127.0.0.3", .ttl = 60 },
	{ .name = "late4.test", .v6 = "::1", .v4 = "127.0.0.3", .ttl = 60,
		.late4_ms = 300 },
	{ .name = "silent6.test", .v4 = "127.0.0.3", .ttl = 60,
		.silent6 = true },
	{ .name = "none.test", .rcode = 3 },
	{ .name = "broken.test", .rcode = 2 },
	{ .name = "*", .silent = true },
	{ .name = NULL },
};

enum { FILLERS = 8 };

struct net {
	uv_loop_t loop;
	uv_timer_t guard;
	struct tiny_row rows[sizeof(all_rows) / sizeof(all_rows[0])];
	struct tiny_dns dns;
	struct resolver *resolver;
	int live;              /* listens at 127.0.0.3:port */
	int dead;              /* 127.0.0.2:port: nobody accepts, queue full */
	int fillers[FILLERS];
	uint16_t port;
	int num_fds;           /* open before the test */
};

struct caller {
	struct net *net;
	struct dial_order order;
	struct dial *dial;
	unsigned told;
	enum dial_status status;
	int fd;
	struct sockaddr_storage peer;
	uint64_t asked_ms, after_ms;
};

static int num_fds(void)
{
	int num = 0;

	for (int fd = 0; fd < 1024; fd++)
		num += fcntl(fd, F_GETFD) >= 0;
	return num;
}

static struct sockaddr_in at(const char *text, uint16_t port)
{
	struct sockaddr_in out = { .sin_family = AF_INET };

	assert_int_equal(inet_pton(AF_INET, text, &out.sin_addr), 1);
	out.sin_port = htons(port);
	return out;
}

static int listen_at(const char *text, uint16_t port, int backlog)
{
	struct sockaddr_in to = at(text, port);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0
			&& listen(fd, backlog) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in local;
	socklen_t len = sizeof(local);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&local, &len), 0);
	return ntohs(local.sin_port);
}

/* fill leaves a listener that answers nobody, like a host that is gone: the
 * kernel drops a SYN when the queue is full. */
static void fill(struct net *net)
{
	struct sockaddr_in to = at("127.0.0.2", net->port);

	for (int i = 0; i < FILLERS; i++) {
		net->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK,
			0);
		(void)connect(net->fillers[i], (struct sockaddr *)&to,
			sizeof(to));
	}
}

static int set_up(void **state)
{
	struct net *net = calloc(1, sizeof(*net));
	char err[200] = "";

	assert_non_null(net);
	assert_int_equal(uv_loop_init(&net->loop), 0);
	(void)uv_timer_init(&net->loop, &net->guard);
	memcpy(net->rows, all_rows, sizeof(all_rows));
	do {
		net->live = listen_at("127.0.0.3", 0, 500);
		net->port = port_of(net->live);
		net->dead = listen_at("127.0.0.2", net->port, 0);
	} while (net->dead < 0 && close(net->live) == 0);
	fill(net);
	tiny_open(&net->dns, &net->loop, net->rows);
	if (resolver_new(&net->loop, net->dns.servers, &net->resolver, err,
			sizeof(err)) != 0)
		fail_msg("%s", err);
	net->num_fds = num_fds();
	*state = net;
	return 0;
}

static int tear_down(void **state)
{
	struct net *net = *state;

	resolver_close(net->resolver, NULL, NULL);
	uv_close((uv_handle_t *)&net->guard, NULL);
	(void)uv_run(&net->loop, UV_RUN_NOWAIT);
	assert_int_equal(num_fds(), net->num_fds);
	tiny_close(&net->dns);
	(void)uv_run(&net->loop, UV_RUN_DEFAULT);
	uv_walk(&net->loop, tiny_sweep, &net->dns);
	(void)uv_run(&net->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&net->loop), 0);
	for (int i = 0; i < FILLERS; i++)
		(void)close(net->fillers[i]);
	(void)close(net->live);
	(void)close(net->dead);
	free(net);
	return 0;
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

/* take_fd has the socket live on without its handle. */
static int take_fd(uv_tcp_t *tcp)
{
	int fd;

	if (!tcp)
		return -1;
	assert_int_equal(uv_fileno((uv_handle_t *)tcp, &fd), 0);
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	assert_true(fd >= 0);
	uv_close((uv_handle_t *)tcp, free_handle);
	return fd;
}

static void on_done(void *arg, enum dial_status status, uv_tcp_t *tcp,
	const struct sockaddr *peer)
{
	struct caller *c = arg;

	c->told++;
	c->status = status;
	c->fd = take_fd(tcp);
	if (peer)
		memcpy(&c->peer, peer, address_len(peer));
	assert_int_equal(tcp != NULL, status == DIAL_OK);
	assert_int_equal(peer != NULL, status == DIAL_OK);
	c->after_ms = uv_hrtime() / 1000000 - c->asked_ms;
	dial_cancel(c->dial); /* too late: does nothing */
	uv_stop(&c->net->loop);
}

static void on_guard(uv_timer_t *timer)
{
	(void)timer;
}

static void start(struct net *net, struct caller *c, const char *host)
{
	c->net = net;
	c->fd = -1;
	c->order.host = host;
	c->order.port = c->order.port ? c->order.port : net->port;
	c->order.timeout_ms = c->order.timeout_ms ? c->order.timeout_ms : 5000;
	c->asked_ms = uv_hrtime() / 1000000;
	uv_update_time(&net->loop);
	c->dial = dial_start(&net->loop, net->resolver, &c->order, on_done, c);
	assert_int_equal(c->told, 0);
}

static void run(struct net *net, const struct caller *c, uint64_t ms)
{
	uv_update_time(&net->loop);
	(void)uv_timer_start(&net->guard, on_guard, ms, 0);
	while (uv_is_active((uv_handle_t *)&net->guard) && !(c && c->told))
		(void)uv_run(&net->loop, UV_RUN_ONCE);
	(void)uv_timer_stop(&net->guard);
}

/* call dials as a client of this machine, unless the order says more. */
static void call(struct net *net, struct caller *c, const char *host)
{
	start(net, c, host);
	run(net, c, 8000);
	assert_int_equal(c->told, 1);
	if (c->fd >= 0)
		(void)close(c->fd);
}

static struct caller local(void)
{
	struct caller c = { .order = { .client_local = true } };

	return c;
}

static const char *peer_text(const struct caller *c)
{
	static char text[46];

	address_text((const struct sockaddr *)&c->peer, text);
	return text;
}

static unsigned num_accepted(struct net *net)
{
	unsigned num = 0;
	int fd;

	while ((fd = accept(net->live, NULL, NULL)) >= 0) {
		num++;
		(void)close(fd);
	}
	return num;
}

static void connects_to_a_name(void **state)
{
	struct net *net = *state;
	struct caller c = local();

	start(net, &c, "live.test");
	run(net, &c, 5000);
	assert_int_equal(c.told, 1);
	assert_int_equal(c.status, DIAL_OK);
	assert_string_equal(peer_text(&c), "127.0.0.3");
	assert_int_equal(address_port((void *)&c.peer), net->port);
	assert_true(fcntl(c.fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(send(c.fd, "x", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(num_accepted(net), 1);
	(void)close(c.fd);
}

static void connects_to_an_address(void **state)
{
	struct net *net = *state;
	struct sockaddr_in to = at("127.0.0.3", 1);
	struct caller c = local();

	c.order.address = (struct sockaddr *)&to;
	call(net, &c, "none.test");
	assert_int_equal(c.status, DIAL_OK);
	assert_string_equal(peer_text(&c), "127.0.0.3");
	memset(&c, 0, sizeof(c));
	c.order.client_local = true;
	call(net, &c, "127.0.0.3");
	assert_int_equal(c.status, DIAL_OK);
}

static void moves_on_at_once_when_refused(void **state)
{
	unsigned tries = 0;
	struct caller c;

	do { /* two waits of 250 ms else; which a busy machine may sleep, too */
		c = local();
		call(*state, &c, "refused-first.test");
		assert_int_equal(c.status, DIAL_OK);
		assert_string_equal(peer_text(&c), "127.0.0.3");
	} while (c.after_ms >= 450 && ++tries < 5);
	assert_true(c.after_ms < 450);
}

static void moves_on_soon_when_silent(void **state)
{
	struct caller c = local();

	call(*state, &c, "dead-first.test");
	assert_int_equal(c.status, DIAL_OK);
	assert_string_equal(peer_text(&c), "127.0.0.3");
	assert_true(c.after_ms >= 240 && c.after_ms < 3000);
}

static void tells_the_worst(void **state)
{
	struct caller refused = local(), dead = local(), mixed = local();

	call(*state, &refused, "refused.test");
	assert_int_equal(refused.status, DIAL_REFUSED);
	dead.order.timeout_ms = 400;
	call(*state, &dead, "dead.test");
	assert_int_equal(dead.status, DIAL_TIMEOUT);
	assert_true(dead.after_ms >= 390);
	mixed.order.timeout_ms = 400;
	call(*state, &mixed, "dead-and-refused.test");
	assert_int_equal(mixed.status, DIAL_TIMEOUT);
}

static void tells_of_names(void **state)
{
	struct caller none = local(), broken = local(), silent = local();

	call(*state, &none, "none.test");
	assert_int_equal(none.status, DIAL_NO_NAME);
	call(*state, &broken, "broken.test");
	assert_int_equal(broken.status, DIAL_DNS_FAILED);
	silent.order.timeout_ms = 200;
	call(*state, &silent, "n.silent");
	assert_int_equal(silent.status, DIAL_DNS_TIMEOUT);
	assert_true(silent.after_ms >= 190 && silent.after_ms < 4000);
}

static void passes_over_what_is_not_allowed(void **state)
{
	struct net *net = *state;
	struct caller c = {0}, over = local(), configured = {0};

	call(net, &c, "live.test");
	assert_int_equal(c.status, DIAL_NOT_ALLOWED);
	assert_int_equal(num_accepted(net), 0);
	call(net, &over, "multicast-first.test");
	assert_int_equal(over.status, DIAL_OK);
	configured.order.configured = true;
	call(net, &configured, "live.test");
	assert_int_equal(configured.status, DIAL_OK);
}

/* What was decided on, whatever the name leads to by now. */
static void dials_no_other_address_than_it_was_told(void **state)
{
	struct net *net = *state;
	struct sockaddr_in live = at("127.0.0.3", 0), other = at("127.0.0.9", 0);
	struct caller one = local(), none = local(), empty = local();
	struct caller address = local();
	struct addresses only = {.num = 2}, others = {.num = 1}, no = {0};

	memcpy(&only.at[0], &other, sizeof(other));
	memcpy(&only.at[1], &live, sizeof(live));
	memcpy(&others.at[0], &other, sizeof(other));
	one.order.only = &only;
	call(net, &one, "dead-first.test");
	assert_int_equal(one.status, DIAL_OK);
	assert_string_equal(peer_text(&one), "127.0.0.3");
	none.order.only = &others;
	call(net, &none, "live.test");
	assert_int_equal(none.status, DIAL_NOT_ALLOWED);
	empty.order.only = &no;
	call(net, &empty, "live.test");
	assert_int_equal(empty.status, DIAL_NOT_ALLOWED);
	address.order.address = (struct sockaddr *)&live;
	address.order.only = &others;
	call(net, &address, "none.test");
	assert_int_equal(address.status, DIAL_NOT_ALLOWED);
	assert_int_equal(num_accepted(net), 1);
}

static void passes_over_our_own(void **state)
{
	struct net *net = *state;
	struct sockaddr_storage ours = {0};
	struct own_listeners own;
	struct caller c = local(), other = local();
	struct sockaddr_in to = at("127.0.0.3", net->port);

	memcpy(&ours, &to, sizeof(to));
	own_listeners_init(&own, &ours, 1);
	c.order.own = other.order.own = &own;
	call(net, &c, "multicast-first.test");
	assert_int_equal(c.status, DIAL_OURS);
	call(net, &other, "refused-first.test");
	assert_int_equal(other.status, DIAL_OURS);
	assert_int_equal(num_accepted(net), 0);
	own_listeners_clear(&own);
}

static void goes_from_ipv6_to_ipv4(void **state)
{
	struct caller c = local(), late = local(), silent = local();

	call(*state, &c, "both.test");
	assert_int_equal(c.status, DIAL_OK);
	assert_string_equal(peer_text(&c), "127.0.0.3");
	call(*state, &late, "late4.test");
	assert_int_equal(late.status, DIAL_OK);
	assert_true(late.after_ms >= 290);
	call(*state, &silent, "silent6.test");
	assert_int_equal(silent.status, DIAL_OK);
	assert_true(silent.after_ms < 4000);
}

static void prefers_ipv6(void **state)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
	struct net *net = *state;
	struct caller c = local();
	int fd = socket(AF_INET6, SOCK_STREAM, 0), on = 1;

	to.sin6_addr = in6addr_loopback;
	to.sin6_port = htons(net->port);
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) != 0
			|| listen(fd, 5) != 0) {
		print_message("not run: no IPv6 here\n");
		if (fd >= 0)
			(void)close(fd);
		skip();
	}
	call(net, &c, "both.test");
	assert_int_equal(c.status, DIAL_OK);
	assert_string_equal(peer_text(&c), "::1");
	for (int i = 0; i < 2; i++) { /* and when both families are known */
		c = local();
		run(net, NULL, 50);
		call(net, &c, "both.test");
		assert_string_equal(peer_text(&c), "::1");
	}
	(void)close(fd);
}

static void cancels_at_each_stage(void **state)
{
	static const char *const hosts[] = {
		"live.test", "n.silent", "late4.test", "dead.test",
		"dead-first.test", "127.0.0.3", "none.test",
	};
	static const uint64_t waits_ms[] = { 0, 1, 30, 120 };
	struct net *net = *state;
	struct caller c;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		for (size_t j = 0; j < 4; j++) {
			c = local();
			start(net, &c, hosts[i]);
			if (waits_ms[j])
				run(net, &c, waits_ms[j]);
			if (!c.told) {
				dial_cancel(c.dial);
				run(net, NULL, 20);
				assert_int_equal(c.told, 0);
			} else if (c.fd >= 0) {
				(void)close(c.fd);
			}
		}
	}
	c = local();
	start(net, &c, "dead-first.test");
	run(net, &c, 260); /* two under way, or one of them through */
	if (!c.told)
		dial_cancel(c.dial);
	else if (c.fd >= 0)
		(void)close(c.fd);
}

static void many_at_once(void **state)
{
	enum { MANY = 200 };
	static struct caller callers[MANY];
	struct net *net = *state;

	for (size_t i = 0; i < MANY; i++) {
		callers[i] = local();
		start(net, &callers[i], i % 2 ? "live.test" : "both.test");
	}
	for (size_t i = 0; i < MANY; i++) {
		run(net, &callers[i], 5000);
		assert_int_equal(callers[i].status, DIAL_OK);
		(void)close(callers[i].fd);
	}
	assert_int_equal(net->rows[0].asked4, 1);
}

static void tells_of_no_descriptors(void **state)
{
	struct net *net = *state;
	struct rlimit before, none;
	struct caller c = local();

	call(net, &c, "live.test"); /* the name is known now */
	c = local();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	call(net, &c, "live.test");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(c.status, DIAL_NO_RESOURCES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(connects_to_a_name),
		TEST(connects_to_an_address),
		TEST(moves_on_at_once_when_refused),
		TEST(moves_on_soon_when_silent),
		TEST(tells_the_worst),
		TEST(tells_of_names),
		TEST(passes_over_what_is_not_allowed),
		TEST(dials_no_other_address_than_it_was_told),
		TEST(passes_over_our_own),
		TEST(goes_from_ipv6_to_ipv4),
		TEST(prefers_ipv6),
		TEST(cancels_at_each_stage),
		TEST(many_at_once),
		TEST(tells_of_no_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
