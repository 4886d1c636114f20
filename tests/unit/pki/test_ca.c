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
#include <openssl/sha.h>

#include "pki/keymaker.h"
#include "pki/mint.h"
#include "tests/support/lab.h"

static int set_up(void **state)
{
	(void)state;
	lab_make_root("root", "ec", LAB_CA_EXT);
	lab_make("mid", "rsa:3072", "/CN=mid", "root", "sha256", LAB_SUB_EXT);
	lab_make("low", "ec384", "/CN=low", "mid", "sha256", LAB_SUB_EXT);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

/* make is ca_new of NAME.pem, KEY.key and up to two files of chain. */
static int make(const char *name, const char *key_name, const char *a,
	const char *b, struct ca **out, char *err, size_t err_size)
{
	const char *const files[] = {a, b};
	CRYPTO_BUFFER *certs[2], *cert;
	struct der chain[2];
	char file[64];
	EVP_PKEY *key;
	size_t num = 0;
	int result;

	snprintf(file, sizeof(file), "%s.pem", name);
	cert = lab_cert(file);
	snprintf(file, sizeof(file), "%s.key", key_name);
	key = lab_key(file);
	for (size_t i = 0; i < 2 && files[i]; i++) {
		snprintf(file, sizeof(file), "%s.pem", files[i]);
		certs[num] = lab_cert(file);
		chain[num] = lab_der(certs[num]);
		num++;
	}
	result = ca_new(lab_der(cert), key, chain, num, "12", out, err,
		err_size);
	assert_int_equal(ERR_peek_error(), 0);
	while (num > 0)
		CRYPTO_BUFFER_free(certs[--num]);
	EVP_PKEY_free(key);
	CRYPTO_BUFFER_free(cert);
	return result;
}

static void refuse(const char *name, const char *key, const char *a,
	const char *b, const char *why)
{
	struct ca *ca;
	char err[256] = "";

	assert_int_equal(make(name, key, a, b, &ca, err, sizeof(err)), -1);
	assert_null(ca);
	if (!strstr(err, why))
		fail_msg("no '%s' in: %s", why, err);
}

static void knows_itself(void **state)
{
	CRYPTO_BUFFER *const *sent, *cert = lab_cert("low.pem");
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct ca *ca;
	char err[256];

	(void)state;
	assert_int_equal(make("low", "low", "mid", "root", &ca, err,
		sizeof(err)), 0);
	assert_string_equal(ca_id(ca), "12");
	SHA256(CRYPTO_BUFFER_data(cert), CRYPTO_BUFFER_len(cert), digest);
	assert_memory_equal(ca_digest(ca), digest, 32);
	assert_int_equal(ca_cert(ca).len, CRYPTO_BUFFER_len(cert));
	assert_int_equal(ca_ski(ca).len, 20);
	assert_true(ca_can_sign_crl(ca));
	assert_true(ca_signs_fast(ca));
	assert_true(ca_not_before(ca) < ca_not_after(ca));
	/* the root is not sent */
	assert_int_equal(ca_sent(ca, &sent), 2);
	assert_int_equal(CRYPTO_BUFFER_len(sent[0]), ca_cert(ca).len);
	ca_unref(ca_ref(ca));
	ca_unref(ca);
	CRYPTO_BUFFER_free(cert);
}

static void needs_no_chain(void **state)
{
	CRYPTO_BUFFER *const *sent;
	struct ca *ca;
	char err[256];

	(void)state;
	assert_int_equal(make("mid", "mid", NULL, NULL, &ca, err,
		sizeof(err)), 0);
	assert_int_equal(ca_sent(ca, &sent), 1);
	assert_false(ca_signs_fast(ca));
	ca_unref(ca);
	assert_int_equal(make("root", "root", NULL, NULL, &ca, err,
		sizeof(err)), 0);
	assert_int_equal(ca_sent(ca, &sent), 0);
	ca_unref(ca);
}

static void refuses_what_cannot_sign(void **state)
{
	(void)state;
	refuse("root", "mid", NULL, NULL, "not that of the CA");
	lab_make("server", "ec", "/CN=server", "root", "sha256", LAB_LEAF_EXT);
	refuse("server", "server", NULL, NULL, "no basicConstraints CA:TRUE");
	lab_make("nosign", "ec", "/CN=nosign", "root", "sha256",
		"basicConstraints=critical,CA:TRUE\nkeyUsage=cRLSign\n");
	refuse("nosign", "nosign", NULL, NULL, "keyCertSign");
	lab_make("small", "rsa:1024", "/CN=small", "root", "sha256",
		LAB_SUB_EXT);
	refuse("small", "small", NULL, NULL, "RSA from 2048");
	lab_make("odd", "ec224", "/CN=odd", "root", "sha256", LAB_SUB_EXT);
	refuse("odd", "odd", NULL, NULL, "P-256");
}

static void refuses_a_chain_that_leads_nowhere(void **state)
{
	(void)state;
	refuse("low", "low", "root", NULL, "does not lead upwards");
	refuse("low", "low", "root", "mid", "does not lead upwards");
	refuse("root", "root", "mid", NULL, "does not lead upwards");
	lab_make("short", "ec", "/CN=short", "root", "sha256",
		"basicConstraints=critical,CA:TRUE,pathlen:0\n"
		"keyUsage=keyCertSign\n");
	lab_make("deep", "ec", "/CN=deep", "short", "sha256", LAB_SUB_EXT);
	refuse("deep", "deep", "short", NULL, "path length");
	lab_make("leaf", "ec", "/CN=leaf", "root", "sha256", LAB_LEAF_EXT);
	lab_make("under", "ec", "/CN=under", "leaf", "sha256", LAB_SUB_EXT);
	refuse("under", "under", "leaf", NULL, "is not a CA certificate");
}

static void can_do_without_crls(void **state)
{
	struct ca *ca;
	char err[256];

	(void)state;
	lab_make("nocrl", "ec", "/CN=nocrl", "root", "sha256",
		"basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n");
	assert_int_equal(make("nocrl", "nocrl", NULL, NULL, &ca, err,
		sizeof(err)), 0);
	assert_false(ca_can_sign_crl(ca));
	assert_int_equal(ca_ski(ca).len, 20); /* made from its key */
	ca_unref(ca);
}

static void refuses_what_is_out_of_its_time(void **state)
{
	CRYPTO_BUFFER *name = mint_name("Old"), *cert;
	EVP_PKEY *key = make_p256_key();
	time_t now = time(NULL);
	struct mint_order order = {
		.key = key, .subject = lab_der(name), .path_len = -1,
		.from = now - 1000, .until = now - 10,
	};
	struct ca *ca;
	char err[256];

	(void)state;
	cert = mint_ca(&order);
	assert_int_equal(ca_new(lab_der(cert), key, NULL, 0, "1", &ca, err,
		sizeof(err)), -1);
	assert_non_null(strstr(err, "'Old' has ended on"));
	CRYPTO_BUFFER_free(cert);
	order.from = now + 1000;
	order.until = now + 2000;
	cert = mint_ca(&order);
	assert_int_equal(ca_new(lab_der(cert), key, NULL, 0, "1", &ca, err,
		sizeof(err)), -1);
	assert_non_null(strstr(err, "not valid before"));
	CRYPTO_BUFFER_free(cert);
	CRYPTO_BUFFER_free(name);
	EVP_PKEY_free(key);
}

static void refuses_bad_ids_and_junk(void **state)
{
	CRYPTO_BUFFER *cert = lab_cert("root.pem");
	EVP_PKEY *key = lab_key("root.key");
	static const char *const ids[] = {"", "../1", "a/b", "A b",
		"12345678901234567890123456789012345678901"};
	struct der chain[CA_CHAIN_MAX + 1] = {{NULL, 0}};
	struct ca *ca;
	char err[256];

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
		assert_int_equal(ca_new(lab_der(cert), key, NULL, 0, ids[i],
			&ca, err, sizeof(err)), -1);
	/* an issuing CA's: 20 bytes in hexadecimal */
	assert_int_equal(ca_new(lab_der(cert), key, NULL, 0, "0123456789abcdef"
		"0123456789abcdef01234567", &ca, err, sizeof(err)), 0);
	assert_string_equal(ca_id(ca), "0123456789abcdef0123456789abcdef"
		"01234567");
	ca_unref(ca);
	assert_int_equal(ca_new(lab_der(cert), key, chain, CA_CHAIN_MAX + 1,
		"1", &ca, err, sizeof(err)), -1);
	assert_int_equal(ca_new((struct der){(const uint8_t *)"x", 1}, key,
		NULL, 0, "1", &ca, err, sizeof(err)), -1);
	CRYPTO_BUFFER_free(cert);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_itself),
		cmocka_unit_test(needs_no_chain),
		cmocka_unit_test(refuses_what_cannot_sign),
		cmocka_unit_test(refuses_a_chain_that_leads_nowhere),
		cmocka_unit_test(can_do_without_crls),
		cmocka_unit_test(refuses_what_is_out_of_its_time),
		cmocka_unit_test(refuses_bad_ids_and_junk),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
