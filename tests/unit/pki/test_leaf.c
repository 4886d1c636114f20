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
#include <openssl/sha.h>

#include "pki/crl.h"
#include "pki/leaf.h"
#include "pki/mint.h"
#include "pki/x509.h"
#include "tests/support/lab.h"

enum { DAY = 24 * 3600 };

static struct leafkeys *keys;
static struct ca *issuer; /* inter, under root */

static void make_inter(const char *name, const char *kind)
{
	lab_make(name, kind, "/O=Lab/CN=Lab Intermediate", "root", "sha256",
		LAB_SUB_EXT);
}

static int set_up(void **state)
{
	(void)state;
	keys = leafkeys_new();
	lab_make_root("root", "ec", LAB_CA_EXT);
	make_inter("inter", "ec");
	issuer = lab_ca("inter", "1");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ca_unref(issuer);
	leafkeys_free(keys);
	lab_end();
	return 0;
}

static struct leaf_order order_for(const char *name,
	const CRYPTO_BUFFER *origin)
{
	return (struct leaf_order){
		.ca = issuer,
		.keys = keys,
		.key_type = LEAF_KEY_P256,
		.origin = origin ? lab_der(origin) : (struct der){NULL, 0},
		.name = name,
		.crl_base = "http://crl.test:8080",
		.now = time(NULL),
		.validity_s = 14 * DAY,
	};
}

static struct leaf *forge(const struct leaf_order *order)
{
	struct leaf *leaf;
	char err[256] = "";

	if (forge_leaf(order, &leaf, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(ERR_peek_error(), 0);
	return leaf;
}

/* The leaf's text, as openssl reads it; the certificate is in leaf.pem. */
static const char *text_of(const struct leaf *leaf)
{
	CRYPTO_BUFFER *const *certs;

	assert_true(leaf_certs(leaf, &certs) >= 1);
	lab_write_pem("leaf.pem", certs[0]);
	lab_run("openssl x509 -in leaf.pem -noout -text -nameopt RFC2253");
	return lab_said();
}

static struct cert cert_of(const struct leaf *leaf)
{
	CRYPTO_BUFFER *const *certs;
	struct cert cert;

	leaf_certs(leaf, &certs);
	assert_int_equal(cert_read(lab_der(certs[0]), &cert), 0);
	return cert;
}

static void assert_has(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("no '%s' in:\n%s", what, text);
}

static void assert_lacks(const char *text, const char *what)
{
	if (strstr(text, what))
		fail_msg("'%s' in:\n%s", what, text);
}

/* openssl's verify of leaf.pem, with the CRL. */
static void verify(struct ca *ca, const char *inter_pem, const char *name)
{
	const struct crl_order order = {
		.number = 1, .now = time(NULL), .until = time(NULL) + CRL_LIFE,
	};
	char err[256] = "";
	CRYPTO_BUFFER *crl = crl_make(ca, &order, err, sizeof(err));

	assert_non_null(crl);
	lab_write("crl.der", CRYPTO_BUFFER_data(crl), CRYPTO_BUFFER_len(crl));
	CRYPTO_BUFFER_free(crl);
	lab_run("openssl crl -inform DER -in crl.der -out crl.pem && "
		"openssl verify -x509_strict -crl_check -purpose sslserver "
		"-verify_hostname %s -CAfile root.pem -untrusted %s "
		"-CRLfile crl.pem leaf.pem", name, inter_pem);
}

/* --- what stands in it -------------------------------------------------- */

static void copies_the_origin(void **state)
{
	struct leaf_order order;
	CRYPTO_BUFFER *origin;
	struct leaf *leaf;
	const char *text;

	(void)state;
	lab_make("rich", "rsa:2048", "/C=DE/O=B\xc3\xbc" "cher/CN=a.test",
		"root", "sha256", LAB_LEAF_EXT
		"extendedKeyUsage=serverAuth,clientAuth\n"
		"subjectAltName=DNS:a.test,DNS:*.b.test,IP:192.0.2.7,"
		"IP:2001:db8::7,email:x@a.test,URI:https://a.test/\n"
		"certificatePolicies=2.23.140.1.2.2\n"
		"authorityInfoAccess=OCSP;URI:http://ocsp.test/\n"
		"tlsfeature=status_request\n"
		"1.3.6.1.4.1.11129.2.4.2=DER:04:02:00:00\n");
	origin = lab_cert("rich.pem");
	order = order_for("a.test", origin);
	leaf = forge(&order);
	text = text_of(leaf);
	assert_has(text, "Issuer: CN=Lab Intermediate,O=Lab");
	assert_has(text, "Subject: CN=a.test,O=B\\C3\\BCcher,C=DE");
	assert_has(text, "DNS:a.test, DNS:*.b.test, IP Address:192.0.2.7, "
		"IP Address:2001:DB8:0:0:0:0:0:7\n");
	assert_has(text, "X509v3 Key Usage: critical\n                "
		"Digital Signature\n");
	assert_has(text, "X509v3 Basic Constraints: critical\n"
		"                CA:FALSE");
	assert_has(text, "X509v3 Extended Key Usage: \n                "
		"TLS Web Server Authentication\n");
	assert_has(text, "URI:http://crl.test:8080/crl/1.crl");
	assert_has(text, "Signature Algorithm: ecdsa-with-SHA256");
	assert_lacks(text, "Authority Information Access");
	assert_lacks(text, "Policies");
	assert_lacks(text, "TLS Feature");
	assert_lacks(text, "SCT");
	assert_lacks(text, "email");
	verify(issuer, "inter.pem", "x.b.test");
	leaf_free(leaf);
	CRYPTO_BUFFER_free(origin);
}

/* serial_of is "4A…" for the bytes 4A …; to be freed. */
static char *serial_of(const struct leaf *leaf)
{
	(void)text_of(leaf);
	lab_run("openssl x509 -in leaf.pem -noout -serial");
	return strdup(lab_said() + strlen("serial="));
}

static void has_identifiers_of_its_own(void **state)
{
	struct leaf_order order = order_for("a.test", NULL);
	struct leaf *one = forge(&order), *two = forge(&order);
	char *serial = serial_of(one), *other = serial_of(two);
	struct cert a = cert_of(one);

	(void)state;
	assert_string_not_equal(serial, other);
	assert_in_range(strspn(serial, "0123456789ABCDEF"), 32, 40);
	assert_in_range(serial[0], '4', '7');
	assert_true(der_same(a.aki, ca_ski(issuer)));
	assert_int_equal(a.ski.len, 20);
	assert_false(der_same(a.ski, a.aki));
	assert_true(der_same(a.spki, leafkeys_spki(keys, LEAF_KEY_P256)));
	free(serial);
	free(other);
	leaf_free(one);
	leaf_free(two);
}

static void works_without_an_origin(void **state)
{
	struct leaf_order order = order_for("sallyport.internal", NULL);
	struct leaf *leaf;
	const char *text;
	static const uint8_t none[32];

	(void)state;
	order.key_type = LEAF_KEY_RSA2048;
	leaf = forge(&order);
	text = text_of(leaf);
	assert_has(text, "Subject: CN=sallyport.internal");
	assert_has(text, "DNS:sallyport.internal\n");
	assert_has(text, "Digital Signature, Key Encipherment\n");
	assert_memory_equal(leaf_origin_digest(leaf), none, 32);
	verify(issuer, "inter.pem", "sallyport.internal");
	leaf_free(leaf);
}

/* RFC 5280, 4.2.1.6 and its upper bound of 64 for a CN. */
static void has_a_critical_san_without_a_subject(void **state)
{
	const char *name = "a23456789012345678901234567890.b2345678901234567890"
		"1234567890.c234567890.test";
	struct leaf_order order = order_for(name, NULL);
	CRYPTO_BUFFER *origin;
	struct leaf *leaf;
	const char *text;

	(void)state;
	leaf = forge(&order);
	text = text_of(leaf);
	assert_has(text, "Subject: \n");
	assert_has(text, "Subject Alternative Name: critical");
	verify(issuer, "inter.pem", name);
	leaf_free(leaf);

	lab_make("nobody", "ec", "/", "root", "sha256",
		LAB_LEAF_EXT "subjectAltName=critical,DNS:a.test\n");
	origin = lab_cert("nobody.pem");
	order = order_for("a.test", origin);
	leaf = forge(&order);
	assert_has(text_of(leaf), "Subject Alternative Name: critical");
	verify(issuer, "inter.pem", "a.test");
	leaf_free(leaf);
	CRYPTO_BUFFER_free(origin);
}

static void does_not_take_its_issuers_name(void **state)
{
	struct leaf_order order;
	CRYPTO_BUFFER *origin;
	struct leaf *leaf;

	(void)state;
	lab_make("twin", "ec", "/O=Lab/CN=Lab Intermediate", "root", "sha256",
		LAB_LEAF_EXT "subjectAltName=DNS:a.test\n");
	origin = lab_cert("twin.pem");
	order = order_for("a.test", origin);
	leaf = forge(&order);
	assert_has(text_of(leaf), "Subject: CN=a.test");
	leaf_free(leaf);
	CRYPTO_BUFFER_free(origin);
}

static void names_only_what_was_asked_for(void **state)
{
	struct leaf_order order;
	CRYPTO_BUFFER *origin = lab_cert("rich.pem");
	struct leaf *leaf;
	const char *text;

	(void)state;
	order = order_for("192.0.2.9", origin);
	order.name_only = true;
	order.now = ca_not_after(issuer) - DAY;
	leaf = forge(&order);
	text = text_of(leaf);
	assert_has(text, "Subject: CN=a.test,O=B");
	assert_has(text, "IP Address:192.0.2.9\n");
	assert_lacks(text, "DNS:");
	assert_true(cert_of(leaf).not_before <= order.now);
	assert_true(leaf_covers(leaf, "192.0.2.9"));
	assert_false(leaf_covers(leaf, "a.test"));
	leaf_free(leaf);
	CRYPTO_BUFFER_free(origin);
}

/* --- its time ----------------------------------------------------------- */

static void lives_no_longer_than_any_of_them(void **state)
{
	struct leaf_order order;
	CRYPTO_BUFFER *origin = lab_cert("rich.pem");
	struct leaf *leaf;
	struct cert from, got;

	(void)state;
	assert_int_equal(cert_read(lab_der(origin), &from), 0);
	order = order_for("a.test", origin);
	leaf = forge(&order);
	got = cert_of(leaf);
	assert_int_equal(got.not_after, order.now + 14 * DAY);
	assert_int_equal(leaf_not_after(leaf), got.not_after);
	assert_int_equal(got.not_before, from.not_before);
	leaf_free(leaf);

	order.now = from.not_after - DAY / 2; /* issuer and origin end soon */
	leaf = forge(&order);
	assert_true(cert_of(leaf).not_after <= from.not_after);
	assert_true(cert_of(leaf).not_after <= ca_not_after(issuer));
	leaf_free(leaf);

	order = order_for("a.test", NULL); /* a day back, but not before it */
	leaf = forge(&order);
	assert_int_equal(cert_of(leaf).not_before, ca_not_before(issuer));
	leaf_free(leaf);

	order.validity_s = 5000 * DAY;
	leaf = forge(&order);
	got = cert_of(leaf);
	assert_true(got.not_after - got.not_before <= 398 * DAY);
	assert_true(got.not_after <= ca_not_after(issuer));
	leaf_free(leaf);
	CRYPTO_BUFFER_free(origin);
}

/* CA and origin are years old and have years before them: what comes of it is
 * still no older than browsers take. */
static void lives_no_longer_than_browsers_take(void **state)
{
	CRYPTO_BUFFER *name = mint_name("Old"), *other = mint_name("Origin");
	CRYPTO_BUFFER *cert, *origin;
	EVP_PKEY *key = lab_key("root.key");
	time_t now = time(NULL);
	struct mint_order mint = {
		.key = key, .subject = lab_der(name), .path_len = -1,
		.from = now - 900 * DAY, .until = now + 900 * DAY,
	};
	struct leaf_order order;
	struct leaf *leaf;
	struct cert got;
	struct ca *old;

	(void)state;
	cert = mint_ca(&mint);
	mint.subject = lab_der(other);
	origin = mint_ca(&mint);
	assert_int_equal(ca_new(lab_der(cert), key, NULL, 0, "1", &old, NULL,
		0), 0);
	for (unsigned validity = 14; validity < 1000; validity *= 4) {
		order = order_for("a.test", origin);
		order.ca = old;
		order.validity_s = validity * DAY;
		leaf = forge(&order);
		got = cert_of(leaf);
		assert_true(got.not_after - got.not_before <= 397 * DAY);
		assert_true(got.not_before < order.now);
		assert_true(got.not_after >= order.now + 14 * DAY);
		leaf_free(leaf);
	}
	ca_unref(old);
	EVP_PKEY_free(key);
	CRYPTO_BUFFER_free(name);
	CRYPTO_BUFFER_free(other);
	CRYPTO_BUFFER_free(cert);
	CRYPTO_BUFFER_free(origin);
}

static void is_not_signed_by_a_ca_out_of_its_time(void **state)
{
	struct leaf_order order = order_for("a.test", NULL);
	struct leaf *leaf;
	char err[256];

	(void)state;
	order.now = ca_not_after(issuer);
	assert_int_equal(forge_leaf(&order, &leaf, err, sizeof(err)), -1);
	assert_has(err, "Lab Intermediate");
	assert_null(leaf);
	order.now = ca_not_before(issuer) - 1;
	assert_int_equal(forge_leaf(&order, &leaf, err, sizeof(err)), -1);
}

static void is_not_made_of_junk(void **state)
{
	static const uint8_t junk[] = "\x30\x03\x02\x01\x00";
	struct leaf_order order = order_for("a.test", NULL);
	CRYPTO_BUFFER *origin = lab_cert("rich.pem");
	struct leaf *leaf;
	char err[256];

	(void)state;
	order.origin = (struct der){junk, 5};
	assert_int_equal(forge_leaf(&order, &leaf, err, sizeof(err)), -1);
	assert_has(err, "can't be parsed");
	for (size_t len = 0; len < CRYPTO_BUFFER_len(origin); len++) {
		order.origin = (struct der){CRYPTO_BUFFER_data(origin), len};
		assert_int_equal(forge_leaf(&order, &leaf, err, sizeof(err)),
			-1);
	}
	CRYPTO_BUFFER_free(origin);
}

/* --- its chain ---------------------------------------------------------- */

static void signs_with_every_kind_of_ca(void **state)
{
	static const struct {
		const char *kind, *signature;
	} rows[] = {
		{"rsa:2048", "sha256WithRSAEncryption"},
		{"rsa:3072", "sha256WithRSAEncryption"},
		{"ec", "ecdsa-with-SHA256"},
		{"ec384", "ecdsa-with-SHA384"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CRYPTO_BUFFER *const *certs;
		struct leaf_order order;
		struct leaf *leaf;
		struct ca *ca;

		make_inter("other", rows[i].kind);
		ca = lab_ca("other", "7");
		order = order_for("a.test", NULL);
		order.ca = ca;
		leaf = forge(&order);
		assert_has(text_of(leaf), rows[i].signature);
		assert_has(lab_said(), "/crl/7.crl");
		verify(ca, "other.pem", "a.test");
		assert_int_equal(leaf_certs(leaf, &certs), 2);
		assert_true(der_same(lab_der(certs[1]), ca_cert(ca)));
		assert_int_equal(ca_signs_fast(ca), i != 1);
		ca_unref(ca); /* the leaf holds on to it */
		assert_int_equal(leaf_certs(leaf, &certs), 2);
		leaf_free(leaf);
	}
}

static void sends_no_self_signed_ca(void **state)
{
	struct leaf_order order = order_for("a.test", NULL);
	struct ca *root = lab_ca("root", "3");
	CRYPTO_BUFFER *const *certs;
	struct leaf *leaf;

	(void)state;
	order.ca = root;
	leaf = forge(&order);
	assert_int_equal(leaf_certs(leaf, &certs), 1);
	assert_true(leaf_size(leaf) > CRYPTO_BUFFER_len(certs[0]));
	leaf_free(leaf);
	ca_unref(root);
}

static void remembers_its_origin(void **state)
{
	CRYPTO_BUFFER *origin = lab_cert("rich.pem");
	struct leaf_order order = order_for("a.test", origin);
	struct leaf *leaf = forge(&order);
	uint8_t digest[SHA256_DIGEST_LENGTH];

	(void)state;
	SHA256(CRYPTO_BUFFER_data(origin), CRYPTO_BUFFER_len(origin), digest);
	assert_memory_equal(leaf_origin_digest(leaf), digest, 32);
	assert_ptr_equal(leaf_key(leaf), leafkeys_key(keys, LEAF_KEY_P256));
	assert_true(leaf_covers(leaf, "x.b.test"));
	leaf_free(leaf);
	CRYPTO_BUFFER_free(origin);
}

static void has_no_cdp_without_a_base(void **state)
{
	struct leaf_order order = order_for("a.test", NULL);
	struct leaf *leaf;

	(void)state;
	order.crl_base = "";
	leaf = forge(&order);
	assert_lacks(text_of(leaf), "CRL Distribution");
	leaf_free(leaf);
}

/* Nobody could fetch it, and who insists on it would turn back. */
static void names_no_crl_that_cannot_be(void **state)
{
	struct leaf_order order;
	struct leaf *leaf;

	(void)state;
	lab_make("mute", "ec", "/CN=Mute", "root", "sha256",
		"basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n");
	order = order_for("a.test", NULL); /* its time is not before the CA's */
	order.ca = lab_ca("mute", "5");
	leaf = forge(&order);
	assert_lacks(text_of(leaf), "CRL Distribution Points");
	leaf_free(leaf);
	ca_unref(order.ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_the_origin),
		cmocka_unit_test(has_identifiers_of_its_own),
		cmocka_unit_test(works_without_an_origin),
		cmocka_unit_test(has_a_critical_san_without_a_subject),
		cmocka_unit_test(does_not_take_its_issuers_name),
		cmocka_unit_test(names_only_what_was_asked_for),
		cmocka_unit_test(lives_no_longer_than_any_of_them),
		cmocka_unit_test(lives_no_longer_than_browsers_take),
		cmocka_unit_test(is_not_signed_by_a_ca_out_of_its_time),
		cmocka_unit_test(is_not_made_of_junk),
		cmocka_unit_test(signs_with_every_kind_of_ca),
		cmocka_unit_test(sends_no_self_signed_ca),
		cmocka_unit_test(remembers_its_origin),
		cmocka_unit_test(has_no_cdp_without_a_base),
		cmocka_unit_test(names_no_crl_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
