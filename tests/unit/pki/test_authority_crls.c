/* The CRLs of every CA: made, renewed before they end, kept when it is gone. */
#include "tests/unit/pki/authority_test.h"

/* add_crl puts the CRL of the CA behind what is in crl.pem. */
static void add_crl(const struct authority *authority, const char *id)
{
	CRYPTO_BUFFER *crl = crl_of(authority, id);

	assert_non_null(crl);
	lab_write("r.der", CRYPTO_BUFFER_data(crl), CRYPTO_BUFFER_len(crl));
	CRYPTO_BUFFER_free(crl);
	lab_run("openssl crl -inform DER -in r.der >>crl.pem");
}

/* The whole path with every CRL, as openssl wants it. */
static void has_a_crl_for_every_ca(void **state)
{
	struct authority *authority = open_authority();
	CRYPTO_BUFFER *const *sent;

	(void)state;
	forge(authority, issuer_of(authority));
	add_crl(authority, "1");
	add_crl(authority, "2");
	lab_run("openssl verify -x509_strict -crl_check_all -CAfile root.pem "
		"-untrusted sent.pem -CRLfile crl.pem leaf.pem");
	lab_run("openssl x509 -in leaf.pem -noout -text");
	assert_non_null(strstr(lab_said(), ca_id(issuer_of(authority))));
	lab_run("openssl x509 -in sent.pem -noout -text"); /* the first */
	assert_non_null(strstr(lab_said(),
		"URI:http://127.0.0.1:8080/crl/1.crl"));
	assert_int_equal(ca_sent(issuer_of(authority), &sent), 2);
	lab_write_pem("i.pem", sent[1]);
	lab_run("openssl x509 -in i.pem -noout -text");
	assert_non_null(strstr(lab_said(),
		"URI:http://127.0.0.1:8080/crl/2.crl"));
	assert_non_null(strstr(lab_said(), "CA:TRUE, pathlen:1"));
	assert_non_null(strstr(lab_said(), "Certificate Sign, CRL Sign"));
	assert_null(crl_of(authority, "4"));
	assert_null(crl_of(authority, ""));
	assert_null(crl_of(authority, "0000000000000000000000000000000000"
		"000000"));
	authority_free(authority);
}

static void number_of(struct authority *authority, const char *text)
{
	CRYPTO_BUFFER *crl = crl_of(authority, "1");

	lab_write("n.der", CRYPTO_BUFFER_data(crl), CRYPTO_BUFFER_len(crl));
	CRYPTO_BUFFER_free(crl);
	lab_run("openssl crl -inform DER -in n.der -noout -crlnumber");
	if (!strstr(lab_said(), text))
		fail_msg("not %s: %s", text, lab_said());
}

/* open_later opens it when the CRLs are older than they are by so long, with
 * what was open before. */
static struct authority *open_later(struct authority *before, unsigned s)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "UPDATE ca SET crl_time = crl_time - %u", s);
	set(sql);
	options.before = before;
	return open_authority();
}

static void renews_crls(void **state)
{
	struct authority *first = open_authority(), *second, *third, *fourth;
	time_t until = 0;

	(void)state;
	number_of(first, "=0x01");
	second = open_later(first, DAY / 2);
	number_of(second, "=0x01"); /* what is fresh is taken as it is */
	CRYPTO_BUFFER_free(authority_crl(second, "1", &until));
	assert_in_range(until - time(NULL), 1, DAY / 2);
	assert_true(authority_due(second) <= until);
	third = open_later(second, DAY / 2 + 9);
	number_of(third, "=0x02");
	number_of(second, "=0x01");
	/* made by another process: taken, not made again */
	fourth = open_later(second, 0);
	number_of(fourth, "=0x02");
	authority_free(fourth);
	fourth = open_later(third, 3 * DAY);
	number_of(fourth, "=0x03");
	authority_free(first);
	authority_free(second);
	authority_free(third);
	authority_free(fourth);
}

/* RFC 5280, 5.1.2.5: the next one is promised before this one ends. */
static void tells_until_when_a_crl_stands(void **state)
{
	struct authority *authority = open_authority();
	time_t until = 1;

	(void)state;
	CRYPTO_BUFFER_free(authority_crl(authority, "2", &until));
	assert_in_range(until - time(NULL), DAY - 60, DAY);
	/* an issuing CA has one for all its life */
	CRYPTO_BUFFER_free(authority_crl(authority,
		ca_id(issuer_of(authority)), &until));
	assert_int_equal(until, 0);
	authority_free(authority);
}

static void goes_on_with_the_crl_of_a_deleted_one(void **state)
{
	struct authority *authority;
	CRYPTO_BUFFER *crl;
	time_t until = 1;

	(void)state;
	authority_free(open_authority());
	set("INSERT INTO ca (purpose, name, state, crl, retired) VALUES "
		"('intermediate', 'old (deleted 4)', 'CERT_READY', x'3000', "
		"5)");
	authority = open_authority();
	crl = authority_crl(authority, "4", &until);
	assert_non_null(crl);
	assert_int_equal(CRYPTO_BUFFER_len(crl), 2);
	assert_int_equal(until, 0);
	CRYPTO_BUFFER_free(crl);
	assert_false(authority_knows(authority, "old (deleted 4)"));
	authority_free(authority);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(has_a_crl_for_every_ca, set_up),
		cmocka_unit_test_setup(renews_crls, set_up),
		cmocka_unit_test_setup(tells_until_when_a_crl_stands, set_up),
		cmocka_unit_test_setup(goes_on_with_the_crl_of_a_deleted_one,
			set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
