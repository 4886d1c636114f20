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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/keymaker.h"
#include "pki/x509.h"
#include "proxy/admin/put.h"

/* --- parts of both ------------------------------------------------------ */

/* What can't be made UTF-8 is shown as the bytes that it is. */
static void put_value_of(json_t *object, const char *key,
	const ASN1_STRING *value)
{
	unsigned char *text = NULL;
	int len = ASN1_STRING_to_UTF8(&text, value);

	if (len >= 0)
		put_bytes(object, key, (const char *)text, (size_t)len);
	else
		put_bytes(object, key,
			(const char *)ASN1_STRING_get0_data(value),
			(size_t)ASN1_STRING_length(value));
	OPENSSL_free(text);
}

static void put_name(json_t *object, const X509_NAME *name)
{
	static const struct {
		const char *key;
		int nid;
	} parts[] = {
		{"commName", NID_commonName},
		{"orgName", NID_organizationName},
		{"deptName", NID_organizationalUnitName},
		{"city", NID_localityName},
		{"state", NID_stateOrProvinceName},
		{"country", NID_countryName},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		int at = X509_NAME_get_index_by_NID(name, parts[i].nid, -1);

		if (at >= 0)
			put_value_of(object, parts[i].key,
				X509_NAME_ENTRY_get_data(
					X509_NAME_get_entry(name, at)));
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
static void put_issuer(json_t *object, const X509_NAME *name)
{
	unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)
		ASN1_STRFLGS_ESC_MSB;
	BIO *bio = BIO_new(BIO_s_mem());
	const uint8_t *data;
	size_t len;

	if (!bio)
		abort();
	if (X509_NAME_print_ex(bio, name, 0, flags) >= 0 &&
	    BIO_mem_contents(bio, &data, &len))
		put_bytes(object, "issuer", (const char *)data, len);
	BIO_free(bio);
}

static void put_serial(json_t *object, struct der serial)
{
	char *text = pki_new(2 * serial.len + 1);

	for (size_t i = 0; i < serial.len; i++)
		snprintf(text + 2 * i, 3, "%02X", serial.at[i]);
	put_text(object, "serialNumber", text);
	free(text);
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

static void put_crl_points(json_t *object, const X509 *x509)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(x509,
		NID_crl_distribution_points, NULL, NULL);
	json_t *list = json_array();

	for (size_t i = 0; points && i < sk_DIST_POINT_num(points); i++)
		add_urls(list, sk_DIST_POINT_value(points, i));
	CRL_DIST_POINTS_free(points);
	if (json_array_size(list) > 0)
		put_value(object, "crlDistributionPoints", list);
	else
		json_decref(list);
}

static void fill_cert(json_t *object, X509 *x509, const struct cert *cert)
{
	put_name(object, X509_get_subject_name(x509));
	put_key(object, X509_get_pubkey(x509));
	put_algorithm(object, X509_get_signature_nid(x509));
	if (cert->path_len >= 0)
		put_number(object, "pathLengthConstraint", cert->path_len);
	put_issuer(object, X509_get_issuer_name(x509));
	put_serial(object, cert->serial);
	put_time(object, "notBefore", cert->not_before);
	put_time(object, "notAfter", cert->not_after);
	put_crl_points(object, x509);
	put_pem(object, "certificate", PEM_STRING_X509, cert->whole);
}

json_t *cert_json(const struct store_ca *row)
{
	X509 *x509 = X509_parse_from_buffer(row->cert);
	json_t *object = NULL;
	struct cert cert;

	if (x509 && cert_read(der_of(row->cert), &cert) == 0) {
		object = json_object();
		put_number(object, "certId", row->id);
		fill_cert(object, x509, &cert);
	}
	X509_free(x509);
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
		put_name(object, X509_REQ_get_subject_name(req));
		put_key(object, X509_REQ_get_pubkey(req));
		put_algorithm(object, X509_REQ_get_signature_nid(req));
		put_path_length(object, req);
		put_pem(object, "csr", PEM_STRING_X509_REQ, der);
	}
	X509_REQ_free(req);
	ERR_clear_error();
	return object;
}
