#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/net/dns.h"
#include "tests/support/tiny_dns.h"

static const struct tiny_row all_rows[] = {
	{ .name = "one.test", .v4 = "192.0.2.1 192.0.2.2", .ttl = 77 },
	{ .name = "alias.test", .alias = "far.test", .alias_ttl = 5, .ttl = 60,
		.v4 = "192.0.2.9" },
	{ .name = "*", .silent = true },
	{ .name = NULL },
};

struct net {
	uv_loop_t loop;
	struct tiny_row rows[sizeof(all_rows) / sizeof(all_rows[0])];
	struct tiny_dns server;
	struct dns *dns;
	bool closed;
};

struct asked {
	struct query query;
	unsigned answered;
};

static void on_answered(struct query *query)
{
	((struct asked *)query)->answered++;
}

static void on_closed(void *arg)
{
	*(bool *)arg = true;
}

static void open_all(struct net *net)
{
	char err[200] = "";

	memset(net, 0, sizeof(*net));
	memcpy(net->rows, all_rows, sizeof(all_rows));
	assert_int_equal(uv_loop_init(&net->loop), 0);
	tiny_open(&net->server, &net->loop, net->rows);
	if (dns_new(&net->loop, net->server.servers, &net->dns, err,
			sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void close_all(struct net *net)
{
	dns_close(net->dns, on_closed, &net->closed);
	assert_false(net->closed);
	tiny_close(&net->server);
	(void)uv_run(&net->loop, UV_RUN_DEFAULT);
	assert_true(net->closed);
	uv_walk(&net->loop, tiny_sweep, &net->server);
	(void)uv_run(&net->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&net->loop), 0);
}

static void ask(struct net *net, struct asked *asked, const char *name,
	int family)
{
	memset(asked, 0, sizeof(*asked));
	asked->query.answered = on_answered;
	dns_ask(net->dns, name, family, &asked->query);
	assert_true(asked->query.out);
}

static void answers(void **state)
{
	struct asked a, b, alias;
	struct net net;

	(void)state;
	open_all(&net);
	ask(&net, &a, "one.test", AF_INET);
	ask(&net, &b, "one.test", AF_INET6);
	ask(&net, &alias, "alias.test", AF_INET);
	/* nothing else holds the loop: it ends when all are answered */
	(void)uv_run(&net.loop, UV_RUN_DEFAULT);
	assert_int_equal(a.answered, 1);
	assert_false(a.query.out);
	assert_int_equal(a.query.half.status, RESOLVE_OK);
	assert_int_equal(a.query.half.num, 2);
	assert_int_equal(a.query.half.ttl_s, 77);
	assert_int_equal(a.query.half.ips[0].at[3], 1);
	assert_int_equal(a.query.half.ips[1].at[3], 2);
	assert_int_equal(b.answered, 1);
	assert_int_equal(b.query.half.status, RESOLVE_NO_NAME);
	assert_int_equal(alias.query.half.ttl_s, 5);
	close_all(&net);
}

static void closes_with_a_question_out(void **state)
{
	struct asked a;
	struct net net;

	(void)state;
	open_all(&net);
	ask(&net, &a, "dead.test", AF_INET);
	(void)uv_run(&net.loop, UV_RUN_NOWAIT);
	close_all(&net);
	assert_int_equal(a.answered, 0);
}

static void hosts_file_has_no_such_name(void **state)
{
	struct half v6 = {0}, v4 = {0};
	struct net net;

	(void)state;
	open_all(&net);
	assert_false(dns_hosts(net.dns, "no-such-name.test", &v6, &v4));
	close_all(&net);
}

enum { THREADS = 8 };

struct worker {
	uv_loop_t loop;
	struct dns *dns;
	bool closed;
};

static void *open_one(void *arg)
{
	struct worker *worker = arg;
	char err[200];

	if (dns_new(&worker->loop, "127.0.0.1:9", &worker->dns, err,
			sizeof(err)) != 0)
		abort();
	return NULL;
}

/* Workers open theirs at the same moment. */
static void each_thread_its_own(void **state)
{
	static struct worker workers[THREADS];
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(uv_loop_init(&workers[i].loop), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_one,
			&workers[i]), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < THREADS; i++) {
		dns_close(workers[i].dns, on_closed, &workers[i].closed);
		(void)uv_run(&workers[i].loop, UV_RUN_DEFAULT);
		assert_true(workers[i].closed);
		assert_int_equal(uv_loop_close(&workers[i].loop), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(closes_with_a_question_out),
		cmocka_unit_test(hosts_file_has_no_such_name),
		cmocka_unit_test(each_thread_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
