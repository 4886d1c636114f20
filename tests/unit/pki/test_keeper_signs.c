/* What a keeper signs for its CAs, and what it does not: leaves and CRLs. */
#include "pki/mint.h"
#include "tests/unit/pki/keeper_test.h"

static void signs_leaves(void **state)
{
	const struct kept *const rows[] = {&flat, &untrusted};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ca *ca = ca_of(rows[i], "4");
		CRYPTO_BUFFER *const *certs;
		struct leaf *leaf;

		assert_false(ca_signs_fast(ca));
		if (forge(ca, &leaf) != 0)
			fail_msg("%s", err);
		leaf_certs(leaf, &certs);
		lab_write_pem("ca.pem", rows[i]->cert);
		lab_write_pem("leaf.pem", certs[0]);
		lab_run("openssl verify -x509_strict -purpose sslserver "
			"-verify_hostname a.test -CAfile ca.pem leaf.pem && "
			"openssl x509 -in leaf.pem -noout -text");
		/* the CDP is by the rules, not by who asks */
		assert_non_null(strstr(lab_said(),
			"http://127.0.0.1:8080/crl/"));
		leaf_free(leaf);
		ca_unref(ca);
	}
}

static void signs_no_leaves_with_the_others(void **state)
{
	const struct {
		const struct kept *key;
		const char *why;
	} rows[] = {
		{&root, "not for that"},
		{&inter, "signs no leaves"},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ca *ca = ca_of(rows[i].key, "4");
		struct leaf *leaf;

		assert_int_equal(forge(ca, &leaf), -1);
		refused(leaf, rows[i].why);
		ca_unref(ca);
	}
}

/* san_of gives a SAN of one element; to be freed. */
static CRYPTO_BUFFER *san_of(uint8_t tag, const char *text)
{
	CBB cbb, list, name;

	assert_true(CBB_init(&cbb, 64) &&
		CBB_add_asn1(&cbb, &list, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1(&list, &name, CBS_ASN1_CONTEXT_SPECIFIC | tag) &&
		CBB_add_bytes(&name, (const uint8_t *)text, strlen(text)));
	return der_finish(&cbb);
}

/* sign_as has a leaf signed where it should be: why NULL. */
static void sign_as(const struct ca *ca, struct leaf_form form,
	const char *why)
{
	CRYPTO_BUFFER *made = keeper_sign_leaf(ca, &form, err, sizeof(err));

	if (why)
		refused(made, why);
	else
		CRYPTO_BUFFER_free(must(made));
}

/* Each field by itself, in a form that is fit but for it. */
static void holds_leaves_against_the_rules(void **state)
{
	CRYPTO_BUFFER *name = mint_name("a.test"), *san = san_of(2, "a.test");
	CRYPTO_BUFFER *mail = san_of(1, "x@a.test");
	CRYPTO_BUFFER *bad = san_of(2, "a..test");
	struct ca *ca = ca_of(&flat, "4");
	struct leaf_form fit = {
		.subject = der_of(name), .san = der_of(san),
		.spki = leafkeys_spki(leafkeys, LEAF_KEY_P256),
		.from = time(NULL), .until = time(NULL) + DAY,
	}, form;

	(void)state;
	sign_as(ca, fit, NULL);
	form = fit, form.until = time(NULL) + KEPT_VALIDITY_S + DAY;
	sign_as(ca, form, "lives too long");
	form = fit, form.until = ca_not_after(ca) + 1;
	sign_as(ca, form, "outside its CA's time");
	form = fit, form.from = ca_not_before(ca) - 1;
	sign_as(ca, form, "outside its CA's time");
	form = fit, form.subject = ca_subject(ca);
	sign_as(ca, form, "subject is not fit");
	form = fit, form.subject = none;
	sign_as(ca, form, "subject is not fit");
	form = fit, form.san = der_of(mail);
	sign_as(ca, form, "names are not fit");
	form = fit, form.san = der_of(bad);
	sign_as(ca, form, "names are not fit");
	form = fit, form.spki = der_of(name);
	sign_as(ca, form, "key is not fit");
	CRYPTO_BUFFER_free(name);
	CRYPTO_BUFFER_free(san);
	CRYPTO_BUFFER_free(mail);
	CRYPTO_BUFFER_free(bad);
	ca_unref(ca);
}

/* --- CRLs ----------------------------------------------------------------- */

static void signs_crls(void **state)
{
	const struct kept *const rows[] = {&root, &inter, &untrusted, &flat};
	static struct crl_entry many[CRL_REVOKED_MAX];
	struct crl_order order = {
		.number = 77, .until = time(NULL) + CRL_LIFE,
		.revoked = many, .num_revoked = CRL_REVOKED_MAX,
	};

	(void)state;
	for (int i = 0; i < CRL_REVOKED_MAX; i++) {
		memset(many[i].serial, 0x41, CRL_SERIAL_MAX);
		many[i].serial[0] = (uint8_t)(0x10 + i / 100);
		many[i].serial[1] = (uint8_t)(i % 100);
		many[i].serial_len = CRL_SERIAL_MAX;
		many[i].at = time(NULL);
	}
	for (size_t i = 0; i < 4; i++) {
		struct ca *ca = ca_of(rows[i], "1");
		CRYPTO_BUFFER *crl = must(crl_make(ca, &order, err,
			sizeof(err)));

		lab_write_pem("ca.pem", rows[i]->cert);
		lab_write("crl.der", CRYPTO_BUFFER_data(crl),
			CRYPTO_BUFFER_len(crl));
		lab_run("openssl crl -inform DER -in crl.der -noout -text "
			"-verify -CAfile ca.pem | grep -c 'Serial Number'");
		assert_non_null(strstr(lab_said(), "verify OK"));
		assert_non_null(strstr(lab_said(), "600\n"));
		CRYPTO_BUFFER_free(crl);
		ca_unref(ca);
	}
}

static void refuses_crls(void **state)
{
	struct crl_entry entry = {.serial = {1}, .serial_len = 1, .at = 1000};
	struct crl_order order = {.number = 1, .revoked = &entry};
	struct ca *ca = ca_of(&flat, "4");

	(void)state;
	order.until = ca_not_after(ca) + 1;
	refused(crl_make(ca, &order, err, sizeof(err)),
		"does not end while its CA is good");
	order.until = time(NULL) - 60;
	refused(crl_make(ca, &order, err, sizeof(err)),
		"does not end while its CA is good");
	order.until = time(NULL) + DAY;
	order.number = CRL_NUMBER_MAX + 1;
	refused(crl_make(ca, &order, err, sizeof(err)), "none can follow");
	order.number = 1;
	order.num_revoked = 1;
	entry.serial_len = 0;
	refused(crl_make(ca, &order, err, sizeof(err)), "can't make sense");
	entry.serial_len = 1;
	entry.at = (time_t)1 << 50;
	refused(crl_make(ca, &order, err, sizeof(err)), "can't be signed");
	order.num_revoked = CRL_REVOKED_MAX + 1;
	refused(crl_make(ca, &order, err, sizeof(err)),
		"more than the keeper can be asked");
	ca_unref(ca);
}

/* Its certificate says what the CA may, not who asks. */
static void signs_no_crl_of_a_ca_that_may_not(void **state)
{
	struct kept mute;
	struct ca *as_if;
	struct crl_order order = {.number = 1, .until = time(NULL) + DAY};
	CRYPTO_BUFFER *able;

	(void)state;
	make(&mute, KEY_ROLE_INTERMEDIATE);
	able = with_path_len(&mute, "\nkeyUsage=keyCertSign,cRLSign");
	mute.cert = with_path_len(&mute, "\nkeyUsage=keyCertSign");
	hold(&mute, "8");
	assert_int_equal(ca_new_kept(der_of(able), link_, NULL, 0, "8", &as_if,
		err, sizeof(err)), 0);
	refused(crl_make(as_if, &order, err, sizeof(err)), "lacks cRLSign");
	ca_unref(as_if);
	CRYPTO_BUFFER_free(able);
	drop(&mute);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_leaves),
		cmocka_unit_test(signs_no_leaves_with_the_others),
		cmocka_unit_test(holds_leaves_against_the_rules),
		cmocka_unit_test(signs_crls),
		cmocka_unit_test(refuses_crls),
		cmocka_unit_test(signs_no_crl_of_a_ca_that_may_not),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
