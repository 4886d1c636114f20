#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/config/units.h"

typedef int read_unit(const char *text, uint64_t *out);

static void is(read_unit *read, const char *text, uint64_t expected)
{
	uint64_t value = 0;

	if (read(text, &value) != 0)
		fail_msg("\"%s\" was refused", text);
	assert_int_equal(value, expected);
}

static void is_not(read_unit *read, const char *text)
{
	uint64_t value = 77;

	if (read(text, &value) == 0)
		fail_msg("\"%s\" was taken", text);
	assert_int_equal(value, 77);
}

static void counts(void **state)
{
	(void)state;
	is(units_count, "0", 0);
	is(units_count, "20000", 20000);
	is(units_count, "999999999", 999999999);
	is_not(units_count, "");
	is_not(units_count, "-1");
	is_not(units_count, "+1");
	is_not(units_count, " 1");
	is_not(units_count, "1 ");
	is_not(units_count, "1.5");
	is_not(units_count, "0x10");
	is_not(units_count, "1000000000");
	is_not(units_count, "1KB");
}

static void sizes(void **state)
{
	(void)state;
	is(units_size, "65536", 65536);
	is(units_size, "64KB", 65536);
	is(units_size, "64MB", 67108864);
	is(units_size, "4GB", UINT64_C(4) << 30);
	is_not(units_size, "64K");
	is_not(units_size, "64 KB");
	is_not(units_size, "KB");
	is_not(units_size, "10s");
}

static void durations(void **state)
{
	(void)state;
	is(units_duration, "500ms", 500);
	is(units_duration, "10s", 10000);
	is(units_duration, "5m", 300000);
	is(units_duration, "12h", 43200000);
	is(units_duration, "14d", 1209600000);
	is(units_duration, "999999999d", UINT64_C(999999999) * 86400000);
	is_not(units_duration, "10");
	is_not(units_duration, "1h30m");
	is_not(units_duration, "1w");
	is_not(units_duration, "s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
