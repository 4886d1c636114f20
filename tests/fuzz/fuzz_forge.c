/*
 * fuzz_forge.c - any origin's certificate → forge_leaf, trust_verify.
 *
 * What is forged must parse by BoringSSL's reader as well as by ours, be
 * within the CA's time, of bounded size, and, where that was asked, name the
 * one host and no other. What comes out of nowhere is never trusted.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdlib.h>

#include "pki/base.h"
#include "pki/keymaker.h"
#include "pki/leaf.h"
#include "pki/mint.h"
#include "pki/san.h"
#include "pki/trust.h"
#include "pki/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DAY = 24 * 3600, LEAF_MAX = 4096 + SAN_MAX + 2048 };

static struct ca *ca;
static struct leafkeys *keys;
static struct trust *trust;
static time_t now;

static void must(int truth)
{
	if (!truth)
		abort();
}

static void set_up(void)
{
	CRYPTO_BUFFER *name = mint_name("Fuzz"), *cert;
	EVP_PKEY *key = make_p256_key();
	struct mint_order order = {
		.key = key, .subject = der_of(name), .path_len = -1,
	};

	now = time(NULL);
	order.from = now - 100 * DAY;
	order.until = now + 1000 * DAY;
	cert = mint_ca(&order);
	must(ca_new(der_of(cert), key, NULL, 0, "1", &ca, NULL, 0) == 0);
	keys = leafkeys_new();
	trust = trust_new();
	CRYPTO_BUFFER_free(cert);
	CRYPTO_BUFFER_free(name);
	EVP_PKEY_free(key);
}

static void check(const struct leaf *leaf, bool name_only)
{
	CRYPTO_BUFFER *const *certs;
	struct san_name name;
	struct cert cert;
	const uint8_t *at;
	X509 *x509;
	CBS san, list;

	leaf_certs(leaf, &certs);
	must(CRYPTO_BUFFER_len(certs[0]) < LEAF_MAX);
	at = CRYPTO_BUFFER_data(certs[0]);
	x509 = d2i_X509(NULL, &at, (long)CRYPTO_BUFFER_len(certs[0]));
	must(x509 && X509_verify(x509, ca_key(ca)) == 1);
	X509_free(x509);
	must(cert_read(der_of(certs[0]), &cert) == 0);
	must(!cert.is_ca && !cert_self_issued(&cert));
	must(cert.not_before >= ca_not_before(ca));
	must(cert.not_after <= ca_not_after(ca));
	must(cert.not_before <= cert.not_after);
	san = der_cbs(cert.san);
	must(CBS_get_asn1(&san, &list, CBS_ASN1_SEQUENCE));
	must(san_next(&list, &name));
	if (name_only)
		must(leaf_covers(leaf, "a.test") && CBS_len(&list) == 0);
}

static void forge(struct der origin, bool name_only)
{
	struct leaf_order order = {
		.ca = ca, .keys = keys, .origin = origin, .name = "a.test",
		.name_only = name_only, .crl_base = "http://crl.test",
		.now = now, .validity_s = 14 * DAY,
	};
	struct leaf *leaf;
	char err[256];

	if (forge_leaf(&order, &leaf, err, sizeof(err)) == 0)
		check(leaf, name_only);
	must(ERR_peek_error() == 0);
	leaf_free(leaf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct der origin = {data, size};
	time_t until;
	char err[256];

	if (!ca)
		set_up();
	forge(origin, false);
	forge(origin, true);
	must(trust_verify(trust, &origin, 1, "a.test", now, &until, err,
		sizeof(err)) != VERDICT_TRUSTED);
	must(ERR_peek_error() == 0);
	return 0;
}
