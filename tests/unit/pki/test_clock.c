/* A clock that is wrong for a while costs nothing that lasts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "pki/authority.h"
#include "pki/revoke.h"
#include "pki/x509.h"
#include "tests/support/kept.h"
#include "tests/support/lab.h"

enum { DAY = 24 * 3600 };

static char err[1024];
static struct authority_options options;
static time_t ahead; /* of the true time */

/* The library's clock, too: this program's definition comes first. */
time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec + ahead;
	return now.tv_sec + ahead;
}

static int set_up(void **state)
{
	(void)state;
	ahead = 0;
	lab_run("rm -f sallyport.db root.pem");
	options = (struct authority_options){
		.state = lab_folder(),
		.crl_base = "http://127.0.0.1:8080",
		.link = kept_link(),
		.rotate_s = KEPT_ROTATE_S,
		.validity_s = KEPT_VALIDITY_S,
	};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	kept_end();
	lab_end();
	return 0;
}

static struct authority *open_after(struct authority *before)
{
	struct authority *authority;

	options.before = before;
	if (authority_open(&options, &authority, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	authority_free(before);
	return authority;
}

static struct ca *signer_of(const struct authority *authority)
{
	const char *why = "";
	struct ca *ca = authority_issuer(authority, NULL, &why);

	if (!ca)
		fail_msg("%s", why);
	return ca;
}

static void revoke(const char *key_id)
{
	struct life life = {.options = &options, .who = "test", .err = err,
		.err_size = sizeof(err)};

	if (revoke_issuing(&life, key_id) != LIFE_OK)
		fail_msg("%s", err);
}

/* says_revoked: the intermediate's CRL has one entry, and the revoked CA's own
 * CRL is still given. */
static void says_revoked(const struct authority *authority, const char *key_id)
{
	time_t until;
	CRYPTO_BUFFER *crl = authority_crl(authority, "1", &until);

	assert_non_null(crl);
	lab_write("crl.der", CRYPTO_BUFFER_data(crl), CRYPTO_BUFFER_len(crl));
	CRYPTO_BUFFER_free(crl);
	lab_run("openssl crl -inform DER -in crl.der -noout -text");
	assert_non_null(strstr(lab_said(), "Serial Number:"));
	crl = authority_crl(authority, key_id, &until);
	assert_non_null(crl);
	CRYPTO_BUFFER_free(crl);
}

static void keeps_what_was_revoked(void **state)
{
	struct authority *a = open_after(NULL);
	char id[64];

	(void)state;
	snprintf(id, sizeof(id), "%s", ca_id(signer_of(a)));
	revoke(id);
	a = open_after(a);
	says_revoked(a, id);
	ahead = 60 * DAY; /* beyond its end */
	a = open_after(a);
	ahead = 0;
	a = open_after(a);
	says_revoked(a, id);
	authority_free(a);
}

static void signs_with_nothing_of_the_future(void **state)
{
	struct authority *a = open_after(NULL);

	(void)state;
	ahead = 40 * DAY;
	a = open_after(a);
	assert_true(ca_not_before(signer_of(a)) > time(NULL) - ahead);
	ahead = 0;
	a = open_after(a);
	assert_true(ca_not_before(signer_of(a)) <= time(NULL));
	authority_free(a);
}

/* Three years on, the intermediate is signed anew. */
static void keeps_what_was_made_anew(void **state)
{
	struct authority *a = open_after(NULL);
	const char *text = authority_root_pem(a);
	char *root = strdup(text);

	(void)state;
	ahead = 1070 * DAY;
	a = open_after(a);
	ahead = 0;
	a = open_after(a);
	assert_non_null(signer_of(a));
	authority_free(a);
	a = open_after(NULL); /* nor does a restart fail */
	assert_true(ca_not_before(signer_of(a)) <= time(NULL));
	assert_string_equal(authority_root_pem(a), root);
	free(root);
	authority_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(keeps_what_was_revoked, set_up),
		cmocka_unit_test_setup(signs_with_nothing_of_the_future,
			set_up),
		cmocka_unit_test_setup(keeps_what_was_made_anew, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
