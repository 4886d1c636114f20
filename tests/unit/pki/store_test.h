/*
 * store_test.h - a store in a folder of each test's own, which set_up makes and
 * tear_down removes.
 */
#ifndef TESTS_UNIT_PKI_STORE_TEST_H
#define TESTS_UNIT_PKI_STORE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pki/der.h"
#include "pki/store.h"
#include "tests/support/lab.h"

static char err[512];

static inline int set_up(void **state)
{
	(void)state;
	lab_end();
	lab_folder();
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

/* open_store makes it where it is not there. */
static inline struct store *open_store(void)
{
	struct store *store;

	if (store_open(lab_path("s.db"), &store, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return store;
}

static inline CRYPTO_BUFFER *blob(const char *text)
{
	return der_buffer((struct der){(const uint8_t *)text, strlen(text)});
}

static inline void assert_blob(const CRYPTO_BUFFER *got, const char *text)
{
	assert_non_null(got);
	assert_int_equal(CRYPTO_BUFFER_len(got), strlen(text));
	assert_memory_equal(CRYPTO_BUFFER_data(got), text, strlen(text));
}

#endif
