#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/cli/setup.h"

static void options_for_the_authority(void **state)
{
	char folder[] = "/tmp/sallyport-setup.XXXXXX", base[CRL_BASE_SIZE];
	struct authority_options options;
	struct config *config = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(setup_config(NULL, &config), OPTIONS_FINE);
	free(config->state);
	config->state = strdup(folder);
	assert_int_equal(setup_options(config, base, &options), OPTIONS_FINE);
	assert_string_equal(options.state, folder);
	assert_string_equal(options.crl_base, "http://127.0.0.1:8080");
	assert_null(options.passphrase_file);
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(setup_options(config, base, &options), EXIT_FAILED);
	config_free(config);
	rmdir(folder);
}

static void no_configuration(void **state)
{
	char base[CRL_BASE_SIZE];
	struct authority_view view;

	(void)state;
	assert_int_equal(setup_view("/nonexistent/c.yaml", base, &view),
		EXIT_WRONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_for_the_authority),
		cmocka_unit_test(no_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
