#include "proxy/cli/ca_text.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdlib.h>
#include <string.h>

#include "pki/authority.h"
#include "pki/base.h"
#include "pki/x509.h"
#include "proxy/config/mistakes.h"

enum { LABEL = 13 };

/* print_bio writes what has been gathered and empties it for the next. */
static void print_bio(FILE *out, const char *label, BIO *bio)
{
	const uint8_t *at = (const uint8_t *)"";
	size_t len;
	char *text;

	if (!BIO_mem_contents(bio, &at, &len))
		len = 0;
	text = pki_new(len + 1);
	memcpy(text, at, len);
	shown_mask(text); /* names are of anybody's making */
	fprintf(out, "%-*s%s\n", LABEL, label, text);
	free(text);
	(void)BIO_reset(bio);
}

static void print_name(FILE *out, const char *label, X509_NAME *name,
	BIO *bio)
{
	/* RFC 4514 order and escapes, but UTF-8 as it is. */
	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 &
		~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	print_bio(out, label, bio);
}

static void print_serial(FILE *out, const X509 *cert)
{
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *hex = number ? BN_bn2hex(number) : NULL;

	fprintf(out, "%-*s%s\n", LABEL, "serial", hex ? hex : "?");
	OPENSSL_free(hex);
	BN_free(number);
}

static void print_time(FILE *out, const char *label, const ASN1_TIME *time,
	BIO *bio)
{
	ASN1_TIME_print(bio, time);
	print_bio(out, label, bio);
}

static const char *curve_name(const EVP_PKEY *key)
{
	const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key);
	int nid = ec ? EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) : 0;
	const char *name = EC_curve_nid2nist(nid);

	return name ? name : "?";
}

static void print_key(FILE *out, X509 *cert)
{
	EVP_PKEY *key = X509_get_pubkey(cert);
	int type = key ? EVP_PKEY_id(key) : EVP_PKEY_NONE;

	fprintf(out, "%-*s", LABEL, "key");
	if (type == EVP_PKEY_EC)
		fprintf(out, "EC %s\n", curve_name(key));
	else if (type == EVP_PKEY_RSA)
		fprintf(out, "RSA %d\n", EVP_PKEY_bits(key));
	else
		fputs("of another kind\n", out);
	EVP_PKEY_free(key);
}

static void print_fingerprint(FILE *out, const CRYPTO_BUFFER *der)
{
	char text[CERT_FINGERPRINT];

	cert_fingerprint(der_of(der), text);
	fprintf(out, "%-*s%s\n", LABEL, "SHA-256", text);
}

static void print_crl(FILE *out, const struct authority_view *view,
	const char *crl_base)
{
	fprintf(out, "%-*s", LABEL, "CRL");
	if (view->signs_crls)
		fprintf(out, "%s/crl/%s.crl\n", crl_base, view->id);
	else
		fputs("none, the CA may not sign one\n", out);
}

int ca_text_print(const struct authority_view *view, const char *crl_base,
	FILE *out)
{
	const uint8_t *at = CRYPTO_BUFFER_data(view->cert);
	X509 *cert = d2i_X509(NULL, &at, (long)CRYPTO_BUFFER_len(view->cert));
	BIO *bio = BIO_new(BIO_s_mem());
	int rc = -1;

	if (cert && bio) {
		print_name(out, "subject", X509_get_subject_name(cert), bio);
		print_name(out, "issuer", X509_get_issuer_name(cert), bio);
		print_serial(out, cert);
		print_time(out, "not before", X509_get0_notBefore(cert), bio);
		print_time(out, "not after", X509_get0_notAfter(cert), bio);
		print_key(out, cert);
		print_fingerprint(out, view->cert);
		fprintf(out, "%-*s%s\n", LABEL, "id", view->id);
		print_crl(out, view, crl_base);
		rc = 0;
	}
	BIO_free(bio);
	X509_free(cert);
	return rc;
}

int ca_text_imported(const struct authority_view *view, FILE *out,
	FILE *errors)
{
	const uint8_t *at = CRYPTO_BUFFER_data(view->cert);
	X509 *cert = d2i_X509(NULL, &at, (long)CRYPTO_BUFFER_len(view->cert));
	BIO *pem = BIO_new_mem_buf(view->root_pem, -1);
	X509 *top = pem ? PEM_read_bio_X509(pem, NULL, NULL, NULL) : NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	int rc = -1;

	if (cert && top && bio) {
		print_name(out, "imported", X509_get_subject_name(cert), bio);
		print_name(out, "to trust", X509_get_subject_name(top), bio);
		if (X509_NAME_cmp(X509_get_subject_name(top),
			X509_get_issuer_name(top)) != 0)
			fputs("sallyport: warning: what clients must trust is "
				"no root: some, as Python, refuse it; import "
				"again with --chain, the root last\n", errors);
		rc = 0;
	}
	BIO_free(bio);
	BIO_free(pem);
	X509_free(top);
	X509_free(cert);
	return rc;
}
