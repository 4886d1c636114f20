#include "tests/unit/config/told.h"

#include <sys/stat.h>
#include <unistd.h>

#include "proxy/config/handed.h"
#include "proxy/config/state.h"

static char folder[] = "/tmp/sallyport-state.XXXXXX";
static char err[512];

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int prepare(const char *below, char path[256])
{
	struct config *config = told_nothing("");
	int rc;

	snprintf(path, 256, "%s%s", folder, below);
	free(config->state);
	config->state = strdup(path);
	rc = config_prepare_state(config, err, sizeof(err));
	config_free(config);
	return rc;
}

static mode_t mode_of(const char *path)
{
	struct stat info;

	assert_int_equal(stat(path, &info), 0);
	return info.st_mode & 07777;
}

static void made_with_what_is_above(void **state)
{
	char path[256];

	(void)state;
	assert_int_equal(prepare("/a/b", path), 0);
	assert_int_equal(mode_of(path), 0700);
	assert_int_equal(prepare("/a/b", path), 0);
	rmdir(path);
	*strrchr(path, '/') = '\0';
	assert_int_equal(mode_of(path), 0700);
	rmdir(path);
}

static void refused_where_others_write(void **state)
{
	char path[256];

	(void)state;
	assert_int_equal(prepare("/c", path), 0);
	chmod(path, 0755);
	assert_int_equal(prepare("/c", path), 0);
	chmod(path, 0770);
	assert_int_equal(prepare("/c", path), -1);
	assert_non_null(strstr(err, "written to by others"));
	chmod(path, 0702);
	assert_int_equal(prepare("/c", path), -1);
	chmod(path, 0700);
	if (geteuid() == 0) {
		chmod(folder, 0755);
		chmod(path, 0755);
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(prepare("/c", path), 0); /* root may */
		assert_int_equal(seteuid(54322), 0);
		assert_int_equal(prepare("/c", path), -1);
		assert_int_equal(seteuid(0), 0);
		assert_non_null(strstr(err, "belongs to nobody; run this as "
			"that user: sudo -u nobody sallyport ..."));
		assert_int_equal(chown(path, 54321, 54321), 0);
		assert_int_equal(seteuid(54322), 0);
		assert_int_equal(prepare("/c", path), -1);
		assert_int_equal(seteuid(0), 0);
		assert_non_null(strstr(err, "sudo -u '#54321' sallyport"));
	} else {
		print_message("not run: a folder of another's: not root\n");
	}
	rmdir(path);
}

static int look(const char *below)
{
	struct config *config = told_nothing("");
	int rc;

	free(config->state);
	if (asprintf(&config->state, "%s%s", folder, below) < 0)
		abort();
	err[0] = '\0';
	rc = config_check_prepare(config, err, sizeof(err));
	config_free(config);
	return rc;
}

/* What would be refused is known beforehand, by the same words. */
static void looked_at_beforehand(void **state)
{
	uid_t me = geteuid() == 0 ? 54321 : geteuid();
	char path[256];

	(void)state;
	assert_int_equal(look("/d/e"), 0);
	assert_int_not_equal(access(folder, F_OK), -1);
	assert_int_equal(prepare("/d", path), 0);
	assert_int_equal(look("/d/e"), 0);
	chmod(folder, 0755);
	assert_int_equal(chown(path, me, (gid_t)-1), 0);
	chmod(path, 0500);
	assert_int_equal(seteuid(me), 0);
	assert_int_equal(look("/d"), -1);
	assert_non_null(strstr(err, "state: /tmp/"));
	assert_non_null(strstr(err, "can't be written to"));
	assert_non_null(strstr(err, "chmod 700 it, or choose another"));
	assert_int_equal(prepare("/d", path), -1);
	assert_non_null(strstr(err, "can't be written to"));
	assert_int_equal(look("/d/e/f"), -1);
	assert_non_null(strstr(err, "can't be made: Permission denied"));
	if (getuid() == 0) {
		assert_int_equal(look("/x"), CONFIG_ANOTHERS);
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(chown(path, 0, (gid_t)-1), 0);
		assert_int_equal(seteuid(me), 0);
		assert_int_equal(look("/d"), CONFIG_ANOTHERS);
		assert_int_equal(seteuid(0), 0);
	}
	rmdir(path);
}

static void not_a_folder(void **state)
{
	char path[256];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/f", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(prepare("/f", path), -1);
	assert_non_null(strstr(err, "state: "));
	assert_non_null(strstr(err, "is not a folder; choose another place"));
	assert_int_equal(prepare("/f/g", path), -1);
	assert_non_null(strstr(err, "can't be made"));
	snprintf(path, sizeof(path), "%s/f", folder);
	unlink(path);
}

static void default_folder(void **state)
{
	char *path;

	(void)state;
	setenv("XDG_STATE_HOME", "/x/state", 1);
	path = state_default();
	assert_string_equal(path, "/x/state/sallyport");
	free(path);
	setenv("XDG_STATE_HOME", "relative", 1); /* to be ignored */
	setenv("HOME", "/x/home", 1);
	path = state_default();
	assert_string_equal(path, geteuid() == 0 ? "/var/lib/sallyport" :
		"/x/home/.local/state/sallyport");
	free(path);
	unsetenv("XDG_STATE_HOME");
}

static void base_is(const char *text, const char *expected)
{
	struct config *config = told_nothing(text);
	char base[CRL_BASE_SIZE];

	config_crl_base(config, base, sizeof(base));
	assert_string_equal(base, expected);
	config_free(config);
}

static void where_crls_are(void **state)
{
	struct config *config = told_nothing("listen: {proxy: 0.0.0.0:81}\n");
	char base[CRL_BASE_SIZE];

	(void)state;
	base_is("", "http://127.0.0.1:8080");
	base_is("listen: {proxy: ['[::1]:80', 127.0.0.1:1]}\n",
		"http://[::1]:80");
	base_is("issuing: {crl-url: http://crl.test/x}\n", "http://crl.test/x");
	config_crl_base(config, base, sizeof(base));
	assert_null(strstr(base, "0.0.0.0"));
	assert_memory_equal(base, "http://", 7);
	assert_string_equal(strrchr(base, ':'), ":81");
	assert_true(strlen(base) > strlen("http://:81"));
	config_free(config);
}

static void where_sockets_were_opened(void **state)
{
	char *address;

	(void)state;
	handed_set_address("127.0.0.1:7");
	base_is("listen: {proxy: 127.0.0.1:9}\n", "http://127.0.0.1:7");
	base_is("listen: {proxy: 0.0.0.0:9}\n", "http://127.0.0.1:7");
	base_is("issuing: {crl-url: http://crl.test/x}\n", "http://crl.test/x");
	handed_forget();
	address = handed_address();
	assert_null(address);
	base_is("listen: {proxy: 127.0.0.1:9}\n", "http://127.0.0.1:9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_with_what_is_above),
		cmocka_unit_test(refused_where_others_write),
		cmocka_unit_test(looked_at_beforehand),
		cmocka_unit_test(not_a_folder),
		cmocka_unit_test(default_folder),
		cmocka_unit_test(where_crls_are),
		cmocka_unit_test(where_sockets_were_opened),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
