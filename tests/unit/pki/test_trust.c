#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <pthread.h>

#include "pki/base.h"
#include "pki/trust.h"
#include "pki/x509.h"
#include "tests/support/lab.h"

enum { DAY = 24 * 3600 };

#define SAN "subjectAltName=DNS:a.test,DNS:*.w.test,IP:192.0.2.7\n"
#define AIA "authorityInfoAccess=caIssuers;URI:http://ca.test/i.der\n"

static struct trust *trust; /* root.pem */
static char said[512];

/* As the proxy adds what it has read of a file. */
static int add_file(struct trust *to, const char *path, char *err, size_t err_size)
{
	char *text;
	size_t len;
	int result;

	if (file_read(path, 1 << 20, &text, &len, err, err_size) != 0)
		fail_msg("%s", err);
	result = trust_add_text(to, text, len, path, err, err_size);
	free(text);
	return result;
}

static int set_up(void **state)
{
	char err[256];

	(void)state;
	lab_make_root("root", "ec", LAB_CA_EXT);
	lab_make_root("stranger", "ec", LAB_CA_EXT);
	lab_make("inter", "ec", "/CN=inter", "root", "sha256", LAB_SUB_EXT);
	lab_make("good", "ec", "/CN=a.test", "inter", "sha256",
		LAB_LEAF_EXT "extendedKeyUsage=serverAuth\n" SAN AIA);
	trust = trust_new();
	assert_int_equal(add_file(trust, lab_path("root.pem"), err,
		sizeof(err)), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	trust_free(trust);
	lab_end();
	return 0;
}

/* ask judges the chain of up to three files (NULL: no more). */
static enum verdict ask_of(const struct trust *by, const char *name,
	time_t now, const char *a, const char *b, const char *c)
{
	const char *const files[] = {a, b, c};
	CRYPTO_BUFFER *certs[3];
	struct der chain[3];
	enum verdict verdict;
	size_t num = 0;
	time_t until = 0;

	for (size_t i = 0; i < 3 && files[i]; i++) {
		char file[64];

		snprintf(file, sizeof(file), "%s.pem", files[i]);
		certs[num] = lab_cert(file);
		chain[num] = lab_der(certs[num]);
		num++;
	}
	said[0] = '\0';
	verdict = trust_verify(by, chain, num, name, now, &until, said,
		sizeof(said));
	assert_int_equal(ERR_peek_error(), 0);
	if (verdict == VERDICT_TRUSTED)
		assert_true(until > now);
	else
		assert_int_not_equal(said[0], '\0');
	for (size_t i = 0; i < num; i++)
		CRYPTO_BUFFER_free(certs[i]);
	return verdict;
}

static enum verdict ask(const char *name, const char *a, const char *b)
{
	return ask_of(trust, name, time(NULL), a, b, NULL);
}

static void trusts_what_is_good(void **state)
{
	(void)state;
	assert_int_equal(ask("a.test", "good", "inter"), VERDICT_TRUSTED);
	assert_int_equal(ask("x.w.test", "good", "inter"), VERDICT_TRUSTED);
	assert_int_equal(ask("192.0.2.7", "good", "inter"), VERDICT_TRUSTED);
	/* any order, any extra */
	assert_int_equal(ask_of(trust, "a.test", time(NULL), "good",
		"stranger", "inter"), VERDICT_TRUSTED);
	assert_int_equal(ask_of(trust, "a.test", time(NULL), "good", "root",
		"inter"), VERDICT_TRUSTED);
}

static void says_until_when(void **state)
{
	CRYPTO_BUFFER *certs[] = {lab_cert("good.pem"), lab_cert("inter.pem")};
	struct der chain[] = {lab_der(certs[0]), lab_der(certs[1])};
	struct cert good, inter;
	time_t until = 0;

	(void)state;
	assert_int_equal(cert_read(chain[0], &good), 0);
	assert_int_equal(cert_read(chain[1], &inter), 0);
	assert_int_equal(trust_verify(trust, chain, 2, "a.test", time(NULL),
		&until, said, sizeof(said)), VERDICT_TRUSTED);
	assert_int_equal(until, good.not_after < inter.not_after ?
		good.not_after : inter.not_after);
	CRYPTO_BUFFER_free(certs[0]);
	CRYPTO_BUFFER_free(certs[1]);
}

static void knows_the_name(void **state)
{
	(void)state;
	assert_int_equal(ask("b.test", "good", "inter"), VERDICT_WRONG_HOST);
	assert_non_null(strstr(said, "a.test, *.w.test, 192.0.2.7"));
	assert_int_equal(ask("w.test", "good", "inter"), VERDICT_WRONG_HOST);
	assert_int_equal(ask("x.y.w.test", "good", "inter"),
		VERDICT_WRONG_HOST);
	assert_int_equal(ask("192.0.2.8", "good", "inter"),
		VERDICT_WRONG_HOST);
	lab_make("cn", "ec", "/CN=a.test", "inter", "sha256", LAB_LEAF_EXT);
	assert_int_equal(ask("a.test", "cn", "inter"), VERDICT_NO_SAN);
	lab_make("mail", "ec", "/CN=a.test", "inter", "sha256",
		LAB_LEAF_EXT "subjectAltName=email:x@a.test\n");
	assert_int_equal(ask("a.test", "mail", "inter"), VERDICT_NO_SAN);
	lab_make("part", "ec", "/CN=x", "inter", "sha256",
		LAB_LEAF_EXT "subjectAltName=DNS:x*.a.test\n");
	assert_int_not_equal(ask("xy.a.test", "part", "inter"),
		VERDICT_TRUSTED);
	assert_int_not_equal(ask("", "good", "inter"), VERDICT_TRUSTED);
}

static void knows_the_time(void **state)
{
	time_t now = time(NULL);

	(void)state;
	assert_int_equal(ask_of(trust, "a.test", now + 366 * DAY, "good",
		"inter", NULL), VERDICT_EXPIRED);
	assert_non_null(strstr(said, " ended on 20"));
	assert_int_equal(ask_of(trust, "a.test", now - 2 * DAY, "good",
		"inter", NULL), VERDICT_NOT_YET_VALID);
	/* expired comes before the wrong name, after everything else */
	assert_int_equal(ask_of(trust, "b.test", now + 366 * DAY, "good",
		"inter", NULL), VERDICT_EXPIRED);
	assert_int_equal(ask_of(trust, "a.test", now + 366 * DAY, "good",
		NULL, NULL), VERDICT_INCOMPLETE_CHAIN);
	assert_int_equal(ask_of(trust, "b.test", now + 9999 * DAY, "stranger",
		NULL, NULL), VERDICT_SELF_SIGNED);
}

static void knows_the_path(void **state)
{
	(void)state;
	assert_int_equal(ask("a.test", "stranger", NULL), VERDICT_SELF_SIGNED);
	lab_make("lost", "ec", "/CN=a.test", "stranger", "sha256",
		LAB_LEAF_EXT SAN);
	assert_int_equal(ask("a.test", "lost", NULL), VERDICT_UNKNOWN_ISSUER);
	assert_int_equal(ask("a.test", "lost", "stranger"),
		VERDICT_UNKNOWN_ISSUER);
	assert_int_equal(ask("a.test", "good", NULL),
		VERDICT_INCOMPLETE_CHAIN);
	assert_non_null(strstr(said, "'inter'"));
	assert_int_equal(ask("a.test", "good", "stranger"),
		VERDICT_INCOMPLETE_CHAIN);
	lab_make("quiet", "ec", "/CN=a.test", "inter", "sha256",
		LAB_LEAF_EXT SAN);
	assert_int_equal(ask("a.test", "quiet", NULL),
		VERDICT_UNKNOWN_ISSUER);
}

static void holds_cas_to_the_rules(void **state)
{
	(void)state;
	/* a server's certificate that plays CA */
	lab_make("fake", "ec", "/CN=a.test", "good", "sha256",
		LAB_LEAF_EXT SAN);
	assert_int_equal(ask_of(trust, "a.test", time(NULL), "fake", "good",
		"inter"), VERDICT_UNKNOWN_ISSUER);
	lab_make("noca", "ec", "/CN=noca", "inter", "sha256",
		"basicConstraints=CA:FALSE\n");
	lab_make("fake", "ec", "/CN=a.test", "noca", "sha256",
		LAB_LEAF_EXT SAN);
	assert_int_equal(ask_of(trust, "a.test", time(NULL), "fake", "noca",
		"inter"), VERDICT_INVALID);
	/* name constraints */
	lab_make("bound", "ec", "/CN=bound", "root", "sha256", LAB_SUB_EXT
		"nameConstraints=critical,permitted;DNS:only.test\n");
	lab_make("out", "ec", "/CN=out", "bound", "sha256", LAB_LEAF_EXT SAN);
	assert_int_equal(ask("a.test", "out", "bound"), VERDICT_INVALID);
	/* a critical extension that nobody knows */
	lab_make("odd", "ec", "/CN=odd", "inter", "sha256", LAB_LEAF_EXT SAN
		"1.2.3.4.5=critical,DER:0500\n");
	assert_int_equal(ask("a.test", "odd", "inter"), VERDICT_INVALID);
	/* a signature that is none */
	lab_run("openssl x509 -in good.pem -outform DER -out bad.der && "
		"size=$(stat -c %%s bad.der) && printf '\\377' | dd of=bad.der "
		"bs=1 seek=$((size-20)) conv=notrunc && openssl x509 -inform "
		"DER -in bad.der -out bad.pem");
	assert_int_equal(ask("a.test", "bad", "inter"), VERDICT_INVALID);
	assert_non_null(strstr(said, "signature"));
}

static void knows_the_purpose(void **state)
{
	(void)state;
	lab_make("client", "ec", "/CN=c", "inter", "sha256",
		LAB_LEAF_EXT "extendedKeyUsage=clientAuth\n" SAN);
	assert_int_equal(ask("a.test", "client", "inter"),
		VERDICT_WRONG_PURPOSE);
	lab_make("caleaf", "ec", "/CN=c", "inter", "sha256", LAB_SUB_EXT SAN);
	assert_int_equal(ask("a.test", "caleaf", "inter"),
		VERDICT_WRONG_PURPOSE);
	lab_make("caleaf", "ec", "/CN=c", "inter", "sha256",
		"basicConstraints=critical,CA:TRUE\n" SAN);
	assert_int_equal(ask("a.test", "caleaf", "inter"),
		VERDICT_WRONG_PURPOSE);
}

static void knows_what_is_weak(void **state)
{
	(void)state;
	lab_make("sha1", "ec", "/CN=s", "inter", "sha1", LAB_LEAF_EXT SAN);
	assert_int_equal(ask("a.test", "sha1", "inter"),
		VERDICT_WEAK_SIGNATURE);
	lab_make_root("rsaroot", "rsa:2048", LAB_CA_EXT);
	lab_make("md5", "rsa:2048", "/CN=m", "rsaroot", "md5",
		LAB_LEAF_EXT SAN);
	assert_int_equal(ask("a.test", "md5", "rsaroot"),
		VERDICT_UNKNOWN_ISSUER);
	lab_make("sha1ca", "ec", "/CN=sha1ca", "root", "sha1", LAB_SUB_EXT);
	lab_make("under", "ec", "/CN=u", "sha1ca", "sha256",
		LAB_LEAF_EXT SAN);
	assert_int_equal(ask("a.test", "under", "sha1ca"),
		VERDICT_WEAK_SIGNATURE);
	lab_make("small", "rsa:1024", "/CN=k", "inter", "sha256",
		LAB_LEAF_EXT SAN);
	assert_int_equal(ask("a.test", "small", "inter"), VERDICT_WEAK_KEY);
	lab_make("ec224", "ec224", "/CN=k", "inter", "sha256",
		LAB_LEAF_EXT SAN);
	assert_int_equal(ask("a.test", "ec224", "inter"), VERDICT_WEAK_KEY);
}

/* ask_client judges the chain of a client, so much later. */
static enum verdict ask_client(time_t later, const char *a, const char *b,
	const char *c)
{
	const char *const files[] = {a, b, c};
	CRYPTO_BUFFER *certs[3];
	struct der chain[3];
	enum verdict verdict;
	size_t num = 0;

	for (size_t i = 0; i < 3 && files[i]; i++) {
		char file[64];

		snprintf(file, sizeof(file), "%s.pem", files[i]);
		certs[num] = lab_cert(file);
		chain[num] = lab_der(certs[num]);
		num++;
	}
	said[0] = '\0';
	verdict = trust_verify_client(trust, chain, num, time(NULL) + later,
		said, sizeof(said));
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(verdict == VERDICT_TRUSTED, said[0] == '\0');
	for (size_t i = 0; i < num; i++)
		CRYPTO_BUFFER_free(certs[i]);
	return verdict;
}

#define CLIENT_EXT LAB_LEAF_EXT "extendedKeyUsage=clientAuth\n"

static void trusts_a_client(void **state)
{
	(void)state;
	lab_make("dev1", "ec", "/CN=dev1", "inter", "sha256", CLIENT_EXT);
	assert_int_equal(ask_client(0, "dev1", "inter", NULL),
		VERDICT_TRUSTED);
	assert_int_equal(ask_client(0, "dev1", "stranger", "inter"),
		VERDICT_TRUSTED);
	lab_make("plain", "rsa:2048", "/CN=plain", "root", "sha256",
		LAB_LEAF_EXT);
	assert_int_equal(ask_client(0, "plain", NULL, NULL),
		VERDICT_TRUSTED);
	lab_make("anyuse", "ec", "/CN=any", "inter", "sha256", LAB_LEAF_EXT
		"extendedKeyUsage=anyExtendedKeyUsage\n");
	assert_int_equal(ask_client(0, "anyuse", "inter", NULL),
		VERDICT_TRUSTED);
	lab_make("both", "ec", "/CN=both", "inter", "sha256", LAB_LEAF_EXT
		"extendedKeyUsage=serverAuth,clientAuth\n");
	assert_int_equal(ask_client(0, "both", "inter", NULL),
		VERDICT_TRUSTED);
}

static void refuses_a_client_for_another_purpose(void **state)
{
	(void)state;
	assert_int_equal(ask_client(0, "good", "inter", NULL),
		VERDICT_WRONG_PURPOSE);
	lab_make("signer", "ec", "/CN=s", "inter", "sha256", LAB_LEAF_EXT
		"extendedKeyUsage=codeSigning\n");
	assert_int_equal(ask_client(0, "signer", "inter", NULL),
		VERDICT_WRONG_PURPOSE);
	assert_int_equal(ask_client(0, "inter", NULL, NULL),
		VERDICT_WRONG_PURPOSE);
	lab_make("caleaf", "ec", "/CN=c", "inter", "sha256",
		"basicConstraints=critical,CA:TRUE\n");
	assert_int_equal(ask_client(0, "caleaf", "inter", NULL),
		VERDICT_WRONG_PURPOSE);
	assert_non_null(strstr(said, "that of a client"));
	/* any purpose, but a key that is not to sign */
	lab_make("mute", "ec", "/CN=m", "inter", "sha256",
		"basicConstraints=CA:FALSE\nkeyUsage=keyEncipherment\n"
		"extendedKeyUsage=anyExtendedKeyUsage\n");
	assert_int_equal(ask_client(0, "mute", "inter", NULL),
		VERDICT_WRONG_PURPOSE);
	/* a CA that is there for servers alone */
	lab_make("srvca", "ec", "/CN=srvca", "root", "sha256", LAB_SUB_EXT
		"extendedKeyUsage=serverAuth\n");
	lab_make("under", "ec", "/CN=u", "srvca", "sha256", CLIENT_EXT);
	assert_int_equal(ask_client(0, "under", "srvca", NULL),
		VERDICT_WRONG_PURPOSE);
}

static void refuses_a_client_that_is_not_ours(void **state)
{
	(void)state;
	lab_make("alien", "ec", "/CN=dev1", "stranger", "sha256", CLIENT_EXT);
	assert_int_equal(ask_client(0, "alien", "stranger", NULL),
		VERDICT_UNKNOWN_ISSUER);
	assert_int_equal(ask_client(0, "stranger", NULL, NULL),
		VERDICT_SELF_SIGNED);
	lab_make("short", "ec", "/CN=dev1", "inter", "sha256", CLIENT_EXT AIA);
	assert_int_equal(ask_client(0, "short", NULL, NULL),
		VERDICT_INCOMPLETE_CHAIN);
	assert_non_null(strstr(said, "the client sent"));
	assert_int_equal(ask_client(366 * DAY, "dev1", "inter", NULL),
		VERDICT_EXPIRED);
	assert_int_equal(ask_client(-2 * DAY, "dev1", "inter", NULL),
		VERDICT_NOT_YET_VALID);
	lab_make("sha1", "ec", "/CN=s", "inter", "sha1", CLIENT_EXT);
	assert_int_equal(ask_client(0, "sha1", "inter", NULL),
		VERDICT_WEAK_SIGNATURE);
	lab_make("small", "rsa:1024", "/CN=s", "inter", "sha256", CLIENT_EXT);
	assert_int_equal(ask_client(0, "small", "inter", NULL),
		VERDICT_WEAK_KEY);
	/* another client's certificate that plays CA */
	lab_make("fake", "ec", "/CN=root", "dev1", "sha256", CLIENT_EXT);
	assert_int_not_equal(ask_client(0, "fake", "dev1", "inter"),
		VERDICT_TRUSTED);
	assert_int_equal(ask_client(0, NULL, NULL, NULL),
		VERDICT_MALFORMED);
}

static void does_not_mind_a_weak_anchor(void **state)
{
	struct trust *own = trust_new();
	char err[256];

	(void)state;
	lab_make_key("old", "rsa:2048");
	lab_text("old.cnf", "[req]\ndistinguished_name=dn\n[dn]\n[ext]\n"
		LAB_CA_EXT);
	lab_run("openssl req -x509 -new -sha1 -key old.key -subj /CN=old "
		"-days 99 -config old.cnf -extensions ext -out old.pem");
	lab_make("new", "ec", "/CN=n", "old", "sha256", LAB_LEAF_EXT SAN);
	lab_make("md5", "rsa:2048", "/CN=m", "old", "md5", LAB_LEAF_EXT SAN);
	assert_int_equal(add_file(own, lab_path("old.pem"), err,
		sizeof(err)), 0);
	assert_int_equal(ask_of(own, "a.test", time(NULL), "new", NULL, NULL),
		VERDICT_TRUSTED);
	assert_int_equal(ask_of(own, "a.test", time(NULL), "md5", NULL, NULL),
		VERDICT_WEAK_SIGNATURE);
	trust_free(own);
}

static void trusts_what_the_administrator_names(void **state)
{
	struct trust *own = trust_new();
	char err[256];

	(void)state;
	assert_int_equal(ask_of(own, "a.test", time(NULL), "good", "inter",
		"root"), VERDICT_UNKNOWN_ISSUER);
	assert_int_equal(add_file(own, lab_path("inter.pem"), err,
		sizeof(err)), 0);
	assert_int_equal(ask_of(own, "a.test", time(NULL), "good", NULL,
		NULL), VERDICT_TRUSTED);
	/* one self-signed server */
	lab_make_root("alone", "ec", "basicConstraints=CA:TRUE\n" SAN);
	assert_int_equal(ask_of(own, "a.test", time(NULL), "alone", NULL,
		NULL), VERDICT_SELF_SIGNED);
	assert_int_equal(add_file(own, lab_path("alone.pem"), err,
		sizeof(err)), 0);
	assert_int_equal(ask_of(own, "a.test", time(NULL), "alone", NULL,
		NULL), VERDICT_TRUSTED);
	assert_int_equal(ask_of(own, "b.test", time(NULL), "alone", NULL,
		NULL), VERDICT_WRONG_HOST);
	trust_free(own);
}

static void survives_what_is_sent(void **state)
{
	static uint8_t large[70 * 1024] = {0x30, 0x83, 0x01, 0x17, 0xfb};
	CRYPTO_BUFFER *good = lab_cert("good.pem");
	CRYPTO_BUFFER *inter = lab_cert("inter.pem");
	struct der chain[17];
	struct der junk = {(const uint8_t *)"junk", 4};
	time_t until;
	char err[256];

	(void)state;
	assert_int_equal(trust_verify(trust, NULL, 0, "a.test", time(NULL),
		&until, err, sizeof(err)), VERDICT_MALFORMED);
	for (size_t i = 0; i < 17; i++)
		chain[i] = lab_der(i == 0 ? good : inter);
	assert_int_equal(trust_verify(trust, chain, 17, "a.test", time(NULL),
		&until, err, sizeof(err)), VERDICT_MALFORMED);
	assert_int_equal(trust_verify(trust, chain, 16, "a.test", time(NULL),
		&until, err, sizeof(err)), VERDICT_TRUSTED);
	/* junk behind the leaf matters only if something is missing */
	chain[1] = junk;
	assert_int_equal(trust_verify(trust, chain, 3, "a.test", time(NULL),
		&until, err, sizeof(err)), VERDICT_TRUSTED);
	assert_int_equal(trust_verify(trust, chain, 2, "a.test", time(NULL),
		&until, err, sizeof(err)), VERDICT_MALFORMED);
	assert_non_null(strstr(err, "certificate 2"));
	chain[0] = (struct der){large, sizeof(large)};
	assert_int_equal(trust_verify(trust, chain, 1, "a.test", time(NULL),
		&until, err, sizeof(err)), VERDICT_MALFORMED);
	chain[0] = junk;
	assert_int_equal(trust_verify(trust, chain, 1, "a.test", time(NULL),
		&until, NULL, 0), VERDICT_MALFORMED);
	CRYPTO_BUFFER_free(good);
	CRYPTO_BUFFER_free(inter);
}

static void digests_the_set(void **state)
{
	struct trust *a = trust_new(), *b = trust_new();
	char err[256];

	(void)state;
	assert_memory_equal(trust_digest(a), trust_digest(b), 32);
	lab_run("cat root.pem stranger.pem root.pem >two.pem");
	assert_int_equal(add_file(a, lab_path("two.pem"), err,
		sizeof(err)), 0);
	assert_int_equal(add_file(b, lab_path("stranger.pem"), err,
		sizeof(err)), 0);
	assert_memory_not_equal(trust_digest(a), trust_digest(b), 32);
	assert_int_equal(add_file(b, lab_path("root.pem"), err,
		sizeof(err)), 0);
	assert_memory_equal(trust_digest(a), trust_digest(b), 32);
	trust_free(a);
	trust_free(b);
}

static void says_what_is_wrong_with_a_file(void **state)
{
	struct trust *own = trust_new();
	char err[256];

	(void)state;
	lab_text("empty.pem", "nothing here\n");
	assert_int_equal(add_file(own, lab_path("empty.pem"), err,
		sizeof(err)), -1);
	assert_non_null(strstr(err, "holds no certificate"));
	lab_run("{ cat root.pem; echo -----BEGIN CERTIFICATE-----; echo AAAA; "
		"echo -----END CERTIFICATE-----; } >half.pem");
	assert_int_equal(add_file(own, lab_path("half.pem"), err,
		sizeof(err)), -1);
	assert_non_null(strstr(err, "certificate 2"));
	lab_run("{ cat root.pem; echo -----BEGIN CERTIFICATE-----; echo '!!'; "
		"echo -----END CERTIFICATE-----; } >half.pem");
	assert_int_equal(add_file(own, lab_path("half.pem"), err,
		sizeof(err)), -1);
	trust_free(own);
}

static void *verify_often(void *arg)
{
	const struct der *chain = arg;
	time_t until;
	char err[256];

	for (int i = 0; i < 100; i++) {
		if (trust_verify(trust, chain, 2, "a.test", time(NULL),
			    &until, err, sizeof(err)) != VERDICT_TRUSTED)
			return arg;
	}
	return NULL;
}

static void is_shared_by_threads(void **state)
{
	CRYPTO_BUFFER *certs[] = {lab_cert("good.pem"), lab_cert("inter.pem")};
	struct der chain[] = {lab_der(certs[0]), lab_der(certs[1])};
	pthread_t threads[4];
	void *result;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
			verify_often, chain), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
	CRYPTO_BUFFER_free(certs[0]);
	CRYPTO_BUFFER_free(certs[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trusts_what_is_good),
		cmocka_unit_test(says_until_when),
		cmocka_unit_test(knows_the_name),
		cmocka_unit_test(knows_the_time),
		cmocka_unit_test(knows_the_path),
		cmocka_unit_test(holds_cas_to_the_rules),
		cmocka_unit_test(knows_the_purpose),
		cmocka_unit_test(knows_what_is_weak),
		cmocka_unit_test(trusts_a_client),
		cmocka_unit_test(refuses_a_client_for_another_purpose),
		cmocka_unit_test(refuses_a_client_that_is_not_ours),
		cmocka_unit_test(does_not_mind_a_weak_anchor),
		cmocka_unit_test(trusts_what_the_administrator_names),
		cmocka_unit_test(survives_what_is_sent),
		cmocka_unit_test(digests_the_set),
		cmocka_unit_test(says_what_is_wrong_with_a_file),
		cmocka_unit_test(is_shared_by_threads),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
