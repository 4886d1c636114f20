#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/core/child.h"

/* die has it end after so many seconds; how long it is not started for. */
static time_t die(struct child *child, time_t lived_s)
{
	child->started = child_now() - lived_s;
	child_rest(child);
	return child->again - (child->started + lived_s);
}

/* A turn of the clock's second between two looks at it adds one. */
static void rests(struct child *child, time_t lived_s, time_t wait)
{
	assert_in_range(die(child, lived_s), wait, wait + 1);
}

static void rests_longer_and_longer(void **state)
{
	static const time_t waits[] = {0, 1, 2, 4, 8, 30, 30, 30};
	struct child child = {.word = "@nobody", .channel = -1};

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++)
		rests(&child, 0, waits[i]);
}

static void forgives_who_has_lived(void **state)
{
	struct child child = {.word = "@nobody", .channel = -1};

	(void)state;
	for (int i = 0; i < 4; i++)
		(void)die(&child, 1);
	rests(&child, 3600, 0);
	rests(&child, 1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rests_longer_and_longer),
		cmocka_unit_test(forgives_who_has_lived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
