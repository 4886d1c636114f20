#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "pki/keymaker.h"
#include "pki/leaf_form.h"
#include "pki/leafkeys.h"
#include "pki/name.h"
#include "pki/san.h"
#include "pki/x509.h"
#include "tests/support/lab.h"

enum { DAY = 24 * 3600, VALIDITY_S = 14 * DAY };

static char err[512];
static struct ca *ca;
static struct leafkeys *keys;
static time_t now;
static CRYPTO_BUFFER *subject, *san;

static CRYPTO_BUFFER *name_of(const char *organization, const char *cn)
{
	CBB cbb;

	assert_true(CBB_init(&cbb, 64) && name_write(&cbb, organization, cn));
	return der_finish(&cbb);
}

static int set_up(void **state)
{
	CBB cbb;

	(void)state;
	lab_make_root("root", "ec", LAB_CA_EXT);
	ca = lab_ca("root", "7");
	keys = leafkeys_new();
	now = time(NULL);
	subject = name_of(NULL, "a.test");
	assert_true(CBB_init(&cbb, 64) && san_write_one(&cbb, "a.test"));
	san = der_finish(&cbb);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	CRYPTO_BUFFER_free(subject);
	CRYPTO_BUFFER_free(san);
	leafkeys_free(keys);
	ca_unref(ca);
	lab_end();
	return 0;
}

/* A form that is fit; the CA began just now. */
static struct leaf_form good(void)
{
	return (struct leaf_form){
		.subject = der_of(subject),
		.san = der_of(san),
		.spki = leafkeys_spki(keys, LEAF_KEY_P256),
		.from = ca_not_before(ca),
		.until = now + VALIDITY_S,
		.crl_base = "http://crl.test",
	};
}

static void assert_has(const char *what)
{
	if (!strstr(lab_said(), what))
		fail_msg("no '%s' in:\n%s", what, lab_said());
}

static void sign(const struct leaf_form *form)
{
	CRYPTO_BUFFER *made = leaf_form_sign(ca, form, err, sizeof(err));

	if (!made)
		fail_msg("%s", err);
	assert_int_equal(ERR_peek_error(), 0);
	lab_write_pem("leaf.pem", made);
	CRYPTO_BUFFER_free(made);
	lab_run("openssl verify -x509_strict -purpose sslserver "
		"-verify_hostname a.test -CAfile root.pem leaf.pem && openssl "
		"x509 -in leaf.pem -noout -text -nameopt RFC2253");
}

static void says_what_stands_in_the_form(void **state)
{
	struct leaf_form form = good();
	CRYPTO_BUFFER *empty = name_of(NULL, NULL);

	(void)state;
	sign(&form);
	assert_has("Issuer: CN=root,O=Lab");
	assert_has("Subject: CN=a.test\n");
	assert_has("CA:FALSE");
	assert_has("TLS Web Server Authentication");
	assert_has("Digital Signature\n");
	assert_has("DNS:a.test\n");
	assert_has("URI:http://crl.test/crl/7.crl");
	form.spki = leafkeys_spki(keys, LEAF_KEY_RSA2048);
	sign(&form);
	assert_has("Digital Signature, Key Encipherment");
	/* RFC 5280, 4.2.1.6 */
	form.subject = der_of(empty);
	form.crl_base = "";
	sign(&form);
	assert_has("Subject Alternative Name: critical");
	assert_null(strstr(lab_said(), "CRL Distribution"));
	CRYPTO_BUFFER_free(empty);
}

static void is_not_written_of_nonsense(void **state)
{
	struct leaf_form form = good();

	(void)state;
	form.spki = (struct der){(const uint8_t *)"0", 1};
	assert_null(leaf_form_sign(ca, &form, err, sizeof(err)));
	assert_non_null(strstr(err, "could not be written"));
	assert_int_equal(ERR_peek_error(), 0);
}

/* --- holding it against the rules --------------------------------------- */

static void refuse(const struct leaf_form *form, const char *why)
{
	err[0] = '\0';
	assert_int_equal(leaf_form_check(ca, form, now, VALIDITY_S, err,
		sizeof(err)), -1);
	if (!strstr(err, why))
		fail_msg("no '%s' in: %s", why, err);
	assert_int_equal(ERR_peek_error(), 0);
}

static void accept(const struct leaf_form *form)
{
	if (leaf_form_check(ca, form, now, VALIDITY_S, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void takes_what_is_fit(void **state)
{
	struct leaf_form form = good();
	CRYPTO_BUFFER *empty = name_of(NULL, NULL);

	(void)state;
	accept(&form);
	form.spki = leafkeys_spki(keys, LEAF_KEY_RSA2048);
	form.subject = der_of(empty);
	accept(&form);
	CRYPTO_BUFFER_free(empty);
}

static void refuses_a_subject(void **state)
{
	static uint8_t large[LEAF_SUBJECT_MAX + 1];
	static const struct der rows[] = {
		{NULL, 0},
		{(const uint8_t *)"x", 1},
		{(const uint8_t *)"\x30\x02\x31\x00", 4},
		{large, sizeof(large)},
	};
	struct leaf_form form = good();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		form.subject = rows[i];
		refuse(&form, "subject is not fit");
	}
	form.subject = ca_subject(ca); /* it would be its own issuer */
	refuse(&form, "subject is not fit");
}

static void refuses_names(void **state)
{
	static const struct der rows[] = {
		{NULL, 0},
		{(const uint8_t *)"\x30\x00", 2}, /* none */
		/* email:x@a.test, alone and behind DNS:a.test */
		{(const uint8_t *)"\x30\x0a\x81\x08x@a.test", 12},
		{(const uint8_t *)"\x30\x12\x82\x06" "a.test\x81\x08x@a.test",
			20},
		/* DNS:a..b, DNS:*, an address of 5 bytes, bytes behind */
		{(const uint8_t *)"\x30\x06\x82\x04" "a..b", 8},
		{(const uint8_t *)"\x30\x03\x82\x01*", 5},
		{(const uint8_t *)"\x30\x07\x87\x05" "12345", 9},
		{(const uint8_t *)"\x30\x08\x82\x06" "a.test\x00", 11},
		{(const uint8_t *)"\x30\x09\x82\x07" "a\0.test", 11},
	};
	struct leaf_form form = good();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		form.san = rows[i];
		refuse(&form, "names are not fit");
	}
}

static void refuses_a_key(void **state)
{
	static const char *const kinds[] = {"ec224", "rsa:1024"};
	struct leaf_form form = good();

	(void)state;
	form.spki = (struct der){NULL, 0};
	refuse(&form, "key is not fit");
	form.spki = der_of(subject);
	refuse(&form, "key is not fit");
	for (size_t i = 0; i < 2; i++) {
		CRYPTO_BUFFER *spki;
		EVP_PKEY *key;

		lab_make_key("weak", kinds[i]);
		key = lab_key("weak.key");
		spki = key_spki(key);
		form.spki = der_of(spki);
		refuse(&form, "key is not fit");
		EVP_PKEY_free(key);
		CRYPTO_BUFFER_free(spki);
	}
}

/* The clocks of two processes may be two minutes apart. */
static void refuses_a_time(void **state)
{
	const time_t begin = ca_not_before(ca), end = ca_not_after(ca);
	const struct {
		time_t from, until;
		const char *why; /* NULL: fine */
	} rows[] = {
		{begin, now + VALIDITY_S + 100, NULL},
		{begin, now + VALIDITY_S + 200, "lives too long"},
		{begin, now, NULL},
		{begin, now - 200, "outside its CA's time"},
		{begin - 1, now + 5, "outside its CA's time"},
		{begin, end + 1, "outside its CA's time"},
		{begin, end, "lives too long"},
		{now + 10, now + 5, "outside its CA's time"},
		{INT64_MIN, now + 5, "outside its CA's time"},
		{begin, INT64_MAX, "outside its CA's time"},
		{begin, INT64_MIN, "outside its CA's time"},
		{begin, -1, "outside its CA's time"},
	};
	struct leaf_form form = good();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		form.from = rows[i].from;
		form.until = rows[i].until;
		if (rows[i].why)
			refuse(&form, rows[i].why);
		else
			accept(&form);
	}
	/* however long the rules allow */
	form.from = begin;
	form.until = begin + LEAF_LONGEST_LIFE + 1;
	assert_int_equal(leaf_form_check(ca, &form, now, 4000 * DAY, err,
		sizeof(err)), -1);
	form.until--;
	assert_int_equal(leaf_form_check(ca, &form, now, 4000 * DAY, err,
		sizeof(err)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_stands_in_the_form),
		cmocka_unit_test(is_not_written_of_nonsense),
		cmocka_unit_test(takes_what_is_fit),
		cmocka_unit_test(refuses_a_subject),
		cmocka_unit_test(refuses_names),
		cmocka_unit_test(refuses_a_key),
		cmocka_unit_test(refuses_a_time),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
