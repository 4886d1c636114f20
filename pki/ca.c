#include "pki/ca.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/base.h"
#include "pki/dertime.h"
#include "pki/name.h"
#include "pki/tbs.h"
#include "pki/x509.h"

struct ca {
	atomic_uint refs;
	char id[CA_ID_MAX + 1];
	CRYPTO_BUFFER *der;       /* owned */
	struct cert cert;         /* points into der */
	EVP_PKEY *key;            /* shared; NULL: kept */
	const struct keeper_link *link; /* borrowed; NULL: not kept */
	uint8_t key_id[KEY_ID_SIZE];
	struct der ski;           /* points into der or to key_id */
	uint8_t digest[SHA256_DIGEST_LENGTH];
	CRYPTO_BUFFER *sent[CA_CHAIN_MAX + 1]; /* owned */
	size_t num_sent;
};

struct ca *ca_ref(struct ca *ca)
{
	atomic_fetch_add_explicit(&ca->refs, 1, memory_order_relaxed);
	return ca;
}

void ca_unref(struct ca *ca)
{
	if (!ca || atomic_fetch_sub_explicit(&ca->refs, 1,
			   memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < ca->num_sent; i++)
		CRYPTO_BUFFER_free(ca->sent[i]);
	EVP_PKEY_free(ca->key); /* which wipes it */
	CRYPTO_BUFFER_free(ca->der);
	free(ca);
}

/* --- what ca_new refuses ------------------------------------------------ */

static int check_time(const struct cert *cert, const char *title, char *err,
	size_t err_size)
{
	char text[DERTIME_TEXT];
	time_t now = time(NULL);

	if (cert->not_before > now)
		return pki_fail(err, err_size,
			"the CA certificate '%s' is not valid before %s",
			title, dertime_text(cert->not_before, text));
	if (cert->not_after < now)
		return pki_fail(err, err_size,
			"the CA certificate '%s' has ended on %s", title,
			dertime_text(cert->not_after, text));
	return 0;
}

/* RFC 5280, 4.2.1.9 and 4.2.1.3 */
static int check_role(const struct cert *cert, char *err, size_t err_size)
{
	char title[NAME_TITLE];

	name_title(cert->subject, title);
	if (!cert->is_ca)
		return pki_fail(err, err_size, "'%s' is not a CA certificate: "
			"it has no basicConstraints CA:TRUE", title);
	if (!cert_may_sign_certs(cert))
		return pki_fail(err, err_size, "the CA certificate '%s' may "
			"not sign certificates: its keyUsage lacks "
			"keyCertSign", title);
	return check_time(cert, title, err, err_size);
}

/* check_key: key NULL is one that is kept, whose keeper has compared them. */
static int check_key(const struct cert *cert, EVP_PKEY *key, char *err,
	size_t err_size)
{
	EVP_PKEY *public = cert_key(cert);
	bool same = public && (!key || EVP_PKEY_cmp(public, key) == 1);
	bool fits = same && tbs_key_fits(public);
	char title[NAME_TITLE];

	EVP_PKEY_free(public);
	name_title(cert->subject, title);
	if (!same)
		return pki_fail(err, err_size, "the private key is not that "
			"of the CA certificate '%s'", title);
	if (!fits)
		return pki_fail(err, err_size, "the key of '%s' is of a kind "
			"that can't sign here: RSA from 2048 bits, EC P-256 "
			"and P-384 can", title);
	return 0;
}

/* check_step: upper, with below CAs under it, is the issuer of lower. */
static int check_step(const struct cert *lower, const struct cert *upper,
	size_t below, char *err, size_t err_size)
{
	char low[NAME_TITLE], up[NAME_TITLE];
	EVP_PKEY *key = cert_key(upper);
	bool issued = key && der_same(lower->issuer, upper->subject) &&
		cert_signed_by(lower, key);

	EVP_PKEY_free(key);
	name_title(lower->subject, low);
	name_title(upper->subject, up);
	if (!issued)
		return pki_fail(err, err_size, "the chain does not lead "
			"upwards: '%s' has not been issued by '%s'", low, up);
	if (upper->path_len >= 0 && (size_t)upper->path_len < below)
		return pki_fail(err, err_size, "the path length of '%s' does "
			"not allow for '%s' under it (RFC 5280, 4.2.1.9)", up,
			low);
	return check_role(upper, err, err_size);
}

static int check_chain(const struct cert *cert, const struct der *chain,
	size_t num_chain, char *err, size_t err_size)
{
	struct cert lower = *cert, upper;

	if (num_chain > CA_CHAIN_MAX)
		return pki_fail(err, err_size,
			"a chain has at most %d certificates, not %zu",
			CA_CHAIN_MAX, num_chain);
	for (size_t i = 0; i < num_chain; i++) {
		if (cert_read(chain[i], &upper) != 0)
			return pki_fail(err, err_size, "certificate %zu of "
				"the chain can't be parsed", i + 1);
		if (check_step(&lower, &upper, i + 1, err, err_size) != 0)
			return -1;
		lower = upper;
	}
	return 0;
}

static bool right_id(const char *id)
{
	size_t len = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= CA_ID_MAX && id[len] == '\0';
}

/* --- making ------------------------------------------------------------- */

static void fill_sent(struct ca *ca, const struct der *chain, size_t num_chain)
{
	struct cert cert;

	if (!cert_self_issued(&ca->cert))
		ca->sent[ca->num_sent++] = der_buffer(ca->cert.whole);
	for (size_t i = 0; i < num_chain; i++) {
		if (cert_read(chain[i], &cert) == 0 &&
		    !cert_self_issued(&cert))
			ca->sent[ca->num_sent++] = der_buffer(chain[i]);
	}
}

static struct ca *make(struct der der, EVP_PKEY *key,
	const struct keeper_link *link, const char *id)
{
	struct ca *ca = pki_new(sizeof(*ca));

	atomic_init(&ca->refs, 1);
	snprintf(ca->id, sizeof(ca->id), "%s", id);
	ca->der = der_buffer(der);
	if (cert_read(der_of(ca->der), &ca->cert) != 0 ||
	    !spki_identifier(ca->cert.spki, ca->key_id))
		abort(); /* has been read before */
	ca->ski = ca->cert.ski.len > 0 ? ca->cert.ski :
		(struct der){ca->key_id, sizeof(ca->key_id)};
	if (key)
		EVP_PKEY_up_ref(key);
	ca->key = key;
	ca->link = link;
	SHA256(der.at, der.len, ca->digest);
	return ca;
}

static int check(struct der der, EVP_PKEY *key, const struct der *chain,
	size_t num_chain, const char *id, char *err, size_t err_size)
{
	struct cert cert;

	if (!right_id(id))
		return pki_fail(err, err_size, "'%s' is no CA's id", id);
	if (cert_read(der, &cert) != 0 || !name_ok(cert.subject) ||
	    name_empty(cert.subject))
		return pki_fail(err, err_size,
			"the CA certificate can't be parsed");
	if (check_role(&cert, err, err_size) != 0 ||
	    check_key(&cert, key, err, err_size) != 0)
		return -1;
	return check_chain(&cert, chain, num_chain, err, err_size);
}

int ca_new(struct der der, EVP_PKEY *key, const struct der *chain,
	size_t num_chain, const char *id, struct ca **out, char *err,
	size_t err_size)
{
	*out = NULL;
	if (check(der, key, chain, num_chain, id, err, err_size) != 0)
		return -1;
	*out = make(der, key, NULL, id);
	fill_sent(*out, chain, num_chain);
	return 0;
}

int ca_new_kept(struct der der, const struct keeper_link *link,
	const struct der *chain, size_t num_chain, const char *id,
	struct ca **out, char *err, size_t err_size)
{
	*out = NULL;
	if (check(der, NULL, chain, num_chain, id, err, err_size) != 0)
		return -1;
	*out = make(der, NULL, link, id);
	fill_sent(*out, chain, num_chain);
	return 0;
}

/* --- looking ------------------------------------------------------------ */

const char *ca_id(const struct ca *ca)
{
	return ca->id;
}

struct der ca_cert(const struct ca *ca)
{
	return ca->cert.whole;
}

struct der ca_subject(const struct ca *ca)
{
	return ca->cert.subject;
}

struct der ca_ski(const struct ca *ca)
{
	return ca->ski;
}

EVP_PKEY *ca_key(const struct ca *ca)
{
	return ca->key;
}

const struct keeper_link *ca_link(const struct ca *ca)
{
	return ca->link;
}

const uint8_t *ca_key_id(const struct ca *ca)
{
	return ca->key_id;
}

int ca_path_len(const struct ca *ca)
{
	return ca->cert.path_len;
}

time_t ca_not_before(const struct ca *ca)
{
	return ca->cert.not_before;
}

time_t ca_not_after(const struct ca *ca)
{
	return ca->cert.not_after;
}

const uint8_t *ca_digest(const struct ca *ca)
{
	return ca->digest;
}

bool ca_can_sign_crl(const struct ca *ca)
{
	return cert_may_sign_crls(&ca->cert);
}

bool ca_signs_fast(const struct ca *ca)
{
	return ca->key && (EVP_PKEY_id(ca->key) == EVP_PKEY_EC ||
			EVP_PKEY_bits(ca->key) <= 2048);
}

size_t ca_sent(const struct ca *ca, CRYPTO_BUFFER *const **out)
{
	*out = ca->sent;
	return ca->num_sent;
}
