/* The CAs that a keeper makes: minted under the root, issued under others. */
#include "pki/tally.h"
#include "pki/x509.h"
#include "tests/unit/pki/keeper_test.h"

static void mints_by_role(void **state)
{
	(void)state;
	lab_write_pem("root.pem", root.cert);
	lab_write_pem("inter.pem", inter.cert);
	lab_write_pem("untrusted.pem", untrusted.cert);
	lab_run("openssl verify -x509_strict -CAfile root.pem inter.pem && "
		"openssl x509 -in inter.pem -noout -text -nameopt RFC2253");
	assert_non_null(strstr(lab_said(), "Subject: CN=Sallyport "
		"Intermediate CA 0a1b,O=Sallyport"));
	assert_non_null(strstr(lab_said(), "pathlen:1"));
	assert_non_null(strstr(lab_said(), "/crl/2.crl"));
	assert_int_not_equal(lab_try("openssl verify -CAfile root.pem "
		"untrusted.pem"), 0);
	lab_run("openssl verify -x509_strict -CAfile untrusted.pem "
		"untrusted.pem && openssl x509 -in untrusted.pem -noout -text");
	assert_non_null(strstr(lab_said(), "pathlen:0"));
}

static void mints_only_under_the_root(void **state)
{
	const struct kept *const rows[] = {&inter, &untrusted, &flat, &bare};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		refused(keeper_mint(link_, inter.id, rows[i]->id, "00", none,
			err, sizeof(err)), "not for that");
	refused(keeper_mint(link_, inter.id, root.id, "A0", none, err,
		sizeof(err)), "can't make sense");
	refused(keeper_mint(link_, inter.id, root.id,
		"0123456789abcdef0", none, err, sizeof(err)),
		"can't make sense");
}

static void mints_anew_under_the_same_name(void **state)
{
	CRYPTO_BUFFER *made = must(keeper_mint(link_, inter.id, root.id, "",
		der_of(inter.cert), err, sizeof(err)));
	struct cert old, new;

	(void)state;
	assert_int_equal(cert_read(der_of(inter.cert), &old), 0);
	assert_int_equal(cert_read(der_of(made), &new), 0);
	assert_true(der_same(old.subject, new.subject));
	assert_true(der_same(old.spki, new.spki));
	CRYPTO_BUFFER_free(made);
	refused(keeper_mint(link_, inter.id, root.id, "", der_of(root.cert),
		err, sizeof(err)), "not that key's");
	refused(keeper_mint(link_, inter.id, root.id, "",
		(struct der){(const uint8_t *)"0", 1}, err, sizeof(err)),
		"can't be parsed");
}

/* What names itself another than it is called by whoever signs. */
static void mints_no_name_that_nobody_gave(void **state)
{
	CRYPTO_BUFFER *forged;

	(void)state;
	forged = with_path_len(&inter, "");
	refused(keeper_mint(link_, inter.id, root.id, "", der_of(forged), err,
		sizeof(err)), "is not that key's");
	CRYPTO_BUFFER_free(forged);
}

/* A worker that was taken over makes no hierarchy of its own under the root. */
static void mints_no_more_than_can_be_needed(void **state)
{
	struct kept some;
	CRYPTO_BUFFER *made;
	int num = 0;

	(void)state;
	make(&some, KEY_ROLE_INTERMEDIATE);
	while ((made = keeper_mint(link_, some.id, root.id, "0a1b", none, err,
			sizeof(err))) != NULL && num < 100) {
		CRYPTO_BUFFER_free(made);
		num++;
	}
	refused(made, "in one day");
	assert_in_range(num, 1, TALLY_MOST);
	drop(&some);
}

/* --- issuing CAs ---------------------------------------------------------- */

static void issues(void **state)
{
	struct keeper_issued made;
	struct cert cert;
	struct ca *ca;
	EVP_PKEY *public;

	(void)state;
	assert_int_equal(keeper_issue(link_, inter.id, 12, &made, err,
		sizeof(err)), 0);
	assert_int_equal(cert_read(der_of(made.cert), &cert), 0);
	assert_int_equal(cert.path_len, 0);
	assert_true(cert.not_after - time(NULL) <=
		KEPT_VALIDITY_S + KEPT_ROTATE_S + 2 * DAY);
	public = cert_key(&cert);
	assert_int_equal(EVP_PKEY_cmp(public, made.key), 1);
	EVP_PKEY_free(public);
	assert_int_equal(ca_new(der_of(made.cert), made.key, NULL, 0, "5", &ca,
		err, sizeof(err)), 0);
	ca_unref(ca);
	lab_write_pem("issuing.pem", made.cert);
	lab_write_pem("inter.pem", inter.cert);
	lab_write_pem("root.pem", root.cert);
	lab_write("crl.der", CRYPTO_BUFFER_data(made.crl),
		CRYPTO_BUFFER_len(made.crl));
	lab_run("openssl verify -x509_strict -CAfile root.pem -untrusted "
		"inter.pem issuing.pem && openssl crl -inform DER -in crl.der "
		"-noout -verify -CAfile issuing.pem");
	lab_run("openssl x509 -in issuing.pem -noout -subject -nameopt "
		"RFC2253");
	assert_non_null(strstr(lab_said(), "CN=Sallyport Intermediate CA 0a1b "
		"20"));
	assert_non_null(strstr(lab_said(), ".12 (t),O=Sallyport"));
	CRYPTO_BUFFER_free(made.cert);
	CRYPTO_BUFFER_free(made.crl);
	EVP_PKEY_free(made.key);
}

static void issues_not_under_everything(void **state)
{
	const struct {
		const struct kept *under;
		const char *why;
	} rows[] = {
		{&root, "not for that"},
		{&untrusted, "not for that"},
		{&flat, "path length allows for no CA"},
		{&bare, "no certificate"},
	};
	struct keeper_issued made;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(keeper_issue(link_, rows[i].under->id, 1,
			&made, err, sizeof(err)), -1);
		assert_null(made.key);
		assert_null(made.crl);
		refused(made.cert, rows[i].why);
	}
}

/* Holding a key again does not make it forget. */
static void issues_no_more_than_the_rules_have(void **state)
{
	struct kept one, two;

	(void)state;
	make_ca(&one, KEY_ROLE_INTERMEDIATE, &root, "6");
	make_ca(&two, KEY_ROLE_INTERMEDIATE, &root, "7");
	for (int i = 0; i < TALLY_MOST; i++)
		assert_int_equal(issue_once(&one), 0);
	assert_int_equal(issue_once(&one), -1);
	refused(NULL, "has to wait");
	hold(&one, "6");
	assert_int_equal(issue_once(&one), -1);
	refused(NULL, "has to wait");
	assert_int_equal(issue_once(&two), 0); /* each has its own */
	drop(&one);
	drop(&two);
}

/* Time is what the tally says that it was. */
static void age(struct tally *tally, int64_t by_s)
{
	for (size_t i = 0; i < TALLY_CAS; i++) {
		for (size_t j = 0; j < TALLY_MOST; j++)
			tally->rows[i].at[j] -= by_s;
	}
}

static void issues_again_when_the_time_is_over(void **state)
{
	static struct tally tally; /* the keeper's from here on */
	struct kept one;

	(void)state;
	keeper_set_tally(kept_keeper(), &tally);
	make_ca(&one, KEY_ROLE_INTERMEDIATE, &root, "9");
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < TALLY_MOST; i++) {
			if (issue_once(&one) != 0)
				fail_msg("%d of %d: %s", i, round, err);
		}
		age(&tally, KEPT_ROTATE_S - 3600);
		assert_int_equal(issue_once(&one), -1);
		refused(NULL, "has to wait");
		age(&tally, 3600);
	}
	drop(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mints_by_role),
		cmocka_unit_test(mints_only_under_the_root),
		cmocka_unit_test(mints_anew_under_the_same_name),
		cmocka_unit_test(mints_no_name_that_nobody_gave),
		cmocka_unit_test(issues),
		cmocka_unit_test(issues_not_under_everything),
		cmocka_unit_test(issues_no_more_than_the_rules_have),
		cmocka_unit_test(issues_again_when_the_time_is_over),
		/* the last: it leaves none for others */
		cmocka_unit_test(mints_no_more_than_can_be_needed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
