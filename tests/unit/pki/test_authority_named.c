/* The CAs that rules name: which may sign, and what is said of the others. */
#include "tests/unit/pki/authority_test.h"

static void signs_by_the_ca_that_is_named(void **state)
{
	struct authority *authority;
	CRYPTO_BUFFER *const *sent;
	const char *why = NULL;
	struct ca *corp;

	(void)state;
	bring("corp", LAB_CA_EXT);
	name("corp");
	authority = open_authority();
	warned(authority, NULL);
	corp = authority_issuer(authority, "corp", &why);
	assert_non_null(corp);
	assert_ptr_not_equal(corp, issuer_of(authority));
	assert_ptr_equal(authority_issuer(authority, "", &why),
		issuer_of(authority));
	assert_int_equal(ca_sent(corp, &sent), 1); /* under a root */
	forge(authority, corp);
	lab_run("openssl verify -x509_strict -crl_check -CAfile corp.pem "
		"-untrusted sent.pem -CRLfile crl.pem leaf.pem");
	assert_int_not_equal(lab_try("openssl verify -CAfile root.pem "
		"-untrusted sent.pem leaf.pem"), 0);
	assert_true(authority_knows(authority, "corp"));
	assert_false(authority_knows(authority, "corps"));
	assert_null(authority_issuer(authority, "corps", &why));
	assert_non_null(strstr(why, "no such CA"));
	authority_free(authority);
}

/* What is brought is not signed anew for another CDP; what is under it is. */
static void follows_crl_base_under_what_was_brought(void **state)
{
	struct authority *a, *b;
	const char *why;

	(void)state;
	bring("corp", LAB_CA_EXT);
	name("corp");
	a = open_authority();
	options.crl_base = "http://proxy.example:3128";
	b = open_with(a);
	assert_string_not_equal(ca_id(authority_issuer(a, "corp", &why)),
		ca_id(authority_issuer(b, "corp", &why)));
	authority_free(a);
	authority_free(b);
}

/* One that nobody names is not made ready; it is known all the same. */
static void makes_ready_only_what_is_named(void **state)
{
	struct authority *authority;
	const char *why = NULL;

	(void)state;
	bring("corp", LAB_CA_EXT);
	authority = open_authority();
	assert_true(authority_knows(authority, "corp"));
	assert_null(authority_issuer(authority, "corp", &why));
	assert_non_null(strstr(why, "no rule has named"));
	warned(authority, NULL);
	authority_free(authority);
}

static void says_why_one_is_of_no_use(void **state)
{
	static const struct {
		const char *sql, *why;
	} rows[] = {
		{"UPDATE ca SET status = 'DISABLED' WHERE name = 'corp'",
			"the CA 'corp' is disabled"},
		{"UPDATE ca SET status = 'ENABLED', state = 'CSRGEN_DONE' "
			"WHERE name = 'corp'", "CSRGEN_DONE"},
		{"UPDATE ca SET state = 'CERT_READY', key = NULL WHERE name = "
			"'corp'", "no key"},
		{"UPDATE ca SET key = x'3000' WHERE name = 'corp'",
			"does not open"},
	};

	(void)state;
	bring("corp", LAB_CA_EXT);
	name("corp");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct authority *authority;
		const char *why = NULL;

		set(rows[i].sql);
		authority = open_authority();
		assert_null(authority_issuer(authority, "corp", &why));
		if (!strstr(why, rows[i].why))
			fail_msg("no '%s' in: %s", rows[i].why, why);
		assert_true(authority_knows(authority, "corp"));
		assert_non_null(issuer_of(authority)); /* which goes on */
		warned(authority, "a rule's intermediate-ca 'corp' can't be "
			"used: ");
		authority_free(authority);
	}
}

/* A rule's traffic is for clients who trust it: the root and the CA that nobody
 * trusts are no choice. */
static void takes_no_other_ca_for_an_intermediate(void **state)
{
	static const char *const purposes[] = {"root", "untrusted"};
	struct authority *authority;
	const char *why = NULL;
	char sql[128];

	(void)state;
	authority_free(open_authority());
	name("odd");
	for (size_t i = 0; i < 2; i++) {
		snprintf(sql, sizeof(sql), "UPDATE ca SET name = 'odd' WHERE "
			"purpose = '%s'", purposes[i]);
		set(sql);
		authority = open_authority();
		assert_false(authority_knows(authority, "odd"));
		assert_null(authority_issuer(authority, "odd", &why));
		assert_non_null(strstr(why, "no such CA"));
		authority_free(authority);
		set("UPDATE ca SET name = 'even' || id WHERE name = 'odd'");
	}
}

static void forgets_the_name_of_a_deleted_one(void **state)
{
	struct authority *authority;
	const char *why = NULL;

	(void)state;
	bring("corp", LAB_CA_EXT);
	set("UPDATE ca SET retired = 5, key = NULL WHERE name = 'corp'");
	name("corp");
	authority = open_authority();
	assert_false(authority_knows(authority, "corp"));
	assert_null(authority_issuer(authority, "corp", &why));
	assert_non_null(strstr(why, "no such CA"));
	authority_free(authority);
}

static void warns_of_an_end(void **state)
{
	struct authority *authority;
	char sql[8192];

	(void)state;
	bring("corp", LAB_CA_EXT);
	name("corp");
	lab_run("openssl req -x509 -new -key corp.key -subj /O=Lab/CN=corp "
		"-days 20 -config corp.cnf -extensions ext -out corp.pem && "
		"openssl x509 -in corp.pem -outform DER | od -An -v -tx1 | tr "
		"-d ' \\n'");
	snprintf(sql, sizeof(sql), "UPDATE ca SET cert = x'%s' WHERE name = "
		"'corp'", lab_said());
	set(sql);
	authority = open_authority();
	warned(authority, "the CA 'corp' ends on ");
	authority_free(authority);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(signs_by_the_ca_that_is_named, set_up),
		cmocka_unit_test_setup(follows_crl_base_under_what_was_brought,
			set_up),
		cmocka_unit_test_setup(makes_ready_only_what_is_named, set_up),
		cmocka_unit_test_setup(says_why_one_is_of_no_use, set_up),
		cmocka_unit_test_setup(takes_no_other_ca_for_an_intermediate,
			set_up),
		cmocka_unit_test_setup(forgets_the_name_of_a_deleted_one,
			set_up),
		cmocka_unit_test_setup(warns_of_an_end, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
