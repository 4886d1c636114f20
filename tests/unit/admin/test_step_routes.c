#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sqlite3.h>
#include <time.h>

#include <cmocka.h>

#include "pki/store_ca.h"
#include "tests/unit/admin/api_test.h"

#define SUB "basicConstraints=critical,CA:TRUE,pathlen:1\nkeyUsage=critical," \
	"keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n" \
	"authorityKeyIdentifier=keyid\n"

static const char draft[] = "{\"name\":\"Corp\",\"type\":\"CUSTOM_SW\","
	"\"region\":\"GLOBAL\",\"status\":\"ENABLED\",\"description\":\"d\"}";
static const char wish[] = "{\"csrFileName\":\"corp.csr\",\"commName\":"
	"\"Corp Proxy\",\"orgName\":\"Corp\",\"deptName\":\"IT\",\"city\":"
	"\"Z\\u00fcrich\",\"state\":\"ZH\",\"country\":\"COUNTRY_CH\"}";

/* --- the organization's CA ---------------------------------------------- */

#define PAST "20200101000000Z"
enum { PAST_S = 1577836800, DAY = 86400 };

static time_t day_after(int days)
{
	static time_t now;

	if (now == 0)
		now = time(NULL);
	return now + (time_t)days * DAY;
}

static const char *in_days(int days)
{
	static char texts[4][32];
	static unsigned next;
	char *text = texts[next++ % 4];
	time_t then = day_after(days);
	struct tm tm;

	assert_non_null(gmtime_r(&then, &tm));
	strftime(text, sizeof(texts[0]), "%Y%m%d%H%M%SZ", &tm);
	return text;
}

/* sign has ROOT sign CSR for a time given as openssl ca takes it, into OUT.pem:
 * the same program as a person would use, not ours. */
static void sign(const char *root, const char *csr, const char *ext,
	const char *from, const char *to, const char *digest, const char *out)
{
	char text[4096];

	snprintf(text, sizeof(text), "[ca]\ndefault_ca=c\n[c]\ndatabase=db\n"
		"new_certs_dir=.\nrand_serial=yes\npolicy=p\nunique_subject=no"
		"\ncopy_extensions=none\npreserve=yes\nemail_in_dn=no\n[p]\n"
		"commonName=optional\norganizationName=optional\n"
		"organizationalUnitName=optional\nlocalityName=optional\n"
		"stateOrProvinceName=optional\ncountryName=optional\n[ext]\n"
		"%s", ext);
	lab_text("sign.cnf", text);
	lab_run("touch db; openssl ca -batch -notext -config sign.cnf "
		"-extensions ext -cert %s.pem -keyfile %s.key -in %s "
		"-startdate %s -enddate %s -md %s -out %s.pem", root, root,
		csr, from, to, digest, out);
}

static void sign_well(const char *root, const char *csr, const char *out)
{
	sign(root, csr, SUB, PAST, in_days(999), "sha256",
		out);
}

/* --- one CA in every state ---------------------------------------------- */

static const char *const states[NUM_STATES] = {
	"GENERAL_DONE", "KEYGEN_DONE", "PUBKEY_DONE", "CSRGEN_DONE",
	"INTCERT_UPLOAD_DONE", "CERTCHAIN_UPLOAD_DONE", "CERT_READY",
};

static void keep(enum store_state state)
{
	expect(ask("GET", CAS "/4", NULL), 200);
	assert_string_equal(text_at("currentState"), states[state]);
	lab_run("cp state/sallyport.db kept.%d", (int)state);
}

static void put_back(enum store_state state)
{
	lab_run("cp kept.%d state/sallyport.db", (int)state);
	as_admin();
	t.num_changed = 0;
}

static void save_reply(const char *file)
{
	lab_write(file, t.reply.body.d, t.reply.body.i);
}

static int set_up_all(void **state)
{
	(void)state;
	lab_make_root("root", "ec", LAB_CA_EXT);
	lab_make_root("other", "ec", LAB_CA_EXT);
	start();
	expect(ask("POST", CAS, draft), 200);
	keep(STATE_GENERAL_DONE);
	expect(ask("POST", CAS "/keyPair/4", "{\"keyType\":\"EC_P256\"}"), 200);
	keep(STATE_KEYGEN_DONE);
	expect(ask("GET", CAS "/downloadPublicKey/4", NULL), 200);
	keep(STATE_PUBKEY_DONE);
	expect(ask("POST", CAS "/generateCsr/4", wish), 200);
	keep(STATE_CSRGEN_DONE);
	expect(ask("GET", CAS "/downloadCsr/4", NULL), 200);
	save_reply("corp.csr");
	sign_well("root", "corp.csr", "corp");
	expect(upload_file(CAS "/uploadCert/4", "corp.pem"), 200);
	keep(STATE_INTCERT_UPLOAD_DONE);
	expect(upload_file(CAS "/uploadCertChain/4", "root.pem"), 200);
	keep(STATE_CERTCHAIN_UPLOAD_DONE);
	expect(ask("POST", CAS "/finalizeCert/4", NULL), 200);
	keep(STATE_CERT_READY);
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	stop();
	lab_end();
	return 0;
}

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

static char *audit_now(void)
{
	expect(ask("GET", BASE "/sallyport/audit?last=10000", NULL), 200);
	return strdup(body_of_reply());
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

/* --- bad uploads -------------------------------------------------------- */

static void answers_other_types(void **state)
{
	(void)state;
	put_back(STATE_CSRGEN_DONE);
	expect(ask("POST", CAS "/uploadCert/4", "{}"), 415);
	assert_null(t.reply.content_type);
	assert_int_equal(t.reply.body.i, 0);
	expect(ask("POST", CAS "/uploadCertChain/4", "{}"), 415);
	expect(ask("POST", CAS "/uploadCert/4", NULL), 415);
	t.request.content_type = of("multipart/form-data");
	refused(send_request("POST", CAS "/uploadCert/4"), 400,
		"INVALID_INPUT_ARGUMENT", "has no boundary");
}

static void sign_ext(const char *ext, const char *out)
{
	sign("root", "corp.csr", ext, PAST, in_days(999), "sha256", out);
}

static void sign_as(const char *from, const char *to, const char *digest,
	const char *out)
{
	sign("root", "corp.csr", SUB, from, to, digest, out);
}

/* make_bad makes the files of the table below. */
static void make_bad(void)
{
	static char large[UINT16_MAX + 2];

	memset(large, 'x', sizeof(large));
	lab_write("large", large, sizeof(large));
	lab_text("empty", "");
	lab_text("hello", "Hello, world.\n");
	lab_text("damaged", "-----BEGIN CERTIFICATE-----\nnot base64!\n"
		"-----END CERTIFICATE-----\n");
	lab_text("cut", "-----BEGIN CERTIFICATE-----\nMIIB\n");
	lab_text("nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n"
		"-----END CERTIFICATE-----\n");
	lab_text("new.csr", "-----BEGIN NEW CERTIFICATE REQUEST-----\n");
	lab_run("openssl x509 -in corp.pem -outform DER -out corp.der;"
		"cat corp.pem root.pem >two.pem;"
		"openssl crl2pkcs7 -nocrl -certfile corp.pem -out corp.p7b;"
		"openssl crl2pkcs7 -nocrl -certfile corp.pem -outform DER "
		"-out corp.p7c;"
		"openssl pkcs12 -export -in root.pem -inkey root.key -out "
		"corp.p12 -passout pass:x;"
		"openssl cms -sign -in hello -signer root.pem -inkey root.key "
		"-outform PEM -out corp.cms;"
		"openssl pkey -in root.key -pubout -out pub.pem;"
		"cat corp.pem root.key >with-key.pem;"
		"openssl ca -gencrl -config sign.cnf -cert root.pem -keyfile "
		"root.key -crldays 7 -md sha256 -out root.crl");
	lab_run("openssl x509 -req -in corp.csr -signkey root.key -days 99 "
		"-extfile sign.cnf -extensions ext -out signkey.pem");
	lab_make("stranger", "ec", "/CN=Stranger", "root", "sha256", SUB);
	sign_ext("basicConstraints=CA:FALSE\n", "leaf");
	sign_ext("subjectKeyIdentifier=hash\n", "bare");
	sign_ext("basicConstraints=critical,CA:TRUE\nkeyUsage="
		"digitalSignature\n", "nosign");
	sign_ext(SUB "extendedKeyUsage=clientAuth\n", "clients");
	sign_ext("basicConstraints=CA:TRUE\nkeyUsage=critical,keyCertSign\n"
		"subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
		"lenient");
	sign_ext("basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier="
		"hash\nauthorityKeyIdentifier=keyid\n", "nousage");
	sign_ext("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,"
		"keyCertSign\nsubjectKeyIdentifier=none\n"
		"authorityKeyIdentifier=keyid\n", "noski");
	sign_ext("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,"
		"keyCertSign\nsubjectKeyIdentifier=hash\n"
		"authorityKeyIdentifier=none\n", "noaki");
	sign_ext(SUB "1.2.3.4.5=critical,ASN1:NULL\n", "odd");
	lab_run("openssl req -in corp.csr -noout -pubkey -out corp.pub && "
		"openssl x509 -req -in corp.csr -signkey root.key "
		"-force_pubkey corp.pub -days 99 -extfile sign.cnf "
		"-extensions ext -out twins.pem");
	sign_as(PAST, in_days(999), "sha1", "sha1");
	sign_as(PAST, "20210101000000Z", "sha256", "expired");
	sign_as(in_days(9), in_days(999), "sha256", "future");
	sign_as(PAST, in_days(13), "sha256", "soon");
}

static const struct {
	const char *file, *why;
} bad_certs[] = {
	{"empty", "The file is empty"},
	{"large", "larger than 64 KB"},
	{"hello", "not a certificate in PEM: a text"},
	{"damaged", "PEM is damaged"},
	{"cut", "PEM is damaged"},
	{"nonsense", "can't be parsed"},
	{"corp.csr", "the certificate signing request itself"},
	{"new.csr", "the certificate signing request itself"},
	{"corp.der", "This is DER, not PEM"},
	{"corp.p7b", "This is PKCS#7 (.p7b), not"},
	{"corp.p7c", "This is PKCS#7 (.p7b) in DER"},
	{"corp.p12", "This is PKCS#12"},
	{"corp.cms", "This is CMS"},
	{"pub.pem", "This is a public key"},
	{"root.key", "holds a private key"},
	{"with-key.pem", "holds a private key"},
	{"root.crl", "This is a revocation list"},
	{"two.pem", "The file holds 2 certificates"},
	{"stranger.pem", "do not match: its public key is not"},
	{"signkey.pem", "do not match: it is self-signed"},
	{"leaf.pem", "lacks basicConstraints CA:TRUE"},
	{"bare.pem", "lacks basicConstraints CA:TRUE"},
	{"nosign.pem", "lacks keyCertSign"},
	{"clients.pem", "lacks serverAuth"},
	{"lenient.pem", "its basicConstraints are not critical"},
	{"nousage.pem", "it has no keyUsage"},
	{"noski.pem", "it has no subjectKeyIdentifier"},
	{"noaki.pem", "it has no authorityKeyIdentifier"},
	{"odd.pem", "an extension that is critical and that clients do not"},
	{"twins.pem", "has the name of its issuer"},
	{"sha1.pem", "signed with SHA-1"},
	{"expired.pem", "has already expired, on 2021-01-01"},
	{"future.pem", "is not yet valid: it begins on 2"},
	{"soon.pem", "sooner than a certificate that it would sign"},
};

static void check_state(const char *wanted, const char *trail)
{
	char *now = audit_now();

	assert_string_equal(now, trail);
	free(now);
	expect(ask("GET", CAS "/4", NULL), 200);
	assert_string_equal(text_at("currentState"), wanted);
}

static void refuses_bad_certificates(void **state)
{
	char *trail;

	(void)state;
	put_back(STATE_CSRGEN_DONE);
	make_bad();
	trail = audit_now();
	for (size_t i = 0; i < sizeof(bad_certs) / sizeof(*bad_certs); i++) {
		refused(upload_file(CAS "/uploadCert/4", bad_certs[i].file),
			400, "INVALID_INPUT_ARGUMENT", bad_certs[i].why);
		check_state("CSRGEN_DONE", trail);
	}
	free(trail);
	expect(upload_file(CAS "/uploadCert/4", "corp.pem"), 200);
}

static void refuses_bad_file_names(void **state)
{
	static const struct {
		const char *name, *why;
	} names[] = {
		{"", "No file was selected"},
		{"a/b.pem", "name is not valid"},
		{"a\\\\b.pem", "name is not valid"},
		{"a\xff.pem", "name is not valid"},
		{"a\x01.pem", "name is not valid"},
		{"0123456789012345678901234567890123456789012345678901234567"
			"890123456789012345678901234567890123456789012345678"
			"90123456789012345678.pem", "name is too long"},
	};
	char *trail, *data;
	size_t len;

	(void)state;
	put_back(STATE_INTCERT_UPLOAD_DONE);
	trail = audit_now();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		data = lab_read("corp.pem", &len);
		refused(upload_bytes(CAS "/uploadCert/4", names[i].name, data,
				len), 400, "INVALID_INPUT_ARGUMENT",
			names[i].why);
		free(data);
		data = lab_read("root.pem", &len);
		refused(upload_bytes(CAS "/uploadCertChain/4", names[i].name,
				data, len), 400, "INVALID_INPUT_ARGUMENT",
			names[i].why);
		free(data);
		check_state("INTCERT_UPLOAD_DONE", trail);
	}
	free(trail);
}

/* Seventeen above the certificate, each signed by the next. */
static void make_long_chain(void)
{
	char name[16], above[16] = "root";

	lab_run("cp root.pem long.pem");
	for (int i = 0; i < 16; i++) {
		snprintf(name, sizeof(name), "long%d", i);
		lab_make(name, "ec", "/CN=Long", above,
			"sha256", SUB);
		lab_run("cat %s.pem >>long.pem", name);
		snprintf(above, sizeof(above), "%s", name);
	}
}

static void take_cert(const char *file)
{
	expect(upload_file(CAS "/uploadCert/4", file), 200);
}

static void chain_refused(const char *file, const char *why)
{
	char *trail = audit_now();

	refused(upload_file(CAS "/uploadCertChain/4", file), 400,
		"INVALID_INPUT_ARGUMENT", why);
	check_state("INTCERT_UPLOAD_DONE", trail);
	free(trail);
}

static void refuses_bad_chains(void **state)
{
	(void)state;
	put_back(STATE_INTCERT_UPLOAD_DONE);
	make_bad();
	make_long_chain();
	chain_refused("empty", "The file is empty");
	chain_refused("large", "larger than 64 KB");
	chain_refused("hello", "not a certificate in PEM");
	chain_refused("damaged", "PEM is damaged");
	chain_refused("corp.pem", "holds the certificate itself alone");
	chain_refused("other.pem", "do not match: 'Corp Proxy' was issued by "
		"'root'");
	lab_run("cat root.pem other.pem >stray.pem");
	chain_refused("stray.pem", "do not match: 1 of the 2 certificates");
	chain_refused("long.pem", "at most 16 certificates");
	/* under an intermediate, whose root is missing */
	lab_make("mid", "ec", "/CN=Mid", "root", "sha256", LAB_SUB_EXT);
	sign("mid", "corp.csr", SUB, PAST, in_days(99), "sha256", "under");
	take_cert("under.pem");
	chain_refused("mid.pem", "does not end at a valid root");
	lab_run("cat mid.pem root.pem >both.pem");
	sign("mid", "corp.csr", SUB, PAST, in_days(999), "sha256", "longer");
	take_cert("longer.pem");
	chain_refused("both.pem", "ends after 'Mid' in the chain");
	/* a root that clients do not take for the issuer, or do not take */
	lab_text("other.ext", "basicConstraints=critical,CA:TRUE\nkeyUsage="
		"critical,keyCertSign\nsubjectKeyIdentifier=01:02:03\n");
	lab_run("openssl x509 -in root.pem -signkey root.key -clrext -extfile "
		"other.ext -days 999 -out renewed.pem");
	sign_well("root", "corp.csr", "well");
	take_cert("well.pem");
	chain_refused("renewed.pem", "another key than that of 'root' in the "
		"chain");
	lab_make_root("weak", "rsa:1024", LAB_CA_EXT);
	sign_well("weak", "corp.csr", "feeble");
	take_cert("feeble.pem");
	chain_refused("weak.pem", "'weak' in the chain has a key that is too "
		"weak");
	lab_make_root("critical", "ec", LAB_CA_EXT
		"1.2.3.4.5=critical,ASN1:NULL\n");
	sign_well("critical", "corp.csr", "under-it");
	take_cert("under-it.pem");
	chain_refused("critical.pem", "'critical' in the chain has an "
		"extension that is critical");
	/* what may not be above it */
	lab_make("tight", "ec", "/CN=Tight", "root", "sha256",
		"basicConstraints=critical,CA:TRUE,pathlen:0\n"
		"keyUsage=keyCertSign,cRLSign\n");
	sign("tight", "corp.csr", SUB, PAST, in_days(99),
		"sha256", "squeezed");
	lab_run("cat root.pem tight.pem >squeeze.pem");
	take_cert("squeezed.pem");
	chain_refused("squeeze.pem", "path length of 'Tight' in the chain (0)");
	lab_make("flat", "ec", "/CN=Flat", "root", "sha256", LAB_LEAF_EXT);
	sign("flat", "corp.csr", SUB, PAST, in_days(99),
		"sha256", "flattened");
	lab_run("cat root.pem flat.pem >flats.pem");
	take_cert("flattened.pem");
	chain_refused("flats.pem", "'Flat' in the chain is not a CA's");
}

/* Each is fit but for one thing, and so is what it has signed. */
static void refuses_whom_clients_would_not_have_above(void **state)
{
	static const struct {
		const char *name, *kind, *from, *to, *digest, *ext, *why;
	} rows[] = {
		{"ended", "ec", PAST, "20210101000000Z", "sha256", LAB_SUB_EXT,
			"'ended' in the chain has already expired"},
		{"early", "ec", NULL, NULL, "sha256", LAB_SUB_EXT,
			"'early' in the chain is not yet valid"},
		{"broken", "ec", PAST, NULL, "sha1", LAB_SUB_EXT,
			"'broken' in the chain is signed with SHA-1"},
		{"short", "rsa:1024", PAST, NULL, "sha256", LAB_SUB_EXT,
			"'short' in the chain has a key that is too weak"},
		{"mailer", "ec", PAST, NULL, "sha256", LAB_SUB_EXT
			"extendedKeyUsage=emailProtection,clientAuth\n",
			"'mailer' in the chain is not for TLS servers"},
		{"server", "ec", PAST, NULL, "sha256", LAB_SUB_EXT
			"extendedKeyUsage=serverAuth\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *name = rows[i].name;
		char csr[32];

		put_back(STATE_CSRGEN_DONE);
		snprintf(csr, sizeof(csr), "%s.csr", name);
		lab_make_key(name, rows[i].kind);
		lab_run("openssl req -new -key %s.key -subj /O=Lab/CN=%s -out "
			"%s", name, name, csr);
		sign("root", csr, rows[i].ext, rows[i].from ? rows[i].from :
			in_days(9), rows[i].to ? rows[i].to : in_days(999),
			rows[i].digest, name);
		sign(name, "corp.csr", SUB, PAST, in_days(99), "sha256",
			"under");
		lab_run("cat %s.pem root.pem >path.pem", name);
		take_cert("under.pem");
		if (rows[i].why)
			chain_refused("path.pem", rows[i].why);
		else
			expect(upload_file(CAS "/uploadCertChain/4",
				"path.pem"), 200);
	}
}

/* sign_large has the request signed with so many bytes of nothing in it. */
static void sign_large(size_t num, const char *out)
{
	lab_run("{ printf '[ext]\\n"
		"basicConstraints=critical,CA:TRUE,"
		"pathlen:1\\nkeyUsage=critical,keyCertSign,cRLSign\\n"
		"1.3.6.1.4.1.32473.1=DER:'; head -c %zu /dev/zero | "
		"tr '\\0' 0; } >large.cnf; openssl x509 -req -in corp.csr -CA "
		"root.pem -CAkey root.key -CAcreateserial -days 999 -sha256 "
		"-extfile large.cnf -extensions ext -out %s.pem", 2 * num,
		out);
}

static void refuses_what_is_too_large_for_every_connection(void **state)
{
	(void)state;
	put_back(STATE_CSRGEN_DONE);
	sign_large(12 * 1024, "over");
	refused(upload_file(CAS "/uploadCert/4", "over.pem"), 400,
		"INVALID_INPUT_ARGUMENT", "larger than 12 KB");
	sign_large(11 * 1024, "within");
	take_cert("within.pem");
}

static void refuses_a_name_of_nothing(void **state)
{
	(void)state;
	put_back(STATE_CSRGEN_DONE);
	lab_text("bare.cnf", "[ext]\n" SUB);
	lab_run("openssl req -in corp.csr -noout -pubkey -out corp.pub && "
		"openssl x509 -new -subj / -force_pubkey corp.pub -CA "
		"root.pem -CAkey root.key -CAcreateserial -days 999 -extfile "
		"bare.cnf -extensions ext -out nameless.pem");
	refused(upload_file(CAS "/uploadCert/4", "nameless.pem"), 400,
		"INVALID_INPUT_ARGUMENT", "subject is empty");
}

/* Whatever way the same key has come to two of them. */
static void refuses_what_another_has(void **state)
{
	sqlite3 *db;
	char *trail;

	(void)state;
	put_back(STATE_INTCERT_UPLOAD_DONE);
	assert_int_equal(sqlite3_open(lab_path("state/sallyport.db"), &db),
		SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "INSERT INTO ca (purpose, name, "
		"state, key_type, key, spki, key_time, cert) SELECT purpose, "
		"'Twin', state, key_type, key, spki, key_time, cert FROM ca "
		"WHERE id = 4", NULL, NULL, NULL), SQLITE_OK);
	trail = audit_now();
	refused(upload_file(CAS "/uploadCert/4", "corp.pem"), 400,
		"INVALID_INPUT_ARGUMENT", "\"Twin\" has this certificate "
		"already");
	check_state("INTCERT_UPLOAD_DONE", trail);
	free(trail);
	sign_well("root", "corp.csr", "anew");
	take_cert("anew.pem");
	assert_int_equal(sqlite3_exec(db, "DELETE FROM ca WHERE name = 'Twin'",
		NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	take_cert("corp.pem");
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
		cmocka_unit_test(answers_other_types),
		cmocka_unit_test(refuses_bad_certificates),
		cmocka_unit_test(refuses_bad_file_names),
		cmocka_unit_test(refuses_bad_chains),
		cmocka_unit_test(refuses_whom_clients_would_not_have_above),
		cmocka_unit_test(
			refuses_what_is_too_large_for_every_connection),
		cmocka_unit_test(refuses_a_name_of_nothing),
		cmocka_unit_test(refuses_what_another_has),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
