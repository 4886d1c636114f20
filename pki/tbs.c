#include "pki/tbs.h"

#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/rand.h>
#include <string.h>

#include "pki/dertime.h"

/* The last arc of 2.5.29.x */
enum {
	EXT_SKI = 14,
	EXT_KEY_USAGE = 15,
	EXT_SAN = 17,
	EXT_CONSTRAINTS = 19,
	EXT_CRL_NUMBER = 20,
	EXT_CRL_POINTS = 31,
	EXT_AKI = 35,
	EXT_EKU = 37,
};

/* Explicitly, with the number behind it. */
#define TAGGED (CBS_ASN1_CONSTRUCTED | CBS_ASN1_CONTEXT_SPECIFIC)

/* --- keys and algorithms ------------------------------------------------ */

static int curve_of(const EVP_PKEY *key)
{
	const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key);

	return ec ? EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) : NID_undef;
}

bool tbs_key_fits(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_bits(key);

	switch (EVP_PKEY_id(key)) {
	case EVP_PKEY_RSA:
		return bits >= 2048 && bits <= 8192;
	case EVP_PKEY_EC:
		return curve_of(key) == NID_X9_62_prime256v1 ||
			curve_of(key) == NID_secp384r1;
	default:
		return false;
	}
}

static bool uses_sha384(const EVP_PKEY *key)
{
	return EVP_PKEY_id(key) == EVP_PKEY_EC &&
		curve_of(key) == NID_secp384r1;
}

static bool write_algorithm(CBB *out, const EVP_PKEY *key, bool sha384)
{
	static const uint8_t rsa_sha384[] = {
		0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
		0x01, 0x01, 0x0c, 0x05, 0x00,
	};
	static const uint8_t rsa_sha256[] = {
		0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
		0x01, 0x01, 0x0b, 0x05, 0x00,
	};
	static const uint8_t ecdsa_sha256[] = {
		0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04,
		0x03, 0x02,
	};
	static const uint8_t ecdsa_sha384[] = {
		0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04,
		0x03, 0x03,
	};

	if (EVP_PKEY_id(key) == EVP_PKEY_RSA)
		return CBB_add_bytes(out, sha384 ? rsa_sha384 : rsa_sha256,
			sizeof(rsa_sha256));
	if (EVP_PKEY_id(key) != EVP_PKEY_EC)
		return false;
	return CBB_add_bytes(out, sha384 ? ecdsa_sha384 : ecdsa_sha256,
		sizeof(ecdsa_sha256));
}

bool tbs_algorithm(CBB *out, const EVP_PKEY *key)
{
	return write_algorithm(out, key, uses_sha384(key));
}

/* --- fields ------------------------------------------------------------- */

bool tbs_serial(CBB *out)
{
	uint8_t bytes[16];
	CBB serial;

	RAND_bytes(bytes, sizeof(bytes));
	/* positive, and DER needs no octet more or less */
	bytes[0] = (uint8_t)((bytes[0] & 0x3f) | 0x40);
	return CBB_add_asn1(out, &serial, CBS_ASN1_INTEGER) &&
		CBB_add_bytes(&serial, bytes, sizeof(bytes)) &&
		CBB_flush(out);
}

bool tbs_version(CBB *out)
{
	CBB version;

	return CBB_add_asn1(out, &version, TAGGED | 0) &&
		CBB_add_asn1_uint64(&version, 2) && CBB_flush(out);
}

bool tbs_der(CBB *out, struct der element)
{
	return CBB_add_bytes(out, element.at, element.len);
}

bool tbs_validity(CBB *out, time_t from, time_t until)
{
	CBB validity;

	return CBB_add_asn1(out, &validity, CBS_ASN1_SEQUENCE) &&
		dertime_write(&validity, from) &&
		dertime_write(&validity, until) && CBB_flush(out);
}

/* --- extensions --------------------------------------------------------- */

static bool open_extension(CBB *out, uint8_t arc, bool critical, CBB *ext,
	CBB *value)
{
	const uint8_t oid[] = {0x55, 0x1d, arc};
	CBB type;

	return CBB_add_asn1(out, ext, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1(ext, &type, CBS_ASN1_OBJECT) &&
		CBB_add_bytes(&type, oid, sizeof(oid)) &&
		(!critical || CBB_add_asn1_bool(ext, 1)) &&
		CBB_add_asn1(ext, value, CBS_ASN1_OCTETSTRING);
}

static bool add_extension(CBB *out, uint8_t arc, bool critical,
	const uint8_t *content, size_t len)
{
	CBB ext, value;

	return open_extension(out, arc, critical, &ext, &value) &&
		CBB_add_bytes(&value, content, len) && CBB_flush(out);
}

bool tbs_ca(CBB *out, int path_len)
{
	CBB ext, value, seq;

	return open_extension(out, EXT_CONSTRAINTS, true, &ext, &value) &&
		CBB_add_asn1(&value, &seq, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1_bool(&seq, 1) &&
		(path_len < 0 ||
			CBB_add_asn1_uint64(&seq, (uint64_t)path_len)) &&
		CBB_flush(out);
}

bool tbs_not_ca(CBB *out)
{
	static const uint8_t empty[] = {0x30, 0x00}; /* FALSE is the default */

	return add_extension(out, EXT_CONSTRAINTS, true, empty, sizeof(empty));
}

/* A named bit list has no zero bits at its end (X.690, 11.2.2). */
bool tbs_key_usage(CBB *out, unsigned usage)
{
	uint8_t bits[] = {0x03, 0x02, 0, (uint8_t)usage};

	if ((usage & 0xff) == 0)
		return false;
	while (!(usage & 1)) {
		usage >>= 1;
		bits[2]++;
	}
	return add_extension(out, EXT_KEY_USAGE, true, bits, sizeof(bits));
}

bool tbs_server_auth(CBB *out)
{
	static const uint8_t server_auth[] = {
		0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
		0x03, 0x01,
	};

	return add_extension(out, EXT_EKU, false, server_auth,
		sizeof(server_auth));
}

bool tbs_ski(CBB *out, struct der id)
{
	CBB ext, value;

	return open_extension(out, EXT_SKI, false, &ext, &value) &&
		CBB_add_asn1_octet_string(&value, id.at, id.len) &&
		CBB_flush(out);
}

bool tbs_aki(CBB *out, struct der id)
{
	CBB ext, value, seq, key_id;

	return open_extension(out, EXT_AKI, false, &ext, &value) &&
		CBB_add_asn1(&value, &seq, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1(&seq, &key_id, CBS_ASN1_CONTEXT_SPECIFIC | 0) &&
		CBB_add_bytes(&key_id, id.at, id.len) && CBB_flush(out);
}

bool tbs_crl_number(CBB *out, uint64_t number)
{
	CBB ext, value;

	return open_extension(out, EXT_CRL_NUMBER, false, &ext, &value) &&
		CBB_add_asn1_uint64(&value, number) && CBB_flush(out);
}

static bool add_text(CBB *out, const char *text)
{
	return CBB_add_bytes(out, (const uint8_t *)text, strlen(text));
}

/* points { point { distributionPoint [0] { fullName [0] { URI [6] }}}} */
bool tbs_crl_point_value(CBB *out, const char *base, const char *id)
{
	const unsigned in_0 =
		CBS_ASN1_CONSTRUCTED | CBS_ASN1_CONTEXT_SPECIFIC | 0;
	CBB points, point, name, full, uri;

	return CBB_add_asn1(out, &points, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1(&points, &point, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1(&point, &name, in_0) &&
		CBB_add_asn1(&name, &full, in_0) &&
		CBB_add_asn1(&full, &uri, CBS_ASN1_CONTEXT_SPECIFIC | 6) &&
		add_text(&uri, base) && add_text(&uri, "/crl/") &&
		add_text(&uri, id) && add_text(&uri, ".crl") && CBB_flush(out);
}

bool tbs_crl_point(CBB *out, const char *base, const char *id)
{
	CBB ext, value;

	if (!base || base[0] == '\0')
		return true;
	return open_extension(out, EXT_CRL_POINTS, false, &ext, &value) &&
		tbs_crl_point_value(&value, base, id) && CBB_flush(out);
}

bool tbs_open_extensions(CBB *out, unsigned tag, CBB *wrapped, CBB *list)
{
	return CBB_add_asn1(out, wrapped, TAGGED | tag) &&
		CBB_add_asn1(wrapped, list, CBS_ASN1_SEQUENCE);
}

bool tbs_open_san(CBB *out, bool critical, CBB *ext, CBB *value)
{
	return open_extension(out, EXT_SAN, critical, ext, value);
}

/* --- signing ------------------------------------------------------------ */

static bool add_signature(CBB *out, EVP_PKEY *key, bool sha384,
	struct der tbs)
{
	const EVP_MD *md = sha384 ? EVP_sha384() : EVP_sha256();
	size_t len = (size_t)EVP_PKEY_size(key);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t *at;
	CBB bits;
	bool ok;

	ok = ctx && EVP_DigestSignInit(ctx, NULL, md, NULL, key) &&
		CBB_add_asn1(out, &bits, CBS_ASN1_BITSTRING) &&
		CBB_add_u8(&bits, 0) && CBB_reserve(&bits, &at, len) &&
		EVP_DigestSign(ctx, at, &len, tbs.at, tbs.len) &&
		CBB_did_write(&bits, len) && CBB_flush(out);
	EVP_MD_CTX_free(ctx);
	return ok;
}

CRYPTO_BUFFER *tbs_sign_with(CBB *tbs, EVP_PKEY *key, bool sha384)
{
	CRYPTO_BUFFER *body = der_finish(tbs), *whole = NULL;
	CBB out, seq;

	if (!body)
		return NULL;
	CBB_zero(&out);
	if (CBB_init(&out, CRYPTO_BUFFER_len(body) + 640) &&
	    CBB_add_asn1(&out, &seq, CBS_ASN1_SEQUENCE) &&
	    tbs_der(&seq, der_of(body)) &&
	    write_algorithm(&seq, key, sha384) &&
	    add_signature(&seq, key, sha384, der_of(body)) && CBB_flush(&out))
		whole = der_finish(&out);
	else
		CBB_cleanup(&out);
	CRYPTO_BUFFER_free(body);
	return whole;
}

CRYPTO_BUFFER *tbs_sign(CBB *tbs, EVP_PKEY *key)
{
	return tbs_sign_with(tbs, key, uses_sha384(key));
}
