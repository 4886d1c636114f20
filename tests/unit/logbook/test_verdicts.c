#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/logbook/verdicts.h"

/* What a line says, as far as it matters here. */
struct said {
	const char *client, *host, *agent, *connect, *ja4;
	const char *failure, *alert; /* NULL: a request came, or alert: none */
	bool before;                 /* it had not seen the certificate */
	const char *names, *untrusted, *reason, *ms;
	bool aside;                  /* not asked for */
};

static struct refusals refusals;
static struct verdicts verdicts;
static int64_t now;

static int open_all(void **state)
{
	(void)state;
	refusals_open(&refusals);
	now = 1000000;
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	verdicts_clear(&verdicts);
	refusals_close(&refusals);
	return 0;
}

/* times adds so many lines, apart by so many seconds. */
static void times(unsigned num, int seconds, struct said said)
{
	struct entry entry = {.line = NULL};

	entry.value[ENTRY_client] = said.client ? said.client : "10.0.0.1";
	entry.value[ENTRY_host] = said.host ? said.host : "a.test";
	entry.value[ENTRY_user_agent] = said.agent;
	entry.value[ENTRY_connect_user_agent] = said.connect;
	entry.value[ENTRY_ja4] = said.ja4 ? said.ja4 : "j";
	entry.value[ENTRY_kind] = said.failure ? "refused" : "exchange";
	entry.value[ENTRY_decrypted] = said.failure ? "false" : "true";
	entry.value[ENTRY_client_failure] = said.failure;
	entry.value[ENTRY_client_alert] = said.alert;
	entry.value[ENTRY_after_certificate] = said.before ? "false" : "true";
	entry.value[ENTRY_names] = said.names;
	entry.value[ENTRY_untrusted] = said.untrusted;
	entry.value[ENTRY_reason] = said.reason;
	entry.value[ENTRY_ms] = said.ms ? said.ms : "30";
	entry.value[ENTRY_ms_origin] = "20";
	for (; num > 0; num--, now += seconds * 1000) {
		entry.at_ms = now;
		refusals_add(&refusals, &entry, !said.aside);
	}
}

#define LINES(num, seconds, ...) times(num, seconds, (struct said){__VA_ARGS__})
#define ALERT .failure = "alert", .alert = "unknown_ca"

static size_t found(unsigned least)
{
	verdicts_find(&refusals, least, &verdicts);
	return verdicts.num;
}

static const struct verdict *the_one(unsigned least, enum verdict_kind kind)
{
	assert_int_equal(found(least), 1);
	assert_int_equal(verdicts.at[0].kind, kind);
	return &verdicts.at[0];
}

static void alerts_speak_for_themselves(void **state)
{
	const struct verdict *one;

	(void)state;
	LINES(2, 5, ALERT, .agent = "app/1");
	LINES(1, 0, .failure = "alert", .alert = "bad_certificate",
		.agent = "app/1");
	one = the_one(3, VERDICT_PINNED);
	assert_string_equal(one->host, "a.test");
	assert_string_equal(one->agent, "app/1");
	assert_string_equal(one->ja4, "j");
	assert_string_equal(one->client, "10.0.0.1");
	assert_int_equal(one->by[REFUSAL_UNKNOWN_CA], 2);
	assert_int_equal(one->by[REFUSAL_BAD_CERTIFICATE], 1);
	assert_int_equal(one->first_ms, 1000000);
	assert_false(one->trusts);
}

/* Anybody can make many in a moment. */
static void it_takes_some_time(void **state)
{
	(void)state;
	LINES(99, 0, ALERT, .agent = "app/1");
	LINES(1, 0, ALERT, .agent = "app/2");
	now += REFUSALS_APART_MS - 1;
	LINES(1, 0, ALERT, .agent = "app/1");
	LINES(1, 0, .agent = "app/1", .host = "b.test");
	assert_int_equal(found(1), 0);
}

static void it_takes_so_many(void **state)
{
	(void)state;
	LINES(3, 60, ALERT);
	assert_int_equal(found(4), 0);
}

/* What accepted ours for the host once does not pin its certificate. */
static void accepting_speaks_against(void **state)
{
	(void)state;
	LINES(9, 60, ALERT, .agent = "app/1");
	LINES(1, 0, .agent = "app/1");
	assert_int_equal(found(3), 0);
}

/* Of who says nothing of itself, only its TLS is known. */
static void accepting_by_the_same_tls(void **state)
{
	(void)state;
	LINES(9, 60, ALERT);
	LINES(1, 0, .agent = "says/more");
	assert_int_equal(found(3), 0);
}

static void accepting_on_another_client_does_too(void **state)
{
	(void)state;
	LINES(9, 60, ALERT, .agent = "app/1");
	LINES(1, 0, .agent = "app/1", .client = "10.0.0.2");
	assert_int_equal(found(3), 0);
}

/* Another program may have the same TLS. */
static void another_program_does_not(void **state)
{
	(void)state;
	LINES(9, 60, ALERT, .agent = "app/1");
	LINES(1, 0, .agent = "other/1");
	assert_false(the_one(3, VERDICT_PINNED)->trusts);
}

static void accepting_elsewhere_makes_it_sure(void **state)
{
	(void)state;
	LINES(3, 5, ALERT);
	LINES(1, 0, .host = "b.test");
	assert_true(the_one(3, VERDICT_PINNED)->trusts);
}

/* The issue's own: five hundred ordinary aborts. */
static void aborts_are_no_refusals(void **state)
{
	static const char *const ends[] = {"reset", "closed", "unused",
		"timeout"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		LINES(125, 7, .failure = ends[i], .agent = "curl/8");
		LINES(25, 7, .failure = ends[i], .agent = "curl/8",
			.before = true);
	}
	assert_int_equal(found(1), 0);
}

/* ... even of a program that trusts the CA, and whatever the host. */
static void aborts_of_who_trusts_are_not_either(void **state)
{
	char host[32];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(host, sizeof(host), "h%d.test", i % 10);
		LINES(4, 7, .failure = i % 2 ? "closed" : "reset",
			.host = host, .agent = "curl/8");
		LINES(2, 7, .failure = "closed", .before = true, .host = host,
			.agent = "curl/8");
	}
	LINES(5, 1, .host = "fine.test", .agent = "curl/8");
	assert_int_equal(found(3), 0);
}

static void closing_counts_in_numbers(void **state)
{
	(void)state;
	LINES(1, 1, .host = "b.test", .agent = "okhttp/4");
	LINES(9, 11, .failure = "unused", .agent = "okhttp/4");
	(void)the_one(3, VERDICT_PINNED);
}

static void closing_of_one_page_does_not(void **state)
{
	(void)state;
	LINES(1, 1, .host = "b.test", .agent = "okhttp/4");
	LINES(90, 0, .failure = "unused", .agent = "okhttp/4");
	assert_int_equal(found(3), 0);
}

/* Nothing tells it from a health check. */
static void closing_of_who_trusts_nothing_does_not(void **state)
{
	(void)state;
	LINES(90, 11, .failure = "unused", .agent = "okhttp/4");
	assert_int_equal(found(3), 0);
}

static void closing_late_does_not(void **state)
{
	(void)state;
	LINES(1, 1, .host = "b.test", .agent = "okhttp/4");
	LINES(90, 11, .failure = "unused", .agent = "okhttp/4", .ms = "9000");
	assert_int_equal(found(3), 0);
}

/* It was the same program perhaps, by another name in its requests. */
static void closing_does_not_where_it_may_have_accepted(void **state)
{
	(void)state;
	LINES(1, 1, .host = "b.test", .agent = "Go-http-client/1");
	LINES(9, 11, .failure = "unused", .agent = "Go-http-client/1");
	LINES(1, 1, .agent = "custom/1");
	assert_int_equal(found(3), 0);
}

/* Two programs of one library on one machine, one of which does not trust the CA. */
static void who_trusts_is_known_by_its_name(void **state)
{
	(void)state;
	LINES(3, 20, ALERT, .agent = "app/1");
	LINES(3, 20, ALERT, .agent = "app/1", .host = "b.test");
	LINES(9, 20, .agent = "other/1", .host = "c.test");
	(void)the_one(3, VERDICT_NO_TRUST);
}

/* A program whose requests say more than its CONNECT, which alone is known of a
 * refusal. */
static void who_trusts_is_known_by_its_connect(void **state)
{
	(void)state;
	LINES(3, 20, ALERT, .agent = "Java/17");
	LINES(3, 20, ALERT, .agent = "Java/17", .host = "b.test");
	LINES(9, 20, .agent = "app/1", .connect = "Java/17", .host = "c.test");
	assert_int_equal(found(3), 2);
	assert_int_equal(verdicts.at[0].kind, VERDICT_PINNED);
	assert_true(verdicts.at[0].trusts);
	assert_string_equal(verdicts.at[0].agent, "Java/17");
}

/* It refuses all: sparing one host after the other would be wrong. */
static void who_trusts_nothing_is_told_apart(void **state)
{
	const struct verdict *one;

	(void)state;
	LINES(2, 0, ALERT, .agent = "app/1");
	LINES(2, 0, ALERT, .agent = "app/1", .host = "b.test");
	LINES(1, 0, ALERT, .agent = "app/1", .host = "c.test",
		.client = "10.0.0.2");
	one = the_one(3, VERDICT_NO_TRUST);
	assert_int_equal(one->hosts, 3);
	assert_int_equal(one->clients, 2);
	assert_null(one->client);
	assert_int_equal(one->by[REFUSAL_UNKNOWN_CA], 5);
}

/* What is asked about does not change what is made of it. */
static void who_is_asked_about_is_judged_by_all(void **state)
{
	(void)state;
	LINES(3, 20, ALERT, .agent = "app/1");
	LINES(3, 20, ALERT, .agent = "app/1", .host = "b.test", .aside = true);
	LINES(3, 20, ALERT, .agent = "app/2", .host = "b.test", .aside = true);
	(void)the_one(3, VERDICT_NO_TRUST);
}

/* A machine without the CA, among others that have it. */
static void one_client_without_the_ca(void **state)
{
	const struct verdict *one;

	(void)state;
	LINES(9, 20, ALERT, .agent = "app/1");
	LINES(9, 20, ALERT, .agent = "app/1", .host = "b.test");
	LINES(9, 20, .agent = "app/1", .host = "c.test", .client = "10.0.0.2");
	one = the_one(3, VERDICT_NO_TRUST);
	assert_string_equal(one->client, "10.0.0.1");
	assert_int_equal(one->hosts, 2);
}

/* Two hosts are pinned by a program that accepts ours for a third. */
static void several_hosts_of_one_program(void **state)
{
	(void)state;
	LINES(3, 20, ALERT, .host = "B.test.");
	LINES(3, 20, ALERT, .host = "a.test");
	LINES(1, 20, .host = "c.test");
	assert_int_equal(found(3), 2);
	assert_string_equal(verdicts.at[0].host, "a.test");
	assert_string_equal(verdicts.at[1].host, "b.test");
}

static void clients_are_taken_together(void **state)
{
	const struct verdict *one;

	(void)state;
	LINES(1, 20, ALERT);
	LINES(1, 20, ALERT, .client = "10.0.0.2");
	LINES(1, 20, ALERT, .client = "10.0.0.3");
	one = the_one(3, VERDICT_PINNED);
	assert_int_equal(one->clients, 3);
	assert_null(one->client);
}

/* They were not shown a certificate that they should have accepted. */
static void not_of_our_making(void **state)
{
	(void)state;
	LINES(9, 20, ALERT, .names = "differ");
	LINES(9, 20, ALERT, .untrusted = "origin-certificate-expired");
	LINES(9, 20, ALERT, .reason = "origin-certificate-expired");
	LINES(9, 20, ALERT, .before = true);
	LINES(9, 20, ALERT, .host = "a b\n");
	LINES(9, 20, ALERT, .host = "\"]}");
	assert_int_equal(found(1), 0);
}

static void hosts_that_want_certificates(void **state)
{
	const struct verdict *one;

	(void)state;
	LINES(3, 20, .reason = "origin-wants-client-certificate",
		.agent = "app/1");
	LINES(2, 20, .reason = "origin-wants-client-certificate",
		.host = "b.test");
	one = the_one(3, VERDICT_WANTS);
	assert_string_equal(one->host, "a.test");
	assert_int_equal(one->wants, 3);
}

/* Whoever makes up hosts does not make it grow. */
/* Whoever sends a name to a server of his own makes no host of that name want
 * any. */
static void other_servers_want_nothing(void **state)
{
	(void)state;
	LINES(9, 60, .names = "differ", .failure = "unused",
		.reason = "origin-wants-client-certificate");
	LINES(9, 60, .untrusted = "origin-certificate-self-signed",
		.failure = "unused",
		.reason = "origin-wants-client-certificate");
	assert_int_equal(found(3), 0);
}

static void nobody_else_accepts_it(void **state)
{
	const struct verdict *one;

	(void)state;
	LINES(9, 60, ALERT, .agent = "app/1", .client = "10.0.0.7");
	LINES(9, 60, ALERT, .agent = "app/1", .client = "10.0.0.8");
	LINES(1, 0, .agent = "app/1", .client = "10.0.0.7", .host = "b.test");
	one = the_one(3, VERDICT_PINNED);
	assert_false(one->anybody || one->namesake);
}

static void others_accept_it(void **state)
{
	const struct verdict *one;

	(void)state;
	LINES(9, 60, ALERT, .agent = "app/1", .client = "10.0.0.7");
	LINES(1, 0, .agent = "other/1", .ja4 = "k");
	one = the_one(3, VERDICT_PINNED);
	assert_true(one->anybody && !one->namesake);
}

static void namesakes_accept_it(void **state)
{
	const struct verdict *one;

	(void)state;
	LINES(9, 60, ALERT, .agent = "app/1", .client = "10.0.0.7");
	LINES(1, 0, .agent = "app/2", .ja4 = "k");
	one = the_one(3, VERDICT_PINNED);
	assert_true(one->anybody && one->namesake);
}

static void there_are_bounds(void **state)
{
	char host[32], client[32];

	(void)state;
	for (int i = 0; i < REFUSALS_MAX + 10; i++) {
		snprintf(host, sizeof(host), "h%d.test", i);
		snprintf(client, sizeof(client), "10.0.1.%d", i / 400);
		LINES(1, 0, ALERT, .host = host, .client = client);
	}
	assert_int_equal(refusals.num, REFUSALS_MAX);
	assert_int_equal(refusals.left_out, 10);
	(void)the_one(3, VERDICT_NO_TRUST);
}

/* ... and leaves room for all others. */
static void one_client_does_not_fill_it(void **state)
{
	char agent[32];

	(void)state;
	for (int i = 0; i < REFUSALS_MAX; i++) {
		snprintf(agent, sizeof(agent), "made-up/%d", i);
		LINES(1, 0, ALERT, .agent = agent);
	}
	assert_int_equal(refusals.num, REFUSALS_OF_CLIENT);
	assert_int_equal(refusals.left_out, REFUSALS_MAX - REFUSALS_OF_CLIENT);
	LINES(3, 20, ALERT, .agent = "app/1", .client = "10.0.0.2");
	LINES(3, 20, .reason = "origin-wants-client-certificate",
		.client = "10.0.0.2");
	assert_int_equal(found(3), 2);
}

/* Nor by hosts of its own that want certificates. */
static void one_client_asks_so_many(void **state)
{
	char host[32];

	(void)state;
	for (int i = 0; i < REFUSALS_MAX; i++) {
		snprintf(host, sizeof(host), "h%d.own.test", i);
		LINES(1, 0, .reason = "origin-wants-client-certificate",
			.host = host, .client = "10.0.0.9");
	}
	assert_int_equal(refusals.num, REFUSALS_OF_CLIENT);
	LINES(3, 20, ALERT, .agent = "app/1");
	LINES(3, 20, .reason = "origin-wants-client-certificate");
	assert_int_equal(found(3), 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(alerts_speak_for_themselves),
		CASE(it_takes_some_time),
		CASE(it_takes_so_many),
		CASE(accepting_speaks_against),
		CASE(accepting_by_the_same_tls),
		CASE(accepting_on_another_client_does_too),
		CASE(another_program_does_not),
		CASE(accepting_elsewhere_makes_it_sure),
		CASE(aborts_are_no_refusals),
		CASE(aborts_of_who_trusts_are_not_either),
		CASE(closing_counts_in_numbers),
		CASE(closing_of_one_page_does_not),
		CASE(closing_of_who_trusts_nothing_does_not),
		CASE(closing_late_does_not),
		CASE(closing_does_not_where_it_may_have_accepted),
		CASE(who_trusts_is_known_by_its_name),
		CASE(who_trusts_is_known_by_its_connect),
		CASE(who_trusts_nothing_is_told_apart),
		CASE(who_is_asked_about_is_judged_by_all),
		CASE(one_client_without_the_ca),
		CASE(several_hosts_of_one_program),
		CASE(clients_are_taken_together),
		CASE(not_of_our_making),
		CASE(hosts_that_want_certificates),
		CASE(other_servers_want_nothing),
		CASE(nobody_else_accepts_it),
		CASE(others_accept_it),
		CASE(namesakes_accept_it),
		CASE(there_are_bounds),
		CASE(one_client_does_not_fill_it),
		CASE(one_client_asks_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
