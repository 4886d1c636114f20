#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/cli/table.h"

static const struct table_column columns[] = {
	{"NAME", "name", TABLE_TEXT}, {"AT", "at", TABLE_TIME},
	{"DAY", "at", TABLE_DAY}, {"YES", "yes", TABLE_YES},
	{"MORE", "more", TABLE_LINES},
};

/* written is what print writes of the JSON. */
static char *written(const char *json, void (*print)(FILE *, const json_t *,
	const struct table_column *, size_t), size_t num)
{
	json_t *value = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(value);
	print(out, value, columns, num);
	fclose(out);
	json_decref(value);
	return text;
}

static void columns_go_by_letters(void **state)
{
	char *text = written("[{\"name\": \"\xc3\x89t\xc3\xa9\", \"at\": 86399},"
		"{\"name\": \"Winter\", \"yes\": true},"
		"{\"name\": \"\\u0007\", \"yes\": 1}]", table_print, 4);

	(void)state;
	assert_string_equal(text,
		"NAME    AT                    DAY         YES\n"
		"\xc3\x89t\xc3\xa9     1970-01-01 23:59:59Z  1970-01-01  \n"
		"Winter                                    yes\n"
		"?                                         \n");
	free(text);
}

static void lines_stand_below_each_other(void **state)
{
	char *text = written("{\"name\": \"x\", \"more\": \"one\\ntwo\", "
		"\"yes\": false}", table_list, 5);

	(void)state;
	assert_string_equal(text, "NAME  x\nMORE  one\n      two\n");
	free(text);
}

/* Names in certificates are of anybody's making. */
static void terminals_are_told_nothing(void **state)
{
	char more[256] = "", json[512], *text;

	(void)state;
	memset(more, 'm', 200);
	snprintf(json, sizeof(json), "{\"more\": \"\\u001b[2J\\u009b2J\\u007f"
		"\xc3\x89%s\"}", more);
	text = written(json, table_list, 5);
	snprintf(json, sizeof(json), "MORE  ?[2J??2J?\xc3\x89%s\n", more);
	assert_string_equal(text, json);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_go_by_letters),
		cmocka_unit_test(lines_stand_below_each_other),
		cmocka_unit_test(terminals_are_told_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
