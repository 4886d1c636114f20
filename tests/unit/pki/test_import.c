#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "pki/authority.h"
#include "pki/base.h"
#include "pki/keymaker.h"
#include "pki/mint.h"
#include "tests/support/lab.h"

enum { DAY = 24 * 3600 };

static char err[512], folder[128];
static struct authority_options options;

static int set_up_all(void **state)
{
	(void)state;
	lab_make_root("root", "rsa:2048", LAB_CA_EXT);
	lab_make("mid", "ec", "/O=Corp/CN=Corp Mid", "root", "sha256",
		LAB_SUB_EXT);
	lab_make("corp", "ec384", "/O=Corp/CN=Corp Proxy CA", "mid", "sha256",
		LAB_SUB_EXT);
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "%s/state", lab_folder());
	lab_run("rm -rf state; mkdir -m 700 state");
	options = (struct authority_options){
		.state = folder, .crl_base = "http://127.0.0.1:8080",
	};
	return 0;
}

static int import(const char *cert, const char *key, const char *chain,
	const char *passphrase)
{
	int result;

	err[0] = '\0';
	result = authority_import(&options, lab_path(cert), lab_path(key),
		chain ? lab_path(chain) : NULL, passphrase, err, sizeof(err));
	assert_int_equal(ERR_peek_error(), 0);
	return result;
}

static void accept(const char *cert, const char *key, const char *chain,
	const char *passphrase)
{
	if (import(cert, key, chain, passphrase) != 0)
		fail_msg("%s", err);
}

static void refuse(const char *cert, const char *key, const char *chain,
	const char *why)
{
	assert_int_equal(import(cert, key, chain, NULL), -1);
	if (!strstr(err, why))
		fail_msg("no '%s' in: %s", why, err);
}

static struct authority *open_authority(void)
{
	struct authority *authority;

	if (authority_open(&options, &authority, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return authority;
}

/* The CA of FILE signs, with that many certificates sent behind a leaf, and
 * TOP is the root that clients install. */
static void assert_in_use(const char *file, size_t num_sent, const char *top)
{
	struct authority *authority = open_authority();
	struct ca *issuer = authority_issuer(authority);
	CRYPTO_BUFFER *cert = lab_cert(file), *root = lab_cert(top), *written;
	CRYPTO_BUFFER *const *sent;
	CRYPTO_BUFFER *crl;

	assert_true(der_same(ca_cert(issuer), lab_der(cert)));
	assert_int_equal(ca_sent(issuer, &sent), num_sent);
	written = lab_cert("state/root.pem");
	assert_true(der_same(lab_der(written), lab_der(root)));
	assert_non_null(strstr(authority_root_pem(authority), "BEGIN CERT"));
	crl = authority_crl(authority, ca_id(issuer));
	assert_non_null(crl);
	CRYPTO_BUFFER_free(crl);
	CRYPTO_BUFFER_free(written);
	CRYPTO_BUFFER_free(cert);
	CRYPTO_BUFFER_free(root);
	authority_free(authority);
}

static void takes_the_place_of_our_own(void **state)
{
	struct authority *authority;
	CRYPTO_BUFFER *crl;

	(void)state;
	authority_free(open_authority());
	lab_run("cat mid.pem root.pem >chain.pem");
	accept("corp.pem", "corp.key", "chain.pem", NULL);
	assert_in_use("corp.pem", 2, "root.pem");
	authority = open_authority();
	assert_string_equal(ca_id(authority_issuer(authority)), "4");
	crl = authority_crl(authority, "1"); /* ours goes on with its CRL */
	assert_non_null(crl);
	CRYPTO_BUFFER_free(crl);
	authority_free(authority);
}

static void works_before_the_first_start(void **state)
{
	struct authority *authority;

	(void)state;
	lab_run("cat root.pem mid.pem corp.pem >any-order.pem");
	accept("corp.pem", "corp.key", "any-order.pem", NULL);
	assert_in_use("corp.pem", 2, "root.pem");
	authority = open_authority();
	assert_string_equal(ca_id(authority_untrusted(authority)), "3");
	authority_free(authority);
}

static void needs_no_chain(void **state)
{
	(void)state;
	accept("corp.pem", "corp.key", NULL, NULL);
	assert_in_use("corp.pem", 1, "corp.pem");
	/* the same once more, with its chain this time in the same file */
	lab_run("cat corp.pem mid.pem root.pem >full.pem");
	accept("full.pem", "corp.key", NULL, NULL);
	assert_in_use("corp.pem", 2, "root.pem");
	accept("root.pem", "root.key", NULL, NULL);
	assert_in_use("root.pem", 0, "root.pem");
}

static void opens_encrypted_keys(void **state)
{
	(void)state;
	lab_run("openssl pkcs8 -topk8 -in corp.key -out new.key -v2 "
		"aes-256-cbc -passout pass:secret && openssl ec -in corp.key "
		"-aes128 -passout pass:secret -out old.key && openssl rsa -in "
		"root.key -aes256 -traditional -passout pass:secret -out "
		"rsa.key && openssl ec -in corp.key -out sec1.key && openssl "
		"ecparam -name secp384r1 -out param.key && cat sec1.key "
		">>param.key");
	refuse("corp.pem", "new.key", NULL, "its passphrase is needed");
	assert_int_equal(import("corp.pem", "new.key", NULL, "wrong"), -1);
	assert_non_null(strstr(err, "does not open"));
	accept("corp.pem", "new.key", NULL, "secret");
	accept("corp.pem", "old.key", NULL, "secret");
	accept("root.pem", "rsa.key", NULL, "secret");
	accept("corp.pem", "sec1.key", NULL, NULL);
	accept("corp.pem", "param.key", NULL, "not needed");
	assert_in_use("corp.pem", 1, "corp.pem");
}

static void says_what_it_refuses(void **state)
{
	(void)state;
	refuse("none.pem", "corp.key", NULL, "none.pem: No such file");
	refuse("corp.pem", "none.key", NULL, "none.key: No such file");
	refuse("corp.key", "corp.key", NULL, "holds no certificate");
	refuse("corp.pem", "corp.pem", NULL, "no private key");
	refuse("corp.pem", "mid.key", NULL, "not that of the CA");
	lab_run("cat root.pem >chain.pem");
	refuse("corp.pem", "corp.key", "chain.pem", "does not lead upwards");
	lab_make_root("else", "ec", LAB_CA_EXT);
	lab_run("cat mid.pem root.pem else.pem >chain.pem");
	refuse("corp.pem", "corp.key", "chain.pem",
		"of 3 certificates in it, 2");
	lab_make("server", "ec", "/CN=server", "root", "sha256", LAB_LEAF_EXT);
	refuse("server.pem", "server.key", NULL, "basicConstraints");
	lab_text("half.pem", "-----BEGIN CERTIFICATE-----\nAAA");
	refuse("half.pem", "corp.key", NULL, "half.pem");
	lab_run("head -c 2000000 /dev/zero >large.pem");
	refuse("large.pem", "corp.key", NULL, "large.pem: File too large");
	lab_run("ls state | wc -l");
	assert_non_null(strstr(lab_said(), "0\n"));
}

static void refuses_one_about_to_end(void **state)
{
	CRYPTO_BUFFER *name = mint_name("Ends"), *cert;
	EVP_PKEY *key = lab_key("corp.key");
	struct mint_order order = {
		.key = key, .subject = lab_der(name), .path_len = -1,
		.from = time(NULL) - DAY, .until = time(NULL) + 13 * DAY,
	};

	(void)state;
	cert = mint_ca(&order);
	lab_write_pem("ends.pem", cert);
	refuse("ends.pem", "corp.key", NULL, "sooner than a leaf");
	CRYPTO_BUFFER_free(cert);
	CRYPTO_BUFFER_free(name);
	EVP_PKEY_free(key);
}

static void changes_nothing_on_failure(void **state)
{
	struct authority *before = open_authority(), *after;
	char pass[160];

	(void)state;
	refuse("corp.pem", "mid.key", NULL, "not that of the CA");
	/* a passphrase other than that of what is there */
	lab_text("pass", "something else\n");
	snprintf(pass, sizeof(pass), "%s/pass", lab_folder());
	options.passphrase_file = pass;
	refuse("corp.pem", "corp.key", NULL, "does not open the private key");
	options.passphrase_file = NULL;
	after = open_authority();
	assert_memory_equal(ca_digest(authority_issuer(before)),
		ca_digest(authority_issuer(after)), 32);
	authority_free(before);
	authority_free(after);
}

static void works_beside_a_running_proxy(void **state)
{
	struct authority *running = open_authority();
	time_t later = time(NULL) + 2 * DAY;

	(void)state;
	accept("corp.pem", "corp.key", NULL, NULL);
	assert_string_equal(ca_id(authority_issuer(running)), "1");
	assert_int_equal(authority_renew_crls(running, later, err,
		sizeof(err)), 0);
	assert_null(authority_crl(running, "4"));
	authority_free(running);
	assert_in_use("corp.pem", 1, "corp.pem");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(takes_the_place_of_our_own, set_up),
		cmocka_unit_test_setup(works_before_the_first_start, set_up),
		cmocka_unit_test_setup(needs_no_chain, set_up),
		cmocka_unit_test_setup(opens_encrypted_keys, set_up),
		cmocka_unit_test_setup(says_what_it_refuses, set_up),
		cmocka_unit_test_setup(refuses_one_about_to_end, set_up),
		cmocka_unit_test_setup(changes_nothing_on_failure, set_up),
		cmocka_unit_test_setup(works_beside_a_running_proxy, set_up),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
