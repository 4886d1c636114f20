#include "proxy/admin/cert_json.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "pki/keymaker.h"
#include "pki/name.h"
#include "pki/x509.h"
#include "proxy/admin/put.h"

/* --- parts of both ------------------------------------------------------ */

/* 2.5.4.x, and what the API calls them. */
static const struct {
	uint8_t arc;
	const char *key;
} parts[] = {
	{3, "commName"}, {10, "orgName"}, {11, "deptName"},
	{7, "city"}, {8, "state"}, {6, "country"},
};

static const char *part_key(const CBS *oid)
{
	const uint8_t *at = CBS_data(oid);

	if (CBS_len(oid) != 3 || at[0] != 0x55 || at[1] != 0x04)
		return NULL;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (parts[i].arc == at[2])
			return parts[i].key;
	}
	return NULL;
}

/* What can't be made UTF-8 is shown as the bytes that it is. */
static void put_value_of(json_t *object, const char *key, unsigned tag,
	const CBS *value)
{
	ASN1_STRING *string = tag <= V_ASN1_BMPSTRING ?
		ASN1_STRING_type_new((int)tag) : NULL;
	unsigned char *text = NULL;
	int len = -1;

	if (string && ASN1_STRING_set(string, CBS_data(value),
			      (int)CBS_len(value)))
		len = ASN1_STRING_to_UTF8(&text, string);
	if (len >= 0)
		put_bytes(object, key, (const char *)text, (size_t)len);
	else
		put_bytes(object, key, (const char *)CBS_data(value),
			CBS_len(value));
	OPENSSL_free(text);
	ASN1_STRING_free(string);
}

/* put_name goes through a Name by its DER: BoringSSL's own reader takes none
 * with a byte that its type does not have. Of several of a kind, the first. */
static void put_name(json_t *object, struct der name)
{
	CBS all = der_cbs(name), rdns, rdn, one, oid, value;
	unsigned tag; /* CBS_ASN1_TAG, from API 19 on */

	if (!CBS_get_asn1(&all, &rdns, CBS_ASN1_SEQUENCE))
		return;
	while (CBS_get_asn1(&rdns, &rdn, CBS_ASN1_SET)) {
		while (CBS_get_asn1(&rdn, &one, CBS_ASN1_SEQUENCE)) {
			const char *key;

			if (!CBS_get_asn1(&one, &oid, CBS_ASN1_OBJECT) ||
			    !CBS_get_any_asn1(&one, &value, &tag))
				return;
			key = part_key(&oid);
			if (key && !json_object_get(object, key))
				put_value_of(object, key, tag, &value);
		}
	}
}

static void put_key(json_t *object, EVP_PKEY *key)
{
	if (!key)
		return;
	put_number(object, "keySize", EVP_PKEY_bits(key));
	put_text(object, "keyType", key_type_name(key));
	EVP_PKEY_free(key);
}

/* As a request's order has it: the digest alone, where there is one. */
static void put_algorithm(json_t *object, int nid)
{
	int digest = NID_undef;
	const char *name;

	if (OBJ_find_sigid_algs(nid, &digest, NULL) && digest != NID_undef)
		nid = digest;
	name = nid == NID_undef ? NULL : OBJ_nid2sn(nid);
	put_text(object, "signatureAlgorithm", name);
}

/* --- a certificate ------------------------------------------------------ */

/* As RFC 4514 writes it, but letters beyond ASCII stay as they are. */
static bool print_name(BIO *bio, struct der name)
{
	unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)
		ASN1_STRFLGS_ESC_MSB;
	const uint8_t *at = name.at;
	X509_NAME *read = name.len > LONG_MAX ? NULL :
		d2i_X509_NAME(NULL, &at, (long)name.len);
	bool ok = read && X509_NAME_print_ex(bio, read, 0, flags) >= 0;

	X509_NAME_free(read);
	return ok;
}

static void put_issuer(json_t *object, struct der name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char title[NAME_TITLE];
	const uint8_t *data;
	size_t len;

	if (!bio)
		abort();
	if (print_name(bio, name) && BIO_mem_contents(bio, &data, &len))
		put_bytes(object, "issuer", (const char *)data, len);
	else
		put_text(object, "issuer", name_title(name, title));
	BIO_free(bio);
}

/* The URLs of fullName (RFC 5280, 4.2.1.13): nothing else is said in one. */
static void add_urls(json_t *list, const DIST_POINT *point)
{
	const GENERAL_NAMES *names;

	if (!point->distpoint || point->distpoint->type != 0)
		return;
	names = point->distpoint->name.fullname;
	for (size_t i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		const ASN1_STRING *url = name->d.ia5;

		if (name->type == GEN_URI)
			(void)json_array_append_new(list, put_string(
				(const char *)ASN1_STRING_get0_data(url),
				(size_t)ASN1_STRING_length(url)));
	}
}

static void put_crl_points(json_t *object, struct der value)
{
	const uint8_t *at = value.at;
	CRL_DIST_POINTS *points = value.len == 0 || value.len > LONG_MAX ?
		NULL : d2i_CRL_DIST_POINTS(NULL, &at, (long)value.len);
	json_t *list = json_array();

	for (size_t i = 0; points && i < sk_DIST_POINT_num(points); i++)
		add_urls(list, sk_DIST_POINT_value(points, i));
	CRL_DIST_POINTS_free(points);
	if (json_array_size(list) > 0)
		put_value(object, "crlDistributionPoints", list);
	else
		json_decref(list);
}

static int signature_nid(const struct cert *cert)
{
	CBS oid = der_cbs(cert->signature_oid);

	return OBJ_cbs2nid(&oid);
}

json_t *cert_json(const struct store_ca *row)
{
	json_t *object;
	struct cert cert;

	if (cert_read(der_of(row->cert), &cert) != 0)
		return NULL;
	object = json_object();
	put_number(object, "certId", row->id);
	put_name(object, cert.subject);
	put_key(object, cert_key(&cert));
	put_algorithm(object, signature_nid(&cert));
	if (cert.path_len >= 0)
		put_number(object, "pathLengthConstraint", cert.path_len);
	put_issuer(object, cert.issuer);
	put_serial(object, "serialNumber", cert.serial);
	put_time(object, "notBefore", cert.not_before);
	put_time(object, "notAfter", cert.not_after);
	put_crl_points(object, cert.crl_points);
	put_pem(object, "certificate", PEM_STRING_X509, cert.whole);
	ERR_clear_error();
	return object;
}

/* --- a request ---------------------------------------------------------- */

static void put_path_length(json_t *object, X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(req);
	BASIC_CONSTRAINTS *basic = extensions ? X509V3_get_d2i(extensions,
		NID_basic_constraints, NULL, NULL) : NULL;

	if (basic && basic->pathlen)
		put_number(object, "pathLengthConstraint",
			ASN1_INTEGER_get(basic->pathlen));
	BASIC_CONSTRAINTS_free(basic);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static void put_subject(json_t *object, X509_REQ *req)
{
	const uint8_t *at;
	size_t len;

	if (X509_NAME_get0_der(X509_REQ_get_subject_name(req), &at, &len))
		put_name(object, (struct der){at, len});
}

json_t *cert_json_csr(const struct store_ca *row)
{
	struct der der = der_of(row->csr);
	const uint8_t *at = der.at;
	X509_REQ *req = der.len > LONG_MAX ? NULL :
		d2i_X509_REQ(NULL, &at, (long)der.len);
	json_t *object = NULL;

	if (req) {
		object = json_object();
		put_number(object, "certId", row->id);
		put_text(object, "csrFileName", row->csr_file);
		put_subject(object, req);
		put_key(object, X509_REQ_get_pubkey(req));
		put_algorithm(object, X509_REQ_get_signature_nid(req));
		put_path_length(object, req);
		put_pem(object, "csr", PEM_STRING_X509_REQ, der);
	}
	X509_REQ_free(req);
	ERR_clear_error();
	return object;
}
