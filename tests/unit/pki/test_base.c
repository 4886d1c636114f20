#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "pki/base.h"
#include "tests/support/lab.h"

static char err[256];

static int tear_down(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static void fails_with_a_sentence(void **state)
{
	char small[8];

	(void)state;
	ERR_put_error(ERR_LIB_USER, 0, 1, "x", 1);
	assert_int_equal(pki_fail(small, sizeof(small), "%s", "far too long"),
		-1);
	assert_string_equal(small, "far too");
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(pki_fail(NULL, 0, "nobody listens"), -1);
}

static void writes_bytes_as_digits(void **state)
{
	const uint8_t bytes[] = {0, 0x0a, 0xff};
	char text[7] = "x";

	(void)state;
	der_hex((struct der){bytes, sizeof(bytes)}, text);
	assert_string_equal(text, "000aff");
	der_hex((struct der){NULL, 0}, text);
	assert_string_equal(text, "");
}

static void writes_a_file_at_once(void **state)
{
	struct stat st;
	char *text;
	size_t len;

	(void)state;
	lab_text("f", "old");
	assert_int_equal(file_write(lab_path("f"), "new one", 7, 0640, err,
		sizeof(err)), 0);
	assert_int_equal(stat(lab_path("f"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(file_read(lab_path("f"), 7, &text, &len, err,
		sizeof(err)), 0);
	assert_int_equal(len, 7);
	assert_string_equal(text, "new one");
	free(text);
	assert_int_equal(file_write(lab_path("no/f"), "x", 1, 0600, err,
		sizeof(err)), -1);
	lab_run("ls | grep -c '^f'"); /* nothing temporary is left */
	assert_string_equal(lab_said(), "1\n");
}

static void reads_no_more_than_it_may(void **state)
{
	char *text;
	size_t len;

	(void)state;
	lab_text("f", "seven..");
	assert_int_equal(file_read(lab_path("f"), 6, &text, &len, err,
		sizeof(err)), -1);
	assert_non_null(strstr(err, "File too large"));
	assert_int_equal(file_read(lab_path("."), 6, &text, &len, err,
		sizeof(err)), -1);
	lab_text("f", "");
	assert_int_equal(file_read(lab_path("f"), 6, &text, &len, err,
		sizeof(err)), 0);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(file_read("/dev/zero", 100, &text, &len, err,
		sizeof(err)), -1);
}

static void compares_der(void **state)
{
	struct der a = {(const uint8_t *)"ab", 2}, none = {NULL, 0};

	(void)state;
	assert_true(der_same(a, (struct der){(const uint8_t *)"abc", 2}));
	assert_false(der_same(a, (struct der){(const uint8_t *)"abc", 3}));
	assert_false(der_same(a, none));
	assert_true(der_same(none, none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fails_with_a_sentence),
		cmocka_unit_test(writes_bytes_as_digits),
		cmocka_unit_test(writes_a_file_at_once),
		cmocka_unit_test(reads_no_more_than_it_may),
		cmocka_unit_test(compares_der),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
