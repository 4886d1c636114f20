#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sqlite3.h>

#include <cmocka.h>

#include "tests/unit/admin/states_test.h"

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
