#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proxy/cli/client.h"

static void a_word_in_a_path(void **state)
{
	static const struct {
		const char *word, *path;
	} rows[] = {
		{"ci", "/t/ci"}, {"a-b._~9Z", "/t/a-b._~9Z"}, {"", "/t/"},
		{"a b", "/t/a%20b"}, {"a?b#c", "/t/a%3Fb%23c"},
		{"dev/ops", "/t/dev%2Fops"}, {"50%", "/t/50%25"},
		{"%41", "/t/%2541"}, {"B\xc3\xbcro+", "/t/B%C3%BCro%2B"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *path = client_path("/t/", rows[i].word);

		assert_string_equal(path, rows[i].path);
		free(path);
	}
}

static void what_is_refused(void **state)
{
	struct client_reply reply = {.status = 404};

	(void)state;
	assert_true(client_refused(&reply));
	for (unsigned status = 0; status <= 500; status += 100) {
		reply.status = status;
		assert_int_equal(client_refused(&reply), status == 400);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_in_a_path),
		cmocka_unit_test(what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
