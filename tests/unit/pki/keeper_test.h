/*
 * keeper_test.h - a keeper in the test's own process, and a key of each kind
 * that it holds: a root, an intermediate CA below it, one that nobody trusts,
 * one that may have no CA below it, and one without a certificate.
 *
 * They are made once a program, by set_up; a test that issues or mints by the
 * dozen makes keys of its own, as the keeper lets each do so only so often.
 */
#ifndef TESTS_UNIT_PKI_KEEPER_TEST_H
#define TESTS_UNIT_PKI_KEEPER_TEST_H

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

/* refused wants nothing made, and this in err. */
static inline void refused(const void *made, const char *why)
{
	assert_null(made);
	if (!strstr(err, why))
		fail_msg("no '%s' in: %s", why, err);
	assert_int_equal(ERR_peek_error(), 0);
	err[0] = '\0';
}

/* must gives what was made, if it was. */
static inline void *must(void *made)
{
	if (!made)
		fail_msg("%s", err);
	assert_int_equal(ERR_peek_error(), 0);
	return made;
}

/* hold has the keeper hold it, with its certificate where it has one. */
static inline void hold(struct kept *key, const char *id)
{
	struct keeper_held held;

	if (keeper_hold(link_, der_of(key->locked), key->role,
		    key->cert ? der_of(key->cert) : none, id, &held, err,
		    sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_null(held.relocked);
	memcpy(key->id, held.key_id, CA_KEY_ID);
}

/* make makes a key that is held, without a certificate; drop frees it. */
static inline void make(struct kept *key, enum key_role role)
{
	memset(key, 0, sizeof(*key));
	key->role = role;
	if (keeper_make_key(link_, KEY_EC_P256, role, &key->locked, &key->spki,
		    err, sizeof(err)) != 0)
		fail_msg("%s", err);
	hold(key, "0");
}

static inline void drop(struct kept *key)
{
	CRYPTO_BUFFER_free(key->locked);
	CRYPTO_BUFFER_free(key->spki);
	CRYPTO_BUFFER_free(key->cert);
	memset(key, 0, sizeof(*key));
}

/* make_ca makes a key and has it minted under another. */
static inline void make_ca(struct kept *key, enum key_role role,
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
static inline CRYPTO_BUFFER *with_path_len(const struct kept *key,
	const char *ext)
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

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
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

static inline struct ca *ca_of(const struct kept *key, const char *id)
{
	struct ca *ca;

	if (ca_new_kept(der_of(key->cert), link_, NULL, 0, id, &ca, err,
		    sizeof(err)) != 0)
		fail_msg("%s", err);
	return ca;
}

/* issue_once has an issuing CA made, and drops it. */
static inline int issue_once(const struct kept *under)
{
	struct keeper_issued made;
	int result = keeper_issue(link_, under->id, 1, &made, err,
		sizeof(err));

	CRYPTO_BUFFER_free(made.cert);
	CRYPTO_BUFFER_free(made.crl);
	EVP_PKEY_free(made.key);
	return result;
}

/* forge makes a leaf by the CA: *out, to be freed. */
static inline int forge(struct ca *ca, struct leaf **out)
{
	struct leaf_order order = {
		.ca = ca, .keys = leafkeys, .name = "a.test",
		.now = time(NULL), .validity_s = KEPT_VALIDITY_S,
		.crl_base = "http://elsewhere.test",
	};

	return forge_leaf(&order, out, err, sizeof(err));
}

#endif
