/* The CAs of a state folder: made at first start, found and mended later. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pki/x509.h"
#include "tests/unit/pki/authority_test.h"

static mode_t mode_of(const char *file)
{
	struct stat st;

	assert_int_equal(stat(lab_path(file), &st), 0);
	return st.st_mode & 0777;
}

static void makes_all_at_first_start(void **state)
{
	struct authority *authority = open_authority(), *again;
	struct cert cert;
	char *root;

	(void)state;
	assert_int_equal(mode_of("sallyport.db"), 0600);
	assert_int_equal(mode_of("root.pem"), 0644);
	root = lab_read("root.pem", NULL);
	assert_string_equal(root, authority_root_pem(authority));
	free(root);
	assert_int_equal(cert_read(intermediate_of(authority), &cert), 0);
	assert_int_equal(cert.path_len, 1);
	assert_in_range(cert.not_after - time(NULL), 1095L * DAY, 1096L * DAY);
	assert_in_range(time(NULL) - cert.not_before, DAY, DAY + 60);
	assert_string_equal(ca_id(authority_untrusted(authority)), "3");

	again = open_authority(); /* all the same */
	assert_true(der_same(intermediate_of(authority),
		intermediate_of(again)));
	assert_memory_equal(ca_digest(authority_untrusted(authority)),
		ca_digest(authority_untrusted(again)), 32);
	assert_string_equal(authority_root_pem(authority),
		authority_root_pem(again));
	authority_free(authority);
	authority_free(again);
}

static void keeps_the_untrusted_apart(void **state)
{
	struct authority *authority = open_authority();
	CRYPTO_BUFFER *const *sent;
	struct ca *untrusted = authority_untrusted(authority);

	(void)state;
	assert_int_equal(ca_sent(untrusted, &sent), 0);
	forge(authority, untrusted);
	assert_int_not_equal(lab_try("openssl verify -CAfile root.pem "
		"leaf.pem"), 0);
	write_cert("u.pem", untrusted);
	lab_run("openssl verify -x509_strict -CAfile u.pem leaf.pem");
	assert_int_not_equal(lab_try("openssl verify -CAfile root.pem u.pem"),
		0);
	authority_free(authority);
}

static void differs_from_another_installation(void **state)
{
	struct authority *a = open_authority(), *b;
	char folder[256];

	(void)state;
	snprintf(folder, sizeof(folder), "%s/other", lab_folder());
	assert_int_equal(mkdir(folder, 0700), 0);
	options.state = folder;
	b = open_authority();
	assert_false(der_same(ca_subject(issuer_of(a)),
		ca_subject(issuer_of(b))));
	assert_string_not_equal(authority_root_pem(a), authority_root_pem(b));
	authority_free(a);
	authority_free(b);
}

/* Two first starts at once make one set of CAs. */
static void starts_once(void **state)
{
	struct authority *one, *two;
	int status;
	pid_t pid = fork();

	(void)state;
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		int result = authority_open(&options, &one, err, sizeof(err));

		if (result == 0)
			authority_free(one);
		_exit(result == 0 ? 0 : 1);
	}
	two = open_authority();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	one = open_authority();
	assert_true(der_same(intermediate_of(one), intermediate_of(two)));
	assert_string_equal(authority_root_pem(one), authority_root_pem(two));
	authority_free(one);
	authority_free(two);
}

/* --- mending -------------------------------------------------------------- */

static void follows_crl_base(void **state)
{
	struct authority *before = open_authority(), *after;
	struct cert old, new;

	(void)state;
	options.crl_base = NULL; /* a command that does not know it */
	after = open_authority();
	assert_true(der_same(intermediate_of(before), intermediate_of(after)));
	assert_string_equal(authority_crl_base(after), "");
	authority_free(after);
	options.crl_base = "http://proxy.example:3128";
	kept_rules(options.crl_base);
	after = open_authority();
	assert_int_equal(cert_read(intermediate_of(before), &old), 0);
	assert_int_equal(cert_read(intermediate_of(after), &new), 0);
	assert_false(der_same(old.whole, new.whole));
	assert_true(der_same(old.ski, new.ski));
	assert_true(der_same(old.subject, new.subject));
	assert_string_equal(authority_root_pem(before),
		authority_root_pem(after));
	forge(after, issuer_of(after));
	lab_run("openssl x509 -in leaf.pem -noout -text");
	assert_non_null(strstr(lab_said(), "http://proxy.example:3128/crl/"));
	lab_run("openssl verify -x509_strict -CAfile root.pem -untrusted "
		"sent.pem leaf.pem");
	write_der("i.pem", new.whole);
	lab_run("openssl x509 -in i.pem -noout -text");
	assert_non_null(strstr(lab_said(), "http://proxy.example:3128/crl/2"));
	authority_free(before);
	authority_free(after);
}

static void looks_and_makes_nothing(void **state)
{
	struct authority_view view;

	(void)state;
	assert_int_equal(authority_look(&options, &view, err, sizeof(err)),
		AUTHORITY_NONE);
	assert_null(view.root_pem);
	assert_int_equal(access(lab_path("sallyport.db"), F_OK), -1);
	assert_int_equal(access(lab_path("root.pem"), F_OK), -1);
}

/* Looking changes nothing that is there. */
static void looks_without_mending(void **state)
{
	struct authority_view first, second;
	struct authority *authority;

	(void)state;
	authority_free(open_authority());
	if (authority_look(&options, &first, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(mode_of("root.pem"), 0644);
	assert_string_equal(first.id, "1");
	assert_true(first.signs_crls);
	assert_int_equal(unlink(lab_path("root.pem")), 0);
	options.crl_base = "http://proxy.example:3128";
	kept_rules(options.crl_base);
	if (authority_look(&options, &second, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_true(der_same(der_of(first.cert), der_of(second.cert)));
	assert_string_equal(first.root_pem, second.root_pem);
	assert_int_equal(access(lab_path("root.pem"), F_OK), -1);
	authority = open_authority(); /* which mends */
	assert_false(der_same(der_of(first.cert),
		intermediate_of(authority)));
	assert_string_equal(first.root_pem, authority_root_pem(authority));
	authority_free(authority);
	authority_view_clear(&first);
	authority_view_clear(&second);
}

/* What root.pem gives out is the top of the chain, whatever that is. */
static void warns_of_a_root_that_is_none(void **state)
{
	struct authority *authority;

	(void)state;
	authority_free(open_authority());
	set("UPDATE ca SET chain = NULL WHERE id = 1");
	authority = open_authority();
	warned(authority, "root.pem holds no root");
	authority_free(authority);
}

/* --- what goes wrong ------------------------------------------------------ */

static void refuses_a_bad_crl_base(void **state)
{
	struct authority *authority;

	(void)state;
	options.crl_base = "http://b\xc3\xbc" "cher.test";
	assert_int_equal(authority_open(&options, &authority, err,
		sizeof(err)), -1);
	assert_says("issuing.crl-url");
	assert_null(authority);
}

static void refuses_a_newer_store(void **state)
{
	struct authority *authority;

	(void)state;
	authority_free(open_authority());
	set("PRAGMA user_version = 99");
	assert_int_equal(authority_open(&options, &authority, err,
		sizeof(err)), -1);
	assert_says("newer Sallyport");
}

static void says_that_a_folder_is_missing(void **state)
{
	struct authority *authority;

	(void)state;
	options.state = "/nonexistent/sallyport";
	assert_int_equal(authority_open(&options, &authority, err,
		sizeof(err)), -1);
	assert_says("/nonexistent/sallyport/sallyport.db: No such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(makes_all_at_first_start, set_up),
		cmocka_unit_test_setup(keeps_the_untrusted_apart, set_up),
		cmocka_unit_test_setup(differs_from_another_installation,
			set_up),
		cmocka_unit_test_setup(starts_once, set_up),
		cmocka_unit_test_setup(follows_crl_base, set_up),
		cmocka_unit_test_setup(looks_and_makes_nothing, set_up),
		cmocka_unit_test_setup(looks_without_mending, set_up),
		cmocka_unit_test_setup(warns_of_a_root_that_is_none, set_up),
		cmocka_unit_test_setup(refuses_a_bad_crl_base, set_up),
		cmocka_unit_test_setup(refuses_a_newer_store, set_up),
		cmocka_unit_test_setup(says_that_a_folder_is_missing, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
