#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "pki/base.h"
#include "pki/x509.h"
#include "tests/support/lab.h"

static int set_up(void **state)
{
	(void)state;
	lab_make_root("root", "ec", LAB_CA_EXT);
	lab_make("leaf", "rsa:2048", "/CN=leaf", "root", "sha1", LAB_LEAF_EXT
		"subjectAltName=DNS:a.test\n"
		"crlDistributionPoints=URI:http://crl.test/1.crl\n"
		"authorityInfoAccess=OCSP;URI:http://o.test/,"
		"caIssuers;URI:http://i.test/\n");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static void reads_a_root(void **state)
{
	CRYPTO_BUFFER *der = lab_cert("root.pem");
	EVP_PKEY *key;
	struct cert cert;

	(void)state;
	assert_int_equal(cert_read(lab_der(der), &cert), 0);
	assert_true(cert.is_ca);
	assert_int_equal(cert.path_len, -1);
	assert_true(cert_self_issued(&cert));
	assert_true(cert_may_sign_certs(&cert));
	assert_true(cert_may_sign_crls(&cert));
	assert_false(cert_weak_signature(&cert));
	assert_false(cert.has_ca_issuers);
	assert_int_equal(cert.san.len, 0);
	key = cert_key(&cert);
	assert_non_null(key);
	assert_true(cert_signed_by(&cert, key));
	assert_false(key_weak(key));
	EVP_PKEY_free(key);
	CRYPTO_BUFFER_free(der);
}

static void reads_a_leaf(void **state)
{
	CRYPTO_BUFFER *der = lab_cert("leaf.pem"), *up = lab_cert("root.pem");
	struct cert cert, root;
	EVP_PKEY *key;

	(void)state;
	assert_int_equal(cert_read(lab_der(der), &cert), 0);
	assert_int_equal(cert_read(lab_der(up), &root), 0);
	assert_false(cert.is_ca);
	assert_false(cert_self_issued(&cert));
	assert_false(cert_may_sign_certs(&cert));
	assert_true(cert.has_key_usage);
	assert_int_equal(cert.key_usage, KEY_USAGE_DIGITAL_SIGNATURE);
	assert_true(cert_weak_signature(&cert));
	assert_true(cert.has_ca_issuers);
	assert_true(der_same(cert.aki, root.ski));
	assert_true(der_same(cert.issuer, root.subject));
	assert_int_equal(cert.not_after - cert.not_before, 365 * 86400);
	assert_int_not_equal(cert.san.len, 0);
	assert_int_not_equal(cert.crl_points.len, 0);
	key = cert_key(&cert);
	assert_false(cert_signed_by(&cert, key));
	EVP_PKEY_free(key);
	key = cert_key(&root);
	assert_true(cert_signed_by(&cert, key));
	EVP_PKEY_free(key);
	CRYPTO_BUFFER_free(der);
	CRYPTO_BUFFER_free(up);
}

/* Each in a block of its own size, so that a sanitizer sees a byte too far. */
static void refuses_what_is_cut_or_longer(void **state)
{
	CRYPTO_BUFFER *der = lab_cert("leaf.pem");
	size_t len = CRYPTO_BUFFER_len(der);
	struct cert cert;
	uint8_t *copy;

	(void)state;
	for (size_t cut = 0; cut <= len + 1; cut++) {
		copy = calloc(1, cut ? cut : 1);
		memcpy(copy, CRYPTO_BUFFER_data(der), cut < len ? cut : len);
		assert_int_equal(cert_read((struct der){copy, cut}, &cert),
			cut == len ? 0 : -1);
		free(copy);
	}
	CRYPTO_BUFFER_free(der);
}

/* RFC 7093, 2, method 1, and openssl's own reckoning of the key. */
static void makes_key_identifiers(void **state)
{
	CRYPTO_BUFFER *der = lab_cert("root.pem");
	uint8_t id[KEY_ID_SIZE];
	struct cert cert;
	char hex[2 * KEY_ID_SIZE + 1];

	(void)state;
	assert_int_equal(cert_read(lab_der(der), &cert), 0);
	assert_true(spki_identifier(cert.spki, id));
	for (size_t i = 0; i < KEY_ID_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	lab_run("openssl ec -in root.key -pubout -outform DER 2>/dev/null | "
		"tail -c 65 | sha256sum");
	assert_memory_equal(lab_said(), hex, 2 * KEY_ID_SIZE);
	assert_false(spki_identifier((struct der){NULL, 0}, id));
	CRYPTO_BUFFER_free(der);
}

static void check_common(const char *subject, const char *common)
{
	CRYPTO_BUFFER *der;
	char got[128];

	lab_make("named", "ec", subject, "root", "sha256", LAB_LEAF_EXT);
	der = lab_cert("named.pem");
	assert_int_equal(cert_common_name(lab_der(der), got, sizeof(got)),
		common ? 0 : -1);
	assert_string_equal(got, common ? common : "");
	CRYPTO_BUFFER_free(der);
}

static void says_whose_it_is(void **state)
{
	char got[8];

	(void)state;
	check_common("/CN=dev1", "dev1");
	check_common("/O=Example/CN=dev1/OU=Lab", "dev1");
	/* of two, nobody knows which it is */
	check_common("/CN=above/CN=dev1", NULL);
	check_common("/CN=dev1/O=Example/CN=dev1", NULL);
	check_common("/CN=dev1+CN=dev2", NULL);
	check_common("/DC=org/DC=example/CN=Users/CN=dev1", "dev1");
	check_common("/DC=org/CN=Users/CN=dev1+CN=dev2", NULL);
	check_common("/DC=org/CN=Users/CN=dev1/O=Example", NULL);
	check_common("/CN=above/DC=org/CN=dev1", NULL);
	check_common("/CN=dev1+UID=7", "dev1");
	check_common("/CN=J\xc3\xbcrgen", "J\xc3\xbcrgen");
	check_common("/O=Example", NULL);
	check_common("/CN=dev1/CN=a\x7f", NULL);
	assert_int_equal(cert_common_name((struct der){NULL, 0}, got,
		sizeof(got)), -1);
}

/* It fills its room to the last byte, and writes none behind it. */
static void fingerprint_ends_within_its_room(void **state)
{
	struct {
		char text[CERT_FINGERPRINT];
		char behind;
	} room = {.behind = '#'};

	(void)state;
	cert_fingerprint((struct der){(const uint8_t *)"abc", 3}, room.text);
	assert_string_equal(room.text, "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:"
		"5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD");
	assert_int_equal(room.behind, '#');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_root),
		cmocka_unit_test(reads_a_leaf),
		cmocka_unit_test(refuses_what_is_cut_or_longer),
		cmocka_unit_test(makes_key_identifiers),
		cmocka_unit_test(says_whose_it_is),
		cmocka_unit_test(fingerprint_ends_within_its_room),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
