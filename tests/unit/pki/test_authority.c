#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "pki/authority.h"
#include "pki/base.h"
#include "pki/leaf.h"
#include "pki/x509.h"
#include "tests/support/lab.h"

enum { DAY = 24 * 3600 };

static char err[512];
static struct authority_options options;

static int set_up(void **state)
{
	(void)state;
	lab_end();
	options = (struct authority_options){
		.state = lab_folder(),
		.crl_base = "http://127.0.0.1:8080",
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static struct authority *open_authority(void)
{
	struct authority *authority;

	if (authority_open(&options, &authority, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(ERR_peek_error(), 0);
	return authority;
}

static void assert_says(const char *what)
{
	if (!strstr(err, what))
		fail_msg("no '%s' in: %s", what, err);
}

static mode_t mode_of(const char *file)
{
	struct stat st;

	assert_int_equal(stat(lab_path(file), &st), 0);
	return st.st_mode & 0777;
}

static void write_cert(const char *file, const struct ca *ca)
{
	CRYPTO_BUFFER *cert = der_buffer(ca_cert(ca));

	lab_write_pem(file, cert);
	CRYPTO_BUFFER_free(cert);
}

/* Leaf in leaf.pem, what is sent behind it in sent.pem, its CRL in crl.pem. */
static void forge(struct authority *authority, struct ca *ca)
{
	struct leafkeys *keys = leafkeys_new();
	struct leaf_order order = {
		.ca = ca, .keys = keys, .name = "a.test", .now = time(NULL),
		.crl_base = authority_crl_base(authority),
		.validity_s = 14 * DAY,
	};
	CRYPTO_BUFFER *const *certs, *crl;
	struct leaf *leaf;
	size_t num;

	if (forge_leaf(&order, &leaf, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	num = leaf_certs(leaf, &certs);
	lab_write_pem("leaf.pem", certs[0]);
	lab_text("sent.pem", "");
	for (size_t i = 1; i < num; i++) {
		lab_write_pem("one.pem", certs[i]);
		lab_run("cat one.pem >>sent.pem");
	}
	crl = authority_crl(authority, ca_id(ca));
	assert_non_null(crl);
	lab_write("crl.der", CRYPTO_BUFFER_data(crl), CRYPTO_BUFFER_len(crl));
	CRYPTO_BUFFER_free(crl);
	lab_run("openssl crl -inform DER -in crl.der -out crl.pem");
	leaf_free(leaf);
	leafkeys_free(keys);
}

static void makes_all_at_first_start(void **state)
{
	struct authority *authority = open_authority(), *again;
	struct cert cert;
	char *root;

	(void)state;
	assert_int_equal(mode_of("sallyport.db"), 0600);
	assert_int_equal(mode_of("keys.secret"), 0600);
	assert_int_equal(mode_of("root.pem"), 0644);
	root = lab_read("root.pem", NULL);
	assert_string_equal(root, authority_root_pem(authority));
	free(root);
	assert_string_equal(ca_id(authority_issuer(authority)), "1");
	assert_int_equal(cert_read(ca_cert(authority_issuer(authority)),
		&cert), 0);
	assert_int_equal(cert.path_len, 1);
	assert_in_range(cert.not_after - time(NULL), 1095L * DAY, 1096L * DAY);
	assert_in_range(time(NULL) - cert.not_before, DAY, DAY + 60);
	forge(authority, authority_issuer(authority));
	lab_run("openssl verify -x509_strict -crl_check -purpose sslserver "
		"-verify_hostname a.test -CAfile root.pem -untrusted sent.pem "
		"-CRLfile crl.pem leaf.pem");

	again = open_authority(); /* all the same */
	assert_memory_equal(ca_digest(authority_issuer(authority)),
		ca_digest(authority_issuer(again)), 32);
	assert_memory_equal(ca_digest(authority_untrusted(authority)),
		ca_digest(authority_untrusted(again)), 32);
	assert_string_equal(authority_root_pem(authority),
		authority_root_pem(again));
	authority_free(authority);
	authority_free(again);
}

/* The whole path with every CRL, as openssl wants it. */
static void has_a_crl_for_every_ca(void **state)
{
	struct authority *authority = open_authority();
	CRYPTO_BUFFER *crl;

	(void)state;
	forge(authority, authority_issuer(authority));
	crl = authority_crl(authority, "2");
	assert_non_null(crl);
	lab_write("r.der", CRYPTO_BUFFER_data(crl), CRYPTO_BUFFER_len(crl));
	CRYPTO_BUFFER_free(crl);
	lab_run("openssl crl -inform DER -in r.der >>crl.pem && openssl verify "
		"-x509_strict -crl_check_all -CAfile root.pem -untrusted "
		"sent.pem -CRLfile crl.pem leaf.pem");
	lab_run("openssl x509 -in sent.pem -noout -text");
	assert_non_null(strstr(lab_said(),
		"URI:http://127.0.0.1:8080/crl/2.crl"));
	assert_non_null(strstr(lab_said(), "CA:TRUE, pathlen:1"));
	assert_non_null(strstr(lab_said(), "Certificate Sign, CRL Sign"));
	assert_null(authority_crl(authority, "4"));
	assert_null(authority_crl(authority, ""));
	authority_free(authority);
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
	assert_false(der_same(ca_subject(authority_issuer(a)),
		ca_subject(authority_issuer(b))));
	authority_free(a);
	authority_free(b);
}

/* --- CRLs --------------------------------------------------------------- */

static void number_of(struct authority *authority, const char *text)
{
	CRYPTO_BUFFER *crl = authority_crl(authority, "1");

	lab_write("n.der", CRYPTO_BUFFER_data(crl), CRYPTO_BUFFER_len(crl));
	CRYPTO_BUFFER_free(crl);
	lab_run("openssl crl -inform DER -in n.der -noout -crlnumber");
	if (!strstr(lab_said(), text))
		fail_msg("not %s: %s", text, lab_said());
}

static void renews_crls(void **state)
{
	struct authority *authority = open_authority(), *other;
	time_t now = time(NULL);

	(void)state;
	number_of(authority, "=0x01");
	assert_int_equal(authority_renew_crls(authority, now + DAY / 2, err,
		sizeof(err)), 0);
	number_of(authority, "=0x01");
	other = open_authority(); /* what is fresh is taken as it is */
	number_of(other, "=0x01");
	assert_int_equal(authority_renew_crls(authority, now + DAY + 9, err,
		sizeof(err)), 0);
	number_of(authority, "=0x02");
	number_of(other, "=0x01");
	/* made by another process: taken, not made again */
	assert_int_equal(authority_renew_crls(other, now + DAY + 10, err,
		sizeof(err)), 0);
	number_of(other, "=0x02");
	assert_int_equal(authority_renew_crls(other, now + 3 * DAY, err,
		sizeof(err)), 0);
	number_of(other, "=0x03");
	authority_free(authority);
	authority_free(other);
}

/* --- mending ------------------------------------------------------------ */

static void follows_crl_base(void **state)
{
	struct authority *before = open_authority(), *after;

	(void)state;
	options.crl_base = NULL; /* a command that does not know it */
	after = open_authority();
	assert_memory_equal(ca_digest(authority_issuer(before)),
		ca_digest(authority_issuer(after)), 32);
	assert_string_equal(authority_crl_base(after), "");
	authority_free(after);
	options.crl_base = "http://proxy.example:3128";
	after = open_authority();
	assert_memory_not_equal(ca_digest(authority_issuer(before)),
		ca_digest(authority_issuer(after)), 32);
	assert_true(der_same(ca_ski(authority_issuer(before)),
		ca_ski(authority_issuer(after))));
	assert_true(der_same(ca_subject(authority_issuer(before)),
		ca_subject(authority_issuer(after))));
	assert_string_equal(authority_root_pem(before),
		authority_root_pem(after));
	write_cert("i.pem", authority_issuer(after));
	lab_run("openssl x509 -in i.pem -noout -text && openssl verify "
		"-x509_strict -CAfile root.pem i.pem");
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
	assert_int_equal(access(lab_path("keys.secret"), F_OK), -1);
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
	if (authority_look(&options, &second, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_true(der_same(der_of(first.cert), der_of(second.cert)));
	assert_string_equal(first.root_pem, second.root_pem);
	assert_int_equal(access(lab_path("root.pem"), F_OK), -1);
	authority = open_authority(); /* which mends */
	assert_false(der_same(der_of(first.cert),
		ca_cert(authority_issuer(authority))));
	assert_string_equal(first.root_pem, authority_root_pem(authority));
	authority_free(authority);
	authority_view_clear(&first);
	authority_view_clear(&second);
}

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

/* --- what goes wrong ---------------------------------------------------- */

static void needs_the_right_passphrase(void **state)
{
	struct authority *authority;
	char pass[256];

	(void)state;
	lab_text("pass", "one\n");
	snprintf(pass, sizeof(pass), "%s/pass", lab_folder());
	options.passphrase_file = pass;
	authority_free(open_authority());
	assert_int_equal(access(lab_path("keys.secret"), F_OK), -1);
	lab_text("pass", "two\n");
	assert_int_equal(authority_open(&options, &authority, err,
		sizeof(err)), -1);
	assert_says("does not open the private key");
	options.passphrase_file = NULL;
	assert_int_equal(authority_open(&options, &authority, err,
		sizeof(err)), -1);
	assert_says("keys.secret: gone");
	assert_int_equal(access(lab_path("keys.secret"), F_OK), -1);
}

static void refuses_a_newer_store(void **state)
{
	struct authority *authority;
	sqlite3 *db;

	(void)state;
	authority_free(open_authority());
	assert_int_equal(sqlite3_open(lab_path("sallyport.db"), &db), 0);
	sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
	sqlite3_close(db);
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
	assert_memory_equal(ca_digest(authority_issuer(one)),
		ca_digest(authority_issuer(two)), 32);
	authority_free(one);
	authority_free(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(makes_all_at_first_start, set_up),
		cmocka_unit_test_setup(has_a_crl_for_every_ca, set_up),
		cmocka_unit_test_setup(keeps_the_untrusted_apart, set_up),
		cmocka_unit_test_setup(differs_from_another_installation,
			set_up),
		cmocka_unit_test_setup(renews_crls, set_up),
		cmocka_unit_test_setup(follows_crl_base, set_up),
		cmocka_unit_test_setup(looks_and_makes_nothing, set_up),
		cmocka_unit_test_setup(looks_without_mending, set_up),
		cmocka_unit_test_setup(refuses_a_bad_crl_base, set_up),
		cmocka_unit_test_setup(needs_the_right_passphrase, set_up),
		cmocka_unit_test_setup(refuses_a_newer_store, set_up),
		cmocka_unit_test_setup(says_that_a_folder_is_missing, set_up),
		cmocka_unit_test_setup(starts_once, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
