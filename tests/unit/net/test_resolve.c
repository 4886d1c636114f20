#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/net/address.h"
#include "proxy/net/resolve.h"
#include "tests/support/tiny_dns.h"

#define EIGHT6(p) p "1 " p "2 " p "3 " p "4 " p "5 " p "6 " p "7 " p "8"
#define EIGHT4(p) EIGHT6(p)

static const struct tiny_row all_rows[] = {
	{ .name = "both.test", .v4 = "192.0.2.1 192.0.2.2", .v6 = "2001:db8::1",
		.ttl = 60 },
	{ .name = "four.test", .v4 = "192.0.2.3", .ttl = 60 },
	{ .name = "short.test", .v4 = "192.0.2.4", .v4_later = "127.0.0.1",
		.ttl = 1 },
	{ .name = "alias.test", .alias = "far.test", .alias_ttl = 1, .ttl = 60,
		.v4 = "192.0.2.9" },
	{ .name = "none.test", .rcode = 3 },
	{ .name = "empty.test" },
	{ .name = "broken.test", .rcode = 2 },
	{ .name = "late6.test", .v4 = "192.0.2.5", .v6 = "2001:db8::5",
		.ttl = 60, .late6_ms = 400 },
	{ .name = "little1.test", .v4 = "192.0.2.6", .v6 = "2001:db8::6",
		.ttl = 60, .late6_ms = 10 },
	{ .name = "little2.test", .v4 = "192.0.2.6", .v6 = "2001:db8::6",
		.ttl = 60, .late6_ms = 10 },
	{ .name = "little3.test", .v4 = "192.0.2.6", .v6 = "2001:db8::6",
		.ttl = 60, .late6_ms = 10 },
	{ .name = "late4.test", .v4 = "192.0.2.7", .v6 = "2001:db8::7",
		.ttl = 60, .late4_ms = 400 },
	{ .name = "silent6.test", .v4 = "192.0.2.8", .ttl = 60, .silent6 = true },
	{ .name = "slow.test", .v4 = "192.0.2.9", .ttl = 60, .late4_ms = 200,
		.late6_ms = 200 },
	{ .name = "tcp.test", .v4 = EIGHT4("198.51.100.1") " "
		EIGHT4("198.51.100.2"), .ttl = 60, .by_tcp = true },
	{ .name = "many.test", .ttl = 60,
		.v4 = EIGHT4("198.51.100.1") " " EIGHT4("198.51.100.2") " "
			EIGHT4("198.51.100.3"),
		.v6 = EIGHT6("2001:db8::1") " " EIGHT6("2001:db8::2") " "
			EIGHT6("2001:db8::3") },
	{ .name = "*", .silent = true },
	{ .name = NULL },
};

struct net {
	uv_loop_t loop;
	uv_timer_t guard;
	struct tiny_row rows[sizeof(all_rows) / sizeof(all_rows[0])];
	struct tiny_dns dns;
	struct resolver *resolver;
	bool closed;
};

struct asker {
	struct resolve_waiter waiter;
	struct net *net;
	unsigned told;
	enum resolve_status status;
	struct addresses got;
	uint64_t after_ms, asked_ms;
	void (*then)(struct asker *asker);
	struct asker *other;
};

static void on_guard(uv_timer_t *timer)
{
	(void)timer;
}

static void on_closed(void *arg)
{
	((struct net *)arg)->closed = true;
}

static void net_close(struct net *net)
{
	if (net->resolver)
		resolver_close(net->resolver, on_closed, net);
	net->resolver = NULL;
}

static int set_up(void **state)
{
	struct net *net = calloc(1, sizeof(*net));
	char err[200] = "";

	assert_non_null(net);
	memcpy(net->rows, all_rows, sizeof(all_rows));
	assert_int_equal(uv_loop_init(&net->loop), 0);
	(void)uv_timer_init(&net->loop, &net->guard);
	tiny_open(&net->dns, &net->loop, net->rows);
	if (resolver_new(&net->loop, net->dns.servers, &net->resolver, err,
			sizeof(err)) != 0)
		fail_msg("%s", err);
	*state = net;
	return 0;
}

static int tear_down(void **state)
{
	struct net *net = *state;

	net_close(net);
	uv_close((uv_handle_t *)&net->guard, NULL);
	tiny_close(&net->dns);
	(void)uv_run(&net->loop, UV_RUN_DEFAULT);
	assert_true(net->closed);
	uv_walk(&net->loop, tiny_sweep, &net->dns);
	(void)uv_run(&net->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&net->loop), 0);
	free(net);
	return 0;
}

static void on_resolved(struct resolve_waiter *waiter,
	enum resolve_status status, const struct addresses *addresses)
{
	struct asker *asker = (struct asker *)waiter;

	asker->told++;
	asker->status = status;
	asker->got = *addresses;
	asker->after_ms = uv_hrtime() / 1000000 - asker->asked_ms;
	uv_stop(&asker->net->loop); /* else it goes on to wait for more */
	if (asker->then)
		asker->then(asker);
}

static void ask(struct net *net, struct asker *asker, const char *name,
	bool full)
{
	asker->net = net;
	asker->waiter.resolved = on_resolved;
	asker->asked_ms = uv_hrtime() / 1000000;
	asker->told = 0;
	uv_update_time(&net->loop);
	resolver_ask(net->resolver, name, full, &asker->waiter);
	assert_int_equal(asker->told, 0);
}

/* run runs the loop for ms, or until asker is told. */
static void run(struct net *net, const struct asker *asker, uint64_t ms)
{
	uv_update_time(&net->loop);
	(void)uv_timer_start(&net->guard, on_guard, ms, 0);
	while (uv_is_active((uv_handle_t *)&net->guard)
			&& !(asker && asker->told))
		(void)uv_run(&net->loop, UV_RUN_ONCE);
	(void)uv_timer_stop(&net->guard);
}

static void get(struct net *net, struct asker *asker, const char *name)
{
	ask(net, asker, name, false);
	run(net, asker, 10000);
	assert_int_equal(asker->told, 1);
}

static void get_full(struct net *net, struct asker *asker, const char *name)
{
	ask(net, asker, name, true);
	run(net, asker, 10000);
	assert_int_equal(asker->told, 1);
}

static const struct tiny_row *row(struct net *net, const char *name)
{
	return tiny_find(&net->dns, name);
}

static const char *text(const struct asker *asker, size_t i)
{
	static char out[46];

	assert_true(i < asker->got.num);
	assert_int_equal(address_port((void *)&asker->got.at[i]), 0);
	address_text((void *)&asker->got.at[i], out);
	return out;
}

static void answers_by_itself(void **state)
{
	struct net *net = *state;
	struct asker a = {0};

	get(net, &a, "192.0.2.77");
	assert_int_equal(a.status, RESOLVE_OK);
	assert_int_equal(a.got.num, 1);
	assert_string_equal(text(&a, 0), "192.0.2.77");
	get(net, &a, "2001:db8::77");
	assert_int_equal(a.got.num, 1);
	assert_string_equal(text(&a, 0), "2001:db8::77");
	get(net, &a, "localhost");
	assert_int_equal(a.got.num, 2);
	assert_string_equal(text(&a, 0), "::1");
	assert_string_equal(text(&a, 1), "127.0.0.1");
	get(net, &a, "printer.localhost");
	assert_string_equal(text(&a, 1), "127.0.0.1");
	get(net, &a, "");
	assert_int_equal(a.status, RESOLVE_NO_NAME);
	assert_int_equal(row(net, "localhost")->asked4, 0);
}

static void refuses_a_name_too_long(void **state)
{
	struct asker a = {0};
	char name[400];

	memset(name, 'a', sizeof(name));
	for (size_t i = 50; i < sizeof(name); i += 50)
		name[i] = '.';
	name[sizeof(name) - 1] = '\0';
	get(*state, &a, name);
	assert_int_equal(a.status, RESOLVE_NO_NAME);
}

static void gives_both_families(void **state)
{
	struct net *net = *state;
	struct asker a = {0};

	get_full(net, &a, "both.test");
	assert_int_equal(a.status, RESOLVE_OK);
	assert_false(a.got.partial);
	assert_int_equal(a.got.num, 3);
	assert_string_equal(text(&a, 0), "2001:db8::1");
	assert_string_equal(text(&a, 1), "192.0.2.1");
	assert_string_equal(text(&a, 2), "192.0.2.2");
	get(net, &a, "four.test");
	assert_int_equal(a.got.num, 1);
}

/* rebinding: what a name was when it was decided on says nothing of what it is
 * when it is dialled, once its TTL is over. */
static void heeds_the_ttl(void **state)
{
	struct net *net = *state;
	struct asker a = {0};

	get(net, &a, "short.test");
	assert_string_equal(text(&a, 0), "192.0.2.4");
	assert_int_equal(address_check(NULL, (void *)&a.got.at[0], false,
		false), ADDRESS_FINE);
	run(net, NULL, 100);
	get(net, &a, "short.test");
	assert_string_equal(text(&a, 0), "192.0.2.4");
	assert_int_equal(row(net, "short.test")->asked4, 1);
	run(net, NULL, 1100);
	get(net, &a, "short.test");
	assert_string_equal(text(&a, 0), "127.0.0.1");
	assert_int_equal(row(net, "short.test")->asked4, 2);
	assert_int_equal(address_check(NULL, (void *)&a.got.at[0], false,
		false), ADDRESS_NOT_ALLOWED);
}

static void heeds_the_ttl_of_an_alias(void **state)
{
	struct net *net = *state;
	struct asker a = {0};

	get(net, &a, "alias.test");
	assert_string_equal(text(&a, 0), "192.0.2.9");
	run(net, NULL, 1100);
	get(net, &a, "alias.test");
	assert_int_equal(row(net, "alias.test")->asked4, 2);
}

static void keeps_that_there_is_no_name(void **state)
{
	struct net *net = *state;
	struct asker a = {0};

	get(net, &a, "none.test");
	assert_int_equal(a.status, RESOLVE_NO_NAME);
	assert_int_equal(a.got.num, 0);
	get(net, &a, "none.test");
	assert_int_equal(a.status, RESOLVE_NO_NAME);
	assert_int_equal(row(net, "none.test")->asked4, 1);
	assert_int_equal(row(net, "none.test")->asked6, 1);
	get(net, &a, "empty.test");
	assert_int_equal(a.status, RESOLVE_NO_NAME);
}

static void tells_failure(void **state)
{
	struct asker a = {0};

	get(*state, &a, "broken.test");
	assert_int_equal(a.status, RESOLVE_FAILED);
}

static void asks_once_for_all(void **state)
{
	struct net *net = *state;
	struct asker askers[20];

	memset(askers, 0, sizeof(askers));
	for (size_t i = 0; i < 20; i++)
		ask(net, &askers[i], "slow.test", i % 2);
	run(net, &askers[19], 2000);
	run(net, NULL, 20);
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(askers[i].told, 1);
		assert_int_equal(askers[i].got.num, 1);
	}
	assert_int_equal(row(net, "slow.test")->asked4, 1);
	assert_int_equal(row(net, "slow.test")->asked6, 1);
}

static void dead_names_hold_up_nobody(void **state)
{
	struct net *net = *state;
	struct asker dead[50], live = {0};
	char name[32];

	memset(dead, 0, sizeof(dead));
	for (size_t i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof(name), "n%zu.dead", i);
		ask(net, &dead[i], name, false);
	}
	run(net, NULL, 100);
	get(net, &live, "both.test");
	assert_int_equal(live.status, RESOLVE_OK);
	assert_true(live.after_ms < 1500); /* a try takes 2 s */
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(dead[i].told, 0);
	for (size_t i = 0; i < 50; i++) {
		run(net, &dead[i], 15000);
		assert_int_equal(dead[i].told, 1);
		assert_int_equal(dead[i].status, RESOLVE_TIMEOUT);
		assert_int_equal(dead[i].got.num, 0);
	}
}

static void waits_50_ms_for_ipv6(void **state)
{
	struct net *net = *state;
	struct asker half = {0}, full = {0}, later = {0};

	ask(net, &half, "late6.test", false);
	ask(net, &full, "late6.test", true);
	run(net, &half, 5000);
	assert_true(half.after_ms >= 45);
	assert_true(half.got.partial);
	assert_int_equal(half.got.num, 1);
	assert_string_equal(text(&half, 0), "192.0.2.5");
	assert_int_equal(full.told, 0);
	ask(net, &later, "late6.test", false); /* has not to wait again */
	run(net, &later, 5000);
	assert_true(later.got.partial);
	run(net, &full, 5000);
	assert_true(full.after_ms >= 390);
	assert_false(full.got.partial);
	assert_int_equal(full.got.num, 2);
	assert_int_equal(half.told, 1);
	get(net, &half, "late6.test");
	assert_int_equal(half.got.num, 2);
	assert_int_equal(row(net, "late6.test")->asked4, 1);
}

/* One of three is enough: a busy machine may well sleep 50 ms. */
static void ipv6_in_time_is_waited_for(void **state)
{
	struct asker a = {0};

	get(*state, &a, "little1.test");
	if (a.got.partial)
		get(*state, &a, "little2.test");
	if (a.got.partial)
		get(*state, &a, "little3.test");
	assert_false(a.got.partial);
	assert_int_equal(a.got.num, 2);
	run(*state, NULL, 100); /* the 50 ms end, for nobody */
}

static void ipv6_waits_for_nobody(void **state)
{
	struct asker a = {0}, full = {0};

	ask(*state, &full, "late4.test", true);
	get(*state, &a, "late4.test");
	assert_true(a.got.partial);
	assert_int_equal(a.got.num, 1);
	assert_string_equal(text(&a, 0), "2001:db8::7");
	run(*state, &full, 5000);
	assert_int_equal(full.got.num, 2);
}

static void falls_back_to_tcp(void **state)
{
	struct net *net = *state;
	struct asker a = {0};

	get(net, &a, "tcp.test");
	assert_int_equal(a.status, RESOLVE_OK);
	assert_int_equal(a.got.num, 16);
	assert_string_equal(text(&a, 15), "198.51.100.28");
	assert_true(row(net, "tcp.test")->asked_tcp >= 1);
}

static void shares_the_room_between_families(void **state)
{
	struct asker a = {0};

	get_full(*state, &a, "many.test");
	assert_int_equal(a.got.num, RESOLVE_MAX);
	assert_int_equal(a.got.at[15].ss_family, AF_INET6);
	assert_int_equal(a.got.at[16].ss_family, AF_INET);
}

static void who_left_is_not_told(void **state)
{
	struct net *net = *state;
	struct asker gone = {0}, stays = {0}, kept = {0};
	unsigned told;

	ask(net, &gone, "slow.test", false);
	ask(net, &stays, "slow.test", false);
	run(net, NULL, 50);
	resolver_leave(&gone.waiter);
	resolver_leave(&gone.waiter);
	run(net, &stays, 5000);
	assert_int_equal(stays.told, 1);
	assert_int_equal(gone.told, 0);
	run(net, NULL, 20);
	resolver_leave(&gone.waiter); /* the question is no more */
	ask(net, &kept, "slow.test", false);
	resolver_leave(&kept.waiter);
	ask(net, &kept, "late6.test", false);
	run(net, NULL, 10);
	told = kept.told; /* on a machine so busy that its 50 ms are over */
	resolver_leave(&kept.waiter);
	run(net, NULL, 600);
	assert_int_equal(kept.told, told);
	resolver_leave(&stays.waiter);
}

static void then_leave_other(struct asker *asker)
{
	resolver_leave(&asker->other->waiter);
	ask(asker->net, asker->other, "both.test", true);
	ask(asker->net, asker, "both.test", true);
	asker->then = NULL;
}

static void may_leave_and_ask_when_told(void **state)
{
	struct net *net = *state;
	struct asker a = { .then = then_leave_other }, b = {0};

	a.other = &b;
	ask(net, &a, "slow.test", false);
	ask(net, &b, "slow.test", false);
	run(net, &b, 5000);
	run(net, NULL, 50);
	assert_int_equal(b.told, 1);
	assert_int_equal(b.got.num, 3);
	assert_int_equal(a.told, 1);
	assert_int_equal(a.got.num, 3);
}

static void then_close(struct asker *asker)
{
	net_close(asker->net);
}

static void may_close_when_told(void **state)
{
	struct net *net = *state;
	struct asker a = { .then = then_close }, b = {0}, c = {0}, d = {0};

	ask(net, &a, "slow.test", false);
	ask(net, &b, "slow.test", false);
	ask(net, &c, "n.dead", false);
	ask(net, &d, "late6.test", true);
	run(net, &a, 5000);
	run(net, NULL, 100);
	assert_true(net->closed);
	assert_int_equal(b.told + c.told + d.told, 0);
	resolver_leave(&b.waiter);
	resolver_leave(&c.waiter);
}

static void closes_with_questions_under_way(void **state)
{
	struct net *net = *state;
	struct asker askers[4];

	memset(askers, 0, sizeof(askers));
	ask(net, &askers[0], "n.dead", false);
	ask(net, &askers[1], "late6.test", true);
	run(net, NULL, 100);
	ask(net, &askers[2], "late6.test", false); /* ready, not told */
	ask(net, &askers[3], "tcp.test", false);
	net_close(net);
	run(net, NULL, 500);
	assert_true(net->closed);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(askers[i].told, 0);
}

static void bounds_what_is_under_way(void **state)
{
	struct net *net = *state;
	struct asker *askers = calloc(1025, sizeof(*askers)), known = {0};
	char name[32];

	assert_non_null(askers);
	get(net, &known, "both.test");
	for (size_t i = 0; i < 1025; i++) {
		(void)snprintf(name, sizeof(name), "n%zu.dead", i);
		ask(net, &askers[i], name, false);
	}
	run(net, &askers[1024], 1000);
	assert_int_equal(askers[1024].told, 1);
	assert_int_equal(askers[1024].status, RESOLVE_FAILED);
	assert_int_equal(askers[1023].told, 0);
	get(net, &known, "both.test");
	assert_int_equal(known.status, RESOLVE_OK);
	net_close(net);
	run(net, NULL, 50);
	free(askers);
}

/* a_host finds a name of the hosts file that is not one of localhost's. */
static bool a_host(char name[256], char address[64])
{
	FILE *file = fopen("/etc/hosts", "re");
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = line[0] != '#' && !strstr(line, "localhost")
			&& sscanf(line, "%63s %255s", address, name) == 2
			&& !strchr(address, '%');
	if (file)
		(void)fclose(file);
	return found;
}

static void heeds_the_hosts_file(void **state)
{
	struct net *net = *state;
	struct asker a = {0};
	char name[256], address[64];
	bool found = false;

	if (!a_host(name, address)) {
		print_message("not run: the hosts file has no name to ask for\n");
		skip();
	}
	get(net, &a, name);
	assert_int_equal(a.status, RESOLVE_OK);
	for (size_t i = 0; i < a.got.num; i++)
		found = found || strcmp(text(&a, i), address) == 0;
	assert_true(found);
	assert_int_equal(row(net, name)->asked4 + row(net, name)->asked6, 0);
}

static void refuses_bad_servers(void **state)
{
	struct resolver *resolver = NULL;
	struct net *net = *state;
	char err[200] = "";

	assert_int_equal(resolver_new(&net->loop, "no such address", &resolver,
		err, sizeof(err)), -1);
	assert_null(resolver);
	assert_non_null(strstr(err, "no such address"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_by_itself),
		TEST(refuses_a_name_too_long),
		TEST(gives_both_families),
		TEST(heeds_the_ttl),
		TEST(heeds_the_ttl_of_an_alias),
		TEST(keeps_that_there_is_no_name),
		TEST(tells_failure),
		TEST(asks_once_for_all),
		TEST(dead_names_hold_up_nobody),
		TEST(waits_50_ms_for_ipv6),
		TEST(ipv6_in_time_is_waited_for),
		TEST(ipv6_waits_for_nobody),
		TEST(falls_back_to_tcp),
		TEST(shares_the_room_between_families),
		TEST(who_left_is_not_told),
		TEST(may_leave_and_ask_when_told),
		TEST(may_close_when_told),
		TEST(closes_with_questions_under_way),
		TEST(bounds_what_is_under_way),
		TEST(heeds_the_hosts_file),
		TEST(refuses_bad_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
