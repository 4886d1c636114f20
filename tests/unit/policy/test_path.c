#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/path.h"

/* In memory of the exact size, so that a byte too many is seen. */
static void reads(void (*reading)(const char *, size_t, char *),
	const char *path, const char *wanted)
{
	size_t len = strlen(path);
	char *in = malloc(len + 1), *out = malloc(len + 2);
	char again[200];

	assert_non_null(in);
	assert_non_null(out);
	memcpy(in, path, len);
	reading(in, len, out);
	if (strcmp(out, wanted) != 0)
		fail_msg("\"%s\": \"%s\", not \"%s\"", path, out, wanted);
	reading(out, strlen(out), again);
	assert_string_equal(again, wanted);
	free(in);
	free(out);
}

static void both(const char *path, const char *wanted)
{
	reads(path_exact, path, wanted);
	reads(path_lax, path, wanted);
}

static void differ(const char *path, const char *exact, const char *lax)
{
	reads(path_exact, path, exact);
	reads(path_lax, path, lax);
}

static void begins_with_a_slash(void **state)
{
	(void)state;
	both("", "/");
	both("/", "/");
	both("a/b", "/a/b");
	both("*", "/*");
	differ("\\a", "/\\a", "/a");
	differ("%2fa", "/%2Fa", "/a");
}

static void query_and_fragment_are_cut_off(void **state)
{
	(void)state;
	both("/a?b/../c", "/a");
	both("/a#b?c", "/a");
	both("?x", "/");
	both("#", "/");
	both("/a%3fb", "/a%3Fb");
	both("/a%23b", "/a%23b");
}

static void letters_are_small(void **state)
{
	(void)state;
	both("/GitHub", "/github");
	both("/%47it%48ub", "/github");
	both("/\xc3\x84", "/\xc3\x84");
}

static void encodings_are_decoded_once(void **state)
{
	(void)state;
	both("/github%2Dcopilot/%67", "/github-copilot/g");
	both("/a%20b%2a%7e", "/a b*~");
	both("/%c3%a4", "/\xc3\xa4");
	both("/%2567", "/%2567");
	both("/%25", "/%25");
	both("/%00%0a%7f%1F", "/%00%0A%7F%1F");
}

static void what_is_no_encoding_stays(void **state)
{
	(void)state;
	both("/100%", "/100%");
	both("/%g1/%4", "/%g1/%4");
	both("/%%341", "/%%341");
	both("/%4%31", "/%4%31");
	both("/%%67", "/%g");
	both("/%/%61", "/%/a");
}

static void dot_segments_go(void **state)
{
	(void)state;
	both("/./a", "/a");
	both("/a/./b/.", "/a/b/");
	both("/a/../b", "/b");
	both("/a/b/..", "/a/");
	both("/a/..", "/");
	both("/..", "/");
	both("/../../a", "/a");
	both("../a", "/a");
	both("/%2e%2E/a/%2e/b", "/a/b");
	both("/.../a..b/.c", "/.../a..b/.c");
	differ("/a//../b", "/a/b", "/b");
}

static void only_lax_reads_slashes_in_other_forms(void **state)
{
	(void)state;
	differ("//a///b/", "//a///b/", "/a/b/");
	differ("/x%2F..%2Fa", "/x%2F..%2Fa", "/a");
	differ("/x\\..\\a", "/x\\..\\a", "/a");
	differ("/x%5c..%5Ca", "/x%5C..%5Ca", "/a");
	differ("/.//a", "//a", "/a");
	differ("/a//.", "/a//", "/a/");
}

static void only_lax_cuts_parameters_off(void **state)
{
	(void)state;
	differ("/a;b/c", "/a;b/c", "/a/c");
	differ("/a%3bb;c/d", "/a%3Bb;c/d", "/a/d");
	differ("/x/..;/a", "/x/..;/a", "/a");
	differ("/a;x%2Fb", "/a;x%2Fb", "/a/b");
	differ("/a;x\\b", "/a;x\\b", "/a/b");
	differ("/a;%41%25%", "/a;a%25%", "/a");
	differ("/;%//%41", "/;%//a", "/a");
}

static void a_nul_ends_nothing(void **state)
{
	char out[10];

	(void)state;
	path_exact("/a\0b", 4, out);
	assert_string_equal(out, "/a\x01" "b");
	path_lax("/a\0b", 4, out);
	assert_string_equal(out, "/a\x01" "b");
}

/* --- all readings --------------------------------------------------------- */

static bool has_reading(const char *path, const char *wanted)
{
	struct path_readings readings;
	bool found = false;

	path_read(path, strlen(path), &readings);
	for (size_t i = 0; i < readings.num; i++)
		found |= strcmp(readings.at[i], wanted) == 0;
	path_readings_clear(&readings);
	return found;
}

static size_t readings_of(const char *path, size_t len)
{
	struct path_readings readings;
	size_t num;

	path_read(path, len, &readings);
	num = readings.num;
	assert_in_range(num, 1, PATH_READINGS);
	for (size_t i = 0; i < num; i++)
		assert_int_equal(readings.at[i][0], '/');
	path_readings_clear(&readings);
	return num;
}

static void a_plain_path_has_one_reading(void **state)
{
	static const char *const plain[] = {"", "/", "/a/b/", "/a.b/c..d",
		"/.well-known/x", "/a%20b/%41", "/...", "/a?/../;//", "a"};

	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (readings_of(plain[i], strlen(plain[i])) != 1)
			fail_msg("\"%s\" has several readings", plain[i]);
}

static void dot_segments_may_be_names(void **state)
{
	(void)state;
	assert_true(has_reading("/s/a/../../x", "/s/a/../../x"));
	assert_true(has_reading("/s/a/../../x", "/x"));
	assert_true(has_reading("/s/%2e%2E/", "/s/../"));
	assert_true(has_reading("/s%2f..", "/s/.."));
	assert_true(has_reading("/s\\..", "/s/.."));
	assert_true(has_reading("/s//./", "/s/./"));
	assert_true(has_reading("/s/..;x/", "/s/../"));
	assert_true(has_reading("..", "/.."));
}

static void each_order_is_a_reading(void **state)
{
	(void)state;
	assert_true(has_reading("/f//..//c", "/f/c"));
	assert_true(has_reading("/f//..//c", "/c"));
	assert_true(has_reading("/f%2f/..%2f/c", "/f/c"));
	assert_true(has_reading("/x%2f..%2ff;%2fq/c", "/f/c"));
	assert_true(has_reading("/x%2f..%2ff;%2fq/c", "/f/q/c"));
	assert_true(has_reading("/a/../s%2f..", "/s/.."));
	assert_true(has_reading("/f%3bx;y/c", "/f;x/c"));
	assert_true(has_reading("/f%3bx;y/c", "/f/c"));
}

/* Every short path of what parts one. */
static void there_are_never_too_many(void **state)
{
	static const char *const pieces[] = {"/", "a", ".", "..", "%2e.", ";",
		"%2F", "%5c", "\\", "%3b"};
	enum { PIECES = sizeof(pieces) / sizeof(pieces[0]) };
	char path[64] = "";
	size_t most = 0;

	(void)state;
	for (unsigned n = 0; n < 100000; n++) {
		char *end = path;
		size_t num;

		for (unsigned left = n; left; left /= PIECES)
			end = stpcpy(end, pieces[left % PIECES]);
		num = readings_of(path, (size_t)(end - path));
		most = num > most ? num : most;
	}
	assert_in_range(most, 20, PATH_READINGS);
}

static void long_ones_are_known(void **state)
{
	char path[2 * PATH_LONG];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	assert_false(path_is_long(path, sizeof(path)));
	path[2] = ';';
	assert_true(path_is_long(path, PATH_LONG + 1));
	assert_false(path_is_long(path, PATH_LONG));
	path[PATH_LONG - 1] = '?';
	assert_false(path_is_long(path, sizeof(path)));
	path[2] = 'a';
	path[PATH_LONG + 5] = ';';
	assert_false(path_is_long(path, sizeof(path)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_with_a_slash),
		cmocka_unit_test(query_and_fragment_are_cut_off),
		cmocka_unit_test(letters_are_small),
		cmocka_unit_test(encodings_are_decoded_once),
		cmocka_unit_test(what_is_no_encoding_stays),
		cmocka_unit_test(dot_segments_go),
		cmocka_unit_test(only_lax_reads_slashes_in_other_forms),
		cmocka_unit_test(only_lax_cuts_parameters_off),
		cmocka_unit_test(a_nul_ends_nothing),
		cmocka_unit_test(a_plain_path_has_one_reading),
		cmocka_unit_test(dot_segments_may_be_names),
		cmocka_unit_test(each_order_is_a_reading),
		cmocka_unit_test(there_are_never_too_many),
		cmocka_unit_test(long_ones_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
