#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/tools/bundle.h"
#include "proxy/tools/jks.h"
#include "proxy/tools/pkcs12.h"
#include "tests/support/lab.h"

static char err[1024];

/* Three roots: 1.pem, 2.pem, 3.pem, and all of them, all.pem. */
static int make_roots(void **state)
{
	(void)state;
	for (int i = 1; i <= 3; i++) {
		char name[8];

		snprintf(name, sizeof(name), "%d", i);
		lab_make_root(name, "ec", LAB_CA_EXT);
	}
	lab_run("cat 1.pem 2.pem 3.pem >all.pem");
	return 0;
}

static int end(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static struct bundle *all_three(void)
{
	struct bundle *bundle = bundle_new();

	assert_int_equal(bundle_add_file(bundle, lab_path("all.pem"), NULL,
		err, sizeof(err)), 0);
	assert_int_equal(bundle_num(bundle), 3);
	return bundle;
}

static void same(const struct bundle *one, const struct bundle *other)
{
	assert_int_equal(bundle_num(one), bundle_num(other));
	for (size_t i = 0; i < bundle_num(one); i++) {
		struct der a = bundle_at(one, i), b = bundle_at(other, i);

		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.at, b.at, a.len);
	}
}

/* add reads a file; how many certificates there are then. */
static size_t add(struct bundle *bundle, const char *name)
{
	err[0] = '\0';
	(void)!bundle_add_file(bundle, lab_path(name), NULL, err,
		sizeof(err));
	return bundle_num(bundle);
}

static void none_twice(void **state)
{
	struct bundle *bundle = all_three();

	(void)state;
	assert_int_equal(add(bundle, "all.pem"), 3);
	assert_int_equal(add(bundle, "2.pem"), 3);
	bundle_free(bundle);
}

static void one_that_is_damaged_costs_no_other(void **state)
{
	struct bundle *bundle = bundle_new();

	(void)state;
	lab_run("{ echo words; echo -----BEGIN CERTIFICATE-----; echo '!!!'; "
		"echo -----END CERTIFICATE-----; cat 1.pem; "
		"echo -----BEGIN CERTIFICATE-----; echo AAAA; } >odd.pem");
	assert_int_equal(add(bundle, "odd.pem"), 1);
	bundle_free(bundle);
}

static void reads_every_form(void **state)
{
	struct bundle *bundle = bundle_new(), *other = bundle_new();

	(void)state;
	lab_run("openssl x509 -in 1.pem -outform DER -out 1.der");
	lab_run("openssl pkcs12 -export -nokeys -in all.pem -out all.p12 "
		"-passout pass:changeit");
	lab_run("openssl pkcs12 -export -nokeys -in 3.pem -out other.p12 "
		"-passout pass:other");
	assert_int_equal(add(bundle, "1.der"), 1);
	assert_int_equal(add(bundle, "all.p12"), 3);
	assert_int_equal(add(other, "other.p12"), 0);
	assert_non_null(strstr(err, "other.p12: no certificate is in it"));
	assert_int_equal(bundle_add_file(other, lab_path("other.p12"),
		"other", err, sizeof(err)), 0);
	assert_int_equal(bundle_num(other), 1);
	bundle_free(bundle);
	bundle_free(other);
}

/* As Java has its own roots from 18 on. */
static void reads_pkcs12_without_password(void **state)
{
	struct bundle *bundle = bundle_new();
	size_t len, num;
	char *data;

	(void)state;
	lab_run("openssl pkcs12 -export -nokeys -in all.pem -out open.p12 "
		"-certpbe NONE -nomac -passout pass:");
	data = lab_read("open.p12", &len);
	assert_int_equal(pkcs12_read(bundle, (uint8_t *)data, len, NULL,
		&num), 0);
	assert_int_equal(num, 3);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(pkcs12_read(bundle, (uint8_t *)data, cut,
			NULL, &num), -1);
	free(data);
	bundle_free(bundle);
}

static void says_what_is_none(void **state)
{
	struct bundle *bundle = bundle_new();

	(void)state;
	lab_text("none", "hello\n");
	assert_int_equal(add(bundle, "none"), 0);
	assert_non_null(strstr(err, "none: no certificate is in it"));
	lab_text("empty", "");
	assert_int_equal(add(bundle, "empty"), 0);
	assert_non_null(strstr(err, "empty: no certificate"));
	assert_int_equal(bundle_add_file(bundle, "/dev/zero", NULL, err,
		sizeof(err)), -1);
	assert_string_equal(err, "/dev/zero: is no file");
	assert_int_equal(bundle_add_file(bundle, "/no/such", NULL, err,
		sizeof(err)), -1);
	assert_string_equal(err, "/no/such: No such file or directory");
	bundle_free(bundle);
}

static void reads_folders(void **state)
{
	struct bundle *bundle = bundle_new();

	(void)state;
	lab_run("mkdir certs && cp 1.pem 2.pem 1.key certs && mkdir certs/x");
	assert_int_equal(add(bundle, "certs"), 2);
	assert_int_equal(add(bundle, "certs/x"), 2);
	assert_non_null(strstr(err, "x: no certificate is in any"));
	bundle_free(bundle);
}

static void has_a_limit(void **state)
{
	struct bundle *bundle = bundle_new();
	uint8_t der[] = {0x30, 0x04, 0x30, 0x02, 0, 0};
	struct der cert = {der, sizeof(der)};

	(void)state;
	for (unsigned i = 0; i < BUNDLE_CERTS_MAX; i++) {
		der[4] = (uint8_t)(i >> 8);
		der[5] = (uint8_t)i;
		assert_int_equal(bundle_add(bundle, cert), 0);
	}
	assert_int_equal(bundle_add(bundle, cert), 0); /* it is there */
	der[4] = 0xff;
	assert_int_equal(bundle_add(bundle, cert), -1);
	bundle_free(bundle);
}

static uint8_t *store_of(const struct bundle *bundle, size_t *out_len)
{
	uint8_t *store = jks_write(bundle, NULL, 1700000000000, out_len);

	assert_true(jks_is(store, *out_len));
	return store;
}

static void jks_comes_back(void **state)
{
	struct bundle *bundle = all_three(), *again = bundle_new();
	size_t len, num;
	uint8_t *store = store_of(bundle, &len);

	(void)state;
	/* Cut anywhere it is damaged, and no more than that. */
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(jks_read(again, store, cut, &num), -1);
	assert_int_equal(jks_read(again, store, len, &num), 0);
	assert_int_equal(num, 3);
	same(bundle, again);
	free(store);
	bundle_free(bundle);
	bundle_free(again);
}

/* keytool is the second opinion, both ways. */
static void keytool_agrees(void **state)
{
	struct bundle *bundle = all_three(), *again = bundle_new();
	size_t len;
	uint8_t *store = store_of(bundle, &len);

	(void)state;
	lab_write("ours.jks", store, len);
	free(store);
	if (lab_try("command -v keytool") != 0)
		print_message("[  not run ] no keytool\n");
	else {
		lab_run("keytool -list -rfc -storepass changeit "
			"-keystore ours.jks >said");
		assert_int_equal(add(again, "said"), 3);
		same(bundle, again);
		assert_int_not_equal(lab_try("keytool -list -storepass other "
			"-keystore ours.jks"), 0);
		lab_run("keytool -importkeystore -noprompt -srckeystore "
			"ours.jks -srcstorepass changeit -deststorepass "
			"sesame -destkeystore theirs.jks -deststoretype JKS && "
			"keytool -genkeypair -keyalg EC -alias key -dname CN=x "
			"-keystore theirs.jks -storepass sesame -keypass "
			"sesame");
		bundle_free(again);
		again = bundle_new();
		assert_int_equal(add(again, "theirs.jks"), 3);
	}
	bundle_free(bundle);
	bundle_free(again);
}

static void pem_comes_back(void **state)
{
	struct bundle *bundle = all_three(), *again = bundle_new();
	size_t len;
	char *out = bundle_pem(bundle, &len);

	(void)state;
	assert_int_equal(strlen(out), len);
	assert_int_equal(bundle_add_pem(again, out, len), 3);
	same(bundle, again);
	free(out);
	bundle_free(bundle);
	bundle_free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_twice),
		cmocka_unit_test(one_that_is_damaged_costs_no_other),
		cmocka_unit_test(reads_every_form),
		cmocka_unit_test(reads_pkcs12_without_password),
		cmocka_unit_test(says_what_is_none),
		cmocka_unit_test(reads_folders),
		cmocka_unit_test(has_a_limit),
		cmocka_unit_test(jks_comes_back),
		cmocka_unit_test(keytool_agrees),
		cmocka_unit_test(pem_comes_back),
	};

	return cmocka_run_group_tests(tests, make_roots, end);
}
