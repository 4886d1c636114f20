#include "proxy/tools/pkcs12.h"

#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/pkcs8.h>
#include <openssl/stack.h>
#include <openssl/x509.h>

#include "proxy/tools/jks.h"

/* 1.2.840.113549.1.7.1, .1.12.10.1.3, and .1.9.22.1 */
static const uint8_t oid_data[] = {
	0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
static const uint8_t oid_cert_bag[] = {
	0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01, 0x03};
static const uint8_t oid_x509[] = {
	0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01};

#define EXPLICIT (CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED)

/* --- without a password ------------------------------------------------- */

/* get_content reads SEQUENCE { OID oid, [0] { OCTET STRING } }: 1; 0: another OID;
 * -1: damaged. */
static int get_content(CBS *in, const uint8_t *oid, size_t oid_len, CBS *out)
{
	CBS whole, name, wrapped;

	if (!CBS_get_asn1(in, &whole, CBS_ASN1_SEQUENCE) ||
	    !CBS_get_asn1(&whole, &name, CBS_ASN1_OBJECT))
		return -1;
	if (!CBS_mem_equal(&name, oid, oid_len))
		return 0;
	return CBS_get_asn1(&whole, &wrapped, EXPLICIT | 0) &&
		CBS_get_asn1(&wrapped, out, CBS_ASN1_OCTETSTRING) ? 1 : -1;
}

/* read_bag reads SEQUENCE { certBag, [0] { SEQUENCE { x509, [0] { … } } }, … }. */
static int read_bag(struct bundle *bundle, CBS *in, size_t *num)
{
	CBS whole, name, wrapped, cert;
	int result;

	if (!CBS_get_asn1(in, &whole, CBS_ASN1_SEQUENCE) ||
	    !CBS_get_asn1(&whole, &name, CBS_ASN1_OBJECT) ||
	    !CBS_get_asn1(&whole, &wrapped, EXPLICIT | 0))
		return -1;
	if (!CBS_mem_equal(&name, oid_cert_bag, sizeof(oid_cert_bag)))
		return 0;
	result = get_content(&wrapped, oid_x509, sizeof(oid_x509), &cert);
	if (result == 1)
		*num += bundle_add(bundle, (struct der){CBS_data(&cert),
			CBS_len(&cert)}) == 0;
	return result < 0 ? -1 : 0;
}

static int read_bags(struct bundle *bundle, CBS in, size_t *num)
{
	CBS bags;

	if (!CBS_get_asn1(&in, &bags, CBS_ASN1_SEQUENCE))
		return -1;
	while (CBS_len(&bags) > 0) {
		if (read_bag(bundle, &bags, num) != 0)
			return -1;
	}
	return 0;
}

static int read_open(struct bundle *bundle, CBS in, size_t *num)
{
	CBS pfx, safe, contents, bags;
	uint64_t version;
	int result;

	if (!CBS_get_asn1(&in, &pfx, CBS_ASN1_SEQUENCE) ||
	    !CBS_get_asn1_uint64(&pfx, &version) || version != 3 ||
	    get_content(&pfx, oid_data, sizeof(oid_data), &safe) != 1 ||
	    !CBS_get_asn1(&safe, &contents, CBS_ASN1_SEQUENCE))
		return -1;
	while (CBS_len(&contents) > 0) {
		result = get_content(&contents, oid_data, sizeof(oid_data),
			&bags);
		if (result == 1)
			result = read_bags(bundle, bags, num);
		if (result < 0)
			return -1;
	}
	return *num > 0 ? 0 : -1;
}

/* --- with one ----------------------------------------------------------- */

static void add_x509(struct bundle *bundle, X509 *cert, size_t *num)
{
	uint8_t *der = NULL;
	int len = i2d_X509(cert, &der);

	if (len > 0)
		*num += bundle_add(bundle, (struct der){der, (size_t)len}) == 0;
	OPENSSL_free(der);
}

static int read_locked(struct bundle *bundle, CBS in, const char *password,
	size_t *num)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	EVP_PKEY *key = NULL;
	int good;

	if (!certs)
		return -1;
	good = PKCS12_get_key_and_certs(&key, certs, &in, password);
	for (size_t i = 0; good && i < sk_X509_num(certs); i++)
		add_x509(bundle, sk_X509_value(certs, i), num);
	sk_X509_pop_free(certs, X509_free);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return good ? 0 : -1;
}

int pkcs12_read(struct bundle *bundle, const uint8_t *data, size_t len,
	const char *password, size_t *out_num)
{
	CBS in;

	*out_num = 0;
	CBS_init(&in, data, len);
	if (read_locked(bundle, in, password ? password : JKS_PASSWORD,
		    out_num) == 0)
		return 0;
	return read_open(bundle, in, out_num);
}
