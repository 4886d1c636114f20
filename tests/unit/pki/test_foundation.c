#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "pki/estate.h"
#include "pki/foundation.h"
#include "pki/import.h"
#include "pki/mint.h"
#include "pki/x509.h"
#include "tests/support/kept.h"
#include "tests/support/lab.h"

enum { DAY = 24 * 3600 };

static char err[512];
static struct authority_options options;

static int set_up(void **state)
{
	(void)state;
	lab_end();
	options = (struct authority_options){
		.state = lab_folder(), .crl_base = "http://127.0.0.1:8080",
		.link = kept_link(), .rotate_s = KEPT_ROTATE_S,
		.validity_s = KEPT_VALIDITY_S,
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_end();
	kept_end();
	return 0;
}

static void ok(int result)
{
	if (result != 0)
		fail_msg("%s", err);
}

static EVP_PKEY *key_of(const struct store_ca *row)
{
	enum key_role role;
	EVP_PKEY *key = keylock_unlock(kept_lock(), der_of(row->key), &role);

	assert_non_null(key);
	return key;
}

/* above makes a ca of a row, which signs here. */
static struct ca *above(const struct store_ca *row)
{
	EVP_PKEY *key = key_of(row);
	struct ca *ca;

	ok(ca_new(der_of(row->cert), key, NULL, 0, "2", &ca, err,
		sizeof(err)));
	EVP_PKEY_free(key);
	return ca;
}

/* age signs a row anew so that it ends at that time. */
static void age(int64_t id, time_t until)
{
	struct estate estate;
	struct store_ca *row;
	struct ca *issuer = NULL;
	struct mint_order order = {.path_len = -1, .from = until - 99 * DAY,
		.until = until};
	CRYPTO_BUFFER *made;
	struct cert cert;

	ok(foundation_open(&options, &estate, err, sizeof(err)));
	row = estate_find(&estate, id);
	assert_non_null(row);
	order.key = key_of(row);
	ok(cert_read(der_of(row->cert), &cert));
	order.subject = cert.subject;
	if (row->parent != 0)
		order.issuer = issuer = above(estate_find(&estate,
			row->parent));
	made = mint_ca(&order);
	CRYPTO_BUFFER_free(row->cert); /* whose subject order has borrowed */
	row->cert = made;
	ok(store_save(estate.store, row, err, sizeof(err)));
	ok(estate_commit(&estate, err, sizeof(err)));
	EVP_PKEY_free(order.key);
	ca_unref(issuer);
	estate_close(&estate);
}

/* cert_of is the certificate of a row; to be freed. */
static CRYPTO_BUFFER *cert_of(int64_t id)
{
	struct estate estate;
	CRYPTO_BUFFER *cert;

	ok(estate_look(&options, &estate, err, sizeof(err)));
	cert = estate_find(&estate, id)->cert;
	CRYPTO_BUFFER_up_ref(cert);
	estate_close(&estate);
	return cert;
}

static void assert_ends_in(int64_t id, time_t days)
{
	CRYPTO_BUFFER *der = cert_of(id);
	struct cert cert;
	time_t left;

	ok(cert_read(der_of(der), &cert));
	left = cert.not_after - time(NULL);
	CRYPTO_BUFFER_free(der);
	assert_true(left > (days - 1) * DAY && left <= days * DAY);
}

static struct authority *open_authority(void)
{
	struct authority *authority;

	ok(authority_open(&options, &authority, err, sizeof(err)));
	return authority;
}

static void lays_three(void **state)
{
	static const struct {
		int64_t id, parent;
		enum store_purpose purpose;
		int path_len;
		const char *name, *type;
	} rows[] = {
		{1, 2, STORE_INTERMEDIATE, 1, "Sallyport Intermediate CA ",
			"ZSCALER"},
		{2, 0, STORE_ROOT, -1, "Sallyport Root CA ", "CUSTOM_SW"},
		{3, 0, STORE_UNTRUSTED, 0, "Sallyport Untrusted CA ",
			"CUSTOM_SW"},
	};
	struct estate estate;

	(void)state;
	authority_free(open_authority());
	ok(estate_look(&options, &estate, err, sizeof(err)));
	assert_int_equal(estate.num, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct store_ca *row = &estate.list[i];
		struct cert cert;

		assert_int_equal(row->id, rows[i].id);
		assert_int_equal(row->parent, rows[i].parent);
		assert_int_equal(row->purpose, rows[i].purpose);
		assert_int_equal(row->is_default, i == 0);
		assert_int_equal(row->state, STATE_CERT_READY);
		assert_true(row->enabled);
		assert_string_equal(row->type, rows[i].type);
		assert_string_equal(row->key_type, "EC_P256");
		assert_non_null(strstr(row->name, rows[i].name));
		ok(cert_read(der_of(row->cert), &cert));
		assert_int_equal(cert.path_len, rows[i].path_len);
		assert_true(der_same(cert.spki, der_of(row->spki)));
	}
	estate_close(&estate);
}

/* Each key is sealed with what it is for. */
static void gives_every_key_a_role(void **state)
{
	static const enum key_role roles[] = {0, KEY_ROLE_INTERMEDIATE,
		KEY_ROLE_ROOT, KEY_ROLE_UNTRUSTED};
	struct estate estate;
	enum key_role role;

	(void)state;
	authority_free(open_authority());
	ok(estate_look(&options, &estate, err, sizeof(err)));
	for (size_t i = 0; i < estate.num; i++) {
		EVP_PKEY *key = keylock_unlock(kept_lock(),
			der_of(estate.list[i].key), &role);

		assert_non_null(key);
		assert_int_equal(role, roles[estate.list[i].id]);
		EVP_PKEY_free(key);
	}
	estate_close(&estate);
}

static void signs_anew_what_ends_soon(void **state)
{
	CRYPTO_BUFFER *before, *after;
	struct cert old, new;

	(void)state;
	age(ESTATE_INTERMEDIATE, time(NULL) + 29 * DAY);
	age(ESTATE_UNTRUSTED, time(NULL) - 5);
	before = cert_of(ESTATE_INTERMEDIATE);
	authority_free(open_authority());
	assert_ends_in(ESTATE_INTERMEDIATE, 1096);
	assert_ends_in(ESTATE_UNTRUSTED, 3653);
	after = cert_of(ESTATE_INTERMEDIATE);
	ok(cert_read(der_of(before), &old));
	ok(cert_read(der_of(after), &new));
	assert_int_equal(new.ski.len, 20);
	assert_true(der_same(old.subject, new.subject));
	assert_true(der_same(old.spki, new.spki));
	assert_int_equal(new.path_len, 1);
	CRYPTO_BUFFER_free(before);
	CRYPTO_BUFFER_free(after);
}

static void leaves_alone_what_has_time(void **state)
{
	(void)state;
	options.crl_base = NULL; /* what age makes has no CDP */
	age(ESTATE_INTERMEDIATE, time(NULL) + 31 * DAY);
	authority_free(open_authority());
	assert_ends_in(ESTATE_INTERMEDIATE, 31);
}

/* An intermediate never outlives its root, and is not signed anew for what
 * that can't give. */
static void ends_with_its_root(void **state)
{
	CRYPTO_BUFFER *one, *two;

	(void)state;
	age(ESTATE_ROOT, time(NULL) + 20 * DAY);
	age(ESTATE_INTERMEDIATE, time(NULL) + 10 * DAY);
	authority_free(open_authority());
	assert_ends_in(ESTATE_INTERMEDIATE, 20);
	one = cert_of(ESTATE_INTERMEDIATE);
	authority_free(open_authority());
	two = cert_of(ESTATE_INTERMEDIATE);
	assert_true(der_same(der_of(one), der_of(two)));
	CRYPTO_BUFFER_free(one);
	CRYPTO_BUFFER_free(two);
}

static void says_when_all_has_ended(void **state)
{
	struct authority *authority;
	struct authority_view view;
	struct cert cert;

	(void)state;
	age(ESTATE_INTERMEDIATE, time(NULL) - 5);
	age(ESTATE_ROOT, time(NULL) - 5);
	assert_int_equal(authority_open(&options, &authority, err,
		sizeof(err)), -1);
	assert_non_null(strstr(err, "has ended on"));
	assert_non_null(strstr(err, "move sallyport.db"));
	/* but one can see that */
	ok(authority_look(&options, &view, err, sizeof(err)));
	ok(cert_read(der_of(view.cert), &cert));
	assert_true(cert.not_after < time(NULL));
	authority_view_clear(&view);
}

static void import(const char *cert, const char *key)
{
	const struct import_files files = {
		.cert = lab_path(cert), .key = lab_path(key),
	};

	ok(kept_import(&options, &files, err, sizeof(err)));
}

static void says_when_the_brought_one_has_ended(void **state)
{
	struct authority *authority;
	struct estate estate;
	int64_t id;

	(void)state;
	lab_make_root("corp", "ec", LAB_CA_EXT);
	import("corp.pem", "corp.key");
	ok(foundation_open(&options, &estate, err, sizeof(err)));
	id = estate_default(&estate)->id;
	estate_close(&estate);
	age(id, time(NULL) - 5);
	assert_int_equal(authority_open(&options, &authority, err,
		sizeof(err)), -1);
	assert_non_null(strstr(err, "'corp' has ended on"));
	assert_non_null(strstr(err, "'ca import'"));
	/* which does help */
	lab_make_root("corp2", "ec", LAB_CA_EXT);
	import("corp2.pem", "corp2.key");
	ok(authority_open(&options, &authority, err, sizeof(err)));
	authority_free(authority);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lays_three, set_up),
		cmocka_unit_test_setup(gives_every_key_a_role, set_up),
		cmocka_unit_test_setup(signs_anew_what_ends_soon, set_up),
		cmocka_unit_test_setup(leaves_alone_what_has_time, set_up),
		cmocka_unit_test_setup(ends_with_its_root, set_up),
		cmocka_unit_test_setup(says_when_all_has_ended, set_up),
		cmocka_unit_test_setup(says_when_the_brought_one_has_ended,
			set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
