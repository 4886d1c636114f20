/* The issuing CAs: how long one signs, and what makes another necessary. */
#include "pki/x509.h"
#include "tests/unit/pki/authority_test.h"

/* In what is opened below there is a key that signs, and it is no long-lived
 * one: a week and a half, path length 0, a name that says so. */
static void signs_with_an_issuing_ca(void **state)
{
	struct authority *authority = open_authority();
	struct ca *issuer = issuer_of(authority);
	struct cert cert;

	(void)state;
	assert_int_equal(cert_read(ca_cert(issuer), &cert), 0);
	assert_int_equal(cert.path_len, 0);
	assert_in_range(cert.not_after - time(NULL), KEPT_VALIDITY_S +
		KEPT_ROTATE_S, KEPT_VALIDITY_S + KEPT_ROTATE_S + 3 * DAY);
	assert_non_null(ca_key(issuer));
	assert_true(ca_signs_fast(issuer));
	assert_int_equal(strlen(ca_id(issuer)), 40);
	assert_null(ca_key(authority_untrusted(authority)));
	write_cert("s.pem", issuer);
	lab_run("openssl x509 -in s.pem -noout -subject -nameopt RFC2253");
	assert_non_null(strstr(lab_said(), "CN=Sallyport Intermediate CA "));
	assert_non_null(strstr(lab_said(), ".1 (t)"));
	forge(authority, issuer);
	lab_run("openssl verify -x509_strict -crl_check -purpose sslserver "
		"-verify_hostname a.test -CAfile root.pem -untrusted sent.pem "
		"-CRLfile crl.pem leaf.pem");
	authority_free(authority);
}

static void goes_on_with_the_issuing_ca_there_was(void **state)
{
	struct authority *a = open_authority(), *b = open_with(a), *c;
	CRYPTO_BUFFER *crl;

	(void)state;
	assert_ptr_equal(issuer_of(a), issuer_of(b));
	authority_free(a); /* which does not take it along */
	c = open_with(b);
	assert_string_equal(id_of(b), id_of(c));
	crl = crl_of(c, id_of(c));
	assert_non_null(crl);
	CRYPTO_BUFFER_free(crl);
	authority_free(b);
	authority_free(c);
}

/* Without what was before it: its key is in memory alone. The CRL of the one
 * that is gone is still given. */
static void makes_another_after_a_restart(void **state)
{
	struct authority *a = open_authority(), *b = open_authority();
	CRYPTO_BUFFER *crl = crl_of(b, id_of(a));

	(void)state;
	assert_string_not_equal(id_of(a), id_of(b));
	assert_non_null(crl);
	CRYPTO_BUFFER_free(crl);
	write_cert("s.pem", issuer_of(b));
	lab_run("openssl x509 -in s.pem -noout -subject -nameopt RFC2253");
	assert_non_null(strstr(lab_said(), ".2 (t)"));
	authority_free(a);
	authority_free(b);
}

/* A second is the least that there is. */
static void rotates(void **state)
{
	struct authority *a, *b, *c;
	struct timespec wait = {.tv_nsec = 20 * 1000 * 1000};
	time_t before = time(NULL);

	(void)state;
	options.rotate_s = 1;
	a = open_authority();
	assert_in_range(authority_due(a), before, time(NULL) + 1);
	b = open_with(a);
	for (int i = 0; i < 60 && strcmp(id_of(a), id_of(b)) == 0; i++) {
		authority_free(b);
		nanosleep(&wait, NULL);
		b = open_with(a);
	}
	assert_string_not_equal(id_of(a), id_of(b));
	options.rotate_s = 0; /* as long as it may; and made for that */
	c = open_with(b);
	assert_string_not_equal(id_of(b), id_of(c));
	assert_true(authority_due(c) - time(NULL) > 60);
	authority_free(a);
	authority_free(b);
	authority_free(c);
}

static void makes_another_where_that_is_wanted(void **state)
{
	struct authority *a = open_authority(), *b, *c, *d;

	(void)state;
	options.validity_s = KEPT_VALIDITY_S / 2;
	b = open_with(a);
	assert_string_not_equal(id_of(a), id_of(b));
	options.rotate_s = KEPT_ROTATE_S / 2;
	c = open_with(b);
	assert_string_not_equal(id_of(b), id_of(c));
	options.crl_base = "http://proxy.example:3128";
	d = open_with(c);
	assert_string_not_equal(id_of(c), id_of(d));
	authority_free(a);
	authority_free(b);
	authority_free(c);
	authority_free(d);
}

static void does_not_go_on_with_a_revoked_one(void **state)
{
	struct authority *a = open_authority(), *b;
	char sql[160];

	(void)state;
	snprintf(sql, sizeof(sql), "UPDATE issuing SET revoked = 5 WHERE "
		"key_id = '%s'", id_of(a));
	set(sql);
	b = open_with(a);
	assert_string_not_equal(id_of(a), id_of(b));
	authority_free(a);
	authority_free(b);
}

static void does_not_go_on_with_anothers(void **state)
{
	struct authority *a = open_authority(), *b;

	(void)state;
	lab_run("rm sallyport.db");
	b = open_with(a);
	assert_string_not_equal(id_of(a), id_of(b));
	assert_string_not_equal(authority_root_pem(a), authority_root_pem(b));
	authority_free(a);
	authority_free(b);
}

static void make_default(const char *name, const char *others_status)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "UPDATE ca SET is_default = 0, status = '%s'"
		" WHERE is_default = 1; UPDATE ca SET is_default = 1, status ="
		" 'ENABLED' WHERE name LIKE '%s'", others_status, name);
	set(sql);
}

/* Out of use and back: the keeper makes only so many. */
static void keeps_an_issuing_ca_that_is_out_of_use(void **state)
{
	static const char own[] = "%Intermediate%";
	struct authority *a = open_authority(), *b, *c, *d, *e;

	(void)state;
	bring("corp", LAB_CA_EXT);
	make_default("corp", "ENABLED");
	b = open_with(a);
	assert_string_not_equal(id_of(a), id_of(b));
	make_default(own, "ENABLED");
	c = open_with(b);
	assert_string_equal(id_of(a), id_of(c));
	make_default("corp", "DISABLED");
	d = open_with(c);
	assert_string_equal(id_of(b), id_of(d));
	make_default(own, "ENABLED");
	e = open_with(d); /* disabled, it was let go */
	assert_string_not_equal(id_of(c), id_of(e));
	authority_free(a);
	authority_free(b);
	authority_free(c);
	authority_free(d);
	authority_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(signs_with_an_issuing_ca, set_up),
		cmocka_unit_test_setup(goes_on_with_the_issuing_ca_there_was,
			set_up),
		cmocka_unit_test_setup(makes_another_after_a_restart, set_up),
		cmocka_unit_test_setup(rotates, set_up),
		cmocka_unit_test_setup(makes_another_where_that_is_wanted,
			set_up),
		cmocka_unit_test_setup(does_not_go_on_with_a_revoked_one,
			set_up),
		cmocka_unit_test_setup(does_not_go_on_with_anothers, set_up),
		cmocka_unit_test_setup(keeps_an_issuing_ca_that_is_out_of_use,
			set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
