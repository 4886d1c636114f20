#include "tests/unit/config/told.h"

#include "proxy/config/values.h"
#include "tests/support/folder.h"

static int make_folder(void **state)
{
	(void)state;
	folder_make("config");
	folder_shell("touch there.pem");
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return folder_remove();
}

/* load loads text as a file of the folder. */
static struct config *load(const char *text, char told[512])
{
	struct config *config = NULL;
	FILE *errors = fmemopen(told, 512, "w");
	char name[128];

	snprintf(name, sizeof(name), "%s/c.yaml", folder);
	if (config_load_text(name, text, strlen(text), &config, errors) != 0)
		config = NULL;
	fclose(errors);
	return config;
}

static void relative_to_the_file(void **state)
{
	char told[512] = "";
	struct config *config = load("origin: {trust: [there.pem, system]}\n"
		"keys: {passphrase-file: there.pem}\nstate: st\n"
		"log: {access: a.log}\n", told);

	(void)state;
	assert_string_equal(told, "");
	assert_true(config->origin.trust_system);
	assert_int_equal(config->origin.num_trust_files, 1);
	assert_string_equal(config->origin.trust_files[0].path,
		folder_at("there.pem"));
	assert_int_equal(config->origin.trust_files[0].line, 1);
	assert_string_equal(config->passphrase_file, folder_at("there.pem"));
	assert_string_equal(config->state, folder_at("st"));
	assert_string_equal(config->access_log, folder_at("a.log"));
	config_free(config);
}

static void absolute_and_words_stay(void **state)
{
	char told[512] = "";
	struct config *config = load("state: /s\nlog: {access: stderr}\n",
		told);

	(void)state;
	assert_string_equal(config->state, "/s");
	assert_string_equal(config->access_log, "stderr");
	config_free(config);
}

static void what_is_not_there(void **state)
{
	char told[512] = "";

	(void)state;
	assert_null(load("origin:\n  trust:\n  - system\n  - no.pem\n", told));
	assert_non_null(strstr(told, "c.yaml:4: origin.trust: "));
	assert_non_null(strstr(told, "no.pem is not there; bring it, or "
		"take its line out\n"));
	assert_null(load("keys: {passphrase-file: .}\n", told));
	assert_non_null(strstr(told, "is a folder\n"));
	assert_null(load("state: ~/x\n", told));
	assert_non_null(strstr(told, "~ does not stand for"));
}

/* load_as loads what is in a file; as a proxy would, or to look. */
static struct config *load_as(bool to_look, const char *text, char told[512])
{
	FILE *file = fopen(folder_at("d.yaml"), "w"), *errors;
	struct config *config;

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	errors = fmemopen(told, 512, "w");
	if ((to_look ? config_load_to_look : config_load)(folder_at("d.yaml"),
		    &config, errors) != 0)
		config = NULL;
	fclose(errors);
	return config;
}

/* Where the log goes matters to who runs the proxy, and to nobody else. */
static void who_looks_writes_nothing(void **state)
{
	static const char text[] = "state: st\nlog: {access: none/a.log}\n";
	struct config *config;
	char told[512] = "";

	(void)state;
	assert_null(load_as(false, text, told));
	assert_non_null(strstr(told, "d.yaml:2: log.access: "));
	assert_non_null(strstr(told, "none/a.log can't be written to: its "
		"folder is not there; make it\n"));
	memset(told, 0, sizeof(told));
	config = load_as(true, text, told);
	assert_string_equal(told, "");
	assert_string_equal(config->access_log, folder_at("none/a.log"));
	config_free(config);
	assert_null(load_as(true, "keys: {passphrase-file: no}\n", told));
	assert_non_null(strstr(told, "no is not there"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relative_to_the_file),
		cmocka_unit_test(absolute_and_words_stay),
		cmocka_unit_test(what_is_not_there),
		cmocka_unit_test(who_looks_writes_nothing),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
