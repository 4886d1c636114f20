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
#include <openssl/mem.h>
#include <openssl/pkcs8.h>

#include "pki/keeper_frame.h"
#include "pki/leaf.h"
#include "pki/mint.h"
#include "pki/name.h"
#include "pki/san.h"
#include "pki/tally.h"
#include "pki/x509.h"
#include "tests/support/kept.h"
#include "tests/support/lab.h"

enum { DAY = 24 * 3600 };

static char err[1024];
static const struct keeper_link *link_;
static struct leafkeys *leafkeys;
static const struct der none = {NULL, 0};

/* A key that is kept, and the certificate that it is held with. */
struct kept {
	CRYPTO_BUFFER *locked, *spki, *cert; /* owned */
	enum key_role role;
	uint8_t id[CA_KEY_ID];
};

static struct kept root, inter, untrusted, flat, bare;

static void refused(const void *made, const char *why)
{
	assert_null(made);
	if (!strstr(err, why))
		fail_msg("no '%s' in: %s", why, err);
	assert_int_equal(ERR_peek_error(), 0);
	err[0] = '\0';
}

static void *must(void *made)
{
	if (!made)
		fail_msg("%s", err);
	assert_int_equal(ERR_peek_error(), 0);
	return made;
}

/* --- keys --------------------------------------------------------------- */

static void hold(struct kept *key, const char *id)
{
	struct keeper_held held;

	if (keeper_hold(link_, der_of(key->locked), key->role,
		    key->cert ? der_of(key->cert) : none, id, &held, err,
		    sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_null(held.relocked);
	memcpy(key->id, held.key_id, CA_KEY_ID);
}

static void make(struct kept *key, enum key_role role)
{
	memset(key, 0, sizeof(*key));
	key->role = role;
	if (keeper_make_key(link_, KEY_EC_P256, role, &key->locked, &key->spki,
		    err, sizeof(err)) != 0)
		fail_msg("%s", err);
	hold(key, "0");
}

static void drop(struct kept *key)
{
	CRYPTO_BUFFER_free(key->locked);
	CRYPTO_BUFFER_free(key->spki);
	CRYPTO_BUFFER_free(key->cert);
	memset(key, 0, sizeof(*key));
}

/* make_ca makes a key and has it minted under another. */
static void make_ca(struct kept *key, enum key_role role,
	const struct kept *issuer, const char *id)
{
	make(key, role);
	key->cert = must(keeper_mint(link_, key->id,
		issuer ? issuer->id : key->id, "0a1b", none, err,
		sizeof(err)));
	hold(key, id);
}

/* with_path_len signs a certificate for the key with what openssl has: a CA
 * from outside. */
static CRYPTO_BUFFER *with_path_len(const struct kept *key, const char *ext)
{
	EVP_PKEY *private;
	enum key_role role;
	uint8_t *der = NULL;
	size_t len;
	char text[512];
	CBB cbb;

	private = keylock_unlock(kept_lock(), der_of(key->locked), &role);
	assert_non_null(private);
	assert_true(CBB_init(&cbb, 256) &&
		EVP_marshal_private_key(&cbb, private) &&
		CBB_finish(&cbb, &der, &len));
	lab_write("flat.der", der, len);
	OPENSSL_free(der);
	EVP_PKEY_free(private);
	snprintf(text, sizeof(text), "[req]\ndistinguished_name=dn\n[dn]\n"
		"[ext]\nbasicConstraints=critical,CA:TRUE%s\n"
		"subjectKeyIdentifier=hash\n", ext);
	lab_text("flat.cnf", text);
	lab_run("openssl pkey -inform DER -in flat.der -out flat.key && "
		"openssl req -x509 -new -key flat.key -subj '/O=Corp/CN=Flat' "
		"-days 90 -config flat.cnf -extensions ext -out flat.pem");
	return lab_cert("flat.pem");
}

static int set_up(void **state)
{
	(void)state;
	link_ = kept_link();
	leafkeys = leafkeys_new();
	make_ca(&root, KEY_ROLE_ROOT, NULL, "2");
	make_ca(&untrusted, KEY_ROLE_UNTRUSTED, NULL, "3");
	make_ca(&inter, KEY_ROLE_INTERMEDIATE, &root, "1");
	make(&flat, KEY_ROLE_INTERMEDIATE);
	flat.cert = with_path_len(&flat, ",pathlen:0\n"
		"keyUsage=critical,keyCertSign,cRLSign");
	hold(&flat, "4");
	make(&bare, KEY_ROLE_INTERMEDIATE);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	drop(&root);
	drop(&inter);
	drop(&untrusted);
	drop(&flat);
	drop(&bare);
	leafkeys_free(leafkeys);
	kept_end();
	lab_end();
	return 0;
}

static struct ca *ca_of(const struct kept *key, const char *id)
{
	struct ca *ca;

	if (ca_new_kept(der_of(key->cert), link_, NULL, 0, id, &ca, err,
		    sizeof(err)) != 0)
		fail_msg("%s", err);
	return ca;
}

static void makes_every_kind_of_key(void **state)
{
	static const enum key_kind kinds[] = {
		KEY_EC_P256, KEY_EC_P384, KEY_RSA_2K};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		CRYPTO_BUFFER *locked, *spki, *same;
		enum key_role role;
		EVP_PKEY *key;

		assert_int_equal(keeper_make_key(link_, kinds[i],
			KEY_ROLE_UNTRUSTED, &locked, &spki, err, sizeof(err)),
			0);
		key = keylock_unlock(kept_lock(), der_of(locked), &role);
		assert_non_null(key);
		assert_int_equal(role, KEY_ROLE_UNTRUSTED);
		assert_string_equal(key_type_name(key),
			key_kind_name(kinds[i]));
		same = key_spki(key);
		assert_true(der_same(der_of(spki), der_of(same)));
		CRYPTO_BUFFER_free(same);
		CRYPTO_BUFFER_free(locked);
		CRYPTO_BUFFER_free(spki);
		EVP_PKEY_free(key);
	}
}

static void refuses_to_make_what_is_none(void **state)
{
	static const struct {
		int kind, role;
	} rows[] = {{NUM_KEY_KINDS, 1}, {-1, 1}, {0, KEY_ROLE_NONE}, {0, 4}};
	CRYPTO_BUFFER *locked, *spki;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(keeper_make_key(link_,
			(enum key_kind)rows[i].kind,
			(enum key_role)rows[i].role, &locked, &spki, err,
			sizeof(err)), -1);
		assert_null(spki);
		refused(locked, "can't make sense");
	}
}

/* --- holding ------------------------------------------------------------ */

static int try_hold(struct der locked, enum key_role role, struct der cert,
	const char *id)
{
	struct keeper_held held;
	int result = keeper_hold(link_, locked, role, cert, id, &held, err,
		sizeof(err));

	assert_null(held.relocked);
	return result;
}

static void says_what_it_does_not_hold(void **state)
{
	struct der locked = der_of(inter.locked);
	CRYPTO_BUFFER *mute;

	(void)state;
	assert_int_equal(try_hold(locked, KEY_ROLE_NONE, none, "1"), -1);
	refused(NULL, "can't make sense");
	assert_int_equal(try_hold(locked, (enum key_role)9, none, "1"), -1);
	refused(NULL, "can't make sense");
	assert_int_equal(try_hold(locked, KEY_ROLE_ROOT, none, "01234567890123"
		"4567890123456789012345678901234567890123456789"), -1);
	refused(NULL, "can't make sense");
	assert_int_equal(try_hold(locked, KEY_ROLE_ROOT,
		der_of(root.cert), "2"), -1);
	refused(NULL, "not that of the CA certificate");
	assert_int_equal(try_hold(locked, KEY_ROLE_ROOT,
		der_of(inter.cert), "../1"), -1);
	refused(NULL, "is no CA's id");
	assert_int_equal(try_hold(locked, KEY_ROLE_ROOT,
		(struct der){(const uint8_t *)"x", 1}, "1"), -1);
	refused(NULL, "can't be parsed");
	mute = with_path_len(&bare, "\nkeyUsage=cRLSign");
	assert_int_equal(try_hold(der_of(bare.locked), KEY_ROLE_INTERMEDIATE,
		der_of(mute), "1"), -1);
	refused(NULL, "lacks keyCertSign");
	CRYPTO_BUFFER_free(mute);
}

static void says_that_the_passphrase_is_another(void **state)
{
	struct keeper *other = keeper_new(keylock_new("wrong", 5));
	struct keeper_link link = {keeper_local, other, "/etc/pass"};
	struct keeper_held held;

	(void)state;
	assert_int_equal(keeper_hold(&link, der_of(inter.locked),
		KEY_ROLE_INTERMEDIATE, none, "1", &held, err, sizeof(err)),
		KEEPER_WRONG_PASSPHRASE);
	refused(held.relocked, "passphrase of /etc/pass does not open");
	link.source = NULL;
	assert_int_equal(keeper_hold(&link, (struct der){(const uint8_t *)"0",
		1}, KEY_ROLE_INTERMEDIATE, none, "1", &held, err,
		sizeof(err)), KEEPER_WRONG_PASSPHRASE);
	refused(held.relocked, "passphrase of the keeper");
	keeper_free(other);
	keeper_free(NULL);
}

/* A key that an older version has locked gets the role that is asked for, and
 * keeps it from then on. */
static void locks_older_keys_anew(void **state)
{
	struct keeper_held held, again;
	enum key_role role;
	EVP_PKEY *key;
	char *der;
	size_t len;

	(void)state;
	lab_make_key("old", "ec");
	lab_run("openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 100000 -in old.key "
		"-outform DER -out old.der -passout 'pass:" KEPT_PASSPHRASE "'");
	der = lab_read("old.der", &len);
	assert_int_equal(keeper_hold(link_, (struct der){(uint8_t *)der, len},
		KEY_ROLE_UNTRUSTED, none, "9", &held, err, sizeof(err)), 0);
	free(der);
	assert_non_null(held.relocked);
	key = keylock_unlock(kept_lock(), der_of(held.relocked), &role);
	assert_non_null(key);
	assert_int_equal(role, KEY_ROLE_UNTRUSTED);
	EVP_PKEY_free(key);
	assert_int_equal(keeper_hold(link_, der_of(held.relocked),
		KEY_ROLE_INTERMEDIATE, none, "9", &again, err, sizeof(err)),
		0);
	assert_null(again.relocked);
	assert_memory_equal(held.key_id, again.key_id, CA_KEY_ID);
	CRYPTO_BUFFER_free(held.relocked);
	/* and goes by it: an untrusted one's signs no request */
	const struct csr_order order = {.common_name = "x", .path_len = -1};

	refused(keeper_request(link_, again.key_id, &order, err, sizeof(err)),
		"not for that");
}

/* Asking for another role than was sealed in is of no use. */
static void goes_by_the_role_that_is_sealed_in(void **state)
{
	struct keeper_issued issued;

	(void)state;
	assert_int_equal(try_hold(der_of(root.locked), KEY_ROLE_INTERMEDIATE,
		der_of(root.cert), "2"), 0);
	assert_int_equal(keeper_issue(link_, root.id, 1, &issued, err,
		sizeof(err)), -1);
	refused(issued.cert, "not for that");
}

/* --- requests ----------------------------------------------------------- */

static void signs_requests(void **state)
{
	struct csr_order order = {
		.common_name = "Corp", .organization = "O", .unit = "U",
		.locality = "L", .province = "P", .country = "DE",
		.path_len = 0, .digest = CSR_SHA384,
	};
	CRYPTO_BUFFER *made;

	(void)state;
	made = must(keeper_request(link_, bare.id, &order, err, sizeof(err)));
	lab_write("a.csr", CRYPTO_BUFFER_data(made), CRYPTO_BUFFER_len(made));
	CRYPTO_BUFFER_free(made);
	lab_run("openssl req -inform DER -in a.csr -noout -verify -text "
		"-nameopt RFC2253");
	assert_non_null(strstr(lab_said(), "CN=Corp,OU=U,O=O,L=L,ST=P,C=DE"));
	assert_non_null(strstr(lab_said(), "pathlen:0"));
	assert_non_null(strstr(lab_said(), "ecdsa-with-SHA384"));
	refused(keeper_request(link_, root.id, &order, err, sizeof(err)),
		"not for that");
	refused(keeper_request(link_, untrusted.id, &order, err, sizeof(err)),
		"not for that");
	order.path_len = 17;
	refused(keeper_request(link_, bare.id, &order, err, sizeof(err)),
		"can't make sense");
	order.path_len = -2;
	refused(keeper_request(link_, bare.id, &order, err, sizeof(err)),
		"can't make sense");
	order.path_len = -1;
	order.digest = (enum csr_digest)2;
	refused(keeper_request(link_, bare.id, &order, err, sizeof(err)),
		"can't make sense");
	order.digest = CSR_SHA256;
	order.country[0] = 'd';
	refused(keeper_request(link_, bare.id, &order, err, sizeof(err)),
		"two capital letters");
}

static void knows_only_what_it_holds(void **state)
{
	static const uint8_t nobody[CA_KEY_ID] = {1};
	static const struct csr_order order = {.common_name = "x"};
	struct keeper_issued issued;

	(void)state;
	refused(keeper_request(link_, nobody, &order, err, sizeof(err)),
		"does not hold that key");
	refused(keeper_mint(link_, nobody, root.id, "00", none, err,
		sizeof(err)), "does not hold that key");
	refused(keeper_mint(link_, inter.id, nobody, "00", none, err,
		sizeof(err)), "does not hold that key");
	assert_int_equal(keeper_issue(link_, nobody, 1, &issued, err,
		sizeof(err)), -1);
	refused(issued.cert, "does not hold that key");
	assert_int_equal(keeper_issue(link_, bare.id, 1, &issued, err,
		sizeof(err)), -1);
	refused(issued.cert, "no certificate for that key");
}

/* --- the foundation's certificates -------------------------------------- */

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

/* --- issuing CAs -------------------------------------------------------- */

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

static int issue_once(const struct kept *under)
{
	struct keeper_issued made;
	int result = keeper_issue(link_, under->id, 1, &made, err,
		sizeof(err));

	CRYPTO_BUFFER_free(made.cert);
	CRYPTO_BUFFER_free(made.crl);
	EVP_PKEY_free(made.key);
	return result;
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

/* --- leaves ------------------------------------------------------------- */

static int forge(struct ca *ca, struct leaf **out)
{
	struct leaf_order order = {
		.ca = ca, .keys = leafkeys, .name = "a.test",
		.now = time(NULL), .validity_s = KEPT_VALIDITY_S,
		.crl_base = "http://elsewhere.test",
	};

	return forge_leaf(&order, out, err, sizeof(err));
}

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

/* value_of gives a SAN of one element; to be freed. */
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

/* --- CRLs --------------------------------------------------------------- */

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

/* --- what is let go ----------------------------------------------------- */

static void forgets(void **state)
{
	struct kept key;

	(void)state;
	make_ca(&key, KEY_ROLE_INTERMEDIATE, &root, "9");
	assert_int_equal(issue_once(&key), 0);
	assert_int_equal(keeper_forget(link_, key.id, err, sizeof(err)), 0);
	assert_int_equal(issue_once(&key), -1);
	refused(NULL, "does not hold that key");
	assert_int_equal(keeper_forget(link_, key.id, err, sizeof(err)), 0);
	drop(&key);
}

/* Keys without a certificate make room, those with one don't. */
static void makes_room_for_keys_with_a_certificate(void **state)
{
	struct keeper *keeper = keeper_new(keylock_new(KEPT_PASSPHRASE,
		strlen(KEPT_PASSPHRASE)));
	struct keeper_link link = {keeper_local, keeper, NULL};
	const struct keeper_link *before = link_;
	struct kept some;

	(void)state;
	link_ = &link;
	hold(&root, "1");
	for (int i = 0; i < KEEPER_KEYS_MAX + 5; i++) {
		make(&some, KEY_ROLE_INTERMEDIATE);
		drop(&some);
	}
	hold(&inter, "2");
	make_ca(&some, KEY_ROLE_INTERMEDIATE, &root, "3");
	drop(&some);
	link_ = before;
	keeper_free(keeper);
}

/* --- what is no question ------------------------------------------------ */

enum { MOST = 16 };

/* The questions that were asked, as they went by. */
static struct {
	struct keeper_frame *frame; /* owned */
} seen[MOST];
static size_t num_seen;

static int note(void *arg, struct keeper_frame *frame, char *why,
	size_t why_size)
{
	assert_true(num_seen < MOST);
	seen[num_seen].frame = malloc(sizeof(*frame));
	assert_non_null(seen[num_seen].frame);
	memcpy(seen[num_seen++].frame, frame, sizeof(*frame));
	return keeper_local(arg, frame, why, why_size);
}

/* ask_all asks one good question of each kind. */
static void ask_all(const struct keeper_link *link)
{
	static const struct csr_order csr = {.common_name = "x"};
	struct crl_entry entry = {.serial = {1}, .serial_len = 1, .at = 1000};
	struct crl_order crl = {.number = 1, .until = time(NULL) + DAY,
		.revoked = &entry, .num_revoked = 1};
	CRYPTO_BUFFER *locked, *spki;
	struct keeper_issued issued;
	struct keeper_held held;
	struct leaf *leaf;
	struct ca *ca;

	assert_int_equal(keeper_issue(link, inter.id, 1, &issued, err,
		sizeof(err)), 0);
	CRYPTO_BUFFER_free(issued.cert);
	CRYPTO_BUFFER_free(issued.crl);
	EVP_PKEY_free(issued.key);
	assert_int_equal(keeper_make_key(link, KEY_EC_P256, KEY_ROLE_ROOT,
		&locked, &spki, err, sizeof(err)), 0);
	CRYPTO_BUFFER_free(locked);
	CRYPTO_BUFFER_free(spki);
	assert_int_equal(keeper_hold(link, der_of(flat.locked), flat.role,
		der_of(flat.cert), "4", &held, err, sizeof(err)), 0);
	CRYPTO_BUFFER_free(must(keeper_request(link, bare.id, &csr, err,
		sizeof(err))));
	CRYPTO_BUFFER_free(must(keeper_mint(link, inter.id, root.id, "00",
		none, err, sizeof(err))));
	assert_int_equal(ca_new_kept(der_of(flat.cert), link, NULL, 0, "4",
		&ca, err, sizeof(err)), 0);
	assert_int_equal(forge(ca, &leaf), 0);
	leaf_free(leaf);
	CRYPTO_BUFFER_free(must(crl_make(ca, &crl, err, sizeof(err))));
	ca_unref(ca);
}

static void ask(struct keeper_frame *frame, enum keeper_status status)
{
	uint32_t kind = frame->kind;

	keeper_answer(kept_keeper(), frame);
	assert_true(frame_ok(frame));
	assert_int_equal(frame->kind, kind);
	assert_int_equal(frame->status, status);
	assert_int_equal(ERR_peek_error(), 0);
}

/* A CRL's list ends where the frame does: cut between two entries it is good,
 * but shorter. */
static bool may_be_cut(const struct keeper_frame *frame, uint32_t len)
{
	return frame->kind == KEEPER_CRL &&
		len == frame->len - (2 + 1 + 8);
}

static void refuses_every_truncation(void **state)
{
	struct keeper_link noting = {note, kept_keeper(), "noting"};
	struct keeper_frame *frame = malloc(sizeof(*frame));

	(void)state;
	assert_non_null(frame);
	ask_all(&noting);
	assert_int_equal(num_seen, KEEPER_CRL); /* one of each kind */
	for (size_t i = 0; i < num_seen; i++) {
		const struct keeper_frame *good = seen[i].frame;

		for (uint32_t len = 0; len < good->len; len++) {
			memcpy(frame, good, sizeof(*frame));
			frame->len = len;
			ask(frame, may_be_cut(good, len) ? KEEPER_DONE :
				KEEPER_REFUSED);
		}
		memcpy(frame, good, sizeof(*frame));
		frame->len++; /* nor with anything behind it */
		ask(frame, KEEPER_REFUSED);
		free(seen[i].frame);
	}
	num_seen = 0;
	free(frame);
}

static void refuses_garbage(void **state)
{
	struct keeper_frame *frame = calloc(1, sizeof(*frame));
	static const uint32_t kinds[] = {0, KEEPER_FORGET + 1, 9999, UINT32_MAX};

	(void)state;
	assert_non_null(frame);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		memset(frame, 0, sizeof(*frame));
		frame->version = KEEPER_VERSION;
		frame->kind = kinds[i];
		ask(frame, KEEPER_REFUSED);
		assert_non_null(strstr((char *)frame->body, "does not know"));
	}
	for (uint32_t kind = KEEPER_MAKE_KEY; kind <= KEEPER_FORGET; kind++) {
		memset(frame, 0xff, sizeof(*frame));
		frame->version = KEEPER_VERSION;
		frame->kind = kind;
		frame->status = KEEPER_ASKED;
		frame->len = KEEPER_BODY;
		ask(frame, KEEPER_REFUSED);
		frame->version = KEEPER_VERSION + 1; /* of another time */
		frame->kind = kind;
		frame->status = KEEPER_ASKED;
		ask(frame, KEEPER_REFUSED);
		frame->kind = kind; /* an answer is no question */
		frame->status = KEEPER_DONE;
		ask(frame, KEEPER_REFUSED);
		frame->kind = kind;
		frame->status = KEEPER_ASKED;
		frame->len = KEEPER_BODY + 1;
		ask(frame, KEEPER_REFUSED);
	}
	free(frame);
}

/* The other way round: an answer that is not one. */
static int babble(void *arg, struct keeper_frame *frame, char *why,
	size_t why_size)
{
	(void)why;
	(void)why_size;
	frame->status = KEEPER_DONE;
	frame->len = 1;
	if (arg)
		frame->kind++;
	return 0;
}

static int nobody(void *arg, struct keeper_frame *frame, char *why,
	size_t why_size)
{
	(void)arg;
	(void)frame;
	snprintf(why, why_size, "nobody is there");
	return -1;
}

static void believes_no_answer_that_makes_no_sense(void **state)
{
	static const struct csr_order csr = {.common_name = "x"};
	static int yes;
	const struct keeper_link links[] = {
		{babble, NULL, "x"}, {babble, &yes, "x"}, {nobody, NULL, "x"}};
	static const char *const why[] = {"makes no sense", "makes no sense",
		"nobody is there"};
	CRYPTO_BUFFER *locked, *spki;
	struct keeper_issued issued;
	struct keeper_held held;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(keeper_make_key(&links[i], KEY_EC_P256,
			KEY_ROLE_ROOT, &locked, &spki, err, sizeof(err)), -1);
		refused(NULL, why[i]);
		assert_int_equal(keeper_hold(&links[i], none, KEY_ROLE_ROOT,
			none, "1", &held, err, sizeof(err)), -1);
		refused(NULL, why[i]);
		assert_int_equal(keeper_issue(&links[i], root.id, 1, &issued,
			err, sizeof(err)), -1);
		refused(issued.cert, why[i]);
		refused(keeper_request(&links[i], root.id, &csr, err,
			sizeof(err)), why[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_every_kind_of_key),
		cmocka_unit_test(refuses_to_make_what_is_none),
		cmocka_unit_test(says_what_it_does_not_hold),
		cmocka_unit_test(says_that_the_passphrase_is_another),
		cmocka_unit_test(locks_older_keys_anew),
		cmocka_unit_test(goes_by_the_role_that_is_sealed_in),
		cmocka_unit_test(signs_requests),
		cmocka_unit_test(knows_only_what_it_holds),
		cmocka_unit_test(mints_by_role),
		cmocka_unit_test(mints_only_under_the_root),
		cmocka_unit_test(mints_anew_under_the_same_name),
		cmocka_unit_test(issues),
		cmocka_unit_test(issues_not_under_everything),
		cmocka_unit_test(issues_no_more_than_the_rules_have),
		cmocka_unit_test(issues_again_when_the_time_is_over),
		cmocka_unit_test(signs_leaves),
		cmocka_unit_test(signs_no_leaves_with_the_others),
		cmocka_unit_test(holds_leaves_against_the_rules),
		cmocka_unit_test(signs_crls),
		cmocka_unit_test(refuses_crls),
		cmocka_unit_test(signs_no_crl_of_a_ca_that_may_not),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(refuses_garbage),
		cmocka_unit_test(believes_no_answer_that_makes_no_sense),
		cmocka_unit_test(forgets),
		cmocka_unit_test(makes_room_for_keys_with_a_certificate),
		cmocka_unit_test(mints_no_name_that_nobody_gave),
		/* the last: it leaves none for others */
		cmocka_unit_test(mints_no_more_than_can_be_needed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
