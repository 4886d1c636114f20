#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/admin/states_test.h"

/* --- every call in every state ------------------------------------------ */

enum after { NO, STAYS, GONE, TO_K, TO_P, TO_C, TO_I, TO_H, TO_R };

static const struct {
	const char *method, *path, *body;
	const char *file;        /* uploaded */
	enum after after[NUM_STATES];
} calls[] = {
#define ALL(x) {x, x, x, x, x, x, x}
	{"GET", CAS "/4", NULL, NULL, ALL(STAYS)},
	{"GET", CAS "/lite/4", NULL, NULL, ALL(STAYS)},
	{"GET", CAS, NULL, NULL, ALL(STAYS)},
	{"GET", CAS "/lite", NULL, NULL, ALL(STAYS)},
	{"GET", CAS "/readyToUse", NULL, NULL, ALL(STAYS)},
	{"PUT", CAS "/4", "{}", NULL, ALL(STAYS)},
	{"PUT", CAS "/4", draft, NULL, ALL(STAYS)},
	{"PUT", CAS "/4", "{\"status\":\"DISABLED\"}", NULL, ALL(STAYS)},
	{"PUT", CAS "/4", "{\"region\":\"US\"}", NULL, ALL(NO)},
	{"PUT", CAS "/4", "{\"type\":\"CUSTOM_HSM\"}", NULL, ALL(NO)},
	{"PUT", CAS "/4", "{\"status\":\"OFF\"}", NULL, ALL(NO)},
	{"PUT", CAS "/4", "{\"name\":\"New\"}", NULL,
		{STAYS, STAYS, STAYS, STAYS, STAYS, STAYS, NO}},
	{"PUT", CAS "/4", "{\"description\":\"x\"}", NULL,
		{STAYS, STAYS, STAYS, STAYS, STAYS, STAYS, NO}},
	{"DELETE", CAS "/4", NULL, NULL, ALL(GONE)},
	{"POST", CAS "/keyPair/4", "{\"keyType\":\"EC_P384\"}", NULL,
		{TO_K, NO, NO, NO, NO, NO, NO}},
	{"GET", CAS "/downloadPublicKey/4", NULL, NULL,
		{NO, TO_P, TO_P, TO_C, TO_I, TO_H, TO_R}},
	{"POST", CAS "/generateCsr/4", wish, NULL,
		{NO, TO_C, TO_C, TO_C, NO, NO, NO}},
	{"POST", CAS "/generateCsr/4", "{}", NULL, ALL(NO)},
	{"GET", CAS "/downloadCsr/4", NULL, NULL,
		{NO, NO, NO, STAYS, STAYS, STAYS, STAYS}},
	{"GET", CAS "/showCsr/4", NULL, NULL,
		{NO, NO, NO, STAYS, STAYS, STAYS, STAYS}},
	{"POST", CAS "/uploadCert/4", NULL, "corp.pem",
		{NO, NO, NO, TO_I, TO_I, TO_I, NO}},
	{"GET", CAS "/showCert/4", NULL, NULL,
		{NO, NO, NO, NO, STAYS, STAYS, STAYS}},
	{"POST", CAS "/uploadCertChain/4", NULL, "root.pem",
		{NO, NO, NO, NO, TO_H, TO_H, NO}},
	{"POST", CAS "/finalizeCert/4", "{}", NULL,
		{NO, NO, NO, NO, TO_R, TO_R, NO}},
	{"PUT", CAS "/makeDefault/4", "{}", NULL,
		{NO, NO, NO, NO, NO, NO, TO_R}},
	{"POST", CAS "/verifyKeyAttestation/4", "{}", NULL, ALL(NO)},
	{"POST", CAS "/downloadAttestation/4", "{}", NULL, ALL(NO)},
	{"GET", CAS "/downloadAttestation/4", NULL, NULL, ALL(NO)},
};

enum { NUM_CALLS = sizeof(calls) / sizeof(*calls) };

static enum store_state state_after(enum after after, enum store_state before)
{
	static const enum store_state to[] = {
		[TO_K] = STATE_KEYGEN_DONE,
		[TO_P] = STATE_PUBKEY_DONE,
		[TO_C] = STATE_CSRGEN_DONE,
		[TO_I] = STATE_INTCERT_UPLOAD_DONE,
		[TO_H] = STATE_CERTCHAIN_UPLOAD_DONE,
		[TO_R] = STATE_CERT_READY,
	};

	return after <= GONE ? before : to[after];
}

static unsigned make_call(size_t i)
{
	if (calls[i].file)
		return upload_file(calls[i].path, calls[i].file);
	return ask(calls[i].method, calls[i].path, calls[i].body);
}

static void check_call(size_t i, enum store_state before)
{
	enum after after = calls[i].after[before];
	char *trail, *now;
	unsigned status;

	put_back(before);
	trail = audit_now();
	status = make_call(i);
	if (status != (after == NO ? 400 : after == GONE ? 204 : 200))
		fail_msg("%s %s %s in %s: %u %s", calls[i].method,
			calls[i].path, calls[i].body, states[before], status,
			body_of_reply());
	if (after == NO) {
		assert_string_equal(text_at("code"),
			"INVALID_INPUT_ARGUMENT");
		assert_true(text_at("message")[0] != '\0');
		now = audit_now();
		assert_string_equal(now, trail);
		free(now);
	}
	free(trail);
	expect(ask("GET", CAS "/4", NULL), after == GONE ? 404 : 200);
	if (after != GONE && strcmp(text_at("currentState"),
				     states[state_after(after, before)]) != 0)
		fail_msg("%s %s in %s leads to %s", calls[i].method,
			calls[i].path, states[before],
			text_at("currentState"));
}

static void goes_from_state_to_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM_CALLS; i++) {
		for (int s = 0; s < (int)NUM_STATES; s++)
			check_call(i, (enum store_state)s);
	}
}

/* The same calls for a CA that is not there: 404; and for the built-in one. */
static void knows_which_ca(void **state)
{
	char path[256];

	(void)state;
	put_back(STATE_CERT_READY);
	for (size_t i = 0; i < NUM_CALLS; i++) {
		size_t len = strlen(calls[i].path);

		if (calls[i].path[len - 1] != '4' || calls[i].file)
			continue;
		snprintf(path, sizeof(path), "%.*s99", (int)len - 1,
			calls[i].path);
		expect(ask(calls[i].method, path, calls[i].body), 404);
		assert_string_equal(text_at("code"), "RESOURCE_NOT_FOUND");
	}
	expect(upload_file(CAS "/uploadCert/99", "corp.pem"), 404);
	expect(upload_file(CAS "/uploadCertChain/99", "root.pem"), 404);
	expect(ask("GET", CAS "/99999999999999999999999", NULL), 404);
	expect(ask("GET", CAS "/0", NULL), 404);
	expect(ask("GET", CAS "/2", NULL), 404); /* it is a root */
	expect(ask("GET", CAS "/3", NULL), 404);
}

static void leaves_the_built_in_alone(void **state)
{
	static const struct {
		const char *method, *path, *body;
	} refusals[] = {
		{"PUT", CAS "/1", "{\"name\":\"x\"}"},
		{"PUT", CAS "/1", "{\"status\":\"DISABLED\"}"},
		{"DELETE", CAS "/1", NULL},
		{"POST", CAS "/keyPair/1", "{}"},
		{"GET", CAS "/downloadPublicKey/1", NULL},
		{"POST", CAS "/generateCsr/1", NULL},
		{"GET", CAS "/downloadCsr/1", NULL},
		{"GET", CAS "/showCsr/1", NULL},
		{"POST", CAS "/finalizeCert/1", NULL},
		{"POST", CAS "/verifyKeyAttestation/1", "{}"},
		{"GET", CAS "/downloadAttestation/1", NULL},
		{"POST", CAS "/downloadAttestation/1", NULL},
	};

	(void)state;
	put_back(STATE_CERT_READY);
	expect(ask("PUT", CAS "/makeDefault/4", NULL), 200);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		refused(ask(refusals[i].method, refusals[i].path,
				refusals[i].body), 403,
			"INVALID_INPUT_ARGUMENT", "built-in");
	expect(upload_file(CAS "/uploadCert/1", "corp.pem"), 403);
	expect(upload_file(CAS "/uploadCertChain/1", "root.pem"), 403);
	expect(ask("GET", CAS "/1", NULL), 200);
	assert_string_equal(text_at("type"), "ZSCALER");
	expect(ask("GET", CAS "/showCert/1", NULL), 200);
	expect(ask("PUT", CAS "/makeDefault/1", NULL), 200);
	assert_true(json_is_true(json_object_get(t.json,
		"defaultCertificate")));
}

/* --- the answers -------------------------------------------------------- */

static void has_fields(const char *const *keys)
{
	size_t num = 0;

	for (; keys[num]; num++) {
		if (!json_object_get(t.json, keys[num]))
			fail_msg("no %s in %s", keys[num], body_of_reply());
	}
	if (json_object_size(t.json) != num)
		fail_msg("other fields in %s", body_of_reply());
}

static void makes_keys(void **state)
{
	static const char *const fields[] = {"certId", "publicKey",
		"keyGenerationTime", NULL};

	(void)state;
	put_back(STATE_GENERAL_DONE);
	refused(ask("POST", CAS "/keyPair/4", "{\"keyType\":\"RSA_2k\"}"), 400,
		"INVALID_INPUT_ARGUMENT", "Did you mean RSA_2K?");
	refused(ask("POST", CAS "/keyPair/4", "{\"keyType\":\"quantum\"}"),
		400, "INVALID_INPUT_ARGUMENT", "EC_P384.");
	refused(ask("POST", CAS "/keyPair/4", "{\"keyType\":2048}"), 400,
		"INVALID_INPUT_ARGUMENT", "must be text");
	expect(ask("POST", CAS "/keyPair/4", NULL), 200);
	has_fields(fields);
	assert_int_equal(number_at("certId"), 4);
	lab_text("pub.pem", text_at("publicKey"));
	lab_run("openssl pkey -pubin -in pub.pem -text -noout");
	assert_non_null(strstr(lab_said(), "2048 bit"));
	expect(ask("GET", CAS "/4", NULL), 200);
	assert_string_equal(text_at("keyType"), "RSA_2K");
	/* the key's size, where it is said, must be the key's */
	refused(ask("POST", CAS "/generateCsr/4",
			"{\"commName\":\"x\",\"keySize\":4096}"), 400,
		"INVALID_INPUT_ARGUMENT", "2048 bits");
	expect(ask("POST", CAS "/generateCsr/4",
		"{\"commName\":\"x\",\"keySize\":\"2048\"}"), 200);
}

/* Only the passphrase is tried out on the default's: whoever makes a key may do
 * so because that one has ended. */
static void makes_keys_beside_a_default_that_is_of_no_use(void **state)
{
	(void)state;
	put_back(STATE_GENERAL_DONE);
	lab_run("echo \"UPDATE ca SET cert = x'30' WHERE id = 1\" | sqlite3 "
		"state/sallyport.db");
	expect(ask("POST", CAS "/keyPair/4", "{\"keyType\":\"EC_P256\"}"), 200);
}

static void gives_the_public_key(void **state)
{
	(void)state;
	put_back(STATE_KEYGEN_DONE);
	expect(ask("GET", CAS "/downloadPublicKey/4", NULL), 200);
	assert_string_equal(t.reply.content_type, "application/octet-stream");
	assert_string_equal(t.reply.disposition,
		"attachment; filename=\"Corp-PublicKey.pem\"");
	save_reply("pub.pem");
	lab_run("openssl pkey -pubin -in pub.pem -text -noout");
	assert_non_null(strstr(lab_said(), "prime256v1"));
}

static void names_files_safely(void **state)
{
	(void)state;
	put_back(STATE_KEYGEN_DONE);
	expect(ask("PUT", CAS "/4", "{\"name\":\"a\\\"b\\\\c/\\u00fc%\"}"),
		200);
	expect(ask("GET", CAS "/downloadPublicKey/4", NULL), 200);
	assert_string_equal(t.reply.disposition,
		"attachment; filename=\"a_b_c____-PublicKey.pem\"");
}

static void makes_requests(void **state)
{
	static const char *const made[] = {"certId", "csrGenerationTime",
		NULL};
	static const char *const shown[] = {"certId", "csrFileName",
		"commName", "orgName", "deptName", "city", "state", "country",
		"keySize", "keyType", "signatureAlgorithm",
		"pathLengthConstraint", "csr", NULL};

	(void)state;
	put_back(STATE_PUBKEY_DONE);
	expect(ask("POST", CAS "/generateCsr/4", wish), 200);
	has_fields(made);
	expect(ask("GET", CAS "/showCsr/4", NULL), 200);
	has_fields(shown);
	assert_string_equal(text_at("commName"), "Corp Proxy");
	assert_string_equal(text_at("deptName"), "IT");
	assert_string_equal(text_at("city"), "Z\xc3\xbcrich");
	assert_string_equal(text_at("state"), "ZH");
	assert_string_equal(text_at("country"), "CH");
	assert_string_equal(text_at("signatureAlgorithm"), "SHA256");
	assert_string_equal(text_at("keyType"), "EC_P256");
	assert_int_equal(number_at("keySize"), 256);
	assert_int_equal(number_at("pathLengthConstraint"), 1);
	lab_text("shown.csr", text_at("csr"));
	expect(ask("GET", CAS "/downloadCsr/4", NULL), 200);
	assert_string_equal(t.reply.disposition,
		"attachment; filename=\"corp.csr\"");
	save_reply("down.csr");
	lab_run("cmp shown.csr down.csr && openssl req -in down.csr -verify "
		"-noout -subject -nameopt RFC2253,utf8,-esc_msb");
	assert_non_null(strstr(lab_said(), "CN=Corp Proxy,OU=IT,O=Corp,L="
		"Z\xc3\xbcrich,ST=ZH,C=CH"));
}

static void orders_requests_as_asked(void **state)
{
	static const struct {
		const char *body, *digest;
		int path_len;
	} cases[] = {
		{"{\"commName\":\"x\"}", "SHA256", 1},
		{"{\"commName\":\"x\",\"pathLengthConstraint\":0}", "SHA256",
			0},
		{"{\"commName\":\"x\",\"pathLengthConstraint\":\"2\"}",
			"SHA256", 2},
		{"{\"commName\":\"x\",\"signatureAlgorithm\":\"SHA384\"}",
			"SHA384", 1},
		{"{\"commName\":\"x\",\"signatureAlgorithm\":\"SHA256\","
			"\"country\":\"US\",\"csrFileName\":\"\",\"keySize\":"
			"2048}", "SHA256", 1},
	};

	(void)state;
	put_back(STATE_PUBKEY_DONE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		expect(ask("POST", CAS "/generateCsr/4", cases[i].body), 200);
		expect(ask("GET", CAS "/showCsr/4", NULL), 200);
		assert_string_equal(text_at("signatureAlgorithm"),
			cases[i].digest);
		assert_int_equal(number_at("pathLengthConstraint"),
			cases[i].path_len);
	}
	expect(ask("GET", CAS "/downloadCsr/4", NULL), 200);
	assert_string_equal(t.reply.disposition,
		"attachment; filename=\"Corp.csr\"");
}

static void refuses_requests(void **state)
{
	static const struct {
		const char *body, *why;
	} cases[] = {
		{"{}", "common name"},
		{NULL, "common name"},
		{"{\"commName\":\"x\",\"country\":\"USA\"}", "at most 2"},
		{"{\"commName\":\"x\",\"country\":\"us\"}", "two capital"},
		{"{\"commName\":\"x\",\"country\":\"COUNTRY_\\u00e4\"}",
			"country"},
		{"{\"commName\":\"x\",\"signatureAlgorithm\":\"SHA1\"}",
			"SHA256 or SHA384"},
		{"{\"commName\":\"x\",\"signatureAlgorithm\":256}",
			"\"signatureAlgorithm\" must be text"},
		{"{\"commName\":\"x\",\"pathLengthConstraint\":-1}",
			"\"pathLengthConstraint\" must be a number"},
		{"{\"commName\":\"x\",\"pathLengthConstraint\":17}",
			"from 0 to 16"},
		{"{\"commName\":\"x\",\"pathLengthConstraint\":\"one\"}",
			"\"pathLengthConstraint\""},
		{"{\"commName\":\"x\",\"pathLengthConstraint\":1.5}",
			"\"pathLengthConstraint\""},
		{"{\"commName\":\"x\",\"keySize\":true}", "\"keySize\""},
		{"{\"commName\":\"x\",\"keySize\":\"\"}", "\"keySize\""},
		{"{\"commName\":\"x\",\"csrFileName\":\"a/b\"}",
			"name is not valid"},
		{"{\"commName\":\"x\\n\"}", "control characters"},
		{"{\"commName\":\"0123456789012345678901234567890123456789"
			"0123456789012345678901234\"}", "at most 64"},
		{"{\"commName\":\"x\",\"city\":\"0123456789012345678901234567"
			"8901234567890123456789012345678901234567890123456789"
			"0123456789012345678901234567890123456789012345678\"}",
			"city is too long"},
		{"{\"commName\":[\"x\"]}", "\"commName\" must be text"},
	};

	(void)state;
	put_back(STATE_PUBKEY_DONE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		refused(ask("POST", CAS "/generateCsr/4", cases[i].body), 400,
			"INVALID_INPUT_ARGUMENT", cases[i].why);
	expect(ask("GET", CAS "/4", NULL), 200);
	assert_string_equal(text_at("currentState"), "PUBKEY_DONE");
}

static void takes_certificate_and_chain(void **state)
{
	static const char *const fields[] = {"id", "name", "type", "region",
		"status", "defaultCertificate", "keyType", "certStartDate",
		"certExpDate", "description", "currentState", "publicKey",
		"keyGenerationTime", "csrFileName", "csrGenerationTime",
		"uploadedCertFileName", NULL};
	static const char *const shown[] = {"certId", "commName", "orgName",
		"deptName", "city", "state", "country", "keySize", "keyType",
		"signatureAlgorithm", "pathLengthConstraint", "issuer",
		"serialNumber", "notBefore", "notAfter",
		"crlDistributionPoints", "certificate", NULL};

	(void)state;
	put_back(STATE_CSRGEN_DONE);
	sign("root", "corp.csr", SUB "crlDistributionPoints=URI:http://crl."
		"test/a.crl,URI:http://crl.test/b.crl\n", PAST,
		in_days(999), "sha384", "mine");
	expect(upload_file(CAS "/uploadCert/4", "mine.pem"), 200);
	has_fields(fields);
	assert_string_equal(text_at("uploadedCertFileName"), "mine.pem");
	assert_int_equal(number_at("certStartDate"), PAST_S);
	assert_int_equal(number_at("certExpDate"), day_after(999));
	expect(ask("GET", CAS "/showCert/4", NULL), 200);
	has_fields(shown);
	assert_string_equal(text_at("issuer"), "CN=root,O=Lab");
	assert_string_equal(text_at("city"), "Z\xc3\xbcrich");
	assert_string_equal(text_at("signatureAlgorithm"), "SHA384");
	assert_int_equal(number_at("notBefore"), PAST_S);
	assert_int_equal(number_at("notAfter"), day_after(999));
	assert_string_equal(json_string_value(json_array_get(json_object_get(
		t.json, "crlDistributionPoints"), 1)),
		"http://crl.test/b.crl");
	lab_text("shown.pem", text_at("certificate"));
	lab_run("cmp shown.pem mine.pem && openssl x509 -in mine.pem -noout "
		"-serial");
	assert_non_null(strstr(lab_said(), text_at("serialNumber")));
	assert_int_equal(t.num_changed, 0);
	expect(upload_file(CAS "/uploadCertChain/4", "root.pem"), 200);
	has_fields(fields);
	assert_int_equal(t.num_changed, 0);
	expect(ask("POST", CAS "/finalizeCert/4", "{}"), 200);
	has_fields(fields);
	assert_string_equal(text_at("currentState"), "CERT_READY");
	assert_int_equal(t.num_changed, 1);
	expect(ask("GET", CAS "/lite/4", NULL), 200);
	assert_int_equal(json_object_size(t.json), 9);
}

static void says_when_it_is_not_in_use_yet(void **state)
{
	(void)state;
	put_back(STATE_INTCERT_UPLOAD_DONE);
	t.changed_result = -1;
	refused(ask("POST", CAS "/finalizeCert/4", NULL), 500,
		"UNEXPECTED_ERROR", "stored, but not in use yet: the worker "
		"is asleep");
	t.changed_result = 0;
	expect(ask("GET", CAS "/4", NULL), 200);
	assert_string_equal(text_at("currentState"), "CERT_READY");
}

/* Time goes by between an upload and the end. */
static void looks_again_before_the_end(void **state)
{
	(void)state;
	put_back(STATE_CSRGEN_DONE);
	sign("root", "corp.csr", SUB, PAST, in_days(20), "sha256", "short");
	expect(upload_file(CAS "/uploadCert/4", "short.pem"), 200);
	expect(upload_file(CAS "/uploadCertChain/4", "root.pem"), 200);
	t.world.options.validity_s = 30 * DAY;
	refused(ask("POST", CAS "/finalizeCert/4", NULL), 400,
		"INVALID_INPUT_ARGUMENT", "sooner than a certificate that it");
	t.world.options.validity_s = 14 * DAY;
	lab_run("openssl x509 -in other.pem -outform DER | od -An -v -tx1 | tr "
		"-d ' \n' >other.hex && echo \"UPDATE ca SET chain = x'$(cat "
		"other.hex)' WHERE id = 4\" | sqlite3 state/sallyport.db");
	refused(ask("POST", CAS "/finalizeCert/4", NULL), 400,
		"INVALID_INPUT_ARGUMENT", "do not match");
	expect(upload_file(CAS "/uploadCertChain/4", "root.pem"), 200);
	expect(ask("POST", CAS "/finalizeCert/4", NULL), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_from_state_to_state),
		cmocka_unit_test(knows_which_ca),
		cmocka_unit_test(leaves_the_built_in_alone),
		cmocka_unit_test(makes_keys),
		cmocka_unit_test(makes_keys_beside_a_default_that_is_of_no_use),
		cmocka_unit_test(gives_the_public_key),
		cmocka_unit_test(names_files_safely),
		cmocka_unit_test(makes_requests),
		cmocka_unit_test(orders_requests_as_asked),
		cmocka_unit_test(refuses_requests),
		cmocka_unit_test(takes_certificate_and_chain),
		cmocka_unit_test(says_when_it_is_not_in_use_yet),
		cmocka_unit_test(looks_again_before_the_end),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
