#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "policy/window.h"
#include "policy/zone.h"

static char err[300];

/* "mon 08:00" is that time in the week of Monday, 5 January 2026, by UTC. */
static time_t at(const char *when)
{
	static const char days[] = "montuewedthufrisatsun";
	char day[4];
	int hours, minutes, seconds = 0;

	assert_true(sscanf(when, "%3s %d:%d:%d", day, &hours, &minutes,
			    &seconds) >= 3);
	return 1767571200 + (strstr(days, day) - days) / 3 * 86400 +
		hours * 3600 + minutes * 60 + seconds;
}

static struct window *make_in(
	const char *days, const char *hours, struct zone *zone)
{
	struct window *window = window_new(days, hours, zone, err, sizeof(err));

	if (!window)
		fail_msg("%s", err);
	return window;
}

static struct window *make(const char *days, const char *hours)
{
	return make_in(days, hours, zone_fixed("UTC"));
}

/* yes and no are lists of times with a "|" between. */
static void check_all(const struct window *window, const char *times, bool yes)
{
	char list[300], *rest = list, *time;

	snprintf(list, sizeof(list), "%s", times);
	while ((time = strsep(&rest, "|")))
		if (window_holds(window, at(time)) != yes)
			fail_msg("%s: not %d", time, yes);
}

static void check(
	const char *days, const char *hours, const char *yes, const char *no)
{
	struct window *window = make(days, hours);

	check_all(window, yes, true);
	if (no)
		check_all(window, no, false);
	window_free(window);
}

static void working_hours(void **state)
{
	(void)state;
	check("mon-fri", "08:00-18:00", "mon 08:00|wed 12:34:56|fri 17:59:59",
		"mon 07:59:59|fri 18:00|sat 12:00|sun 12:00");
	check("sat,sun", NULL, "sat 00:00|sun 23:59:59",
		"fri 23:59:59|mon 00:00");
	check(NULL, "8:00-09:30", "sun 08:00|tue 09:29:59", "mon 09:30");
	check(NULL, NULL, "mon 00:00|sun 23:59:59|thu 12:00", NULL);
}

static void over_midnight_belongs_to_the_day_it_began(void **state)
{
	(void)state;
	check("fri", "22:00-06:00",
		"fri 22:00|fri 23:59:59|sat 00:00|sat 05:59:59",
		"fri 21:59:59|sat 06:00|fri 05:00|sat 22:00|sun 01:00");
	check("sun", "22:00-06:00", "sun 23:00|mon 03:00",
		"sun 03:00|mon 23:00");
	check(NULL, "22:00-06:00", "mon 23:00|tue 03:00|sun 02:00",
		"mon 12:00|mon 06:00");
}

static void days_go_round_the_week(void **state)
{
	(void)state;
	check("fri-mon", NULL, "fri 00:00|sat 12:00|sun 12:00|mon 23:59:59",
		"tue 00:00|wed 12:00|thu 23:59:59");
	check("sun-mon, Wed", NULL, "sun 01:00|mon 01:00|wed 01:00",
		"tue 01:00|thu 01:00|sat 01:00");
	check("tue-tue", NULL, "tue 01:00", "mon 23:59:59|wed 00:00");
}

static void an_end_at_midnight(void **state)
{
	(void)state;
	check("mon", "20:00-24:00", "mon 23:59:59", "tue 00:00|mon 19:59:59");
	check("mon", "20:00-00:00", "mon 23:59:59", "tue 00:00|mon 00:00");
	check("mon", "00:00-24:00", "mon 00:00|mon 23:59:59", "tue 00:00");
	check("mon", "00:00-00:01", "mon 00:00:59", "mon 00:01");
}

static void the_clock_is_that_of_the_zone(void **state)
{
	struct window *window =
		make_in("mon", "08:00-18:00", zone_fixed("+02:00"));

	(void)state;
	check_all(window, "mon 06:00|mon 15:59:59", true);
	check_all(window, "mon 05:59:59|mon 16:00", false);
	window_free(window);
	window = make_in("mon", "22:00-02:00", zone_fixed("-0330"));
	check_all(window, "tue 01:30|tue 05:29:59", true);
	check_all(window, "tue 01:29:59|tue 05:30|mon 03:00", false);
	window_free(window);
}

/* A file of version 2 with nothing in it but its last line. */
static struct zone *zone_of(const char *footer)
{
	static const uint8_t header[44] = {
		'T', 'Z', 'i', 'f', '2', [39] = 1, [43] = 1};
	static const uint8_t data[7] = {0};
	uint8_t file[300];
	size_t len = 0;

	for (int i = 0; i < 2; i++) {
		memcpy(file + len, header, sizeof(header));
		memcpy(file + len + sizeof(header), data, sizeof(data));
		len += sizeof(header) + sizeof(data);
	}
	len += (size_t)snprintf(
		(char *)file + len, sizeof(file) - len, "\n%s\n", footer);
	return zone_read("Test", file, len, err, sizeof(err));
}

static bool holds(const struct window *window, time_t from, int minutes)
{
	bool first = window_holds(window, from);

	for (int i = 1; i < minutes; i++)
		if (window_holds(window, from + i * 60) != first)
			fail_msg("changes after %d minutes", i);
	return first;
}

/* 29 March 2026: at 01:00 UTC 02:00 becomes 03:00; 25 October 2026: at 01:00
 * UTC 03:00 becomes 02:00. Both are Sundays. */
static void on_the_days_when_clocks_are_set(void **state)
{
	const time_t march = 1774742400, october = 1792886400;
	struct zone *berlin = zone_of("CET-1CEST,M3.5.0,M10.5.0/3");
	struct window *window;

	(void)state;
	assert_non_null(berlin);
	window = make_in("sun", "02:00-03:00", berlin);
	assert_false(holds(window, march, 1200)); /* there is no such hour */
	assert_false(holds(window, october - 3600, 60));
	assert_true(holds(window, october, 120)); /* there are two */
	assert_false(holds(window, october + 7200, 60));
	window_free(window);

	window = make_in(
		"sat", "22:00-06:00", zone_of("CET-1CEST,M3.5.0,M10.5.0/3"));
	assert_true(holds(window, march - 3 * 3600, 7 * 60));
	assert_false(holds(window, march + 4 * 3600, 60));
	assert_true(holds(window, october - 4 * 3600, 9 * 60));
	assert_false(holds(window, october + 5 * 3600, 60));
	window_free(window);
}

static void a_time_long_before_1970(void **state)
{
	struct window *window = make("wed", "23:00-24:00");

	(void)state;
	assert_true(window_holds(window, -1));
	assert_false(window_holds(window, 0));
	assert_false(window_holds(window, -3601));
	window_free(window);
}

static void refuse(const char *days, const char *hours, const char *says)
{
	struct zone *zone = zone_fixed("UTC");

	err[0] = '\0';
	if (window_new(days, hours, zone, err, sizeof(err)))
		fail_msg("%s %s was taken", days, hours);
	if (!strstr(err, says))
		fail_msg("\"%s\" does not say \"%s\"", err, says);
	zone_free(zone);
}

static void bad_texts_are_told(void **state)
{
	static const char *days[] = {"", "monday", "mo", "mon-", "-mon", "mon,",
		",mon", "mon fri", "mon-fri-sun", "weekend", "1-5", "mon;tue"};
	static const char *hours[] = {"", "8-18", "08:00", "08:00-", "-18:00",
		"08:00-18:00x", "08:00 18:00", "08:60-18:00", "25:00-26:00",
		"08:00-24:01", "24:00-08:00", "08:0-18:00", "008:00-18:00",
		"08:000-18:00", "+8:00-18:00", "08:00-18:00,20:00-21:00",
		"8:-9:00", ":00-9:00"};

	(void)state;
	for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++)
		refuse(days[i], "08:00-18:00", "not days of the week");
	for (size_t i = 0; i < sizeof(hours) / sizeof(*hours); i++)
		refuse("mon", hours[i], "not a span of time");
	refuse("monday", NULL, "days \"monday\"");
	refuse(NULL, "8-18", "hours \"8-18\"");
	refuse(NULL, "08:00-08:00", "the whole day is \"00:00-24:00\"");
}

static void write(const char *days, const char *hours, const char *text)
{
	struct window *window = make(days, hours);
	char out[100];

	window_text(window, out, sizeof(out));
	assert_string_equal(out, text);
	window_free(window);
}

static void written_as_a_person_would(void **state)
{
	struct window *window = make("mon-fri", "08:00-18:00");
	char out[8];

	(void)state;
	write("mon-fri", "8:00-18:00", "mon-fri 08:00-18:00 UTC");
	write("sun,SAT", NULL, "sat,sun 00:00-24:00 UTC");
	write(NULL, "22:00-06:00", "mon-sun 22:00-06:00 UTC");
	write("mon,fri,sat,sun", NULL, "fri-mon 00:00-24:00 UTC");
	write("sun,mon", NULL, "sun,mon 00:00-24:00 UTC");
	write("mon,wed,fri", "20:00-00:00", "mon,wed,fri 20:00-24:00 UTC");
	write("tue-thu,sat", NULL, "tue-thu,sat 00:00-24:00 UTC");
	window_text(window, out, sizeof(out));
	assert_string_equal(out, "mon-fri");
	window_free(window);
}

static void what_is_written_reads_the_same(void **state)
{
	(void)state;
	for (unsigned days = 1; days < 128; days++) {
		char list[40] = "", text[100];
		struct window *window, *again;

		for (int i = 0; i < 7; i++)
			if (days >> i & 1)
				snprintf(list + strlen(list), 6, "%s%.3s",
					*list ? "," : "",
					&"montuewedthufrisatsun"[i * 3]);
		window = make(list, NULL);
		window_text(window, text, sizeof(text));
		*strchr(text, ' ') = '\0';
		again = make(text, NULL);
		assert_true(window_within(window, again));
		assert_true(window_within(again, window));
		window_free(window);
		window_free(again);
	}
}

static bool within(const char *days_a, const char *hours_a,
	const char *days_b, const char *hours_b)
{
	struct window *a = make(days_a, hours_a), *b = make(days_b, hours_b);
	bool yes = window_within(a, b);

	window_free(a);
	window_free(b);
	return yes;
}

static void one_within_another(void **state)
{
	(void)state;
	assert_true(within("mon-fri", "8:00-18:00", "mon,tue,wed,thu,fri",
		"08:00-18:00"));
	assert_true(within("mon", "20:00-00:00", "mon", "20:00-24:00"));
	assert_true(within("tue", "09:00-10:00", "mon-fri", "08:00-18:00"));
	assert_true(within("tue", "22:00-06:00", "tue-wed", NULL));
	assert_true(within("wed", "01:00-02:00", "tue", "22:00-06:00"));
	assert_true(within("sun", "23:00-01:00", "sun", "22:00-06:00"));
	assert_false(within("mon", NULL, "tue", NULL));
	assert_false(within("mon", "08:00-18:01", "mon", "08:00-18:00"));
	assert_false(within("mon", "07:59-18:00", "mon", "08:00-18:00"));
	assert_false(within("tue", "22:00-06:00", "tue", NULL));
	assert_false(within("tue", "01:00-02:00", "tue", "22:00-06:00"));
	assert_false(within("mon", NULL, "mon-sun", "22:00-06:00"));
}

static void in_zones(const char *days, const char *hours, bool yes)
{
	struct window *a = make("mon", "10:00-11:00");
	struct window *b = make_in(days, hours, zone_fixed("+01:00"));

	assert_int_equal(window_within(a, b), yes);
	window_free(a);
	window_free(b);
}

static void zones_divide_all_but_what_always_holds(void **state)
{
	(void)state;
	in_zones("mon", NULL, false);
	in_zones(NULL, "00:00-23:59", false);
	in_zones(NULL, NULL, true);
}

/* holds_within asks at each half hour of a week. */
static bool holds_within(const struct window *a, const struct window *b)
{
	for (time_t at = 0; at < 7 * 86400; at += 1800)
		if (window_holds(a, at) && !window_holds(b, at))
			return false;
	return true;
}

/* Each of a few against each other. */
static void within_is_what_holding_comes_to(void **state)
{
	static const char *const days[] = {NULL, "mon", "sun", "mon-fri",
		"sat-sun", "sun-mon", "wed-mon"};
	static const char *const hours[] = {NULL, "00:00-06:00", "08:00-18:00",
		"05:30-08:00", "22:00-06:00", "18:00-08:00", "23:30-24:00"};
	enum { DAYS = sizeof(days) / sizeof(days[0]),
		HOURS = sizeof(hours) / sizeof(hours[0]) };
	struct window *all[DAYS * HOURS];
	unsigned num = 0;

	(void)state;
	for (unsigned i = 0; i < DAYS * HOURS; i++)
		all[i] = make(days[i / HOURS], hours[i % HOURS]);
	for (unsigned i = 0; i < DAYS * HOURS; i++)
		for (unsigned k = 0; k < DAYS * HOURS; k++) {
			assert_int_equal(window_within(all[i], all[k]),
				holds_within(all[i], all[k]));
			num += i != k && window_within(all[i], all[k]);
		}
	for (unsigned i = 0; i < DAYS * HOURS; i++)
		window_free(all[i]);
	assert_true(num > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(working_hours),
		cmocka_unit_test(over_midnight_belongs_to_the_day_it_began),
		cmocka_unit_test(days_go_round_the_week),
		cmocka_unit_test(an_end_at_midnight),
		cmocka_unit_test(the_clock_is_that_of_the_zone),
		cmocka_unit_test(on_the_days_when_clocks_are_set),
		cmocka_unit_test(a_time_long_before_1970),
		cmocka_unit_test(bad_texts_are_told),
		cmocka_unit_test(written_as_a_person_would),
		cmocka_unit_test(what_is_written_reads_the_same),
		cmocka_unit_test(one_within_another),
		cmocka_unit_test(zones_divide_all_but_what_always_holds),
		cmocka_unit_test(within_is_what_holding_comes_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
