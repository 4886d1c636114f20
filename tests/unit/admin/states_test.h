/*
 * states_test.h - one CA of an organization in every state of its life, kept as
 * files that a test puts back, and the organization that signs, by openssl.
 */
#ifndef TESTS_UNIT_ADMIN_STATES_TEST_H
#define TESTS_UNIT_ADMIN_STATES_TEST_H

#include <time.h>

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

static inline time_t day_after(int days)
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
static inline void sign(const char *root, const char *csr, const char *ext,
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

static inline void sign_well(const char *root, const char *csr, const char *out)
{
	sign(root, csr, SUB, PAST, in_days(999), "sha256",
		out);
}

/* --- one CA in every state ---------------------------------------------- */

static const char *const states[NUM_STATES] = {
	"GENERAL_DONE", "KEYGEN_DONE", "PUBKEY_DONE", "CSRGEN_DONE",
	"INTCERT_UPLOAD_DONE", "CERTCHAIN_UPLOAD_DONE", "CERT_READY",
};

static inline void keep(enum store_state state)
{
	expect(ask("GET", CAS "/4", NULL), 200);
	assert_string_equal(text_at("currentState"), states[state]);
	lab_run("cp state/sallyport.db kept.%d", (int)state);
}

static inline void put_back(enum store_state state)
{
	lab_run("cp kept.%d state/sallyport.db", (int)state);
	as_admin();
	t.num_changed = 0;
}

static inline void save_reply(const char *file)
{
	lab_write(file, t.reply.body.d, t.reply.body.i);
}

static inline int set_up_all(void **state)
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

static inline int tear_down_all(void **state)
{
	(void)state;
	stop();
	lab_end();
	return 0;
}

static inline char *audit_now(void)
{
	expect(ask("GET", BASE "/sallyport/audit?last=10000", NULL), 200);
	return strdup(body_of_reply());
}

#endif
