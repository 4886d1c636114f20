#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "pki/csr.h"
#include "pki/keymaker.h"
#include "tests/support/lab.h"

static char err[512];

static int tear_down(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static const struct csr_order full = {
	.common_name = "Corp Proxy CA", .organization = "B\xc3\xbc" "cher & Co",
	.unit = "IT, \"Security\"", .locality = "K\xc3\xb6ln",
	.province = "\xe6\x9d\xb1\xe4\xba\xac", .country = "DE",
	.path_len = 1, .digest = CSR_SHA256,
};

/* make has openssl verify it, and read it aloud. */
static void make(const struct csr_order *order, EVP_PKEY *key)
{
	CRYPTO_BUFFER *made = csr_make(order, key, err, sizeof(err));

	if (!made)
		fail_msg("%s", err);
	assert_int_equal(ERR_peek_error(), 0);
	lab_write("a.csr", CRYPTO_BUFFER_data(made), CRYPTO_BUFFER_len(made));
	CRYPTO_BUFFER_free(made);
	lab_run("openssl req -inform DER -in a.csr -noout -verify -text "
		"-nameopt RFC2253,-esc_msb,utf8");
}

static void assert_has(const char *what)
{
	if (!strstr(lab_said(), what))
		fail_msg("no '%s' in:\n%s", what, lab_said());
}

static void assert_lacks(const char *what)
{
	if (strstr(lab_said(), what))
		fail_msg("'%s' in:\n%s", what, lab_said());
}

static void says_all_that_was_ordered(void **state)
{
	EVP_PKEY *key = make_p256_key();

	(void)state;
	make(&full, key);
	assert_has("verify OK");
	assert_has("Subject: CN=Corp Proxy CA,OU=IT\\, \\\"Security\\\","
		"O=B\xc3\xbc" "cher & Co,L=K\xc3\xb6ln,"
		"ST=\xe6\x9d\xb1\xe4\xba\xac,C=DE\n");
	assert_has("Version: 1 (0x0)");
	assert_has("X509v3 Basic Constraints: critical\n"
		"                    CA:TRUE, pathlen:1\n");
	assert_has("X509v3 Key Usage: critical\n"
		"                    Certificate Sign, CRL Sign\n");
	assert_has("X509v3 Subject Key Identifier");
	/* RFC 5280, appendix A.1: a country is a PrintableString, the rest
	 * may be UTF-8 */
	lab_run("openssl asn1parse -inform DER -in a.csr");
	assert_has("PRINTABLESTRING   :DE");
	assert_has("UTF8STRING        :Corp Proxy CA");
	EVP_PKEY_free(key);
}

static void leaves_out_what_was_not(void **state)
{
	const struct csr_order order = {.common_name = "x", .path_len = -1};
	EVP_PKEY *key = make_p256_key();

	(void)state;
	make(&order, key);
	assert_has("Subject: CN=x\n");
	assert_has("CA:TRUE\n");
	assert_lacks("pathlen");
	EVP_PKEY_free(key);
}

static void signs_with_every_key_and_digest(void **state)
{
	static const struct {
		enum key_kind kind;
		enum csr_digest digest;
		const char *algorithm, *key;
	} rows[] = {
		{KEY_EC_P256, CSR_SHA256, "ecdsa-with-SHA256", "P-256"},
		{KEY_EC_P256, CSR_SHA384, "ecdsa-with-SHA384", "P-256"},
		{KEY_EC_P384, CSR_SHA256, "ecdsa-with-SHA256", "P-384"},
		{KEY_EC_P384, CSR_SHA384, "ecdsa-with-SHA384", "P-384"},
		{KEY_RSA_2K, CSR_SHA256, "sha256WithRSAEncryption",
			"2048 bit"},
		{KEY_RSA_2K, CSR_SHA384, "sha384WithRSAEncryption",
			"2048 bit"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		EVP_PKEY *key = make_key(rows[i].kind);
		struct csr_order order = full;

		order.digest = rows[i].digest;
		make(&order, key);
		assert_has("verify OK");
		assert_has(rows[i].algorithm);
		assert_has(rows[i].key);
		EVP_PKEY_free(key);
	}
}

/* A CA that is not ours signs it, and what comes is good. */
static void is_what_a_ca_takes(void **state)
{
	EVP_PKEY *key = make_p256_key();

	(void)state;
	lab_make_root("root", "ec", LAB_CA_EXT);
	make(&full, key);
	lab_run("openssl x509 -req -inform DER -in a.csr -CA root.pem -CAkey "
		"root.key -CAcreateserial -copy_extensions copyall -days 9 "
		"-out ca.pem && openssl verify -x509_strict -CAfile root.pem "
		"ca.pem && openssl x509 -in ca.pem -noout -text");
	assert_has("CA:TRUE, pathlen:1");
	EVP_PKEY_free(key);
}

/* --- refusals ----------------------------------------------------------- */

struct change {
	size_t offset;
	const char *text;
	const char *why;    /* NULL: fine */
};

#define AT(field) offsetof(struct csr_order, field)
#define TEN "1234567890"
#define SIXTY TEN TEN TEN TEN TEN TEN
#define HUNDRED SIXTY TEN TEN TEN TEN

static const struct change changes[] = {
	{AT(common_name), "", "common name is required"},
	{AT(common_name), SIXTY "1234", NULL},
	{AT(common_name), SIXTY "12345", "common name is too long: at most 64"},
	/* letters, not bytes */
	{AT(common_name), SIXTY "123\xc3\xbc", NULL},
	{AT(common_name), "a\nb", "common name holds what can't"},
	{AT(common_name), "a\x7f", "common name holds what can't"},
	{AT(common_name), "a\xc2\x80", "common name holds what can't"},
	{AT(common_name), "a\xff", "not UTF-8"},
	{AT(common_name), "a\xc3", "not UTF-8"},
	{AT(common_name), "\xc0\xaf", "not UTF-8"},      /* overlong */
	{AT(common_name), "\xed\xa0\x80", "not UTF-8"},  /* a surrogate */
	{AT(common_name), "\xf4\x90\x80\x80", "not UTF-8"},
	{AT(organization), SIXTY "1234", NULL},
	{AT(organization), SIXTY "12345", "organization is too long"},
	{AT(unit), SIXTY "12345", "department is too long"},
	{AT(unit), "\x1b[0m", "department holds what can't"},
	{AT(locality), HUNDRED TEN TEN "12345678", NULL},
	{AT(province), HUNDRED TEN TEN "12345678", NULL},
	{AT(country), "", NULL},
	{AT(country), "de", "country is two capital letters"},
	{AT(country), "D", "country is two capital letters"},
	{AT(country), "DEU", "country is too long"},
	{AT(country), "D1", "country is two capital letters"},
};

static void says_what_it_refuses(void **state)
{
	EVP_PKEY *key = make_p256_key();

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		const struct change *row = &changes[i];
		struct csr_order order = full;
		CRYPTO_BUFFER *made;

		snprintf((char *)&order + row->offset, CSR_TEXT, "%s",
			row->text);
		err[0] = '\0';
		assert_int_equal(csr_check(&order, err, sizeof(err)),
			row->why ? -1 : 0);
		if (row->why && !strstr(err, row->why))
			fail_msg("no '%s' in: %s", row->why, err);
		made = csr_make(&order, key, err, sizeof(err));
		assert_int_equal(made != NULL, row->why == NULL);
		CRYPTO_BUFFER_free(made);
	}
	EVP_PKEY_free(key);
}

static void refuses_other_lengths(void **state)
{
	static const struct {
		int path_len, result;
	} rows[] = {{-2, -1}, {-1, 0}, {0, 0}, {16, 0}, {17, -1}};
	struct csr_order order = full;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		order.path_len = rows[i].path_len;
		assert_int_equal(csr_check(&order, err, sizeof(err)),
			rows[i].result);
	}
	order = full;
	memset(order.unit, 'x', sizeof(order.unit)); /* no end */
	assert_int_equal(csr_check(&order, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "department is too long"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_all_that_was_ordered),
		cmocka_unit_test(leaves_out_what_was_not),
		cmocka_unit_test(signs_with_every_key_and_digest),
		cmocka_unit_test(is_what_a_ca_takes),
		cmocka_unit_test(says_what_it_refuses),
		cmocka_unit_test(refuses_other_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
