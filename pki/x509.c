#include "pki/x509.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "pki/dertime.h"
#include "pki/name.h"

static const unsigned version_tag =
	CBS_ASN1_CONSTRUCTED | CBS_ASN1_CONTEXT_SPECIFIC | 0;
static const unsigned extensions_tag =
	CBS_ASN1_CONSTRUCTED | CBS_ASN1_CONTEXT_SPECIFIC | 3;

/* --- extensions --------------------------------------------------------- */

static bool read_ski(CBS value, struct cert *out)
{
	CBS id;

	if (!CBS_get_asn1(&value, &id, CBS_ASN1_OCTETSTRING))
		return false;
	out->ski = der_rest(&id);
	return true;
}

static bool read_aki(CBS value, struct cert *out)
{
	CBS seq, id;
	int present;

	if (!CBS_get_asn1(&value, &seq, CBS_ASN1_SEQUENCE) ||
	    !CBS_get_optional_asn1(&seq, &id, &present,
		    CBS_ASN1_CONTEXT_SPECIFIC | 0))
		return false;
	if (present)
		out->aki = der_rest(&id);
	return true;
}

/* read_flag reads a BOOLEAN DEFAULT FALSE. */
static bool read_flag(CBS *in, bool *out)
{
	uint8_t truth;
	int present;
	CBS flag;

	if (!CBS_get_optional_asn1(in, &flag, &present, CBS_ASN1_BOOLEAN))
		return false;
	*out = present && CBS_get_u8(&flag, &truth) && truth != 0;
	return true;
}

static bool read_constraints(CBS value, struct cert *out)
{
	uint64_t len;
	CBS seq;

	if (!CBS_get_asn1(&value, &seq, CBS_ASN1_SEQUENCE) ||
	    !read_flag(&seq, &out->is_ca))
		return false;
	if (CBS_len(&seq) == 0)
		return true;
	if (!CBS_get_asn1_uint64(&seq, &len))
		return false;
	out->path_len = len > 1000 ? 1000 : (int)len;
	return true;
}

static bool read_key_usage(CBS value, struct cert *out)
{
	CBS bits;
	uint8_t unused, first = 0;

	if (!CBS_get_asn1(&value, &bits, CBS_ASN1_BITSTRING) ||
	    !CBS_get_u8(&bits, &unused) || unused > 7)
		return false;
	if (CBS_len(&bits) > 0 && !CBS_get_u8(&bits, &first))
		return false;
	out->has_key_usage = true;
	out->key_usage = first;
	return true;
}

static bool read_san(CBS value, struct cert *out)
{
	out->san = der_rest(&value);
	return true;
}

static bool read_crl_points(CBS value, struct cert *out)
{
	out->crl_points = der_rest(&value);
	return true;
}

/* A form of it that is not right only means that we learn nothing from it. */
static bool read_aia(CBS value, struct cert *out)
{
	/* id-ad-caIssuers, RFC 5280, 4.2.2.1 */
	static const uint8_t ca_issuers[] = {
		0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02,
	};
	CBS seq, access, method;

	if (!CBS_get_asn1(&value, &seq, CBS_ASN1_SEQUENCE))
		return true;
	while (CBS_get_asn1(&seq, &access, CBS_ASN1_SEQUENCE) &&
		CBS_get_asn1(&access, &method, CBS_ASN1_OBJECT)) {
		if (CBS_mem_equal(&method, ca_issuers, sizeof(ca_issuers)))
			out->has_ca_issuers = true;
	}
	return true;
}

/* RFC 5280, 4.2.1.12 */
static bool read_eku(CBS value, struct cert *out)
{
	static const uint8_t server[] = {
		0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
	static const uint8_t client[] = {
		0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
	static const uint8_t any[] = {0x55, 0x1d, 0x25, 0x00};
	CBS seq, one;

	out->has_eku = true;
	if (!CBS_get_asn1(&value, &seq, CBS_ASN1_SEQUENCE))
		return true;
	while (CBS_get_asn1(&seq, &one, CBS_ASN1_OBJECT)) {
		bool is_any = CBS_mem_equal(&one, any, sizeof(any));

		if (is_any || CBS_mem_equal(&one, server, sizeof(server)))
			out->eku_server = true;
		if (is_any || CBS_mem_equal(&one, client, sizeof(client)))
			out->eku_client = true;
	}
	return true;
}

static const struct {
	uint8_t oid[8];
	size_t len;
	bool (*read)(CBS value, struct cert *out);
} readers[] = {
	{{0x55, 0x1d, 0x0e}, 3, read_ski},
	{{0x55, 0x1d, 0x23}, 3, read_aki},
	{{0x55, 0x1d, 0x13}, 3, read_constraints},
	{{0x55, 0x1d, 0x0f}, 3, read_key_usage},
	{{0x55, 0x1d, 0x11}, 3, read_san},
	{{0x55, 0x1d, 0x25}, 3, read_eku},
	{{0x55, 0x1d, 0x1f}, 3, read_crl_points},
	{{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01}, 8, read_aia},
};

/* What is known to clients, though not looked at here: constraints of names and
 * policies (RFC 5280, 4.2.1.4 to 4.2.1.14), which are of 2.5.29. */
static bool known_to_clients(const CBS *oid)
{
	static const uint8_t last[] = {30, 32, 33, 36, 54};
	const uint8_t *at = CBS_data(oid);

	return CBS_len(oid) == 3 && at[0] == 0x55 && at[1] == 0x1d &&
		memchr(last, at[2], sizeof(last));
}

/* RFC 5280, 4.2: not more than one instance of an extension. */
static bool read_extension(CBS *list, struct cert *out, unsigned *seen)
{
	CBS ext, oid, value;
	bool critical;

	if (!CBS_get_asn1(list, &ext, CBS_ASN1_SEQUENCE) ||
	    !CBS_get_asn1(&ext, &oid, CBS_ASN1_OBJECT) ||
	    !read_flag(&ext, &critical) ||
	    !CBS_get_asn1(&ext, &value, CBS_ASN1_OCTETSTRING) ||
	    CBS_len(&ext) != 0)
		return false;
	for (unsigned i = 0; i < sizeof(readers) / sizeof(*readers); i++) {
		if (!CBS_mem_equal(&oid, readers[i].oid, readers[i].len))
			continue;
		if (*seen & 1u << i)
			return false;
		*seen |= 1u << i;
		if (readers[i].read == read_constraints)
			out->constraints_critical = critical;
		return readers[i].read(value, out);
	}
	if (critical && !known_to_clients(&oid))
		out->unknown_critical = true;
	return true;
}

/* Behind the SPKI: unique identifiers (which nobody uses), extensions. */
static bool read_tail(CBS *tbs, struct cert *out)
{
	CBS id, wrapped, list;
	unsigned seen = 0;
	int present;

	if (!CBS_get_optional_asn1(tbs, &id, NULL,
		    CBS_ASN1_CONTEXT_SPECIFIC | 1) ||
	    !CBS_get_optional_asn1(tbs, &id, NULL,
		    CBS_ASN1_CONTEXT_SPECIFIC | 2) ||
	    !CBS_get_optional_asn1(tbs, &wrapped, &present, extensions_tag) ||
	    CBS_len(tbs) != 0)
		return false;
	if (!present)
		return true;
	if (!CBS_get_asn1(&wrapped, &list, CBS_ASN1_SEQUENCE) ||
	    CBS_len(&wrapped) != 0)
		return false;
	while (CBS_len(&list) > 0) {
		if (!read_extension(&list, out, &seen))
			return false;
	}
	return true;
}

/* --- the certificate ---------------------------------------------------- */

static bool get_element(CBS *in, unsigned tag, struct der *out)
{
	CBS element;

	if (!CBS_get_asn1_element(in, &element, tag))
		return false;
	*out = der_rest(&element);
	return true;
}

static bool read_validity(CBS *tbs, struct cert *out)
{
	CBS times;

	return CBS_get_asn1(tbs, &times, CBS_ASN1_SEQUENCE) &&
		dertime_read(&times, &out->not_before) == 0 &&
		dertime_read(&times, &out->not_after) == 0 &&
		CBS_len(&times) == 0;
}

static bool read_tbs(CBS *tbs, struct cert *out)
{
	CBS version, serial, algorithm;

	if (!CBS_get_optional_asn1(tbs, &version, NULL, version_tag) ||
	    !CBS_get_asn1(tbs, &serial, CBS_ASN1_INTEGER) ||
	    !CBS_get_asn1(tbs, &algorithm, CBS_ASN1_SEQUENCE) ||
	    !get_element(tbs, CBS_ASN1_SEQUENCE, &out->issuer) ||
	    !read_validity(tbs, out) ||
	    !get_element(tbs, CBS_ASN1_SEQUENCE, &out->subject) ||
	    !get_element(tbs, CBS_ASN1_SEQUENCE, &out->spki))
		return false;
	out->serial = der_rest(&serial);
	return read_tail(tbs, out);
}

int cert_read(struct der der, struct cert *out)
{
	CBS in = der_cbs(der), cert, tbs, algorithm, oid, signature;

	memset(out, 0, sizeof(*out));
	out->whole = der;
	out->path_len = -1;
	if (!CBS_get_asn1(&in, &cert, CBS_ASN1_SEQUENCE) ||
	    CBS_len(&in) != 0 ||
	    !CBS_get_asn1(&cert, &tbs, CBS_ASN1_SEQUENCE) ||
	    !CBS_get_asn1(&cert, &algorithm, CBS_ASN1_SEQUENCE) ||
	    !CBS_get_asn1(&algorithm, &oid, CBS_ASN1_OBJECT) ||
	    !CBS_get_asn1(&cert, &signature, CBS_ASN1_BITSTRING) ||
	    CBS_len(&cert) != 0)
		return -1;
	out->signature_oid = der_rest(&oid);
	return read_tbs(&tbs, out) ? 0 : -1;
}

int cert_common_name(struct der der, char *out, size_t size)
{
	struct cert cert;

	out[0] = '\0';
	if (cert_read(der, &cert) != 0)
		return -1;
	return name_common(cert.subject, out, size);
}

void cert_fingerprint(struct der cert, char out[CERT_FINGERPRINT])
{
	uint8_t sum[SHA256_DIGEST_LENGTH];
	char *at = out;

	SHA256(cert.at, cert.len, sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		at += snprintf(at, 4, i > 0 ? ":%02X" : "%02X", sum[i]);
}

bool cert_self_issued(const struct cert *cert)
{
	if (!der_same(cert->subject, cert->issuer))
		return false;
	return cert->aki.len == 0 || cert->ski.len == 0 ||
		der_same(cert->aki, cert->ski);
}

bool cert_may_sign_certs(const struct cert *cert)
{
	return cert->is_ca && (!cert->has_key_usage ||
		(cert->key_usage & KEY_USAGE_CERT_SIGN) != 0);
}

bool cert_may_sign_crls(const struct cert *cert)
{
	return !cert->has_key_usage ||
		(cert->key_usage & KEY_USAGE_CRL_SIGN) != 0;
}

bool cert_weak_signature(const struct cert *cert)
{
	static const struct {
		uint8_t oid[9];
		size_t len;
	} weak[] = {
		/* md2, md4, md5 and sha1 WithRSAEncryption */
		{{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 2}, 9},
		{{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 3}, 9},
		{{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4}, 9},
		{{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5}, 9},
		/* sha1WithRSA of the OIW, ecdsa-with-SHA1, dsa-with-sha1 */
		{{0x2b, 0x0e, 0x03, 0x02, 0x1d}, 5},
		{{0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1}, 7},
		{{0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3}, 7},
	};

	for (size_t i = 0; i < sizeof(weak) / sizeof(*weak); i++) {
		struct der oid = {weak[i].oid, weak[i].len};

		if (der_same(oid, cert->signature_oid))
			return true;
	}
	return false;
}

/* --- keys --------------------------------------------------------------- */

EVP_PKEY *cert_key(const struct cert *cert)
{
	CBS spki = der_cbs(cert->spki);
	EVP_PKEY *key = EVP_parse_public_key(&spki);

	ERR_clear_error();
	return key;
}

bool key_weak(const EVP_PKEY *key)
{
	int bits = EVP_PKEY_bits(key);

	switch (EVP_PKEY_id(key)) {
	case EVP_PKEY_RSA:
		return bits < 2048;
	case EVP_PKEY_EC:
		return bits < 256;
	default:
		return false;
	}
}

bool cert_signed_by(const struct cert *cert, EVP_PKEY *key)
{
	const uint8_t *at = cert->whole.at;
	X509 *x509 = d2i_X509(NULL, &at, (long)cert->whole.len);
	bool is = x509 && X509_verify(x509, key) == 1;

	X509_free(x509);
	ERR_clear_error();
	return is;
}

bool spki_identifier(struct der spki, uint8_t out[KEY_ID_SIZE])
{
	CBS in = der_cbs(spki), seq, algorithm, bits;
	uint8_t digest[SHA256_DIGEST_LENGTH], unused;

	if (!CBS_get_asn1(&in, &seq, CBS_ASN1_SEQUENCE) ||
	    !CBS_get_asn1(&seq, &algorithm, CBS_ASN1_SEQUENCE) ||
	    !CBS_get_asn1(&seq, &bits, CBS_ASN1_BITSTRING) ||
	    !CBS_get_u8(&bits, &unused))
		return false;
	SHA256(CBS_data(&bits), CBS_len(&bits), digest);
	memcpy(out, digest, KEY_ID_SIZE);
	return true;
}
