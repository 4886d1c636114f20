#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "pki/estate.h"
#include "pki/foundation.h"
#include "pki/mint.h"
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
		.state = lab_folder(), .crl_base = "http://127.0.0.1:8080",
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static void ok(int result)
{
	if (result != 0)
		fail_msg("%s", err);
}

/* age signs a row anew so that it ends at that time. */
static void age(int64_t id, time_t until)
{
	struct estate estate;
	const struct store_ca *row;
	struct mint_order order = {.path_len = -1, .from = until - 99 * DAY,
		.until = until};
	struct cert cert;
	CRYPTO_BUFFER *made;

	ok(estate_open(&options, &estate, err, sizeof(err)));
	row = estate_find(&estate, id);
	assert_non_null(row);
	ok(estate_key(&estate, row, &order.key, err, sizeof(err)));
	ok(cert_read(der_of(row->cert), &cert));
	order.subject = cert.subject;
	if (row->parent != 0)
		ok(estate_ca(&estate, estate_find(&estate, row->parent),
			&order.issuer, err, sizeof(err)));
	made = mint_ca(&order);
	ok(store_set_cert(estate.store, id, made, row->chain, err,
		sizeof(err)));
	ok(estate_commit(&estate, err, sizeof(err)));
	CRYPTO_BUFFER_free(made);
	EVP_PKEY_free(order.key);
	ca_unref(order.issuer);
	estate_close(&estate);
}

static void assert_ends_in(const struct ca *ca, time_t days)
{
	time_t left = ca_not_after(ca) - time(NULL);

	assert_true(left > (days - 1) * DAY && left <= days * DAY);
}

static void signs_anew_what_ends_soon(void **state)
{
	struct authority *authority;
	struct der ski;

	(void)state;
	age(ESTATE_INTERMEDIATE, time(NULL) + 29 * DAY);
	age(ESTATE_UNTRUSTED, time(NULL) - 5);
	ok(authority_open(&options, &authority, err, sizeof(err)));
	assert_ends_in(authority_issuer(authority), 1096);
	assert_ends_in(authority_untrusted(authority), 3653);
	ski = ca_ski(authority_issuer(authority));
	assert_int_equal(ski.len, 20);
	authority_free(authority);
}

static void leaves_alone_what_has_time(void **state)
{
	struct authority *authority;

	(void)state;
	options.crl_base = NULL; /* what age makes has no CDP */
	age(ESTATE_INTERMEDIATE, time(NULL) + 31 * DAY);
	ok(authority_open(&options, &authority, err, sizeof(err)));
	assert_ends_in(authority_issuer(authority), 31);
	authority_free(authority);
}

/* An intermediate never outlives its root, and is not signed anew for what
 * that can't give. */
static void ends_with_its_root(void **state)
{
	struct authority *one, *two;

	(void)state;
	age(ESTATE_ROOT, time(NULL) + 20 * DAY);
	age(ESTATE_INTERMEDIATE, time(NULL) + 10 * DAY);
	ok(authority_open(&options, &one, err, sizeof(err)));
	assert_ends_in(authority_issuer(one), 20);
	ok(authority_open(&options, &two, err, sizeof(err)));
	assert_memory_equal(ca_digest(authority_issuer(one)),
		ca_digest(authority_issuer(two)), 32);
	authority_free(one);
	authority_free(two);
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

static void says_when_the_brought_one_has_ended(void **state)
{
	struct authority *authority;
	struct estate estate;
	int64_t id;

	(void)state;
	lab_make_root("corp", "ec", LAB_CA_EXT);
	ok(authority_import(&options, lab_path("corp.pem"),
		lab_path("corp.key"), NULL, NULL, err, sizeof(err)));
	ok(estate_open(&options, &estate, err, sizeof(err)));
	id = estate_default(&estate)->id;
	estate_close(&estate);
	age(id, time(NULL) - 5);
	assert_int_equal(authority_open(&options, &authority, err,
		sizeof(err)), -1);
	assert_non_null(strstr(err, "'corp' has ended on"));
	assert_non_null(strstr(err, "sallyport ca import"));
	/* which does help */
	lab_make_root("corp2", "ec", LAB_CA_EXT);
	ok(authority_import(&options, lab_path("corp2.pem"),
		lab_path("corp2.key"), NULL, NULL, err, sizeof(err)));
	ok(authority_open(&options, &authority, err, sizeof(err)));
	authority_free(authority);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(signs_anew_what_ends_soon, set_up),
		cmocka_unit_test_setup(leaves_alone_what_has_time, set_up),
		cmocka_unit_test_setup(ends_with_its_root, set_up),
		cmocka_unit_test_setup(says_when_all_has_ended, set_up),
		cmocka_unit_test_setup(says_when_the_brought_one_has_ended,
			set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
