#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/admin/multipart.h"

#define TYPE "multipart/form-data; boundary=XX"
#define FILE_PART "--XX\r\nContent-Disposition: form-data; name=\"file\"; " \
	"filename=\"a.pem\"\r\nContent-Type: text/plain\r\n\r\n"

static struct multipart_file file;
static char err[256];

/* The body is given in memory of its own size: what is read behind it is seen
 * by the sanitizer. */
static int find(const char *type, const char *body, size_t len)
{
	char *copy = malloc(len ? len : 1);
	int result;
	static char kept[8192];

	assert_non_null(copy);
	memcpy(copy, body, len);
	err[0] = '\0';
	result = multipart_find((struct slice){type, strlen(type)},
		(struct slice){copy, len}, "file", &file, err, sizeof(err));
	if (result == 0) { /* what was found lives in the body */
		assert_true(file.bytes.len < sizeof(kept));
		memcpy(kept, file.bytes.at, file.bytes.len);
		file.bytes.at = kept;
		assert_true(!file.has_name || file.name.len == 0 ||
			(file.name.at > copy && file.name.at < copy + len));
	}
	if (file.name.len > 0 && result == 0) {
		static char name[256];

		memcpy(name, file.name.at, file.name.len);
		file.name.at = name;
	}
	free(copy);
	return result;
}

static void finds(const char *type, const char *body, const char *bytes)
{
	if (find(type, body, strlen(body)) != 0)
		fail_msg("%s", err);
	assert_true(slice_is(file.bytes, bytes));
}

static void refuses(const char *type, const char *body, const char *why)
{
	assert_int_equal(find(type, body, strlen(body)), -1);
	if (!strstr(err, why))
		fail_msg("no '%s' in: %s", why, err);
}

static void finds_the_file(void **state)
{
	(void)state;
	finds(TYPE, FILE_PART "hello\r\n--XX--\r\n", "hello");
	assert_true(file.has_name && slice_is(file.name, "a.pem"));
	finds(TYPE, FILE_PART "hello\r\n--XX--", "hello");
	finds(TYPE, FILE_PART "\r\n--XX--", "");
	finds(TYPE, FILE_PART "a\r\nb\n--XX\r\n\r\n--XX--", "a\r\nb\n--XX\r\n");
	/* a preamble, an epilogue, padding (RFC 2046, 5.1.1) */
	finds(TYPE, "read me\r\n" FILE_PART "x\r\n--XX-- \r\nbye", "x");
	finds(TYPE, "--XX \t\r\nContent-Disposition: form-data; name=file\r\n"
		"\r\nx\r\n--XX--", "x");
	assert_false(file.has_name);
}

static void passes_over_others(void **state)
{
	(void)state;
	finds(TYPE, "--XX\r\nContent-Disposition: form-data; name=\"id\"\r\n"
		"\r\n4\r\n" FILE_PART "x\r\n--XX\r\nContent-Disposition: "
		"form-data; name=\"more\"; filename=\"b\"\r\n\r\ny\r\n--XX--",
		"x");
	assert_true(slice_is(file.name, "a.pem"));
}

static void reads_every_way_to_write_it(void **state)
{
	(void)state;
	finds("Multipart/Form-Data;charset=utf-8; BOUNDARY=\"a b'()+_,-./:=?\"",
		"--a b'()+_,-./:=?\r\ncontent-disposition:FORM-DATA;NAME=file;"
		"filename=b\r\n\r\nx\r\n--a b'()+_,-./:=?--", "x");
	assert_true(slice_is(file.name, "b"));
	finds(TYPE, "--XX\r\nContent-Disposition: form-data; filename=\"a;b\\\""
		"c\"; name=\"file\"\r\nContent-Transfer-Encoding: binary\r\n"
		"\r\nx\r\n--XX--", "x");
	assert_true(slice_is(file.name, "a;b\\\"c"));
	finds(TYPE, "--XX\r\nContent-Disposition: form-data; name=\"file\"; "
		"filename=\"\"\r\n\r\n\r\n--XX--", "");
	assert_true(file.has_name && file.name.len == 0);
}

static void leaves_other_types_alone(void **state)
{
	static const char *const types[] = {"", "application/json",
		"multipart/mixed; boundary=XX", "multipart/form-datax"};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		assert_int_equal(find(types[i], "x", 1), MULTIPART_OTHER);
	assert_int_equal(multipart_find((struct slice){NULL, 0},
		(struct slice){NULL, 0}, "file", &file, err, sizeof(err)),
		MULTIPART_OTHER);
}

static const struct {
	const char *type, *body, *why;
} broken[] = {
	{"multipart/form-data", "x", "has no boundary"},
	{"multipart/form-data; boundary=\"XX", "x", "Content-Type is malf"},
	{"multipart/form-data; boundary", "x", "Content-Type is malformed"},
	{"multipart/form-data; boundary=", "x", "1 to 70 characters"},
	{"multipart/form-data; boundary=a23456789b123456789c123456789d12345678"
		"9e123456789f123456789g123456789hi", "x", "1 to 70"},
	{"multipart/form-data; boundary=\"a\tb\"", "x", "what can't stand"},
	{"multipart/form-data; boundary=a; boundary=b", "x", "two boundaries"},
	{TYPE, "", "The form is empty"},
	{TYPE, "--YY\r\n\r\n", "does not hold its boundary"},
	{TYPE, "--XX", "the last boundary is missing"},
	{TYPE, "--XX\r", "the last boundary is missing"},
	{TYPE, "--XXY\r\n", "does not end its line"},
	{TYPE, "--XX--", "no part called \"file\""},
	{TYPE, "--XX\r\n", "in the middle of a part's header"},
	{TYPE, "--XX\r\nContent-Disposition: form-data", "in the middle of a "
		"part's header"},
	{TYPE, "--XX\r\nContent-Disposition\r\n\r\n", "without a name"},
	{TYPE, "--XX\r\n: form-data\r\n\r\n", "without a name"},
	{TYPE, "--XX\r\nContent-Type: a/b\r\n\r\nx\r\n--XX--", "has no name"},
	{TYPE, "--XX\r\nContent-Disposition: attachment; name=file\r\n\r\nx"
		"\r\n--XX--", "is not form-data"},
	{TYPE, "--XX\r\nContent-Disposition: form-data; name=\"file\r\n\r\nx"
		"\r\n--XX--", "Content-Disposition is malformed"},
	{TYPE, "--XX\r\nContent-Disposition: form-data; name=\"file\\\r\n\r\n"
		"x\r\n--XX--", "Content-Disposition is malformed"},
	{TYPE, "--XX\r\nContent-Disposition: form-data; name=\"file\" x\r\n"
		"\r\nx\r\n--XX--", "Content-Disposition is malformed"},
	{TYPE, "--XX\r\nContent-Disposition: form-data; name=a\r\n"
		"Content-Disposition: form-data; name=file\r\n\r\nx\r\n--XX--",
		"two Content-Disposition"},
	{TYPE, FILE_PART "hello", "the last boundary is missing"},
	{TYPE, FILE_PART "hello--XX--", "the last boundary is missing"},
	{TYPE, FILE_PART "hello\r\n--XX", "the last boundary is missing"},
	{TYPE, FILE_PART "a\r\n" FILE_PART "b\r\n--XX--", "the file twice"},
	{TYPE, "--XX\r\nContent-Disposition: form-data; name=file\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\nx\r\n--XX--",
		"is encoded"},
	{TYPE, "--XX\r\nContent-Disposition: form-data; name=other\r\n\r\nx"
		"\r\n--XX--", "No file was selected"},
};

static void says_what_is_broken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++)
		refuses(broken[i].type, broken[i].body, broken[i].why);
}

static void bounds_what_it_reads(void **state)
{
	static const char one[] = "--XX\r\nContent-Disposition: form-data; "
		"name=a\r\n\r\nx\r\n";
	static char body[MULTIPART_HEAD_MAX + 40 * sizeof(one)];
	size_t len = 0;

	(void)state;
	for (int i = 0; i <= MULTIPART_PARTS_MAX; i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len, "%s",
			one);
	refuses(TYPE, body, "more than 32 parts");
	len = (size_t)snprintf(body, sizeof(body), "--XX\r\nX: ");
	memset(body + len, 'x', MULTIPART_HEAD_MAX);
	snprintf(body + len + MULTIPART_HEAD_MAX, 64, "\r\n\r\nx\r\n--XX--");
	refuses(TYPE, body, "longer than 4 KB");
}

/* However much of a form has come, nothing behind it is read. */
static void is_whole_or_refused(void **state)
{
	static const char body[] = "pre\r\n" FILE_PART "hello\r\n--XX--";

	(void)state;
	for (size_t len = 0; len < sizeof(body) - 1; len++)
		assert_int_equal(find(TYPE, body, len), -1);
	assert_int_equal(find(TYPE, body, sizeof(body) - 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_file),
		cmocka_unit_test(passes_over_others),
		cmocka_unit_test(reads_every_way_to_write_it),
		cmocka_unit_test(leaves_other_types_alone),
		cmocka_unit_test(says_what_is_broken),
		cmocka_unit_test(bounds_what_it_reads),
		cmocka_unit_test(is_whole_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
