#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/report/metrics.h"
#include "tests/support/man_page.h"

static UT_string text;
static struct metrics_page page;

static int set_up(void **state)
{
	(void)state;
	utstring_init(&text);
	page = (struct metrics_page){.out = &text};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	utstring_done(&text);
	return 0;
}

static void assert_page(const char *expected)
{
	assert_string_equal(utstring_body(&text), expected);
}

/* --- the table ---------------------------------------------------------- */

static const struct row {
	const char *name, *help;
} rows[METRIC_COUNT] = {
#define METRIC(id, type, name, labels, help) [METRIC_##id] = {name, help},
#include "proxy/report/metrics.def"
#undef METRIC
};

/* What promtool asks of names, where it is not there to say so. */
static void names_are_as_prometheus_wants_them(void **state)
{
	(void)state;
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		const char *name = rows[i].name;

		assert_true(strncmp(name, "sallyport_", 10) == 0 ||
			strncmp(name, "process_", 8) == 0);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"),
			strlen(name));
		for (unsigned other = 0; other < i; other++)
			assert_string_not_equal(name, rows[other].name);
	}
}

static void helps_are_sentences(void **state)
{
	(void)state;
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		const char *help = rows[i].help;
		size_t len = strlen(help);

		assert_true(len > 0 && help[len - 1] == '.');
		assert_true(isupper((unsigned char)help[0]) || isdigit(help[0]));
		assert_null(strpbrk(help, "\\\"\n"));
	}
}

static void all_are_in_the_man_page_in_order(void **state)
{
	char *man = man_page(), item[128];
	const char *at = man_page_find(man, "\n.\" metrics\n");

	(void)state;
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		snprintf(item, sizeof(item), "\n.It Sy %s Pq ", rows[i].name);
		at = man_page_find(at, item) - 1;
		at = man_page_find(at, rows[i].help);
	}
	at = man_page_find(at, "\n.El\n.\" end of metrics");
	free(man);
}

/* --- the text ----------------------------------------------------------- */

static void a_metric_without_labels(void **state)
{
	(void)state;
	metrics_begin(&page, METRIC_tunnels);
	metrics_put(&page, UINT64_MAX, NULL);
	assert_page("# HELP sallyport_tunnels_total Tunnels that were begun: "
		"bytes as they are.\n"
		"# TYPE sallyport_tunnels_total counter\n"
		"sallyport_tunnels_total 18446744073709551615\n");
}

static void labels_in_their_order(void **state)
{
	(void)state;
	page.metric = METRIC_decisions;
	metrics_put(&page, 3, (const char *[]){"ssl-rules", "Banks", "block"});
	page.metric = METRIC_cpu;
	metrics_put_real(&page, 1.25, NULL);
	assert_page("sallyport_decisions_total{list=\"ssl-rules\","
		"rule=\"Banks\",action=\"block\"} 3\n"
		"process_cpu_seconds_total 1.250000\n");
}

/* A rule's name is an administrator's; it must not make lines of its own. */
static void values_are_escaped(void **state)
{
	(void)state;
	page.metric = METRIC_refusals;
	metrics_put(&page, 1, (const char *[]){"a\"} 7\nb\\\r\xc3\xa9"});
	assert_page("sallyport_refusals_total{reason="
		"\"a\\\"} 7\\nb\\\\?\xc3\xa9\"} 1\n");
}

static void times_add_up(void **state)
{
	struct times times = {.ms = {0}};
	struct times_sum sum = {.ms = 0};

	(void)state;
	times_add(&times, 0);
	times_add(&times, 1);
	times_add(&times, 2);
	times_add(&times, 30000);
	times_add(&times, 30001);
	times_read(&times, &sum);
	times_read(&times, &sum); /* of another, say */
	page.metric = METRIC_exchange_seconds;
	metrics_put_times(&page, &sum);
	assert_int_equal(sum.ms, 2 * 60004);
	assert_non_null(strstr(utstring_body(&text),
		"_bucket{le=\"0.001\"} 4\n"));
	assert_non_null(strstr(utstring_body(&text),
		"_bucket{le=\"0.002\"} 6\n"));
	assert_non_null(strstr(utstring_body(&text),
		"_bucket{le=\"10\"} 6\n"));
	assert_non_null(strstr(utstring_body(&text), "_bucket{le=\"30\"} 8\n"
		"sallyport_exchange_seconds_bucket{le=\"+Inf\"} 10\n"
		"sallyport_exchange_seconds_sum 120.008\n"
		"sallyport_exchange_seconds_count 10\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_as_prometheus_wants_them),
		cmocka_unit_test(helps_are_sentences),
		cmocka_unit_test(all_are_in_the_man_page_in_order),
		cmocka_unit_test_setup_teardown(a_metric_without_labels, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(labels_in_their_order, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(values_are_escaped, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(times_add_up, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
