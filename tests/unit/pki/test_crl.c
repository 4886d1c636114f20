#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pki/crl.h"
#include "tests/support/lab.h"

enum { IN_2030 = 1893456000 };

static char err[512];

static int tear_down(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static void assert_has(const char *what)
{
	if (!strstr(lab_said(), what))
		fail_msg("no '%s' in:\n%s", what, lab_said());
}

static void is_what_openssl_takes(void **state)
{
	static const char *const kinds[] = {"ec", "ec384", "rsa:2048"};
	const struct crl_order order = {
		.number = 4096, .now = IN_2030, .until = IN_2030 + CRL_LIFE,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct ca *ca;
		CRYPTO_BUFFER *crl;

		lab_make_root("root", kinds[i], LAB_CA_EXT);
		ca = lab_ca("root", "1");
		crl = crl_make(ca, &order, err, sizeof(err));
		assert_non_null(crl);
		lab_write("crl.der", CRYPTO_BUFFER_data(crl),
			CRYPTO_BUFFER_len(crl));
		CRYPTO_BUFFER_free(crl);
		lab_run("openssl crl -inform DER -in crl.der -noout -text "
			"-verify -CAfile root.pem");
		assert_has("verify OK");
		assert_has("Version 2");
		/* OpenSSL 3.0 writes "O = Lab", 3.5 "O=Lab" */
		assert_has("Issuer: O");
		assert_has("root\n");
		assert_has("Last Update: Dec 31 23:00:00 2029 GMT");
		assert_has("Next Update: Jan  8 00:00:00 2030 GMT");
		assert_has("4096");
		assert_has("Authority Key Identifier");
		assert_has("No Revoked Certificates");
		ca_unref(ca);
	}
}

/* With what was revoked: when, and not who was not. */
static void lists_what_was_revoked(void **state)
{
	static const struct crl_entry revoked[] = {
		{.serial = {0x4a, 0x01}, .serial_len = 2, .at = IN_2030 - 60},
		{.serial = {0x00, 0xff, 0x02}, .serial_len = 3,
			.at = IN_2030 - 30},
	};
	const struct crl_order order = {
		.number = 7, .now = IN_2030, .until = IN_2030 + CRL_LIFE,
		.revoked = revoked, .num_revoked = 2,
	};
	CRYPTO_BUFFER *crl;
	struct ca *ca;

	(void)state;
	lab_make_root("root", "ec", LAB_CA_EXT);
	ca = lab_ca("root", "1");
	crl = crl_make(ca, &order, err, sizeof(err));
	assert_non_null(crl);
	lab_write("crl.der", CRYPTO_BUFFER_data(crl), CRYPTO_BUFFER_len(crl));
	CRYPTO_BUFFER_free(crl);
	lab_run("openssl crl -inform DER -in crl.der -noout -text -verify "
		"-CAfile root.pem");
	assert_has("verify OK");
	assert_has("Serial Number: 4A01\n");
	assert_has("Serial Number: FF02\n");
	assert_has("Revocation Date: Dec 31 23:59:00 2029 GMT");
	ca_unref(ca);
}

/* The real thing: openssl turns a certificate on it away. */
static void turns_a_revoked_one_away(void **state)
{
	struct crl_entry revoked = {.at = time(NULL) - 60};
	struct crl_order order = {
		.number = 1, .now = time(NULL), .until = time(NULL) + CRL_LIFE,
		.revoked = &revoked, .num_revoked = 1,
	};
	CRYPTO_BUFFER *crl;
	struct ca *ca;
	size_t len, zero;
	char *text;

	(void)state;
	lab_make_root("root", "ec", LAB_CA_EXT);
	lab_make("leaf", "ec", "/CN=a.test", "root", "sha256", LAB_LEAF_EXT);
	lab_run("openssl x509 -in leaf.pem -noout -serial | sed 's/.*=//' | "
		"tr -d '\\n' | sed 's/../\\\\x&/g' | xargs -0 printf '%%b' "
		">serial");
	text = lab_read("serial", &len);
	zero = (uint8_t)text[0] >= 0x80; /* an INTEGER's, not printed */
	assert_in_range(len + zero, 1, sizeof(revoked.serial));
	revoked.serial_len = (uint8_t)(len + zero);
	memcpy(revoked.serial + zero, text, len);
	free(text);
	ca = lab_ca("root", "1");
	crl = crl_make(ca, &order, err, sizeof(err));
	assert_non_null(crl);
	lab_write("crl.der", CRYPTO_BUFFER_data(crl), CRYPTO_BUFFER_len(crl));
	CRYPTO_BUFFER_free(crl);
	ca_unref(ca);
	lab_run("openssl verify -CAfile root.pem leaf.pem");
	lab_run("openssl crl -inform DER -in crl.der -out crl.pem");
	assert_int_not_equal(lab_try("openssl verify -crl_check -CAfile "
		"root.pem -CRLfile crl.pem leaf.pem"), 0);
	assert_has("certificate revoked");
}

static void is_not_made_without_the_right(void **state)
{
	struct crl_order order = {.until = CRL_LIFE};
	struct ca *ca;

	(void)state;
	lab_make_root("mute", "ec", "basicConstraints=critical,CA:TRUE\n"
		"keyUsage=keyCertSign\n");
	ca = lab_ca("mute", "1");
	assert_null(crl_make(ca, &order, err, sizeof(err)));
	assert_non_null(strstr(err, "cRLSign"));
	ca_unref(ca);
}

static void is_fresh_for_a_day(void **state)
{
	(void)state;
	assert_true(crl_fresh(1000, 1000));
	assert_true(crl_fresh(1000, 1000 + CRL_RENEW - 1));
	assert_false(crl_fresh(1000, 1000 + CRL_RENEW));
	assert_false(crl_fresh(1000, 999)); /* the clock has gone back */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_what_openssl_takes),
		cmocka_unit_test(lists_what_was_revoked),
		cmocka_unit_test(turns_a_revoked_one_away),
		cmocka_unit_test(is_not_made_without_the_right),
		cmocka_unit_test(is_fresh_for_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
