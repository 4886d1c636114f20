#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "proxy/admin/cert_json.h"
#include "tests/support/lab.h"

static struct store_ca row = {.id = 7};
static json_t *json;

static int set_up_all(void **state)
{
	(void)state;
	lab_make_root("root", "rsa:2048", LAB_CA_EXT);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(json);
	json = NULL;
	CRYPTO_BUFFER_free(row.cert);
	CRYPTO_BUFFER_free(row.csr);
	row.cert = row.csr = NULL;
	return 0;
}

static int end_all(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static void show(const char *file)
{
	row.cert = lab_cert(file);
	json = cert_json(&row);
	assert_non_null(json);
	assert_int_equal(ERR_peek_error(), 0);
}

static const char *text_at(const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static void shows_what_is_there(void **state)
{
	(void)state;
	lab_make("sub", "ec384", "/C=CH/ST=ZH/L=Z\xc3\xbcrich/O=A\\+B, Inc./"
		"OU=IT/OU=Web/CN=Sub", "root", "sha512",
		"basicConstraints=critical,CA:TRUE,pathlen:0\n");
	show("sub.pem");
	assert_int_equal(json_integer_value(json_object_get(json, "certId")),
		7);
	assert_string_equal(text_at("commName"), "Sub");
	assert_string_equal(text_at("orgName"), "A+B, Inc.");
	assert_string_equal(text_at("deptName"), "IT"); /* the first */
	assert_string_equal(text_at("city"), "Z\xc3\xbcrich");
	assert_string_equal(text_at("state"), "ZH");
	assert_string_equal(text_at("country"), "CH");
	assert_string_equal(text_at("keyType"), "EC_P384");
	assert_int_equal(json_integer_value(json_object_get(json, "keySize")),
		384);
	assert_string_equal(text_at("signatureAlgorithm"), "SHA512");
	assert_true(json_is_integer(json_object_get(json,
		"pathLengthConstraint")));
	assert_int_equal(json_integer_value(json_object_get(json,
		"pathLengthConstraint")), 0);
	assert_null(json_object_get(json, "crlDistributionPoints"));
}

static void leaves_out_what_is_not(void **state)
{
	(void)state;
	lab_make("bare", "rsa:2048", "/CN=Bare", "root", "sha256", "");
	show("bare.pem");
	assert_null(json_object_get(json, "orgName"));
	assert_null(json_object_get(json, "pathLengthConstraint"));
	assert_string_equal(text_at("keyType"), "RSA_2K");
	assert_string_equal(text_at("issuer"), "CN=root,O=Lab");
}

/* patch puts other bytes of the same length into a certificate: who signs what
 * openssl would not write? Nothing here looks at the signature. */
static void patch(const char *from, const char *to, const char *with,
	size_t len)
{
	CRYPTO_BUFFER *cert = lab_cert(from);
	size_t size = CRYPTO_BUFFER_len(cert);
	uint8_t *der = malloc(size), *at = der, *found;
	CRYPTO_BUFFER *made;

	assert_non_null(der);
	memcpy(der, CRYPTO_BUFFER_data(cert), size);
	while ((found = memmem(at, size - (size_t)(at - der), to, len))) {
		memcpy(found, with, len);
		at = found + len;
	}
	assert_ptr_not_equal(at, der);
	made = CRYPTO_BUFFER_new(der, size, NULL);
	lab_write_pem("patched.pem", made);
	CRYPTO_BUFFER_free(made);
	CRYPTO_BUFFER_free(cert);
	free(der);
}

static void stands_any_bytes(void **state)
{
	char *text;

	(void)state;
	lab_make("odd", "ec", "/O=OOOOOOOO/CN=CCCCCCCC", "root", "sha256", "");
	/* not UTF-8, in what says that it is */
	patch("odd.pem", "OOOOOOOO", "A\xff\xfe\x80\"\\\n\x01", 8);
	show("patched.pem");
	text = json_dumps(json, 0);
	assert_non_null(text);
	assert_non_null(strstr(text, "A\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
		"\\\"\\\\\\n\\u0001"));
	free(text);
	(void)tear_down(NULL);
	/* a NUL in the middle: it is not the end */
	patch("odd.pem", "CCCCCCCC", "a.test\0x", 8);
	show("patched.pem");
	assert_int_equal(json_string_length(json_object_get(json, "commName")),
		8);
	(void)tear_down(NULL);
	/* in the issuer's name, too */
	patch("odd.pem", "root", "r\xff\xfet", 4);
	show("patched.pem");
	assert_string_equal(text_at("issuer"), "r??t");
}

static void shows_other_alphabets(void **state)
{
	(void)state;
	lab_text("latin.cnf", "[req]\ndistinguished_name=dn\nprompt=no\n"
		"string_mask=default\n[dn]\nCN=x\nO=Z\xfcrich\n");
	lab_run("openssl req -new -key root.key -config latin.cnf -out l.csr;"
		"openssl x509 -req -in l.csr -CA root.pem -CAkey root.key "
		"-CAcreateserial -days 9 -out latin.pem");
	show("latin.pem"); /* a T61String or a BMPString */
	assert_string_equal(text_at("orgName"), "Z\xc3\xbcrich");
}

static void lists_crl_points(void **state)
{
	const json_t *list;

	(void)state;
	lab_make("cdp", "ec", "/CN=x", "root", "sha256",
		"crlDistributionPoints=a,b\n[a]\nfullname=URI:http://a/1,"
		"DNS:b.test,URI:ldap://c/2\n[b]\nrelativename=r\n[r]\n"
		"CN=rel\n");
	show("cdp.pem");
	list = json_object_get(json, "crlDistributionPoints");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(json_array_get(list, 0)),
		"http://a/1");
	assert_string_equal(json_string_value(json_array_get(list, 1)),
		"ldap://c/2");
}

static void shows_pss_by_its_name(void **state)
{
	(void)state;
	lab_run("openssl req -new -key root.key -subj /CN=p -out p.csr;"
		"openssl x509 -req -in p.csr -CA root.pem -CAkey root.key "
		"-CAcreateserial -days 9 -sigopt rsa_padding_mode:pss "
		"-out pss.pem");
	show("pss.pem");
	assert_string_equal(text_at("signatureAlgorithm"), "RSASSA-PSS");
}

static void shows_requests(void **state)
{
	uint8_t der[4096];
	char *text;
	size_t len;

	(void)state;
	lab_make_key("k", "ec");
	lab_text("r.cnf", "[req]\ndistinguished_name=dn\n[dn]\n[ext]\n"
		"basicConstraints=critical,CA:TRUE,pathlen:3\n");
	lab_run("openssl req -new -sha384 -key k.key -subj /C=CH/CN=x -config "
		"r.cnf -reqexts ext -outform DER -out r.der");
	text = lab_read("r.der", &len);
	assert_true(len < sizeof(der));
	memcpy(der, text, len);
	free(text);
	snprintf(row.csr_file, sizeof(row.csr_file), "r.csr");
	row.csr = CRYPTO_BUFFER_new(der, len, NULL);
	json = cert_json_csr(&row);
	assert_non_null(json);
	assert_int_equal(ERR_peek_error(), 0);
	assert_string_equal(text_at("csrFileName"), "r.csr");
	assert_string_equal(text_at("commName"), "x");
	assert_string_equal(text_at("country"), "CH");
	assert_string_equal(text_at("signatureAlgorithm"), "SHA384");
	assert_int_equal(json_integer_value(json_object_get(json,
		"pathLengthConstraint")), 3);
	lab_text("shown.csr", text_at("csr"));
	lab_run("openssl req -in shown.csr -outform DER | cmp - r.der");
}

static void refuses_what_is_none(void **state)
{
	(void)state;
	row.cert = CRYPTO_BUFFER_new((const uint8_t *)"0\0", 2, NULL);
	row.csr = CRYPTO_BUFFER_new((const uint8_t *)"0\0", 2, NULL);
	assert_null(cert_json(&row));
	assert_null(cert_json_csr(&row));
	assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(shows_what_is_there),
		TEST(leaves_out_what_is_not),
		TEST(stands_any_bytes),
		TEST(shows_other_alphabets),
		TEST(lists_crl_points),
		TEST(shows_pss_by_its_name),
		TEST(shows_requests),
		TEST(refuses_what_is_none),
	};

	return cmocka_run_group_tests(tests, set_up_all, end_all);
}
