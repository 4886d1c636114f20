#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/config/intern.h"

static void is_one_copy(void **state)
{
	char mine[] = "corp";
	const char *one = intern(mine), *other = intern("corporation");

	(void)state;
	assert_ptr_not_equal(one, mine);
	assert_string_equal(one, "corp");
	assert_string_equal(other, "corporation");
	memset(mine, 'x', sizeof(mine) - 1); /* which it does not borrow */
	assert_string_equal(one, "corp");
	assert_ptr_equal(intern("corp"), one);
	assert_ptr_equal(intern("corporation"), other);
	assert_ptr_equal(intern(""), intern(""));
	assert_string_equal(intern(""), "");
	assert_null(intern(NULL));
}

enum { THREADS = 4, WORDS = 50 };

static void *intern_all(void *arg)
{
	const char **out = arg;
	char word[16];

	for (int i = 0; i < WORDS; i++) {
		snprintf(word, sizeof(word), "word %d", i);
		out[i] = intern(word);
	}
	return NULL;
}

static void is_the_same_for_all_threads(void **state)
{
	static const char *words[THREADS][WORDS];
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, intern_all,
			words[i]), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (int i = 1; i < THREADS; i++)
		assert_memory_equal(words[0], words[i], sizeof(words[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_one_copy),
		cmocka_unit_test(is_the_same_for_all_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
