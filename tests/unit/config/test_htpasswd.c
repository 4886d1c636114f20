#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <crypt.h>

#include "proxy/config/htpasswd.h"
#include "tests/support/lab.h"

/* Made by htpasswd 2.4 (bcrypt), mkpasswd 5.5 and openssl 3.0, all of "correct
 * horse". */
#define BCRYPT "$2y$04$DT/ndk7yAYB7X1i8DSBe2u0UAItzuIMoblRGIwPKnXN72JzfrKHAW"
#define BCRYPT_A "$2a$05$Gc8SqwFM0azk9pFEIMMo.OLaxa0eTLV7.wjhw513/9lnu79Jr5E9W"
#define BCRYPT_B "$2b$05$x6R2Gj2ZWOhjzCQOBQQWT.cjGEPDUqqEKP7Odp6AnUHxp0Sh90VoW"
#define SHA512 "$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEi" \
	"UvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0"
#define SHA512_R "$6$rounds=1000$X0iI2NboMAeFyuX.$v5ybY4ZWqUYkcamaHOzzN6PPDG5jNcm" \
	"mEASi9OdVaBHIfnV.wHhp0l5uNGXzA4y4GFHDR.qxH9wXoMkyYLNMc0"
#define SHA256 "$5$saltsalt$myjXcpMpE2Ofk7fj9hqyNYSn6lmWG4Mqnjx.KIRRr4/"
#define YESCRYPT "$y$j75$bimdn3NOBoIz1Mdcl7ISv0$o93P85JntfGKYk9H.WTF1.gTR3WGWZmB3" \
	"qLcUdW4ZbC"

static char told[4096]; /* "LINE: what\n" ... */

static void on_bad(void *arg, unsigned line, const char *what)
{
	size_t used = strlen(told);

	assert_ptr_equal(arg, told);
	snprintf(told + used, sizeof(told) - used, "%u: %s\n", line, what);
}

static struct htpasswd *read_text(const char *text, size_t len)
{
	char *copy = malloc(len + 1);
	struct htpasswd *users;

	assert_non_null(copy);
	memcpy(copy, text, len);
	told[0] = '\0';
	users = htpasswd_read(copy, len, on_bad, told);
	memset(copy, 'x', len); /* nothing of it is borrowed */
	free(copy);
	assert_non_null(users);
	return users;
}

static struct htpasswd *read_fine(const char *text)
{
	struct htpasswd *users = read_text(text, strlen(text));

	assert_string_equal(told, "");
	return users;
}

static void check_bad(const char *line, const char *what)
{
	struct htpasswd *users = read_text(line, strlen(line));

	assert_int_equal(htpasswd_num(users), 0);
	assert_false(htpasswd_verify(users, "dev1", "correct horse"));
	if (!strstr(told, what) || strncmp(told, "1: ", 3) != 0)
		fail_msg("\"%s\" lacks \"%s\"", told, what);
	htpasswd_free(users);
}

static void check_verifies(const char *hash)
{
	char line[300];
	struct htpasswd *users;

	snprintf(line, sizeof(line), "dev1:%s\n", hash);
	users = read_fine(line);
	assert_string_equal(htpasswd_hash(users, "dev1"), hash);
	assert_true(htpasswd_verify(users, "dev1", "correct horse"));
	assert_false(htpasswd_verify(users, "dev1", "correct hors"));
	assert_false(htpasswd_verify(users, "dev1", "correct horse "));
	assert_false(htpasswd_verify(users, "dev1", ""));
	assert_false(htpasswd_verify(users, "dev2", "correct horse"));
	assert_false(htpasswd_verify(users, "", "correct horse"));
	htpasswd_free(users);
}

static void verifies_by_each_scheme(void **state)
{
	(void)state;
	check_verifies(BCRYPT);
	check_verifies(BCRYPT_A);
	check_verifies(BCRYPT_B);
	check_verifies(SHA512);
	check_verifies(SHA512_R);
	check_verifies(SHA256);
	check_verifies(YESCRYPT);
}

/* A machine that lacks the tool has no second opinion; the test before holds. */
static void check_tool(const char *tool, const char *command)
{
	struct htpasswd *users;
	char *text;
	size_t len;

	if (lab_try("command -v %s", tool) != 0)
		return;
	lab_run("%s >by_tool", command);
	text = lab_read("by_tool", &len);
	users = read_text(text, len);
	assert_string_equal(told, "");
	assert_int_equal(htpasswd_num(users), 1);
	assert_true(htpasswd_verify(users, "dev1", "correct horse"));
	assert_false(htpasswd_verify(users, "dev1", "wrong"));
	htpasswd_free(users);
	free(text);
}

static void reads_what_the_tools_write(void **state)
{
	(void)state;
	check_tool("htpasswd", "htpasswd -nbB dev1 'correct horse'");
	check_tool("htpasswd", "htpasswd -cbBC 6 h dev1 'correct horse' && "
		"cat h");
	check_tool("openssl", "{ printf dev1: && "
		"openssl passwd -6 'correct horse'; }");
	check_tool("openssl", "{ printf dev1: && "
		"openssl passwd -5 'correct horse'; }");
	check_tool("mkpasswd", "{ printf dev1: && "
		"mkpasswd -m sha512crypt 'correct horse'; }");
	check_tool("mkpasswd", "{ printf dev1: && "
		"mkpasswd -m yescrypt 'correct horse'; }");
}

static void reads_a_file_of_all_kinds(void **state)
{
	struct htpasswd *users = read_fine("# people\n\n  \t\r\n"
		"dev1:" BCRYPT "\r\n"
		"  J\xc3\xbcrgen Meier:" SHA512 "  \n"
		"#dev2:" BCRYPT "\n"
		"shadow:" YESCRYPT ":19000:0:99999:7:::\n"
		"last:" SHA256);

	(void)state;
	assert_int_equal(htpasswd_num(users), 4);
	assert_string_equal(htpasswd_hash(users, "dev1"), BCRYPT);
	assert_string_equal(htpasswd_hash(users, "J\xc3\xbcrgen Meier"),
		SHA512);
	assert_string_equal(htpasswd_hash(users, "shadow"), YESCRYPT);
	assert_string_equal(htpasswd_hash(users, "last"), SHA256);
	assert_null(htpasswd_hash(users, "dev2"));
	assert_null(htpasswd_hash(users, "DEV1"));
	assert_null(htpasswd_hash(users, "dev"));
	htpasswd_free(users);
	users = read_text("", 0);
	assert_int_equal(htpasswd_num(users), 0);
	assert_false(htpasswd_verify(users, "dev1", "x"));
	htpasswd_free(users);
	htpasswd_free(NULL);
}

static void loads_the_rest(void **state)
{
	struct htpasswd *users = read_text("a:" BCRYPT "\nb\nc:plain\n"
		"\nd:" BCRYPT "\n", strlen("a:" BCRYPT "\nb\nc:plain\n"
		"\nd:" BCRYPT "\n"));

	(void)state;
	assert_int_equal(htpasswd_num(users), 2);
	assert_non_null(strstr(told, "2: there is no \":\""));
	assert_non_null(strstr(told, "\n3: the password of \"c\""));
	assert_null(strstr(told, "plain\n"));
	assert_true(htpasswd_verify(users, "a", "correct horse"));
	assert_true(htpasswd_verify(users, "d", "correct horse"));
	htpasswd_free(users);
}

static void says_of_each_scheme_what_to_do(void **state)
{
	(void)state;
	check_bad("dev1:$apr1$q9M8HyBi$1bEwF8bd88GwNaPEyNxqK/",
		"the password of \"dev1\" is in Apache's MD5, soon guessed; "
		"make it anew with \"htpasswd -B\"");
	check_bad("dev1:$1$saltsalt$jhfAZkHIF4v0uZ0rQhOZk1", "is in MD5");
	check_bad("dev1:{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=", "is in SHA-1");
	check_bad("dev1:zdjNdO101lxR6", "is in DES or plain text");
	check_bad("dev1:hunter2", "is in DES or plain text");
	check_bad("dev1:", "is in DES or plain text");
	check_bad("dev1:$7$CU..../....2Q9obwLhin8qvQl6sisAO/$x", "not known");
	check_bad("dev1:$2x$05$x6R2Gj2ZWOhjzCQOBQQWT.cjGEPDUqqEKP7Odp6AnUHxp0S"
		"h90VoW", "not known");
}

static void shows_no_secrets(void **state)
{
	(void)state;
	check_bad("hunter2", "there is no \":\"");
	assert_null(strstr(told, "hunter2"));
	check_bad("dev1:hunter2", "plain text");
	assert_null(strstr(told, "hunter2"));
	check_bad("dev1:" SHA512 "x", "cut short or mistyped");
	assert_null(strstr(told, "saltsalt"));
}

static void refuses_a_hash_that_can_match_nothing(void **state)
{
	static const char *const hashes[] = {
		"$2y$", "$2y$1", "$2y$10", "$2y$10$", "$2y$1a$short", BCRYPT "x",
		"$2y$04$DT/ndk7yAYB7X1i8DSBe2u0UAItzuIMoblRGIwPKnXN72JzfrKHA",
		"$2y$04$DT/ndk7yAYB7X1i8DSBe2u0UAItzuIMoblRGIwPKnXN72JzfrKH!",
		"$2y$004$DT/ndk7yAYB7X1i8DSBe2u0UAItzuIMoblRGIwPKnXN72JzfrKHA",
		"$6$", "$6$saltsalt", "$6$saltsalt$", "$6$rounds=", SHA512 "x",
		"$6$rounds=1000", "$6$rounds=999$saltsalt$x", "$5$" SHA512,
		"$6$rounds=01000$X0iI2NboMAeFyuX.$v5ybY4ZWqUYkcamaHOzzN6PPDG5"
		"jNcmmEASi9OdVaBHIfnV.wHhp0l5uNGXzA4y4GFHDR.qxH9wXoMkyYLNMc0",
		"$6$saltsaltsaltsalts$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQD"
		"fMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0",
		SHA256 "$", "$y$", "$y$j", "$y$j9", "$y$j9T", "$y$j9T$",
		"$y$j9T$a", YESCRYPT "x", "$y$k9T$a$b", "$y$j9z$a$b",
	};
	char line[300];

	(void)state;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(*hashes); i++) {
		snprintf(line, sizeof(line), "dev1:%s", hashes[i]);
		check_bad(line, "cut short or mistyped");
	}
}

static void refuses_what_takes_minutes(void **state)
{
	(void)state;
	check_bad("dev1:$2y$16$DT/ndk7yAYB7X1i8DSBe2u0UAItzuIMoblRGIwPKnXN72Jz"
		"frKHAW", "takes too long to check");
	check_bad("dev1:$6$rounds=5000001$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULt"
		"FB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0",
		"takes too long");
	check_bad("dev1:$6$rounds=99999999999999999999999999$saltsalt$hRM5XZ86"
		"KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5V"
		"vwp2scFtv/uamSo5z0", "takes too long");
	check_bad("dev1:$y$jDT$bimdn3NOBoIz1Mdcl7ISv0$o93P85JntfGKYk9H.WTF1.gT"
		"R3WGWZmB3qLcUdW4ZbC", "takes too long");
}

static void holds_names_to_the_rules(void **state)
{
	char line[1200];
	struct htpasswd *users;

	(void)state;
	snprintf(line, sizeof(line), "%0128d:" BCRYPT, 7);
	htpasswd_free(read_fine(line));
	snprintf(line, sizeof(line), "%0129d:" BCRYPT, 7);
	check_bad(line, "of 1 to 128 bytes");
	check_bad(":" BCRYPT, "of 1 to 128 bytes");
	check_bad("a\tb:" BCRYPT, "without control characters");
	check_bad("a\x7f:" BCRYPT, "without control characters");
	check_bad("J\xfcrgen:" BCRYPT, "in UTF-8");
	snprintf(line, sizeof(line), "dev1:" BCRYPT ":%01100d", 7);
	check_bad(line, "too long");
	users = read_text("dev1\0:" BCRYPT "\n", sizeof("dev1\0:" BCRYPT));
	assert_int_equal(htpasswd_num(users), 0);
	assert_string_equal(told, "1: there is a NUL byte in it\n");
	htpasswd_free(users);
}

static void the_first_of_two_holds(void **state)
{
	static const char text[] = "#\ndev1:" BCRYPT "\ndev2:" BCRYPT "\n"
		"dev1:" SHA512 "\n";
	struct htpasswd *users = read_text(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(htpasswd_num(users), 2);
	assert_string_equal(htpasswd_hash(users, "dev1"), BCRYPT);
	assert_string_equal(told, "4: the user \"dev1\" is on line 2 already, "
		"which holds; remove one of the two\n");
	htpasswd_free(users);
}

#define SLOW "$6$rounds=1001$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfM" \
	"ib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0"

static char hashed_as[512]; /* the hash that a password was held against last */

/* crypt_rn takes the place of libcrypt's, and hashes by another of its names. */
char *crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
	snprintf(hashed_as, sizeof(hashed_as), "%s", setting);
	return crypt_ra(phrase, setting, &data, &size);
}

static void assert_hashed_as(const struct htpasswd *users, const char *user,
	const char *hash)
{
	hashed_as[0] = '\0';
	assert_false(htpasswd_verify(users, user, "wrong"));
	assert_string_equal(hashed_as, hash);
}

static void who_is_not_there_costs_what_most_do(void **state)
{
	struct htpasswd *users = read_fine("quick:" SHA512_R "\n"
		"a:" SLOW "\nb:" SLOW "\n");

	(void)state;
	assert_hashed_as(users, "a", SLOW);
	assert_hashed_as(users, "quick", SHA512_R);
	assert_hashed_as(users, "nobody", SLOW);
	htpasswd_free(users);
	users = read_fine("a:" SLOW "\nq:" SHA512_R "\nr:" SHA512_R "\n");
	assert_hashed_as(users, "nobody", SHA512_R);
	htpasswd_free(users);
}

/* Whose hash the stranger is measured by must not let the stranger in. */
static void who_is_not_there_is_not_let_in(void **state)
{
	struct htpasswd *users = read_fine("dev1:" BCRYPT "\n");

	(void)state;
	assert_true(htpasswd_verify(users, "dev1", "correct horse"));
	assert_false(htpasswd_verify(users, "nobody", "correct horse"));
	htpasswd_free(users);
}

static void bears_any_length_of_password(void **state)
{
	struct htpasswd *users = read_fine("dev1:" BCRYPT "\nb:" SHA512 "\n");
	char password[4096];

	(void)state;
	memset(password, 'x', sizeof(password));
	password[sizeof(password) - 1] = '\0';
	assert_false(htpasswd_verify(users, "dev1", password));
	assert_false(htpasswd_verify(users, "b", password));
	assert_false(htpasswd_verify(users, password, "correct horse"));
	password[HTPASSWD_PASSWORD_MAX] = '\0';
	assert_false(htpasswd_verify(users, "b", password));
	htpasswd_free(users);
}

static void holds_many(void **state)
{
	enum { MANY = 20000 };
	size_t size = MANY * 100, len = 0;
	struct htpasswd *users;
	char *text = malloc(size), name[32];

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < MANY; i++)
		len += (size_t)snprintf(text + len, size - len,
			"user%d:%s\n", i, BCRYPT);
	users = read_text(text, len);
	free(text);
	assert_string_equal(told, "");
	assert_int_equal(htpasswd_num(users), MANY);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		assert_string_equal(htpasswd_hash(users, name), BCRYPT);
	}
	htpasswd_free(users);
}

static int tear_down(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifies_by_each_scheme),
		cmocka_unit_test(reads_what_the_tools_write),
		cmocka_unit_test(reads_a_file_of_all_kinds),
		cmocka_unit_test(loads_the_rest),
		cmocka_unit_test(says_of_each_scheme_what_to_do),
		cmocka_unit_test(shows_no_secrets),
		cmocka_unit_test(refuses_a_hash_that_can_match_nothing),
		cmocka_unit_test(refuses_what_takes_minutes),
		cmocka_unit_test(holds_names_to_the_rules),
		cmocka_unit_test(the_first_of_two_holds),
		cmocka_unit_test(who_is_not_there_costs_what_most_do),
		cmocka_unit_test(who_is_not_there_is_not_let_in),
		cmocka_unit_test(bears_any_length_of_password),
		cmocka_unit_test(holds_many),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
