#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pki/crl.h"
#include "tests/support/lab.h"

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

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct ca *ca;
		CRYPTO_BUFFER *crl;

		lab_make_root("root", kinds[i], LAB_CA_EXT);
		ca = lab_ca("root", "1");
		crl = crl_make(ca, 4096, 1893456000); /* 2030 */
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

static void is_not_made_without_the_right(void **state)
{
	struct ca *ca;

	(void)state;
	lab_make_root("mute", "ec", "basicConstraints=critical,CA:TRUE\n"
		"keyUsage=keyCertSign\n");
	ca = lab_ca("mute", "1");
	assert_null(crl_make(ca, 1, 0));
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
		cmocka_unit_test(is_not_made_without_the_right),
		cmocka_unit_test(is_fresh_for_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
