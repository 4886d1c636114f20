#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/tools/tools.h"
#include "proxy/tools/variables.h"

static const struct tools_words words = {"/b.pem", "/r.pem", "h", "1",
	"http://h:1"};

static void fills_words(void **state)
{
	char *line = tools_fill("{bundle} {root}{port} {host {no} {", &words);

	(void)state;
	assert_string_equal(line, "/b.pem /r.pem1 {host {no} {");
	free(line);
}

static void knows_variable(const char *name, size_t len)
{
	size_t num;
	const struct variable *all = variables_all(&num);

	for (size_t i = 0; i < num; i++) {
		if (strlen(all[i].name) == len &&
		    strncmp(all[i].name, name, len) == 0)
			return;
	}
	fail_msg("%.*s is not among the variables", (int)len, name);
}

/* Whatever the table says is there; %s is all that ask may have of its kind. */
static void rows_are_sound(void **state)
{
	size_t num;
	const struct tool *all = tools_all(&num);

	(void)state;
	for (size_t i = 0; i < num; i++) {
		const char *at = all[i].variables;

		for (; *at; at += strcspn(at, " "), at += *at == ' ')
			knows_variable(at, strcspn(at, " "));
		for (at = all[i].ask; (at = strchr(at, '%')); at++)
			assert_int_equal(at[1], 's');
		for (size_t s = 0; s < TOOL_SYSTEMS; s++) {
			char *line = tools_fill(all[i].lines[s], &words);

			assert_null(strstr(line, "{b"));
			assert_null(strstr(line, "{r"));
			free(line);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_words),
		cmocka_unit_test(rows_are_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
