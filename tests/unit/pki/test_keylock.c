#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/pkcs8.h>

#include "pki/keylock.h"
#include "pki/keymaker.h"
#include "tests/support/kept.h"
#include "tests/support/lab.h"

static EVP_PKEY *key;

static int set_up(void **state)
{
	(void)state;
	key = make_p256_key();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	kept_end();
	lab_end();
	return 0;
}

/* unlock wants the same key, and gives its role. */
static enum key_role unlock(struct der locked, const EVP_PKEY *same)
{
	enum key_role role;
	EVP_PKEY *again = keylock_unlock(kept_lock(), locked, &role);

	assert_non_null(again);
	assert_int_equal(EVP_PKEY_cmp(again, same), 1);
	assert_int_equal(ERR_peek_error(), 0);
	EVP_PKEY_free(again);
	return role;
}

/* opens says whether it opens at all. */
static bool opens(struct keylock *lock, struct der locked)
{
	enum key_role role;
	EVP_PKEY *again = keylock_unlock(lock, locked, &role);

	EVP_PKEY_free(again);
	assert_int_equal(ERR_peek_error(), 0);
	return again != NULL;
}

static const enum key_role roles[] = {
	KEY_ROLE_ROOT, KEY_ROLE_INTERMEDIATE, KEY_ROLE_UNTRUSTED,
};

static void keeps_every_kind_and_its_role(void **state)
{
	static const enum key_kind kinds[] = {
		KEY_EC_P256, KEY_EC_P384, KEY_RSA_2K};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		EVP_PKEY *one = make_key(kinds[i]);

		for (size_t j = 0; j < 3; j++) {
			CRYPTO_BUFFER *locked = keylock_lock(kept_lock(), one,
				roles[j]);

			assert_true(keylock_is_current(der_of(locked)));
			assert_int_equal(unlock(der_of(locked), one),
				roles[j]);
			CRYPTO_BUFFER_free(locked);
		}
		EVP_PKEY_free(one);
	}
}

/* The same key is never locked to the same bytes. */
static void is_locked_anew_each_time(void **state)
{
	CRYPTO_BUFFER *a = keylock_lock(kept_lock(), key, KEY_ROLE_ROOT);
	CRYPTO_BUFFER *b = keylock_lock(kept_lock(), key, KEY_ROLE_ROOT);

	(void)state;
	assert_false(der_same(der_of(a), der_of(b)));
	CRYPTO_BUFFER_free(a);
	CRYPTO_BUFFER_free(b);
}

/* Another implementation opens it, and sees how it is locked. */
static void opens_with_openssl(void **state)
{
	CRYPTO_BUFFER *locked = keylock_lock(kept_lock(), key,
		KEY_ROLE_INTERMEDIATE);

	(void)state;
	lab_write("locked.der", CRYPTO_BUFFER_data(locked),
		CRYPTO_BUFFER_len(locked));
	CRYPTO_BUFFER_free(locked);
	lab_run("openssl pkey -inform DER -in locked.der -passin "
		"'pass:" KEPT_PASSPHRASE "' -noout -text");
	assert_non_null(strstr(lab_said(), "P-256"));
	lab_run("openssl asn1parse -inform DER -in locked.der");
	assert_non_null(strstr(lab_said(), ":PBES2"));
	assert_non_null(strstr(lab_said(), ":PBKDF2"));
	assert_non_null(strstr(lab_said(), ":aes-256-cbc"));
	assert_non_null(strstr(lab_said(), ":hmacWithSHA256"));
	assert_non_null(strstr(lab_said(), ":0927C0")); /* 600,000 */
	assert_int_not_equal(lab_try("openssl pkey -inform DER -in "
		"locked.der -passin pass:correct -noout"), 0);
}

/* --- older ones --------------------------------------------------------- */

static void opens_what_openssl_locks(void **state)
{
	EVP_PKEY *theirs;
	char *der;
	size_t len;

	(void)state;
	lab_make_key("theirs", "ec");
	lab_run("openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 100000 -in "
		"theirs.key -outform DER -out theirs.der -passout 'pass:"
		KEPT_PASSPHRASE "'");
	theirs = lab_key("theirs.key");
	der = lab_read("theirs.der", &len);
	assert_int_equal(unlock((struct der){(uint8_t *)der, len}, theirs),
		KEY_ROLE_NONE);
	assert_false(keylock_is_current((struct der){(uint8_t *)der, len}));
	free(der);
	EVP_PKEY_free(theirs);
}

/* As Sallyport did it: HMAC-SHA-1, which the form leaves out. */
static void opens_what_older_versions_locked(void **state)
{
	static const int rounds[] = {100000, KEYLOCK_ROUNDS};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t *at = NULL;
		size_t len = 0;
		CBB cbb;

		assert_true(CBB_init(&cbb, 512) &&
			PKCS8_marshal_encrypted_private_key(&cbb, -1,
				EVP_aes_256_cbc(), KEPT_PASSPHRASE,
				strlen(KEPT_PASSPHRASE), NULL, 0, rounds[i],
				key) && CBB_finish(&cbb, &at, &len));
		assert_false(keylock_is_current((struct der){at, len}));
		assert_int_equal(unlock((struct der){at, len}, key),
			KEY_ROLE_NONE);
		OPENSSL_free(at);
	}
}

/* --- what must not open ------------------------------------------------- */

/* Whoever may bring keys could try out passphrases with such, for nothing. */
static void opens_none_that_is_cheap_to_open(void **state)
{
	static const char *const how[] = {
		"-v2 aes-256-cbc -iter 99999", "-v2 aes-256-cbc -iter 1",
		"-v2 aes-256-cbc -iter 600001", "-v1 PBE-SHA1-3DES",
		"-v2 aes-256-cbc -scrypt -scrypt_N 2",
	};

	(void)state;
	lab_make_key("theirs", "ec");
	for (size_t i = 0; i < sizeof(how) / sizeof(*how); i++) {
		size_t len;
		char *der;

		lab_run("openssl pkcs8 -topk8 %s -in theirs.key -outform DER "
			"-out theirs.der -passout 'pass:" KEPT_PASSPHRASE "'",
			how[i]);
		der = lab_read("theirs.der", &len);
		assert_false(opens(kept_lock(),
			(struct der){(uint8_t *)der, len}));
		free(der);
	}
}

static void needs_its_passphrase(void **state)
{
	CRYPTO_BUFFER *locked = keylock_lock(kept_lock(), key, KEY_ROLE_ROOT);
	struct keylock *other = keylock_new("correct hors", 12);

	(void)state;
	assert_false(opens(other, der_of(locked)));
	assert_false(opens(other, (struct der){NULL, 0}));
	assert_false(opens(other, (struct der){(const uint8_t *)"0", 1}));
	keylock_free(other);
	keylock_free(NULL);
	CRYPTO_BUFFER_free(locked);
}

/* tampered gives the locked key with len bytes at from changed by bits; owned
 * (free). */
static uint8_t *tampered(const CRYPTO_BUFFER *locked, size_t from,
	uint8_t bits)
{
	uint8_t *copy = malloc(CRYPTO_BUFFER_len(locked));

	assert_non_null(copy);
	memcpy(copy, CRYPTO_BUFFER_data(locked), CRYPTO_BUFFER_len(locked));
	copy[from] ^= bits;
	return copy;
}

/* find gives the place of what is in the form once. */
static size_t find(const CRYPTO_BUFFER *locked, const void *what, size_t len)
{
	const uint8_t *at = memmem(CRYPTO_BUFFER_data(locked),
		CRYPTO_BUFFER_len(locked), what, len);

	assert_non_null(at);
	return (size_t)(at - CRYPTO_BUFFER_data(locked));
}

/* iv_of is where the IV is: behind the OID of the cipher. */
static size_t iv_of(const CRYPTO_BUFFER *locked)
{
	static const uint8_t aes[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
		0x04, 0x01, 0x2a, 0x04, 0x10};

	return find(locked, aes, sizeof(aes)) + sizeof(aes);
}

/* Each byte from the IV to the end, each in three ways. */
static void never_opens_tampered(void **state)
{
	static const uint8_t bits[] = {0x01, 0x80, 0x5a};
	CRYPTO_BUFFER *locked = keylock_lock(kept_lock(), key, KEY_ROLE_ROOT);
	size_t len = CRYPTO_BUFFER_len(locked);

	(void)state;
	for (size_t at = iv_of(locked); at < len; at++) {
		for (size_t i = 0; i < sizeof(bits); i++) {
			uint8_t *copy = tampered(locked, at, bits[i]);

			if (opens(kept_lock(), (struct der){copy, len}))
				fail_msg("opens with byte %zu of %zu by %02x",
					at, len, bits[i]);
			free(copy);
		}
	}
	CRYPTO_BUFFER_free(locked);
}

static void never_opens_cut(void **state)
{
	CRYPTO_BUFFER *locked = keylock_lock(kept_lock(), key, KEY_ROLE_ROOT);
	const uint8_t *at = CRYPTO_BUFFER_data(locked);

	(void)state;
	for (size_t len = 0; len < CRYPTO_BUFFER_len(locked); len++)
		assert_false(opens(kept_lock(), (struct der){at, len}));
	CRYPTO_BUFFER_free(locked);
}

/* The first block says how long the key is; whoever shortens that, by the IV,
 * must not get rid of the role behind the key. */
static void never_loses_its_role_to_the_iv(void **state)
{
	CRYPTO_BUFFER *locked = keylock_lock(kept_lock(), key, KEY_ROLE_ROOT);
	size_t len = CRYPTO_BUFFER_len(locked);

	(void)state;
	for (int bits = 1; bits < 256; bits++) {
		uint8_t *copy = tampered(locked, iv_of(locked) + 2,
			(uint8_t)bits);

		assert_false(opens(kept_lock(), (struct der){copy, len}));
		free(copy);
	}
	CRYPTO_BUFFER_free(locked);
}

/* Nor to a form that says the same in other words, and so is taken for an
 * older one's. */
static void never_loses_its_role_to_another_form(void **state)
{
	static const uint8_t rounds[] = {0x02, 0x03, 0x09, 0x27, 0xc0};
	static const uint8_t length[] = {0x02, 0x01, 0x20}; /* of the key */
	static const size_t grown[] = {3, 5, 18, 20, 33}; /* lengths */
	CRYPTO_BUFFER *locked = keylock_lock(kept_lock(), key, KEY_ROLE_ROOT);
	size_t len = CRYPTO_BUFFER_len(locked), at;
	uint8_t *copy = tampered(locked, 0, 0), *more = malloc(len + 3);

	(void)state;
	assert_non_null(more);
	memcpy(more, copy, len);
	more[len] = 0;
	assert_false(opens(kept_lock(), (struct der){more, len + 1}));
	at = find(locked, rounds, sizeof(rounds)) + sizeof(rounds);
	memcpy(more, copy, at);
	memcpy(more + at, length, sizeof(length));
	memcpy(more + at + sizeof(length), copy + at, len - at);
	for (size_t i = 0; i < sizeof(grown) / sizeof(*grown); i++)
		more[grown[i]] = (uint8_t)(more[grown[i]] + sizeof(length));
	lab_write("more.der", more, len + 3);
	/* it is well-formed: openssl opens it */
	lab_run("openssl pkey -inform DER -in more.der -passin "
		"'pass:" KEPT_PASSPHRASE "' -noout");
	assert_false(opens(kept_lock(), (struct der){more, len + 3}));
	free(copy);
	free(more);
	CRYPTO_BUFFER_free(locked);
}

/* The blocks of one key, and behind them those of another's role. */
static void never_opens_pasted_together(void **state)
{
	EVP_PKEY *other = make_p256_key();
	CRYPTO_BUFFER *a = keylock_lock(kept_lock(), key, KEY_ROLE_ROOT);
	CRYPTO_BUFFER *b = keylock_lock(kept_lock(), other,
		KEY_ROLE_INTERMEDIATE);
	size_t len = CRYPTO_BUFFER_len(b), from = iv_of(a), to;
	const uint8_t *with = CRYPTO_BUFFER_data(a);

	(void)state;
	assert_int_equal(iv_of(b), from);
	for (to = from + 16; to < CRYPTO_BUFFER_len(a); to += 16) {
		uint8_t *copy = tampered(b, 0, 0);

		memcpy(copy + from, with + from, to - from);
		assert_false(opens(kept_lock(), (struct der){copy, len}));
		free(copy);
	}
	EVP_PKEY_free(other);
	CRYPTO_BUFFER_free(a);
	CRYPTO_BUFFER_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_every_kind_and_its_role),
		cmocka_unit_test(is_locked_anew_each_time),
		cmocka_unit_test(opens_with_openssl),
		cmocka_unit_test(opens_what_openssl_locks),
		cmocka_unit_test(opens_what_older_versions_locked),
		cmocka_unit_test(opens_none_that_is_cheap_to_open),
		cmocka_unit_test(needs_its_passphrase),
		cmocka_unit_test(never_opens_tampered),
		cmocka_unit_test(never_opens_cut),
		cmocka_unit_test(never_loses_its_role_to_the_iv),
		cmocka_unit_test(never_loses_its_role_to_another_form),
		cmocka_unit_test(never_opens_pasted_together),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
