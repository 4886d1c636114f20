/*
 * authority_test.h - an authority on a state folder of its own, with a keeper
 * in the test's process; and changes to its store as others would make them.
 *
 * The folder is new for every test that begins with set_up.
 */
#ifndef TESTS_UNIT_PKI_AUTHORITY_TEST_H
#define TESTS_UNIT_PKI_AUTHORITY_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "pki/authority.h"
#include "pki/import.h"
#include "pki/leaf.h"
#include "tests/support/kept.h"
#include "tests/support/lab.h"

enum { DAY = 24 * 3600 };

static char err[512];
static struct authority_options options; /* by set_up; a test changes them */

static inline int set_up(void **state)
{
	(void)state;
	lab_end();
	options = (struct authority_options){
		.state = lab_folder(),
		.crl_base = "http://127.0.0.1:8080",
		.link = kept_link(),
		.rotate_s = KEPT_ROTATE_S,
		.validity_s = KEPT_VALIDITY_S,
	};
	kept_rules(options.crl_base);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	lab_end();
	kept_end();
	return 0;
}

static inline struct authority *open_authority(void)
{
	struct authority *authority;

	if (authority_open(&options, &authority, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(ERR_peek_error(), 0);
	return authority;
}

/* open_with has what was open before go on in it. */
static inline struct authority *open_with(const struct authority *before)
{
	options.before = before;
	return open_authority();
}

/* assert_says wants this in err. */
static inline void assert_says(const char *what)
{
	if (!strstr(err, what))
		fail_msg("no '%s' in: %s", what, err);
}

static inline struct ca *issuer_of(const struct authority *authority)
{
	const char *why = NULL;
	struct ca *ca = authority_issuer(authority, NULL, &why);

	if (!ca)
		fail_msg("%s", why);
	return ca;
}

static inline const char *id_of(const struct authority *authority)
{
	return ca_id(issuer_of(authority));
}

/* What stands between the issuing CA and the root: sent behind it. */
static inline struct der intermediate_of(const struct authority *authority)
{
	CRYPTO_BUFFER *const *sent;

	assert_int_equal(ca_sent(issuer_of(authority), &sent), 2);
	return der_of(sent[1]);
}

static inline CRYPTO_BUFFER *crl_of(const struct authority *authority,
	const char *id)
{
	time_t until;

	return authority_crl(authority, id, &until);
}

/* A change that another process would make, or time. */
static inline void set(const char *sql)
{
	char *why = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(lab_path("sallyport.db"), &db), 0);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(db);
}

static inline void write_der(const char *file, struct der der)
{
	CRYPTO_BUFFER *cert = der_buffer(der);

	lab_write_pem(file, cert);
	CRYPTO_BUFFER_free(cert);
}

static inline void write_cert(const char *file, const struct ca *ca)
{
	write_der(file, ca_cert(ca));
}

/* Leaf in leaf.pem, what is sent behind it in sent.pem, its CRL in crl.pem. */
static inline void forge(struct authority *authority, struct ca *ca)
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
	crl = crl_of(authority, ca_id(ca));
	assert_non_null(crl);
	lab_write("crl.der", CRYPTO_BUFFER_data(crl), CRYPTO_BUFFER_len(crl));
	CRYPTO_BUFFER_free(crl);
	lab_run("openssl crl -inform DER -in crl.der -out crl.pem");
	leaf_free(leaf);
	leafkeys_free(keys);
}

/* --- CAs that rules name ------------------------------------------------ */

/* bring brings a CA called name, signed by itself, which is no default. */
static inline void bring(const char *name, const char *ext)
{
	struct import_files files = {0};
	char cert[80], key[80];

	lab_make_root(name, "ec", ext);
	snprintf(cert, sizeof(cert), "%s/%s.pem", lab_folder(), name);
	snprintf(key, sizeof(key), "%s/%s.key", lab_folder(), name);
	files.cert = cert;
	files.key = key;
	if (kept_import(&options, &files, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	set("UPDATE ca SET is_default = 0; UPDATE ca SET is_default = 1 WHERE "
		"id = 1");
}

/* name is a rule that names this CA. */
static inline void name(const char *one)
{
	static const char *names[1];

	names[0] = one;
	options.names = names;
	options.num_names = 1;
}

/* warned wants a warning that says so, and none besides. */
static inline void warned(const struct authority *authority, const char *what)
{
	const char *first = authority_warning(authority, 0);

	if (!what && first)
		fail_msg("%s", first);
	if (what && (!first || !strstr(first, what)))
		fail_msg("no '%s' in: %s", what, first ? first : "nothing");
	if (what)
		assert_null(authority_warning(authority, 1));
}

#endif
