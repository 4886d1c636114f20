#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "pki/keeper.h"
#include "pki/keymaker.h"
#include "tests/support/lab.h"

static int tear_down(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static struct keeper *open_keeper(const char *passphrase_file)
{
	struct keeper *keeper;
	char err[256] = "";

	if (keeper_open(lab_folder(), passphrase_file, true, &keeper, err,
		    sizeof(err)) != 0)
		fail_msg("%s", err);
	return keeper;
}

static void makes_a_secret_of_its_own(void **state)
{
	struct keeper *one, *two;
	EVP_PKEY *key = make_p256_key(), *again;
	CRYPTO_BUFFER *locked;
	struct stat st;

	(void)state;
	one = open_keeper(NULL);
	assert_int_equal(stat(lab_path("keys.secret"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, 65);
	locked = keeper_lock(one, key);
	keeper_free(one);
	two = open_keeper(NULL); /* takes the same */
	again = keeper_unlock(two, der_of(locked));
	assert_non_null(again);
	assert_int_equal(EVP_PKEY_cmp(key, again), 1);
	EVP_PKEY_free(again);
	EVP_PKEY_free(key);
	keeper_free(two);
	/* and another implementation opens it, and sees how it is locked */
	lab_write("locked.der", CRYPTO_BUFFER_data(locked),
		CRYPTO_BUFFER_len(locked));
	CRYPTO_BUFFER_free(locked);
	lab_run("openssl pkey -inform DER -in locked.der -passin "
		"file:keys.secret -noout -text");
	assert_non_null(strstr(lab_said(), "P-256"));
	lab_run("openssl asn1parse -inform DER -in locked.der");
	assert_non_null(strstr(lab_said(), "aes-256-cbc"));
	assert_non_null(strstr(lab_said(), "PBKDF2"));
	assert_non_null(strstr(lab_said(), ":0186A0"));
}

static void takes_a_passphrase(void **state)
{
	EVP_PKEY *key = make_rsa_key(2048), *again;
	struct keeper *keeper, *other;
	CRYPTO_BUFFER *locked;

	(void)state;
	lab_text("pass", "correct horse\nsecond line\n");
	lab_text("wrong", "correct hors\n");
	keeper = open_keeper(lab_path("pass"));
	other = open_keeper(lab_path("wrong"));
	locked = keeper_lock(keeper, key);
	again = keeper_unlock(keeper, der_of(locked));
	assert_non_null(again);
	assert_int_equal(EVP_PKEY_cmp(key, again), 1);
	assert_null(keeper_unlock(other, der_of(locked)));
	assert_null(keeper_unlock(keeper, (struct der){NULL, 0}));
	assert_int_equal(ERR_peek_error(), 0);
	lab_write("locked.der", CRYPTO_BUFFER_data(locked),
		CRYPTO_BUFFER_len(locked));
	lab_run("openssl pkey -inform DER -in locked.der -passin "
		"'pass:correct horse' -noout");
	lab_run("openssl asn1parse -inform DER -in locked.der");
	assert_non_null(strstr(lab_said(), ":0927C0")); /* 600,000 */
	CRYPTO_BUFFER_free(locked);
	EVP_PKEY_free(again);
	EVP_PKEY_free(key);
	keeper_free(keeper);
	keeper_free(other);
}

static void refuse(const char *file, bool may_make, const char *why)
{
	struct keeper *keeper;
	char err[512] = "";

	assert_int_equal(keeper_open(lab_folder(), file, may_make, &keeper,
		err, sizeof(err)), -1);
	assert_null(keeper);
	if (!strstr(err, why))
		fail_msg("no '%s' in: %s", why, err);
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	refuse(lab_path("nowhere"), true, "nowhere: No such file");
	lab_text("empty", "\nsecond\n");
	refuse(lab_path("empty"), true, "is empty");
	unlink(lab_path("keys.secret"));
	refuse(NULL, false, "gone");
	assert_int_equal(access(lab_path("keys.secret"), F_OK), -1);
	lab_text("keys.secret", "0123\n");
	chmod(lab_path("keys.secret"), 0644);
	refuse(NULL, false, "others may read");
	unlink(lab_path("keys.secret"));
	lab_run("head -c 5000 /dev/zero >large");
	refuse(lab_path("large"), true, "large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_a_secret_of_its_own),
		cmocka_unit_test(takes_a_passphrase),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
