#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/cli/overheard.h"

#define CANARY "canary.lab:443"
#define ASKS "CONNECT " CANARY " HTTP/1.1\r\nHost: x\r\n\r\n"

static struct overheard heard;

static void say(const void *at, size_t len)
{
	overheard_feed(&heard, CANARY, at, len);
}

/* record says one of that type and length, its body beginning so. */
static void record(uint8_t type, size_t len, uint8_t first)
{
	uint8_t all[5 + 1000] = {type, 3, 3, (uint8_t)(len >> 8),
		(uint8_t)len, first};

	say(all, 5 + len);
}

static int begin(void **state)
{
	(void)state;
	heard = (struct overheard){.step = OVERHEARD_NOTHING};
	say(ASKS, sizeof(ASKS) - 1);
	assert_int_equal(heard.step, OVERHEARD_CONNECT);
	record(22, 500, 1);
	assert_int_equal(heard.step, OVERHEARD_TLS);
	return 0;
}

static void heads(void **state)
{
	static const struct {
		const char *text;
		enum overheard_step step;
	} all[] = {
		{"CONNECT " CANARY " HTTP/1.1\r\n\r", OVERHEARD_NOTHING},
		{ASKS, OVERHEARD_CONNECT},
		{ASKS ASKS, OVERHEARD_CONNECT}, /* with a password, now */
		{"CONNECT CANARY.lab:443 HTTP/1.0\r\n\r\n", OVERHEARD_CONNECT},
		{"CONNECT canary.lab:4433 HTTP/1.1\r\n\r\n",
			OVERHEARD_ELSEWHERE},
		{"CONNECT x.canary.lab:443 HTTP/1.1\r\n\r\n",
			OVERHEARD_ELSEWHERE},
		{"GET / HTTP/1.1\r\n\r\n", OVERHEARD_ELSEWHERE},
		{"A\r\r\n\r\n", OVERHEARD_ELSEWHERE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		heard = (struct overheard){.step = OVERHEARD_NOTHING};
		for (const char *c = all[i].text; *c; c++)
			say(c, 1);
		assert_int_equal(heard.step, all[i].step);
	}
}

static void a_request_after_finished(void **state)
{
	(void)state;
	record(20, 1, 1);
	record(23, 53, 0);
	assert_int_equal(heard.step, OVERHEARD_TLS);
	record(23, 100, 0);
	assert_int_equal(heard.step, OVERHEARD_REQUEST);
}

static void a_request_after_another_hello(void **state)
{
	(void)state;
	record(20, 1, 1);
	record(22, 600, 1);
	record(23, 69, 0);
	assert_int_equal(heard.step, OVERHEARD_TLS);
	record(23, 64, 0);
	assert_int_equal(heard.step, OVERHEARD_REQUEST);
}

static void alerts_are_none(void **state)
{
	(void)state;
	record(20, 1, 1);
	record(23, 19, 0);
	record(23, 35, 0); /* Java's */
	assert_int_equal(heard.step, OVERHEARD_TLS);
}

static void an_alert_after_finished_is_none(void **state)
{
	(void)state;
	record(23, 53, 0);
	record(23, 19, 0);
	record(23, 35, 0);
	assert_int_equal(heard.step, OVERHEARD_TLS);
}

static void a_request_in_tls_12(void **state)
{
	(void)state;
	record(22, 37, 16);
	record(20, 1, 1);
	record(22, 40, 0);
	record(21, 26, 0);
	assert_int_equal(heard.step, OVERHEARD_TLS);
	record(23, 53, 0);
	assert_int_equal(heard.step, OVERHEARD_REQUEST);
}

static void byte_by_byte(void **state)
{
	static const uint8_t all[] = {20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 53};
	const uint8_t zero = 0, next[] = {23, 3, 3, 0, 80};

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		say(all + i, 1);
	for (int i = 0; i < 53; i++)
		say(&zero, 1);
	assert_int_equal(heard.step, OVERHEARD_TLS);
	for (size_t i = 0; i < sizeof(next); i++)
		say(next + i, 1);
	assert_int_equal(heard.step, OVERHEARD_REQUEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test_setup(a_request_after_finished, begin),
		cmocka_unit_test_setup(a_request_after_another_hello, begin),
		cmocka_unit_test_setup(alerts_are_none, begin),
		cmocka_unit_test_setup(an_alert_after_finished_is_none, begin),
		cmocka_unit_test_setup(a_request_in_tls_12, begin),
		cmocka_unit_test_setup(byte_by_byte, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
