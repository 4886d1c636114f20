#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "pki/keymaker.h"
#include "pki/passphrase.h"
#include "tests/support/lab.h"

static char err[2300], file[256], credentials[256];
static char variable[4096]; /* putenv takes it as it is */
static struct passphrase_options options;

static int set_up(void **state)
{
	(void)state;
	lab_end();
	(void)unsetenv(PASSPHRASE_VARIABLE);
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	snprintf(file, sizeof(file), "%s/pass", lab_folder());
	snprintf(credentials, sizeof(credentials), "%s/cred", lab_folder());
	assert_int_equal(mkdir(credentials, 0700), 0);
	options = (struct passphrase_options){
		.state = lab_folder(), .may_make = true,
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static void set_variable(const char *value)
{
	snprintf(variable, sizeof(variable), "%s=%s", PASSPHRASE_VARIABLE,
		value);
	assert_int_equal(putenv(variable), 0);
}

static struct passphrase *find(void)
{
	struct passphrase *found;

	if (passphrase_find(&options, &found, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return found;
}

static void assert_text(const struct passphrase *passphrase, const char *text)
{
	struct der got = passphrase_text(passphrase);

	assert_int_equal(got.len, strlen(text));
	assert_memory_equal(got.at, text, got.len);
}

/* found wants that text, of a source whose name ends so. */
static void found(const char *text, const char *source)
{
	struct passphrase *passphrase = find();
	const char *from = passphrase_source(passphrase);

	assert_text(passphrase, text);
	if (strlen(from) < strlen(source) ||
	    strcmp(from + strlen(from) - strlen(source), source) != 0)
		fail_msg("%s is not of %s", from, source);
	assert_false(passphrase_is_secret(passphrase));
	assert_false(passphrase_made(passphrase));
	passphrase_free(passphrase);
}

static void refused(const char *why)
{
	struct passphrase *passphrase;

	err[0] = '\0';
	assert_int_equal(passphrase_find(&options, &passphrase, err,
		sizeof(err)), -1);
	assert_null(passphrase);
	if (!strstr(err, why))
		fail_msg("no '%s' in: %s", why, err);
}

/* --- where it is from --------------------------------------------------- */

static void takes_the_first_that_there_is(void **state)
{
	struct passphrase *passphrase;

	(void)state;
	lab_text("pass", "of the file\nsecond line\n");
	lab_text("cred/sallyport.passphrase", "of systemd\r\n");
	lab_text("keys.secret", "of our own\n");
	assert_int_equal(chmod(lab_path("keys.secret"), 0600), 0);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", credentials, 1), 0);
	set_variable("of the variable");
	options.file = file;
	found("of the file", "/pass");
	options.file = NULL;
	set_variable("of the variable");
	found("of the variable", "variable " PASSPHRASE_VARIABLE);
	found("of systemd", "/cred/sallyport.passphrase");
	assert_int_equal(unlink(lab_path("cred/sallyport.passphrase")), 0);
	passphrase = find();
	assert_text(passphrase, "of our own");
	assert_true(passphrase_is_secret(passphrase));
	assert_false(passphrase_made(passphrase));
	passphrase_free(passphrase);
}

/* What is set has to be good: nothing else is tried in its place. */
static void does_not_pass_over_what_is_bad(void **state)
{
	(void)state;
	options.file = file;
	refused("/pass: No such file");
	lab_text("pass", "\nsecond\n");
	refused("is empty");
	options.file = NULL;
	set_variable("");
	refused("is empty");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", credentials, 1), 0);
	lab_text("cred/sallyport.passphrase", "");
	refused("is empty");
	assert_int_not_equal(access(lab_path("keys.secret"), F_OK), 0);
}

/* /proc/PID/environ shows the memory, whatever unsetenv forgets. */
static void wipes_the_variable(void **state)
{
	static const char zero[32];

	(void)state;
	set_variable("NEEDLE-IN-HAY");
	found("NEEDLE-IN-HAY", PASSPHRASE_VARIABLE);
	assert_null(getenv(PASSPHRASE_VARIABLE));
	assert_memory_equal(variable + sizeof(PASSPHRASE_VARIABLE), zero,
		strlen("NEEDLE-IN-HAY"));
	set_variable("\nof no use"); /* refused, and wiped all the same */
	refused("is empty");
	assert_null(getenv(PASSPHRASE_VARIABLE));
	assert_memory_equal(variable + sizeof(PASSPHRASE_VARIABLE), zero,
		strlen("\nof no use"));
	set_variable("NEEDLE-IN-HAY"); /* and where it is not the one */
	lab_text("pass", "of the file");
	options.file = file;
	found("of the file", "/pass");
	assert_memory_equal(variable + sizeof(PASSPHRASE_VARIABLE), zero,
		strlen("NEEDLE-IN-HAY"));
}

/* What is started later gets none of it. */
static void hands_nothing_down(void **state)
{
	(void)state;
	set_variable("NEEDLE-IN-HAY");
	found("NEEDLE-IN-HAY", PASSPHRASE_VARIABLE);
	lab_run("env >all; ! grep NEEDLE all");
}

static void takes_the_longest_and_no_longer(void **state)
{
	static char text[KEYLOCK_PASSPHRASE_MAX + 2];

	(void)state;
	options.file = file;
	memset(text, 'x', KEYLOCK_PASSPHRASE_MAX);
	lab_text("pass", text);
	found(text, "/pass");
	text[KEYLOCK_PASSPHRASE_MAX] = 'x';
	lab_text("pass", text);
	refused("longer than 1024 bytes");
	options.file = NULL;
	set_variable(text);
	refused("longer than 1024 bytes");
	options.file = file;
	lab_run("head -c 5000 /dev/zero >pass");
	refused("/pass: File too large");
}

/* --- our own file ------------------------------------------------------- */

static void makes_a_secret_once(void **state)
{
	struct passphrase *one = find(), *two;
	struct stat st;

	(void)state;
	assert_true(passphrase_is_secret(one));
	assert_true(passphrase_made(one));
	assert_int_equal(passphrase_text(one).len, 64);
	assert_int_equal(stat(lab_path("keys.secret"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 65);
	two = find();
	assert_false(passphrase_made(two));
	assert_true(der_same(passphrase_text(one), passphrase_text(two)));
	passphrase_free(one);
	passphrase_free(two);
	lab_run("ls -A | grep -v said | sort | tr '\\n' ' '");
	assert_string_equal(lab_said(), "cred keys.secret ");
}

/* Two first starts at once have the same. */
static void makes_one_for_all(void **state)
{
	enum { MANY = 8 };
	char path[64];
	pid_t pids[MANY];
	int status;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0) {
			struct passphrase *mine = find();
			struct der text = passphrase_text(mine);

			snprintf(path, sizeof(path), "got.%d", i);
			lab_write(path, text.at, text.len);
			_exit(0);
		}
	}
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	lab_run("cat got.* >all; for i in 1 2 3 4 5 6 7 8; do head -n 1 "
		"keys.secret; done | tr -d '\\n' | cmp - all");
}

static void makes_none_where_keys_are_locked(void **state)
{
	(void)state;
	options.may_make = false;
	refused("keys.secret: is not there");
	assert_int_not_equal(access(lab_path("keys.secret"), F_OK), 0);
}

static void wants_its_own_file_to_itself(void **state)
{
	static const mode_t modes[] = {0640, 0604, 0660, 0610};

	(void)state;
	lab_text("keys.secret", "0123\n");
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		assert_int_equal(chmod(lab_path("keys.secret"), modes[i]), 0);
		refused("others may read it");
	}
	/* a file that the administrator has named is theirs to judge */
	lab_text("pass", "0123\n");
	assert_int_equal(chmod(lab_path("pass"), 0644), 0);
	options.file = file;
	found("0123", "/pass");
}

static void is_exposed(bool want)
{
	struct passphrase *passphrase = find();

	assert_int_equal(passphrase_exposed(passphrase), want);
	passphrase_free(passphrase);
}

static void tells_of_a_file_that_all_may_read(void **state)
{
	(void)state;
	options.file = file;
	lab_text("pass", "0123\n");
	assert_int_equal(chmod(lab_path("pass"), 0640), 0);
	is_exposed(false);
	assert_int_equal(chmod(lab_path("pass"), 0644), 0);
	is_exposed(true);
}

/* Whoever can write to the folder must not choose the passphrase. */
static void takes_no_secret_of_anothers(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	lab_text("keys.secret", "0123\n");
	assert_int_equal(chmod(lab_path("keys.secret"), 0600), 0);
	assert_int_equal(chown(lab_path("keys.secret"), 60700, 60700), 0);
	refused("belongs to the user 60700");
}

static void waits_for_nobody(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(lab_path("keys.secret"), 0600), 0);
	refused("not a file");
}

/* The folder may be another user's, who must not choose what is read. */
static void follows_no_link(void **state)
{
	(void)state;
	lab_text("pass", "0123\n");
	assert_int_equal(chmod(lab_path("pass"), 0600), 0);
	assert_int_equal(symlink("pass", lab_path("keys.secret")), 0);
	refused("keys.secret: ");
	assert_int_equal(unlink(lab_path("keys.secret")), 0);
	assert_int_equal(symlink("nowhere", lab_path("keys.secret")), 0);
	refused("keys.secret: ");
	assert_int_not_equal(access(lab_path("nowhere"), F_OK), 0);
	assert_int_equal(unlink(lab_path("keys.secret")), 0);
	assert_int_equal(mkdir(lab_path("keys.secret"), 0700), 0);
	refused("not a file");
}

/* --- what it opens ------------------------------------------------------ */

static void is_the_key_to_a_lock(void **state)
{
	struct passphrase *passphrase = passphrase_new("typed in", 8,
		"the terminal");
	struct keylock *lock = passphrase_keylock(passphrase);
	EVP_PKEY *key = make_p256_key();
	CRYPTO_BUFFER *locked = keylock_lock(lock, key, KEY_ROLE_ROOT);

	(void)state;
	assert_text(passphrase, "typed in");
	assert_string_equal(passphrase_source(passphrase), "the terminal");
	assert_false(passphrase_is_secret(passphrase));
	passphrase_free(passphrase); /* the lock goes on without */
	passphrase_free(NULL);
	lab_write("locked.der", CRYPTO_BUFFER_data(locked),
		CRYPTO_BUFFER_len(locked));
	lab_run("openssl pkey -inform DER -in locked.der -passin "
		"'pass:typed in' -noout");
	CRYPTO_BUFFER_free(locked);
	EVP_PKEY_free(key);
	keylock_free(lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(takes_the_first_that_there_is, set_up),
		cmocka_unit_test_setup(does_not_pass_over_what_is_bad,
			set_up),
		cmocka_unit_test_setup(wipes_the_variable, set_up),
		cmocka_unit_test_setup(hands_nothing_down, set_up),
		cmocka_unit_test_setup(takes_the_longest_and_no_longer,
			set_up),
		cmocka_unit_test_setup(makes_a_secret_once, set_up),
		cmocka_unit_test_setup(makes_one_for_all, set_up),
		cmocka_unit_test_setup(makes_none_where_keys_are_locked,
			set_up),
		cmocka_unit_test_setup(wants_its_own_file_to_itself, set_up),
		cmocka_unit_test_setup(tells_of_a_file_that_all_may_read,
			set_up),
		cmocka_unit_test_setup(takes_no_secret_of_anothers, set_up),
		cmocka_unit_test_setup(waits_for_nobody, set_up),
		cmocka_unit_test_setup(follows_no_link, set_up),
		cmocka_unit_test_setup(is_the_key_to_a_lock, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
