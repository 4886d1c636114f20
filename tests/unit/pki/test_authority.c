#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "pki/authority.h"
#include "pki/base.h"
#include "pki/import.h"
#include "pki/keeper_frame.h"
#include "pki/leaf.h"
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
		.state = lab_folder(),
		.crl_base = "http://127.0.0.1:8080",
		.link = kept_link(),
		.rotate_s = KEPT_ROTATE_S,
		.validity_s = KEPT_VALIDITY_S,
	};
	kept_rules(options.crl_base);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_end();
	kept_end();
	return 0;
}

static struct authority *open_authority(void)
{
	struct authority *authority;

	if (authority_open(&options, &authority, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(ERR_peek_error(), 0);
	return authority;
}

static void assert_says(const char *what)
{
	if (!strstr(err, what))
		fail_msg("no '%s' in: %s", what, err);
}

static struct ca *issuer_of(const struct authority *authority)
{
	const char *why = NULL;
	struct ca *ca = authority_issuer(authority, NULL, &why);

	if (!ca)
		fail_msg("%s", why);
	return ca;
}

/* What stands between the issuing CA and the root: sent behind it. */
static struct der intermediate_of(const struct authority *authority)
{
	CRYPTO_BUFFER *const *sent;

	assert_int_equal(ca_sent(issuer_of(authority), &sent), 2);
	return der_of(sent[1]);
}

static CRYPTO_BUFFER *crl_of(const struct authority *authority,
	const char *id)
{
	time_t until;

	return authority_crl(authority, id, &until);
}

/* A change that another process would make, or time. */
static void set(const char *sql)
{
	char *why = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(lab_path("sallyport.db"), &db), 0);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(db);
}

static mode_t mode_of(const char *file)
{
	struct stat st;

	assert_int_equal(stat(lab_path(file), &st), 0);
	return st.st_mode & 0777;
}

static void write_der(const char *file, struct der der)
{
	CRYPTO_BUFFER *cert = der_buffer(der);

	lab_write_pem(file, cert);
	CRYPTO_BUFFER_free(cert);
}

static void write_cert(const char *file, const struct ca *ca)
{
	write_der(file, ca_cert(ca));
}

/* Leaf in leaf.pem, what is sent behind it in sent.pem, its CRL in crl.pem. */
static void forge(struct authority *authority, struct ca *ca)
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

static void makes_all_at_first_start(void **state)
{
	struct authority *authority = open_authority(), *again;
	struct cert cert;
	char *root;

	(void)state;
	assert_int_equal(mode_of("sallyport.db"), 0600);
	assert_int_equal(mode_of("root.pem"), 0644);
	root = lab_read("root.pem", NULL);
	assert_string_equal(root, authority_root_pem(authority));
	free(root);
	assert_int_equal(cert_read(intermediate_of(authority), &cert), 0);
	assert_int_equal(cert.path_len, 1);
	assert_in_range(cert.not_after - time(NULL), 1095L * DAY, 1096L * DAY);
	assert_in_range(time(NULL) - cert.not_before, DAY, DAY + 60);
	assert_string_equal(ca_id(authority_untrusted(authority)), "3");

	again = open_authority(); /* all the same */
	assert_true(der_same(intermediate_of(authority),
		intermediate_of(again)));
	assert_memory_equal(ca_digest(authority_untrusted(authority)),
		ca_digest(authority_untrusted(again)), 32);
	assert_string_equal(authority_root_pem(authority),
		authority_root_pem(again));
	authority_free(authority);
	authority_free(again);
}

/* In what is opened below there is a key that signs, and it is no long-lived
 * one: a week and a half, path length 0, a name that says so. */
static void signs_with_an_issuing_ca(void **state)
{
	struct authority *authority = open_authority();
	struct ca *issuer = issuer_of(authority);
	struct cert cert;

	(void)state;
	assert_int_equal(cert_read(ca_cert(issuer), &cert), 0);
	assert_int_equal(cert.path_len, 0);
	assert_in_range(cert.not_after - time(NULL), KEPT_VALIDITY_S +
		KEPT_ROTATE_S, KEPT_VALIDITY_S + KEPT_ROTATE_S + 3 * DAY);
	assert_non_null(ca_key(issuer));
	assert_true(ca_signs_fast(issuer));
	assert_int_equal(strlen(ca_id(issuer)), 40);
	assert_null(ca_key(authority_untrusted(authority)));
	write_cert("s.pem", issuer);
	lab_run("openssl x509 -in s.pem -noout -subject -nameopt RFC2253");
	assert_non_null(strstr(lab_said(), "CN=Sallyport Intermediate CA "));
	assert_non_null(strstr(lab_said(), ".1 (t)"));
	forge(authority, issuer);
	lab_run("openssl verify -x509_strict -crl_check -purpose sslserver "
		"-verify_hostname a.test -CAfile root.pem -untrusted sent.pem "
		"-CRLfile crl.pem leaf.pem");
	authority_free(authority);
}

/* add_crl puts the CRL of the CA behind what is in crl.pem. */
static void add_crl(const struct authority *authority, const char *id)
{
	CRYPTO_BUFFER *crl = crl_of(authority, id);

	assert_non_null(crl);
	lab_write("r.der", CRYPTO_BUFFER_data(crl), CRYPTO_BUFFER_len(crl));
	CRYPTO_BUFFER_free(crl);
	lab_run("openssl crl -inform DER -in r.der >>crl.pem");
}

/* The whole path with every CRL, as openssl wants it. */
static void has_a_crl_for_every_ca(void **state)
{
	struct authority *authority = open_authority();
	CRYPTO_BUFFER *const *sent;

	(void)state;
	forge(authority, issuer_of(authority));
	add_crl(authority, "1");
	add_crl(authority, "2");
	lab_run("openssl verify -x509_strict -crl_check_all -CAfile root.pem "
		"-untrusted sent.pem -CRLfile crl.pem leaf.pem");
	lab_run("openssl x509 -in leaf.pem -noout -text");
	assert_non_null(strstr(lab_said(), ca_id(issuer_of(authority))));
	lab_run("openssl x509 -in sent.pem -noout -text"); /* the first */
	assert_non_null(strstr(lab_said(),
		"URI:http://127.0.0.1:8080/crl/1.crl"));
	assert_int_equal(ca_sent(issuer_of(authority), &sent), 2);
	lab_write_pem("i.pem", sent[1]);
	lab_run("openssl x509 -in i.pem -noout -text");
	assert_non_null(strstr(lab_said(),
		"URI:http://127.0.0.1:8080/crl/2.crl"));
	assert_non_null(strstr(lab_said(), "CA:TRUE, pathlen:1"));
	assert_non_null(strstr(lab_said(), "Certificate Sign, CRL Sign"));
	assert_null(crl_of(authority, "4"));
	assert_null(crl_of(authority, ""));
	assert_null(crl_of(authority, "0000000000000000000000000000000000"
		"000000"));
	authority_free(authority);
}

static void keeps_the_untrusted_apart(void **state)
{
	struct authority *authority = open_authority();
	CRYPTO_BUFFER *const *sent;
	struct ca *untrusted = authority_untrusted(authority);

	(void)state;
	assert_int_equal(ca_sent(untrusted, &sent), 0);
	forge(authority, untrusted);
	assert_int_not_equal(lab_try("openssl verify -CAfile root.pem "
		"leaf.pem"), 0);
	write_cert("u.pem", untrusted);
	lab_run("openssl verify -x509_strict -CAfile u.pem leaf.pem");
	assert_int_not_equal(lab_try("openssl verify -CAfile root.pem u.pem"),
		0);
	authority_free(authority);
}

static void differs_from_another_installation(void **state)
{
	struct authority *a = open_authority(), *b;
	char folder[256];

	(void)state;
	snprintf(folder, sizeof(folder), "%s/other", lab_folder());
	assert_int_equal(mkdir(folder, 0700), 0);
	options.state = folder;
	b = open_authority();
	assert_false(der_same(ca_subject(issuer_of(a)),
		ca_subject(issuer_of(b))));
	assert_string_not_equal(authority_root_pem(a), authority_root_pem(b));
	authority_free(a);
	authority_free(b);
}

/* --- CRLs --------------------------------------------------------------- */

static void number_of(struct authority *authority, const char *text)
{
	CRYPTO_BUFFER *crl = crl_of(authority, "1");

	lab_write("n.der", CRYPTO_BUFFER_data(crl), CRYPTO_BUFFER_len(crl));
	CRYPTO_BUFFER_free(crl);
	lab_run("openssl crl -inform DER -in n.der -noout -crlnumber");
	if (!strstr(lab_said(), text))
		fail_msg("not %s: %s", text, lab_said());
}

/* open_later opens it when the CRLs are older than they are by so long, with
 * what was open before. */
static struct authority *open_later(struct authority *before, unsigned s)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "UPDATE ca SET crl_time = crl_time - %u", s);
	set(sql);
	options.before = before;
	return open_authority();
}

static void renews_crls(void **state)
{
	struct authority *first = open_authority(), *second, *third, *fourth;
	time_t until = 0;

	(void)state;
	number_of(first, "=0x01");
	second = open_later(first, DAY / 2);
	number_of(second, "=0x01"); /* what is fresh is taken as it is */
	CRYPTO_BUFFER_free(authority_crl(second, "1", &until));
	assert_in_range(until - time(NULL), 1, DAY / 2);
	assert_true(authority_due(second) <= until);
	third = open_later(second, DAY / 2 + 9);
	number_of(third, "=0x02");
	number_of(second, "=0x01");
	/* made by another process: taken, not made again */
	fourth = open_later(second, 0);
	number_of(fourth, "=0x02");
	authority_free(fourth);
	fourth = open_later(third, 3 * DAY);
	number_of(fourth, "=0x03");
	authority_free(first);
	authority_free(second);
	authority_free(third);
	authority_free(fourth);
}

/* RFC 5280, 5.1.2.5: the next one is promised before this one ends. */
static void tells_until_when_a_crl_stands(void **state)
{
	struct authority *authority = open_authority();
	time_t until = 1;

	(void)state;
	CRYPTO_BUFFER_free(authority_crl(authority, "2", &until));
	assert_in_range(until - time(NULL), DAY - 60, DAY);
	/* an issuing CA has one for all its life */
	CRYPTO_BUFFER_free(authority_crl(authority,
		ca_id(issuer_of(authority)), &until));
	assert_int_equal(until, 0);
	authority_free(authority);
}

static void goes_on_with_the_crl_of_a_deleted_one(void **state)
{
	struct authority *authority;
	CRYPTO_BUFFER *crl;
	time_t until = 1;

	(void)state;
	authority_free(open_authority());
	set("INSERT INTO ca (purpose, name, state, crl, retired) VALUES "
		"('intermediate', 'old (deleted 4)', 'CERT_READY', x'3000', "
		"5)");
	authority = open_authority();
	crl = authority_crl(authority, "4", &until);
	assert_non_null(crl);
	assert_int_equal(CRYPTO_BUFFER_len(crl), 2);
	assert_int_equal(until, 0);
	CRYPTO_BUFFER_free(crl);
	assert_false(authority_knows(authority, "old (deleted 4)"));
	authority_free(authority);
}

/* --- issuing CAs -------------------------------------------------------- */

static struct authority *open_with(const struct authority *before)
{
	options.before = before;
	return open_authority();
}

static const char *id_of(const struct authority *authority)
{
	return ca_id(issuer_of(authority));
}

static void goes_on_with_the_issuing_ca_there_was(void **state)
{
	struct authority *a = open_authority(), *b = open_with(a), *c;
	CRYPTO_BUFFER *crl;

	(void)state;
	assert_ptr_equal(issuer_of(a), issuer_of(b));
	authority_free(a); /* which does not take it along */
	c = open_with(b);
	assert_string_equal(id_of(b), id_of(c));
	crl = crl_of(c, id_of(c));
	assert_non_null(crl);
	CRYPTO_BUFFER_free(crl);
	authority_free(b);
	authority_free(c);
}

/* Without what was before it: its key is in memory alone. The CRL of the one
 * that is gone is still given. */
static void makes_another_after_a_restart(void **state)
{
	struct authority *a = open_authority(), *b = open_authority();
	CRYPTO_BUFFER *crl = crl_of(b, id_of(a));

	(void)state;
	assert_string_not_equal(id_of(a), id_of(b));
	assert_non_null(crl);
	CRYPTO_BUFFER_free(crl);
	write_cert("s.pem", issuer_of(b));
	lab_run("openssl x509 -in s.pem -noout -subject -nameopt RFC2253");
	assert_non_null(strstr(lab_said(), ".2 (t)"));
	authority_free(a);
	authority_free(b);
}

/* A second is the least that there is. */
static void rotates(void **state)
{
	struct authority *a, *b, *c;
	struct timespec wait = {.tv_nsec = 20 * 1000 * 1000};

	(void)state;
	options.rotate_s = 1;
	a = open_authority();
	assert_in_range(authority_due(a) - time(NULL), 0, 1);
	b = open_with(a);
	for (int i = 0; i < 60 && strcmp(id_of(a), id_of(b)) == 0; i++) {
		authority_free(b);
		nanosleep(&wait, NULL);
		b = open_with(a);
	}
	assert_string_not_equal(id_of(a), id_of(b));
	options.rotate_s = 0; /* as long as it may; and made for that */
	c = open_with(b);
	assert_string_not_equal(id_of(b), id_of(c));
	assert_true(authority_due(c) - time(NULL) > 60);
	authority_free(a);
	authority_free(b);
	authority_free(c);
}

static void makes_another_where_that_is_wanted(void **state)
{
	struct authority *a = open_authority(), *b, *c, *d;

	(void)state;
	options.validity_s = KEPT_VALIDITY_S / 2;
	b = open_with(a);
	assert_string_not_equal(id_of(a), id_of(b));
	options.rotate_s = KEPT_ROTATE_S / 2;
	c = open_with(b);
	assert_string_not_equal(id_of(b), id_of(c));
	options.crl_base = "http://proxy.example:3128";
	d = open_with(c);
	assert_string_not_equal(id_of(c), id_of(d));
	authority_free(a);
	authority_free(b);
	authority_free(c);
	authority_free(d);
}

static void does_not_go_on_with_a_revoked_one(void **state)
{
	struct authority *a = open_authority(), *b;
	char sql[160];

	(void)state;
	snprintf(sql, sizeof(sql), "UPDATE issuing SET revoked = 5 WHERE "
		"key_id = '%s'", id_of(a));
	set(sql);
	b = open_with(a);
	assert_string_not_equal(id_of(a), id_of(b));
	authority_free(a);
	authority_free(b);
}

static void does_not_go_on_with_anothers(void **state)
{
	struct authority *a = open_authority(), *b;

	(void)state;
	lab_run("rm sallyport.db");
	b = open_with(a);
	assert_string_not_equal(id_of(a), id_of(b));
	assert_string_not_equal(authority_root_pem(a), authority_root_pem(b));
	authority_free(a);
	authority_free(b);
}

/* --- CAs that rules name ------------------------------------------------ */

/* bring brings a CA called name, signed by itself, which is no default. */
static void bring(const char *name, const char *ext)
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

static void name(const char *one)
{
	static const char *names[1];

	names[0] = one;
	options.names = names;
	options.num_names = 1;
}

/* warned wants a warning that says so, and none besides. */
static void warned(const struct authority *authority, const char *what)
{
	const char *first = authority_warning(authority, 0);

	if (!what && first)
		fail_msg("%s", first);
	if (what && (!first || !strstr(first, what)))
		fail_msg("no '%s' in: %s", what, first ? first : "nothing");
	if (what)
		assert_null(authority_warning(authority, 1));
}

static void signs_by_the_ca_that_is_named(void **state)
{
	struct authority *authority;
	CRYPTO_BUFFER *const *sent;
	const char *why = NULL;
	struct ca *corp;

	(void)state;
	bring("corp", LAB_CA_EXT);
	name("corp");
	authority = open_authority();
	warned(authority, NULL);
	corp = authority_issuer(authority, "corp", &why);
	assert_non_null(corp);
	assert_ptr_not_equal(corp, issuer_of(authority));
	assert_ptr_equal(authority_issuer(authority, "", &why),
		issuer_of(authority));
	assert_int_equal(ca_sent(corp, &sent), 1); /* under a root */
	forge(authority, corp);
	lab_run("openssl verify -x509_strict -crl_check -CAfile corp.pem "
		"-untrusted sent.pem -CRLfile crl.pem leaf.pem");
	assert_int_not_equal(lab_try("openssl verify -CAfile root.pem "
		"-untrusted sent.pem leaf.pem"), 0);
	assert_true(authority_knows(authority, "corp"));
	assert_false(authority_knows(authority, "corps"));
	assert_null(authority_issuer(authority, "corps", &why));
	assert_non_null(strstr(why, "no such CA"));
	authority_free(authority);
}

/* What is brought is not signed anew for another CDP; what is under it is. */
static void follows_crl_base_under_what_was_brought(void **state)
{
	struct authority *a, *b;
	const char *why;

	(void)state;
	bring("corp", LAB_CA_EXT);
	name("corp");
	a = open_authority();
	options.crl_base = "http://proxy.example:3128";
	b = open_with(a);
	assert_string_not_equal(ca_id(authority_issuer(a, "corp", &why)),
		ca_id(authority_issuer(b, "corp", &why)));
	authority_free(a);
	authority_free(b);
}

/* One that nobody names is not made ready; it is known all the same. */
static void makes_ready_only_what_is_named(void **state)
{
	struct authority *authority;
	const char *why = NULL;

	(void)state;
	bring("corp", LAB_CA_EXT);
	authority = open_authority();
	assert_true(authority_knows(authority, "corp"));
	assert_null(authority_issuer(authority, "corp", &why));
	assert_non_null(strstr(why, "no rule has named"));
	warned(authority, NULL);
	authority_free(authority);
}

static void says_why_one_is_of_no_use(void **state)
{
	static const struct {
		const char *sql, *why;
	} rows[] = {
		{"UPDATE ca SET status = 'DISABLED' WHERE name = 'corp'",
			"the CA 'corp' is disabled"},
		{"UPDATE ca SET status = 'ENABLED', state = 'CSRGEN_DONE' "
			"WHERE name = 'corp'", "CSRGEN_DONE"},
		{"UPDATE ca SET state = 'CERT_READY', key = NULL WHERE name = "
			"'corp'", "no key"},
		{"UPDATE ca SET key = x'3000' WHERE name = 'corp'",
			"does not open"},
	};

	(void)state;
	bring("corp", LAB_CA_EXT);
	name("corp");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct authority *authority;
		const char *why = NULL;

		set(rows[i].sql);
		authority = open_authority();
		assert_null(authority_issuer(authority, "corp", &why));
		if (!strstr(why, rows[i].why))
			fail_msg("no '%s' in: %s", rows[i].why, why);
		assert_true(authority_knows(authority, "corp"));
		assert_non_null(issuer_of(authority)); /* which goes on */
		warned(authority, "a rule's intermediate-ca 'corp' can't be "
			"used: ");
		authority_free(authority);
	}
}

/* A rule's traffic is for clients who trust it: the root and the CA that nobody
 * trusts are no choice. */
static void takes_no_other_ca_for_an_intermediate(void **state)
{
	static const char *const purposes[] = {"root", "untrusted"};
	struct authority *authority;
	const char *why = NULL;
	char sql[128];

	(void)state;
	authority_free(open_authority());
	name("odd");
	for (size_t i = 0; i < 2; i++) {
		snprintf(sql, sizeof(sql), "UPDATE ca SET name = 'odd' WHERE "
			"purpose = '%s'", purposes[i]);
		set(sql);
		authority = open_authority();
		assert_false(authority_knows(authority, "odd"));
		assert_null(authority_issuer(authority, "odd", &why));
		assert_non_null(strstr(why, "no such CA"));
		authority_free(authority);
		set("UPDATE ca SET name = 'even' || id WHERE name = 'odd'");
	}
}

static void forgets_the_name_of_a_deleted_one(void **state)
{
	struct authority *authority;
	const char *why = NULL;

	(void)state;
	bring("corp", LAB_CA_EXT);
	set("UPDATE ca SET retired = 5, key = NULL WHERE name = 'corp'");
	name("corp");
	authority = open_authority();
	assert_false(authority_knows(authority, "corp"));
	assert_null(authority_issuer(authority, "corp", &why));
	assert_non_null(strstr(why, "no such CA"));
	authority_free(authority);
}

static void warns_of_an_end(void **state)
{
	struct authority *authority;
	char sql[8192];

	(void)state;
	bring("corp", LAB_CA_EXT);
	name("corp");
	lab_run("openssl req -x509 -new -key corp.key -subj /O=Lab/CN=corp "
		"-days 20 -config corp.cnf -extensions ext -out corp.pem && "
		"openssl x509 -in corp.pem -outform DER | od -An -v -tx1 | tr "
		"-d ' \\n'");
	snprintf(sql, sizeof(sql), "UPDATE ca SET cert = x'%s' WHERE name = "
		"'corp'", lab_said());
	set(sql);
	authority = open_authority();
	warned(authority, "the CA 'corp' ends on ");
	authority_free(authority);
}

/* What root.pem gives out is the top of the chain, whatever that is. */
static void warns_of_a_root_that_is_none(void **state)
{
	struct authority *authority;

	(void)state;
	authority_free(open_authority());
	set("UPDATE ca SET chain = NULL WHERE id = 1");
	authority = open_authority();
	warned(authority, "root.pem holds no root");
	authority_free(authority);
}

/* --- a keeper that does not do it --------------------------------------- */

struct moody {
	uint32_t kind;     /* that it does not answer */
	unsigned refused;
};

static int moody_ask(void *arg, struct keeper_frame *frame, char *why,
	size_t why_size)
{
	struct moody *moody = arg;

	if (frame->kind != moody->kind)
		return keeper_local(kept_keeper(), frame, why, why_size);
	moody->refused++;
	frame_refuse(frame, KEEPER_REFUSED, "the keeper is in a mood");
	return 0;
}

static void goes_on_where_the_keeper_refuses(void **state)
{
	struct moody moody = {.kind = KEEPER_ISSUE};
	struct keeper_link link = {moody_ask, &moody, "moody"};
	struct authority *a = open_authority(), *b, *c;

	(void)state;
	options.link = &link;
	options.validity_s--; /* so that another is wanted */
	b = open_with(a);
	assert_int_equal(moody.refused, 1);
	assert_string_equal(id_of(a), id_of(b)); /* which goes on */
	warned(b, "no new issuing CA under 'Sallyport Intermediate CA ");
	assert_non_null(strstr(authority_warning(b, 0), "in a mood"));
	assert_in_range(authority_due(b) - time(NULL), 0, 60);
	moody.kind = 0;
	c = open_with(b); /* and is replaced as soon as may be */
	assert_string_not_equal(id_of(a), id_of(c));
	warned(c, NULL);
	authority_free(a);
	authority_free(b);
	authority_free(c);
}

static void unusable(const struct authority *authority, const char *why)
{
	const char *said = NULL;

	assert_null(authority_issuer(authority, NULL, &said));
	assert_non_null(strstr(said, why));
	warned(authority, "the default CA 'Sallyport Intermediate CA ");
	assert_in_range(authority_due(authority) - time(NULL), 0, 60);
}

/* What was revoked signs no more, and its CRL is out, whatever the keeper does:
 * nothing else signs in its place. */
static void signs_with_nothing_where_the_keeper_refuses(void **state)
{
	struct moody moody = {.kind = KEEPER_ISSUE};
	struct keeper_link link = {moody_ask, &moody, "moody"};
	struct authority *a = open_authority(), *b, *c;

	(void)state;
	options.link = &link;
	set("UPDATE issuing SET revoked = 5");
	b = open_with(a);
	unusable(b, "in a mood");
	moody.kind = 0;
	c = open_with(b);
	assert_string_not_equal(id_of(a), id_of(c));
	warned(c, NULL);
	authority_free(a);
	authority_free(b);
	authority_free(c);
}

static void make_default(const char *name, const char *others_status)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "UPDATE ca SET is_default = 0, status = '%s'"
		" WHERE is_default = 1; UPDATE ca SET is_default = 1, status ="
		" 'ENABLED' WHERE name LIKE '%s'", others_status, name);
	set(sql);
}

/* Out of use and back: the keeper makes only so many. */
static void keeps_an_issuing_ca_that_is_out_of_use(void **state)
{
	static const char own[] = "%Intermediate%";
	struct authority *a = open_authority(), *b, *c, *d, *e;

	(void)state;
	bring("corp", LAB_CA_EXT);
	make_default("corp", "ENABLED");
	b = open_with(a);
	assert_string_not_equal(id_of(a), id_of(b));
	make_default(own, "ENABLED");
	c = open_with(b);
	assert_string_equal(id_of(a), id_of(c));
	make_default("corp", "DISABLED");
	d = open_with(c);
	assert_string_equal(id_of(b), id_of(d));
	make_default(own, "ENABLED");
	e = open_with(d); /* disabled, it was let go */
	assert_string_not_equal(id_of(c), id_of(e));
	authority_free(a);
	authority_free(b);
	authority_free(c);
	authority_free(d);
	authority_free(e);
}

/* Nor where it is needed: the clients of this folder don't know it. */
static void needs_no_issuing_ca_of_anothers(void **state)
{
	struct moody moody = {.kind = KEEPER_ISSUE};
	struct keeper_link link = {moody_ask, &moody, "moody"};
	struct authority *a = open_authority(), *b;

	(void)state;
	lab_run("rm sallyport.db");
	options.link = &link;
	options.before = a;
	b = open_authority();
	unusable(b, "in a mood");
	authority_free(a);
	authority_free(b);
}

static void fails_where_the_keeper_refuses_at_first(void **state)
{
	static const uint32_t kinds[] = {KEEPER_MAKE_KEY, KEEPER_HOLD,
		KEEPER_MINT, KEEPER_CRL};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct moody moody = {.kind = kinds[i]};
		struct keeper_link link = {moody_ask, &moody, "moody"};
		struct authority *authority;

		options.link = &link;
		assert_int_equal(authority_open(&options, &authority, err,
			sizeof(err)), -1);
		assert_null(authority);
		assert_says("in a mood");
		options.link = kept_link(); /* nothing is half done */
		authority_free(open_authority());
		lab_run("rm sallyport.db root.pem");
	}
}

/* --- mending ------------------------------------------------------------ */

static void follows_crl_base(void **state)
{
	struct authority *before = open_authority(), *after;
	struct cert old, new;

	(void)state;
	options.crl_base = NULL; /* a command that does not know it */
	after = open_authority();
	assert_true(der_same(intermediate_of(before), intermediate_of(after)));
	assert_string_equal(authority_crl_base(after), "");
	authority_free(after);
	options.crl_base = "http://proxy.example:3128";
	kept_rules(options.crl_base);
	after = open_authority();
	assert_int_equal(cert_read(intermediate_of(before), &old), 0);
	assert_int_equal(cert_read(intermediate_of(after), &new), 0);
	assert_false(der_same(old.whole, new.whole));
	assert_true(der_same(old.ski, new.ski));
	assert_true(der_same(old.subject, new.subject));
	assert_string_equal(authority_root_pem(before),
		authority_root_pem(after));
	forge(after, issuer_of(after));
	lab_run("openssl x509 -in leaf.pem -noout -text");
	assert_non_null(strstr(lab_said(), "http://proxy.example:3128/crl/"));
	lab_run("openssl verify -x509_strict -CAfile root.pem -untrusted "
		"sent.pem leaf.pem");
	write_der("i.pem", new.whole);
	lab_run("openssl x509 -in i.pem -noout -text");
	assert_non_null(strstr(lab_said(), "http://proxy.example:3128/crl/2"));
	authority_free(before);
	authority_free(after);
}

static void looks_and_makes_nothing(void **state)
{
	struct authority_view view;

	(void)state;
	assert_int_equal(authority_look(&options, &view, err, sizeof(err)),
		AUTHORITY_NONE);
	assert_null(view.root_pem);
	assert_int_equal(access(lab_path("sallyport.db"), F_OK), -1);
	assert_int_equal(access(lab_path("root.pem"), F_OK), -1);
}

/* Looking changes nothing that is there. */
static void looks_without_mending(void **state)
{
	struct authority_view first, second;
	struct authority *authority;

	(void)state;
	authority_free(open_authority());
	if (authority_look(&options, &first, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(mode_of("root.pem"), 0644);
	assert_string_equal(first.id, "1");
	assert_true(first.signs_crls);
	assert_int_equal(unlink(lab_path("root.pem")), 0);
	options.crl_base = "http://proxy.example:3128";
	kept_rules(options.crl_base);
	if (authority_look(&options, &second, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_true(der_same(der_of(first.cert), der_of(second.cert)));
	assert_string_equal(first.root_pem, second.root_pem);
	assert_int_equal(access(lab_path("root.pem"), F_OK), -1);
	authority = open_authority(); /* which mends */
	assert_false(der_same(der_of(first.cert),
		intermediate_of(authority)));
	assert_string_equal(first.root_pem, authority_root_pem(authority));
	authority_free(authority);
	authority_view_clear(&first);
	authority_view_clear(&second);
}

static void refuses_a_bad_crl_base(void **state)
{
	struct authority *authority;

	(void)state;
	options.crl_base = "http://b\xc3\xbc" "cher.test";
	assert_int_equal(authority_open(&options, &authority, err,
		sizeof(err)), -1);
	assert_says("issuing.crl-url");
	assert_null(authority);
}

/* --- what goes wrong ---------------------------------------------------- */

static void needs_the_right_passphrase(void **state)
{
	struct keeper *other = keeper_new(keylock_new("another", 7));
	struct keeper_link link = {keeper_local, other, "/etc/other"};
	struct authority *authority;

	(void)state;
	authority_free(open_authority());
	options.link = &link;
	assert_int_equal(authority_open(&options, &authority, err,
		sizeof(err)), -1);
	assert_null(authority);
	assert_says("the passphrase of /etc/other does not open the private "
		"key");
	options.link = kept_link(); /* and nothing is lost */
	authority_free(open_authority());
	keeper_free(other);
}

static void refuses_a_newer_store(void **state)
{
	struct authority *authority;

	(void)state;
	authority_free(open_authority());
	set("PRAGMA user_version = 99");
	assert_int_equal(authority_open(&options, &authority, err,
		sizeof(err)), -1);
	assert_says("newer Sallyport");
}

static void says_that_a_folder_is_missing(void **state)
{
	struct authority *authority;

	(void)state;
	options.state = "/nonexistent/sallyport";
	assert_int_equal(authority_open(&options, &authority, err,
		sizeof(err)), -1);
	assert_says("/nonexistent/sallyport/sallyport.db: No such file");
}

/* Two first starts at once make one set of CAs. */
static void starts_once(void **state)
{
	struct authority *one, *two;
	int status;
	pid_t pid = fork();

	(void)state;
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		int result = authority_open(&options, &one, err, sizeof(err));

		if (result == 0)
			authority_free(one);
		_exit(result == 0 ? 0 : 1);
	}
	two = open_authority();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	one = open_authority();
	assert_true(der_same(intermediate_of(one), intermediate_of(two)));
	assert_string_equal(authority_root_pem(one), authority_root_pem(two));
	authority_free(one);
	authority_free(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(makes_all_at_first_start, set_up),
		cmocka_unit_test_setup(signs_with_an_issuing_ca, set_up),
		cmocka_unit_test_setup(has_a_crl_for_every_ca, set_up),
		cmocka_unit_test_setup(keeps_the_untrusted_apart, set_up),
		cmocka_unit_test_setup(differs_from_another_installation,
			set_up),
		cmocka_unit_test_setup(renews_crls, set_up),
		cmocka_unit_test_setup(tells_until_when_a_crl_stands, set_up),
		cmocka_unit_test_setup(goes_on_with_the_crl_of_a_deleted_one,
			set_up),
		cmocka_unit_test_setup(goes_on_with_the_issuing_ca_there_was,
			set_up),
		cmocka_unit_test_setup(makes_another_after_a_restart, set_up),
		cmocka_unit_test_setup(rotates, set_up),
		cmocka_unit_test_setup(makes_another_where_that_is_wanted,
			set_up),
		cmocka_unit_test_setup(does_not_go_on_with_a_revoked_one,
			set_up),
		cmocka_unit_test_setup(does_not_go_on_with_anothers, set_up),
		cmocka_unit_test_setup(signs_by_the_ca_that_is_named, set_up),
		cmocka_unit_test_setup(
			follows_crl_base_under_what_was_brought, set_up),
		cmocka_unit_test_setup(makes_ready_only_what_is_named, set_up),
		cmocka_unit_test_setup(says_why_one_is_of_no_use, set_up),
		cmocka_unit_test_setup(takes_no_other_ca_for_an_intermediate,
			set_up),
		cmocka_unit_test_setup(forgets_the_name_of_a_deleted_one,
			set_up),
		cmocka_unit_test_setup(warns_of_an_end, set_up),
		cmocka_unit_test_setup(warns_of_a_root_that_is_none, set_up),
		cmocka_unit_test_setup(goes_on_where_the_keeper_refuses,
			set_up),
		cmocka_unit_test_setup(
			signs_with_nothing_where_the_keeper_refuses, set_up),
		cmocka_unit_test_setup(keeps_an_issuing_ca_that_is_out_of_use,
			set_up),
		cmocka_unit_test_setup(needs_no_issuing_ca_of_anothers,
			set_up),
		cmocka_unit_test_setup(fails_where_the_keeper_refuses_at_first,
			set_up),
		cmocka_unit_test_setup(follows_crl_base, set_up),
		cmocka_unit_test_setup(looks_and_makes_nothing, set_up),
		cmocka_unit_test_setup(looks_without_mending, set_up),
		cmocka_unit_test_setup(refuses_a_bad_crl_base, set_up),
		cmocka_unit_test_setup(needs_the_right_passphrase, set_up),
		cmocka_unit_test_setup(refuses_a_newer_store, set_up),
		cmocka_unit_test_setup(says_that_a_folder_is_missing, set_up),
		cmocka_unit_test_setup(starts_once, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
