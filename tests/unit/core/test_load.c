#include "tests/unit/config/told.h"

#include <unistd.h>

#include "policy/policy.h"
#include "proxy/config/htpasswd.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/load.h"

static char path[] = "/tmp/sallyport-load.XXXXXX";

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

/* load_after loads a configuration, behind whose last colon the file goes, in place
 * of settings that are in force. */
static char *load_after(const struct settings *now, const char *before,
	struct settings **out)
{
	char text[512], *told = NULL;
	struct config *config = NULL;
	size_t size = 0;
	FILE *errors = open_memstream(&told, &size);

	snprintf(text, sizeof(text), "%s%s\n", before,
		before[strlen(before) - 2] == ':' ? path : "");
	assert_int_equal(config_load_text("t.yaml", text, strlen(text),
		&config, errors), 0);
	*out = NULL;
	if (load_settings(config, now, errors, out) != 0)
		assert_null(*out);
	fclose(errors);
	return told;
}

static char *load(const char *before, struct settings **out)
{
	return load_after(NULL, before, out);
}

static void without_a_file(void **state)
{
	struct facts facts = {.host = "a.test"};
	struct decision decision;
	struct settings *settings;
	char *told = load("workers: 1\n", &settings);

	(void)state;
	assert_string_equal(told, "");
	assert_non_null(settings->trust);
	assert_null(settings->client_trust);
	assert_null(settings->htpasswd);
	assert_non_null(settings->catalog);
	policy_decide(settings->config->policy, &facts, &decision);
	assert_string_equal(decision.rule_name, "default");
	free(told);
	settings_unref(settings);
}

static void users_and_what_is_wrong_with_their_file(void **state)
{
	static const char hash[] = "$6$abcdefgh$" /* of no password */
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	char line[256], expected[256];
	struct settings *settings;
	char *told;

	(void)state;
	snprintf(line, sizeof(line), "# us\nann:%s\nbob:plain\n", hash);
	write_file(line);
	told = load("users:\n  htpasswd: ", &settings);
	assert_non_null(settings);
	assert_int_equal(htpasswd_num(settings->htpasswd), 1);
	assert_string_equal(htpasswd_hash(settings->htpasswd, "ann"), hash);
	snprintf(expected, sizeof(expected), "%s:3: warning: ", path);
	assert_memory_equal(told, expected, strlen(expected));
	assert_null(strstr(told, "plain:")); /* no secrets */
	free(told);
	settings_unref(settings);

	write_file("");
	told = load("users:\n  required: false\n  htpasswd: ", &settings);
	snprintf(expected, sizeof(expected), ":3: warning: users.htpasswd: "
		"%s: there is no user in it\n", path);
	assert_non_null(strstr(told, expected));
	free(told);
	settings_unref(settings);
}

/* Not where it is running: then those who were in it would stay. */
static void nobody_can_log_in(void **state)
{
	struct settings *none, *settings;
	char *told;

	(void)state;
	write_file("# us\n");
	told = load("users:\n  htpasswd: ", &settings);
	assert_null(settings);
	assert_non_null(strstr(told, "there is no user in it, so that nobody "
		"can log in; "));
	assert_null(strstr(told, "warning"));
	free(told);
	told = load("users:\n  sources: {192.0.2.1: ann}\n  htpasswd: ",
		&settings);
	assert_non_null(settings);
	assert_non_null(strstr(told, "warning"));
	free(told);
	told = load_after(settings, "users:\n  htpasswd: ", &none);
	assert_non_null(none);
	assert_non_null(strstr(told, "warning: users.htpasswd: "));
	assert_non_null(strstr(told, "so that nobody can log in\n"));
	free(told);
	settings_unref(settings);
	settings_unref(none);
}

static void many_bad_users(void **state)
{
	struct settings *settings;
	char *told, end[128];
	FILE *file = fopen(path, "w");

	(void)state;
	for (int i = 0; i < 30; i++)
		fprintf(file, "user%d:x\n", i);
	fclose(file);
	told = load("users:\n  required: false\n  htpasswd: ", &settings);
	snprintf(end, sizeof(end), "\n%s: warning: and 10 more\n", path);
	assert_non_null(strstr(told, end));
	snprintf(end, sizeof(end), "%s:20: warning: ", path);
	assert_non_null(strstr(told, end));
	snprintf(end, sizeof(end), "%s:21: warning: ", path);
	assert_null(strstr(told, end));
	free(told);
	settings_unref(settings);
}

static void all_that_is_wrong_is_told(void **state)
{
	struct settings *settings;
	char *told;

	(void)state;
	write_file("no certificate\n");
	told = load("listen: {proxy-tls: 127.0.0.1:1}\norigin:\n"
		"  trust: [/dev/null]\nusers:\n  client-ca: ", &settings);
	assert_null(settings);
	assert_non_null(strstr(told, "t.yaml:3: origin.trust: /dev/null"));
	assert_non_null(strstr(told, "t.yaml:5: users.client-ca: /tmp/"));
	free(told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file),
		cmocka_unit_test(users_and_what_is_wrong_with_their_file),
		cmocka_unit_test(nobody_can_log_in),
		cmocka_unit_test(many_bad_users),
		cmocka_unit_test(all_that_is_wrong_is_told),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
