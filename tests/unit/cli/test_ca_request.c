#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/cli/ca_request.h"

static void files_are_named_after_the_ca(void **state)
{
	static const struct {
		const char *name, *file;
	} rows[] = {
		{"TLS inspection CA", "TLS-inspection-CA.csr"},
		{"\xc3\x89" "conomie", "conomie.csr"},
		{"-rf", "rf.csr"}, {"../../x", "x.csr"},
		{"", "ca-7.csr"}, {"\xe6\x97\xa5\xe6\x9c\xac", "ca-7.csr"},
	};
	char file[CA_REQUEST_FILE], name[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ca_request_file(rows[i].name, 7, ".csr", file);
		assert_string_equal(file, rows[i].file);
	}
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ca_request_file(name, 7, ".csr", file);
	assert_int_equal(strlen(file), 104);
	assert_string_equal(file + 100, ".csr");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_named_after_the_ca),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
