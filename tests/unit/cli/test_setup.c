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

#include "pki/passphrase.h"
#include "proxy/cli/setup.h"
#include "tests/support/folder.h"

static struct config *config;

static int set_up(void **state)
{
	(void)state;
	folder_make("setup");
	assert_int_equal(setup_config(NULL, &config), OPTIONS_FINE);
	free(config->state);
	config->state = strdup(folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	config_free(config);
	return folder_remove();
}

/* What a command works with: enough to make the CAs, and to find them again. */
static void options_for_the_authority(void **state)
{
	struct authority *authority;
	struct setup setup;
	char err[512];

	(void)state;
	assert_int_equal(setup_open(config, &setup), OPTIONS_FINE);
	assert_string_equal(setup.options.state, folder);
	assert_string_equal(setup.options.crl_base, "http://127.0.0.1:8080");
	assert_true(passphrase_made(setup.passphrase));
	assert_non_null(strstr(setup.link.source, "keys.secret"));
	assert_non_null(strstr(setup.who, "command (uid "));
	if (authority_open(&setup.options, &authority, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	authority_free(authority);
	setup_close(&setup);
	assert_int_equal(setup_open(config, &setup), OPTIONS_FINE);
	assert_false(passphrase_made(setup.passphrase));
	if (authority_open(&setup.options, &authority, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	authority_free(authority);
	setup_close(&setup);
}

/* Keys were locked with it: another one would not open them. */
static void makes_no_second_secret(void **state)
{
	struct setup setup;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/sallyport.db", folder);
	fclose(fopen(path, "w"));
	assert_int_equal(setup_open(config, &setup), OPTIONS_FINE);
	setup_close(&setup); /* an empty file has no keys in it */
	snprintf(path, sizeof(path), "%s/keys.secret", folder);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "echo x >%s/sallyport.db", folder);
	assert_int_equal(system(path), 0);
	assert_int_equal(setup_open(config, &setup), EXIT_FAILED);
	setup_close(&setup);
}

static void a_folder_that_is_everybodys(void **state)
{
	struct setup setup;

	(void)state;
	assert_int_equal(chmod(folder, 0777), 0);
	assert_int_equal(setup_open(config, &setup), EXIT_FAILED);
	setup_close(&setup);
}

static void a_passphrase_file(void **state)
{
	struct setup setup;
	char path[128], command[192];

	(void)state;
	snprintf(path, sizeof(path), "%s/pass", folder);
	config->passphrase_file = strdup(path);
	assert_int_equal(setup_open(config, &setup), EXIT_FAILED);
	setup_close(&setup);
	snprintf(command, sizeof(command), "echo one >%s", path);
	assert_int_equal(system(command), 0);
	assert_int_equal(setup_open(config, &setup), OPTIONS_FINE);
	assert_string_equal(setup.link.source, path);
	assert_false(passphrase_is_secret(setup.passphrase));
	setup_close(&setup);
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
		cmocka_unit_test_setup_teardown(options_for_the_authority,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(makes_no_second_secret,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_that_is_everybodys,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_passphrase_file, set_up,
			tear_down),
		cmocka_unit_test(no_configuration),
	};

	(void)unsetenv(PASSPHRASE_VARIABLE);
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
