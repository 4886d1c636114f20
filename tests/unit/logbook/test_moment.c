#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/logbook/moment.h"

/* 2026-11-20T12:00:00Z, a Friday. */
#define NOW INT64_C(1795176000000)
#define HOUR (INT64_C(3600) * 1000)
#define DAY (24 * HOUR)

static int64_t read_one(const char *text)
{
	int64_t ms = -1;

	if (!moment_read(text, NOW, &ms))
		fail_msg("%s", text);
	return ms;
}

static void as_people_say_them(void **state)
{
	(void)state;
	assert_int_equal(read_one("now"), NOW);
	assert_int_equal(read_one("today"), NOW - 12 * HOUR);
	assert_int_equal(read_one("yesterday"), NOW - 36 * HOUR);
	assert_int_equal(read_one("90s"), NOW - 90 * 1000);
	assert_int_equal(read_one("30m"), NOW - HOUR / 2);
	assert_int_equal(read_one("2h"), NOW - 2 * HOUR);
	assert_int_equal(read_one("2h ago"), NOW - 2 * HOUR);
	assert_int_equal(read_one("3d"), NOW - 3 * DAY);
	assert_int_equal(read_one("1w"), NOW - 7 * DAY);
	assert_int_equal(read_one("10:30"), NOW - HOUR - HOUR / 2);
	assert_int_equal(read_one("10:30:01"), NOW - HOUR - HOUR / 2 + 1000);
	assert_int_equal(read_one("13:00"), NOW - 23 * HOUR);
	assert_int_equal(read_one("2026-11-20"), NOW - 12 * HOUR);
	assert_int_equal(read_one("2026-11-20 11:00"), NOW - HOUR);
	assert_int_equal(read_one("2026-11-20T11:00Z"), NOW - HOUR);
	assert_int_equal(read_one("2026-11-20T12:00:00.5Z"), NOW + 500);
	assert_int_equal(read_one("2026-11-20T13:00:00+01:00"), NOW);
	assert_int_equal(read_one("2026-11-20T06:30:00-05:30"), NOW);
	assert_int_equal(read_one("2024-02-29"), INT64_C(1709164800000));
	assert_int_equal(read_one("1970-01-01"), 0);
}

static void what_is_no_time_is_not_read(void **state)
{
	static const char *const texts[] = {"", "x", "h", "2", "2x", "2h2", "-2h",
		"99999999s", "24:00", "10:60", "1:30", "10:30x", "2026",
		"2026-11", "2026-13-01", "2026-02-29", "2026-00-01",
		"2026-11-00", "1969-12-31", "2026-11-20T", "2026-11-20x",
		"2026-11-20T10:30:00.Z", "2026-11-20T10:30:00+1:00",
		"2026-11-20T10:30:00Zx", "tomorrow", "2 h", "2h  ago"};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (moment_read(texts[i], NOW, &ms))
			fail_msg("%s", texts[i]);
	}
	assert_false(moment_of("2026-11-20", &ms));
	assert_false(moment_of("2026-11-20T10:30:00", &ms));
	assert_false(moment_of("10:30", &ms));
	assert_true(moment_of("2026-11-20T12:00:00.123Z", &ms));
	assert_int_equal(ms, NOW + 123);
}

static void written_as_the_log_is(void **state)
{
	char text[MOMENT_SIZE];

	(void)state;
	moment_text(NOW + 999, text);
	assert_string_equal(text, "2026-11-20 12:00:00Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_people_say_them),
		cmocka_unit_test(what_is_no_time_is_not_read),
		cmocka_unit_test(written_as_the_log_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
