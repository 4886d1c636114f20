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
#include "pki/estate.h"
#include "pki/import.h"
#include "pki/keymaker.h"
#include "pki/mint.h"
#include "pki/store_audit.h"
#include "tests/support/kept.h"
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
	kept_end();
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "%s/state", lab_folder());
	lab_run("rm -rf state; mkdir -m 700 state");
	options = (struct authority_options){
		.state = folder, .crl_base = "http://127.0.0.1:8080",
		.link = kept_link(), .rotate_s = KEPT_ROTATE_S,
		.validity_s = KEPT_VALIDITY_S,
	};
	return 0;
}

static int import(const char *cert, const char *key, const char *chain,
	const char *passphrase)
{
	const struct import_files files = {
		.cert = lab_path(cert), .key = lab_path(key),
		.chain = chain ? lab_path(chain) : NULL,
		.passphrase = passphrase,
	};
	int result;

	err[0] = '\0';
	result = kept_import(&options, &files, err, sizeof(err));
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

static struct ca *issuer_of(const struct authority *authority)
{
	const char *why = NULL;
	struct ca *ca = authority_issuer(authority, NULL, &why);

	if (!ca)
		fail_msg("%s", why);
	return ca;
}

/* id_of_default is that of the CA that signs, or has what signs under it. */
static int64_t id_of_default(void)
{
	struct authority_view view;
	int64_t id;

	assert_int_equal(authority_look(&options, &view, err, sizeof(err)), 0);
	id = strtol(view.id, NULL, 10);
	authority_view_clear(&view);
	return id;
}

static bool has_crl(const struct authority *authority, int64_t id)
{
	CRYPTO_BUFFER *crl;
	char text[32];
	time_t until;

	snprintf(text, sizeof(text), "%lld", (long long)id);
	crl = authority_crl(authority, text, &until);
	CRYPTO_BUFFER_free(crl);
	return crl != NULL;
}

/* The CA of FILE signs, an issuing CA under it, with that many certificates
 * sent behind its own, and TOP is the root that clients install. */
static void assert_in_use(const char *file, size_t num_sent, const char *top)
{
	struct authority *authority = open_authority();
	CRYPTO_BUFFER *cert = lab_cert(file), *root = lab_cert(top), *written;
	CRYPTO_BUFFER *const *sent;
	struct authority_view view;

	assert_int_equal(authority_look(&options, &view, err, sizeof(err)), 0);
	assert_true(der_same(der_of(view.cert), lab_der(cert)));
	authority_view_clear(&view);
	assert_int_equal(ca_sent(issuer_of(authority), &sent), num_sent + 1);
	if (num_sent > 0)
		assert_true(der_same(der_of(sent[1]), lab_der(cert)));
	written = lab_cert("state/root.pem");
	assert_true(der_same(lab_der(written), lab_der(root)));
	assert_non_null(strstr(authority_root_pem(authority), "BEGIN CERT"));
	assert_true(has_crl(authority, id_of_default()));
	CRYPTO_BUFFER_free(written);
	CRYPTO_BUFFER_free(cert);
	CRYPTO_BUFFER_free(root);
	authority_free(authority);
}

static void takes_the_place_of_our_own(void **state)
{
	struct authority *authority;

	(void)state;
	authority_free(open_authority());
	lab_run("cat mid.pem root.pem >chain.pem");
	accept("corp.pem", "corp.key", "chain.pem", NULL);
	assert_in_use("corp.pem", 2, "root.pem");
	assert_int_equal(id_of_default(), 4);
	authority = open_authority();
	assert_true(has_crl(authority, 1)); /* ours goes on with its CRL */
	assert_true(authority_knows(authority, "Corp Proxy CA"));
	authority_free(authority);
}

/* A CA that may have none under it signs leaves itself. */
static void signs_where_no_ca_may_be_under_it(void **state)
{
	struct authority *authority;

	(void)state;
	lab_make("flat", "ec", "/O=Corp/CN=Flat", "mid", "sha256",
		"basicConstraints=critical,CA:TRUE,pathlen:0\n"
		"keyUsage=critical,keyCertSign,cRLSign\n"
		"subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n");
	accept("flat.pem", "flat.key", NULL, NULL);
	authority = open_authority();
	assert_string_equal(ca_id(issuer_of(authority)), "4");
	assert_null(ca_key(issuer_of(authority))); /* but the keeper */
	assert_false(ca_signs_fast(issuer_of(authority)));
	authority_free(authority);
}

/* Who did it is written down, once for each that was brought. */
static void is_written_down(void **state)
{
	struct store_audit *lines;
	struct estate estate;
	size_t num;

	(void)state;
	accept("corp.pem", "corp.key", NULL, NULL);
	assert_int_equal(estate_look(&options, &estate, err, sizeof(err)), 0);
	assert_int_equal(store_audit_list(estate.store, 10, &lines, &num, err,
		sizeof(err)), 0);
	assert_int_equal(num, 1);
	assert_string_equal(lines[0].who, "the test");
	assert_string_equal(lines[0].what, "import");
	assert_string_equal(lines[0].name, "Corp Proxy CA");
	assert_int_equal(lines[0].ca, 4);
	free(lines);
	estate_close(&estate);
}

/* It is locked as an intermediate's, whatever it was before. */
static void locks_the_key_as_an_intermediates(void **state)
{
	EVP_PKEY *key, *brought;
	struct estate estate;
	enum key_role role;

	(void)state;
	accept("root.pem", "root.key", NULL, NULL);
	assert_int_equal(estate_look(&options, &estate, err, sizeof(err)), 0);
	key = keylock_unlock(kept_lock(),
		der_of(estate_default(&estate)->key), &role);
	brought = lab_key("root.key");
	assert_non_null(key);
	assert_int_equal(EVP_PKEY_cmp(key, brought), 1);
	assert_int_equal(role, KEY_ROLE_INTERMEDIATE);
	assert_true(keylock_is_current(
		der_of(estate_default(&estate)->key)));
	EVP_PKEY_free(key);
	EVP_PKEY_free(brought);
	estate_close(&estate);
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
	struct authority_view before, after;
	struct keylock *other = keylock_new("something else", 14);
	struct parcel *parcel;
	const struct import_files files = {
		.cert = lab_path("corp.pem"), .key = lab_path("corp.key"),
	};

	(void)state;
	authority_free(open_authority());
	assert_int_equal(authority_look(&options, &before, err, sizeof(err)),
		0);
	refuse("corp.pem", "mid.key", NULL, "not that of the CA");
	/* a passphrase other than that of what is there */
	assert_int_equal(import_read(&files, &parcel, err, sizeof(err)), 0);
	assert_int_equal(import_keep(&options, parcel, other, "the test", err,
		sizeof(err)), -1);
	import_free(parcel);
	assert_non_null(strstr(err, "does not open the private key"));
	keylock_free(other);
	assert_int_equal(authority_look(&options, &after, err, sizeof(err)),
		0);
	assert_true(der_same(der_of(before.cert), der_of(after.cert)));
	assert_string_equal(after.id, "1");
	authority_view_clear(&before);
	authority_view_clear(&after);
}

static void works_beside_a_running_proxy(void **state)
{
	struct authority *running = open_authority(), *next;
	CRYPTO_BUFFER *const *sent;

	(void)state;
	accept("corp.pem", "corp.key", NULL, NULL);
	assert_false(has_crl(running, 4));
	assert_true(ca_sent(issuer_of(running), &sent) > 0);
	options.before = running; /* as it does when it is told */
	next = open_authority();
	assert_true(has_crl(next, 4));
	assert_string_not_equal(ca_id(issuer_of(running)),
		ca_id(issuer_of(next)));
	authority_free(running);
	authority_free(next);
	options.before = NULL;
	assert_in_use("corp.pem", 1, "corp.pem");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(takes_the_place_of_our_own, set_up),
		cmocka_unit_test_setup(signs_where_no_ca_may_be_under_it,
			set_up),
		cmocka_unit_test_setup(is_written_down, set_up),
		cmocka_unit_test_setup(locks_the_key_as_an_intermediates,
			set_up),
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
