#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/report/json_line.h"

static void is_text(struct json_line *line, const char *text)
{
	assert_int_equal(line->len, strlen(text));
	assert_memory_equal(line->text, text, line->len);
	free(line->text);
	*line = (struct json_line){0};
}

static void writes_each_kind(void **state)
{
	struct json_line line = {0};

	(void)state;
	json_open(&line);
	json_text(&line, "text", "hello");
	json_bytes(&line, "bytes", "hello", 2);
	json_number(&line, "zero", 0);
	json_number(&line, "most", UINT64_MAX);
	json_bool(&line, "yes", true);
	json_bool(&line, "no", false);
	json_close(&line);
	is_text(&line, "{\"text\":\"hello\",\"bytes\":\"he\",\"zero\":0,"
		"\"most\":18446744073709551615,\"yes\":true,\"no\":false}\n");
}

static void leaves_out_what_is_null(void **state)
{
	struct json_line line = {0};

	(void)state;
	json_open(&line);
	json_text(&line, "a", NULL);
	json_bytes(&line, "b", NULL, 3);
	json_text(&line, "c", "");
	json_text(&line, "d", NULL);
	json_close(&line);
	is_text(&line, "{\"c\":\"\"}\n");
}

static void writes_many_lines_in_a_row(void **state)
{
	struct json_line line = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		json_open(&line);
		json_number(&line, "i", (uint64_t)i);
		json_close(&line);
	}
	json_open(&line);
	json_close(&line);
	is_text(&line, "{\"i\":0}\n{\"i\":1}\n{}\n");
}

static void escaped(const char *in, size_t len, const char *out)
{
	struct json_line line = {0};
	char want[600] = "{\"k\":\"";

	json_open(&line);
	json_bytes(&line, "k", in, len);
	json_close(&line);
	memcpy(want + 6, out, strlen(out));
	memcpy(want + 6 + strlen(out), "\"}\n", 4);
	is_text(&line, want);
}

static void a_line_stays_a_line(void **state)
{
	(void)state;
	escaped("a\"b\\c", 5, "a\\\"b\\\\c");
	escaped("a\r\nb\t", 5, "a\\u000d\\u000ab\\u0009");
	escaped("\0x", 2, "\\u0000x");
	escaped("\x1f\x7f", 2, "\\u001f\\u007f");
	escaped("/", 1, "/");
}

/* Eight bytes are looked at in one go: each place among them is as any other. */
static void every_byte_at_every_place(void **state)
{
	char alone[8], text[20], want[40];
	const size_t len = sizeof(text);

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		char c = (char)byte;
		size_t n = (size_t)(json_escape(alone, &c, 1) - alone);

		for (size_t i = 0; i < len; i++) {
			char out[6 * sizeof(text)];
			const char *end;

			memset(text, 'x', len);
			memset(want, 'x', sizeof(want));
			text[i] = c;
			memcpy(want + i, alone, n);
			end = json_escape(out, text, len);
			assert_int_equal(end - out, len - 1 + n);
			assert_memory_equal(out, want, len - 1 + n);
		}
	}
}

static void keeps_utf8(void **state)
{
	static const char *const fine[] = {
		"\xc3\xa9", "\xdf\xbf", "\xe0\xa0\x80", "\xe2\x82\xac",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf",
		"\xf0\x90\x80\x80", "\xf0\x9f\x8e\x89", "\xf4\x8f\xbf\xbf",
		"x\xc3\xa9y",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		escaped(fine[i], strlen(fine[i]), fine[i]);
}

/* As a terminal or a viewer would obey them. */
static void escapes_controls_of_unicode(void **state)
{
	(void)state;
	escaped("\xc2\x80", 2, "\\u0080");
	escaped("a\xc2\x9b[2J", 6, "a\\u009b[2J");
	escaped("\xc2\x9f\xc2\xa0", 4, "\\u009f\xc2\xa0");
	escaped("\xd8\x9b\xd8\x9c\xd8\x9d", 6, "\xd8\x9b\\u061c\xd8\x9d");
	escaped("\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90", 12,
		"\xe2\x80\x8d\\u200e\\u200f\xe2\x80\x90");
	escaped("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xae\xe2\x80\xaf",
		15, "\xe2\x80\xa7\\u2028\\u2029\\u202e\xe2\x80\xaf");
	escaped("\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", 12,
		"\xe2\x81\xa5\\u2066\\u2069\xe2\x81\xaa");
}

/* RFC 3629, 3: what is not UTF-8 is not passed on as if it were. */
static void escapes_what_is_not_utf8(void **state)
{
	(void)state;
	escaped("\x80", 1, "\\u0080");
	escaped("\xff", 1, "\\u00ff");
	escaped("\xc3", 1, "\\u00c3"); /* cut off */
	escaped("\xc3(", 2, "\\u00c3(");
	escaped("\xe2\x82", 2, "\\u00e2\\u0082");
	escaped("\xe2\x82(", 3, "\\u00e2\\u0082(");
	escaped("\xc0\xaf", 2, "\\u00c0\\u00af"); /* overlong */
	escaped("\xc1\xbf", 2, "\\u00c1\\u00bf");
	escaped("\xe0\x9f\xbf", 3, "\\u00e0\\u009f\\u00bf");
	escaped("\xf0\x8f\xbf\xbf", 4, "\\u00f0\\u008f\\u00bf\\u00bf");
	escaped("\xed\xa0\x80", 3, "\\u00ed\\u00a0\\u0080"); /* surrogate */
	escaped("\xf4\x90\x80\x80", 4, "\\u00f4\\u0090\\u0080\\u0080");
	escaped("\xf5\x80\x80\x80", 4, "\\u00f5\\u0080\\u0080\\u0080");
	escaped("\xf0\x9f\x8e(", 4, "\\u00f0\\u009f\\u008e(");
}

/* What is cut off at the end of the bytes is not looked at behind them. */
static void reads_no_further_than_told(void **state)
{
	for (size_t n = 1; n <= 4; n++) {
		char *cut = malloc(n);

		(void)state;
		assert_non_null(cut);
		memcpy(cut, "\xf0\x9f\x8e\x89", n);
		escaped(cut, n, n == 1 ? "\\u00f0" :
			n == 2 ? "\\u00f0\\u009f" :
			n == 3 ? "\\u00f0\\u009f\\u008e" : "\xf0\x9f\x8e\x89");
		free(cut);
	}
}

static void grows(void **state)
{
	static char big[100000];
	struct json_line line = {0};

	(void)state;
	memset(big, '\n', sizeof(big));
	json_open(&line);
	json_bytes(&line, "k", big, sizeof(big));
	json_close(&line);
	assert_int_equal(line.len, 6 + 6 * sizeof(big) + 3);
	assert_memory_equal(line.text + line.len - 9, "\\u000a\"}\n", 9);
	free(line.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_each_kind),
		cmocka_unit_test(leaves_out_what_is_null),
		cmocka_unit_test(writes_many_lines_in_a_row),
		cmocka_unit_test(a_line_stays_a_line),
		cmocka_unit_test(every_byte_at_every_place),
		cmocka_unit_test(keeps_utf8),
		cmocka_unit_test(escapes_controls_of_unicode),
		cmocka_unit_test(escapes_what_is_not_utf8),
		cmocka_unit_test(reads_no_further_than_told),
		cmocka_unit_test(grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
