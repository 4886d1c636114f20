#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/net/names.h"

static struct half half_of(enum resolve_status status, unsigned ttl_s)
{
	struct half half = { .status = status, .ttl_s = ttl_s };

	if (status == RESOLVE_OK) {
		half.num = 2;
		half.ips[0].at[0] = 192;
		half.ips[1].at[0] = 198;
	}
	return half;
}

/* life_ms: how long such an answer is given out. */
static uint64_t life_ms(struct half v6, struct half v4)
{
	struct names names = { .max = 4 };
	struct half a, b;
	uint64_t ms;

	names_keep(&names, "x.example", &v6, &v4, 1000);
	for (ms = 0; ms < 1000000; ms += 500)
		if (!names_find(&names, "x.example", 1000 + ms, &a, &b))
			break;
	assert_null(names.all);
	names_clear(&names);
	return ms;
}

static void heeds_the_ttl(void **state)
{
	struct half none = half_of(RESOLVE_NO_NAME, 0);
	struct half dead = half_of(RESOLVE_TIMEOUT, 0);
	struct half fail = half_of(RESOLVE_FAILED, 0);

	(void)state;
	assert_int_equal(life_ms(none, half_of(RESOLVE_OK, 60)), 60000);
	assert_int_equal(life_ms(half_of(RESOLVE_OK, 60), none), 60000);
	assert_int_equal(life_ms(half_of(RESOLVE_OK, 9),
		half_of(RESOLVE_OK, 60)), 9000);
	assert_int_equal(life_ms(none, half_of(RESOLVE_OK, 0)), 1000);
	assert_int_equal(life_ms(none, half_of(RESOLVE_OK, UINT32_MAX)), 300000);
	assert_int_equal(life_ms(none, none), 5000);
	assert_int_equal(life_ms(fail, none), 1000);
	assert_int_equal(life_ms(dead, half_of(RESOLVE_OK, 60)), 1000);
}

static void gives_back_what_it_got(void **state)
{
	struct half v6 = half_of(RESOLVE_NO_NAME, 0), a = {0};
	struct half v4 = half_of(RESOLVE_OK, 60), b = {0};
	struct names names = { .max = 4 };

	(void)state;
	names_keep(&names, "x.example", &v6, &v4, 0);
	v4.ips[1].at[0] = 203;
	names_keep(&names, "x.example", &v6, &v4, 0);
	assert_true(names_find(&names, "x.example", 0, &a, &b));
	assert_int_equal(a.status, RESOLVE_NO_NAME);
	assert_int_equal(a.num, 0);
	assert_int_equal(b.status, RESOLVE_OK);
	assert_int_equal(b.num, 2);
	assert_int_equal(b.ips[0].at[0], 192);
	assert_int_equal(b.ips[1].at[0], 203);
	assert_false(names_find(&names, "y.example", 0, &a, &b));
	names_clear(&names);
}

static void drops_the_least_used(void **state)
{
	struct half v6 = half_of(RESOLVE_OK, 60), v4 = v6, a, b;
	struct names names = { .max = 3 };

	(void)state;
	names_keep(&names, "1", &v6, &v4, 0);
	names_keep(&names, "2", &v6, &v4, 0);
	names_keep(&names, "3", &v6, &v4, 0);
	assert_true(names_find(&names, "1", 0, &a, &b));
	names_keep(&names, "4", &v6, &v4, 0);
	assert_false(names_find(&names, "2", 0, &a, &b));
	assert_true(names_find(&names, "4", 0, &a, &b));
	assert_true(names_find(&names, "1", 0, &a, &b));
	names_keep(&names, "3", &v6, &v4, 0);
	names_keep(&names, "5", &v6, &v4, 0);
	assert_false(names_find(&names, "4", 0, &a, &b));
	assert_true(names_find(&names, "1", 0, &a, &b));
	assert_true(names_find(&names, "3", 0, &a, &b));
	assert_true(names_find(&names, "5", 0, &a, &b));
	names_clear(&names);
	assert_null(names.all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heeds_the_ttl),
		cmocka_unit_test(gives_back_what_it_got),
		cmocka_unit_test(drops_the_least_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
