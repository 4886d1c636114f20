#include "pki/upload.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "pki/chain.h"
#include "pki/dertime.h"
#include "pki/name.h"
#include "pki/pem.h"
#include "pki/store_ca.h"
#include "pki/x509.h"

enum { CERT_MAX = 12 * 1024 }; /* bytes of DER: it is sent with every leaf */

#define RIGHT_LINE "openssl x509 -req -in the.csr -CA root.pem -CAkey " \
	"root.key -CAcreateserial -days 1095 -sha256 -extfile ca.ext " \
	"-extensions v3_ca"

/* What stands in that ca.ext, as `ca setup` writes it. */
#define RIGHT_FILE "[v3_ca] basicConstraints=critical,CA:TRUE,pathlen:1 " \
	"keyUsage=critical,keyCertSign,cRLSign subjectKeyIdentifier=hash " \
	"authorityKeyIdentifier=keyid, a line each"

/* --- what kind of file it is -------------------------------------------- */

static bool holds(const struct upload *upload, const char *what)
{
	return memmem(upload->text, upload->len, what, strlen(what)) != NULL;
}

/* What people send instead, by what stands in it. */
static const struct {
	const char *mark, *sentence;
} others[] = {
	{"-----BEGIN PKCS7-----", "This is PKCS#7 (.p7b), not a certificate "
		"in PEM: openssl pkcs7 -in FILE -print_certs -out cert.pem "
		"makes one; keep the block of the new CA alone."},
	{"-----BEGIN CMS-----", "This is CMS, not a certificate in PEM: "
		"openssl cms -cmsout -print_certs takes it apart."},
	{"PRIVATE KEY-----", "This holds a private key, and a private key "
		"belongs to nobody else: upload the certificate alone. The key "
		"of this CA is the one that was made here."},
	{"-----BEGIN CERTIFICATE REQUEST-----", "This is the certificate "
		"signing request itself: have your CA sign it, and upload "
		"what it gives you."},
	{"-----BEGIN NEW CERTIFICATE REQUEST-----", "This is the certificate "
		"signing request itself: have your CA sign it, and upload "
		"what it gives you."},
	{"-----BEGIN X509 CRL-----", "This is a revocation list, not a "
		"certificate."},
	{"-----BEGIN PUBLIC KEY-----", "This is a public key, not a "
		"certificate: have your CA sign the request."},
};

static int refuse(const char *sentence, char *err, size_t err_size)
{
	return pki_fail(err, err_size, "%s", sentence);
}

/* A file that begins with a SEQUENCE is DER of some kind: PKCS#12 has a version
 * of 3 first (RFC 7292, 4), PKCS#7 an OID (RFC 2315, 7). */
static int refuse_binary(const struct upload *upload, char *err,
	size_t err_size)
{
	struct der der = {(const uint8_t *)upload->text, upload->len};
	CBS cbs = der_cbs(der), seq;

	if (upload->len < 2 || upload->text[0] != 0x30)
		return refuse("This is not a certificate in PEM: a text that "
			"begins with -----BEGIN CERTIFICATE-----.", err,
			err_size);
	if (CBS_get_any_asn1_element(&cbs, &seq, NULL, NULL) &&
	    CBS_get_asn1(&seq, &seq, CBS_ASN1_SEQUENCE)) {
		if (CBS_peek_asn1_tag(&seq, CBS_ASN1_INTEGER))
			return refuse("This is PKCS#12 (.pfx, .p12), which "
				"holds a private key: upload the certificate "
				"alone, in PEM.", err, err_size);
		if (CBS_peek_asn1_tag(&seq, CBS_ASN1_OBJECT))
			return refuse("This is PKCS#7 (.p7b) in DER: openssl "
				"pkcs7 -inform DER -in FILE -print_certs -out "
				"cert.pem makes PEM of it.", err, err_size);
	}
	return refuse("This is DER, not PEM: openssl x509 -inform DER -in "
		"FILE -out cert.pem makes PEM of it.", err, err_size);
}

static int check_kind(const struct upload *upload, char *err, size_t err_size)
{
	if (upload->len == 0)
		return refuse("The file is empty.", err, err_size);
	if (upload->len > UPLOAD_MAX)
		return refuse("The file is larger than 64 KB.", err, err_size);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (holds(upload, others[i].mark))
			return refuse(others[i].sentence, err, err_size);
	}
	if (!holds(upload, "-----BEGIN CERTIFICATE-----") &&
	    !holds(upload, "-----BEGIN X509 CERTIFICATE-----"))
		return refuse_binary(upload, err, err_size);
	return 0;
}

int upload_file_ok(const char *file_name, char *err, size_t err_size)
{
	size_t letters;

	if (file_name[0] == '\0')
		return refuse("No file was selected.", err, err_size);
	if (strlen(file_name) >= STORE_FILE_NAME)
		return refuse("The file's name is too long: at most 127 "
			"bytes.", err, err_size);
	if (!name_text_ok(file_name, &letters) ||
	    strpbrk(file_name, "/\\\"<>|:*?"))
		return refuse("The file's name is not valid: letters, digits, "
			"blanks, dots, dashes.", err, err_size);
	return 0;
}

/* --- reading ------------------------------------------------------------ */

/* read_all adds every certificate of the file. */
static int read_all(const struct upload *upload, struct chain *chain,
	char *err, size_t err_size)
{
	struct pem *pem = pem_new(upload->text, upload->len);
	CRYPTO_BUFFER *der;
	int result = 0, got;

	while (result == 0 && (got = pem_next_cert(pem, &der)) != PEM_END) {
		if (got < 0) {
			result = refuse("The PEM is damaged: what stands "
				"between BEGIN and END is not base64, or the "
				"END is missing.", err, err_size);
			continue;
		}
		result = chain_add(chain, der);
		if (result == 0)
			continue;
		CRYPTO_BUFFER_free(der);
		result = refuse(result == CHAIN_BAD ?
			"A certificate in the file can't be parsed." :
			"A chain has at most 16 certificates.", err, err_size);
	}
	pem_free(pem);
	return result;
}

/* --- the certificate ---------------------------------------------------- */

static bool key_is(const struct cert *cert, const CRYPTO_BUFFER *spki)
{
	return der_same(cert->spki, der_of(spki));
}

static bool signs_itself(const struct cert *cert)
{
	EVP_PKEY *key = cert_key(cert);
	bool does = key && der_same(cert->subject, cert->issuer) &&
		cert_signed_by(cert, key);

	EVP_PKEY_free(key);
	return does;
}

/* A widely copied line of openssl, x509 -req -signkey root.key, gives a
 * certificate for the root's key, signed by itself. */
static int check_key(const struct cert *cert, const struct store_ca *row,
	char *err, size_t err_size)
{
	bool alone = signs_itself(cert);

	if (key_is(cert, row->spki) && !alone)
		return 0;
	if (key_is(cert, row->spki))
		return refuse("The certificate is self-signed: it must be "
			"signed by your organization's CA, as by " RIGHT_LINE
			" (ca.ext: " RIGHT_FILE ").", err, err_size);
	if (alone)
		return refuse("The certificate and the key do not match: it "
			"is self-signed and holds the key of the CA that "
			"signed, not the request's (openssl's -signkey does "
			"that). Sign with " RIGHT_LINE " (ca.ext: " RIGHT_FILE
			").", err, err_size);
	return refuse("The certificate and the key do not match: its public "
		"key is not the one that was made here. Was it made from "
		"another request?", err, err_size);
}

static int check_role(const struct cert *cert, const char *what, char *err,
	size_t err_size)
{
	if (!cert->is_ca)
		return pki_fail(err, err_size, "%s is not a CA's: it lacks "
			"basicConstraints CA:TRUE. Sign it with a CA profile "
			"(AD CS: Subordinate Certification Authority; openssl: "
			"-extensions v3_ca with basicConstraints=critical,"
			"CA:TRUE).", what);
	if (!cert_may_sign_certs(cert))
		return pki_fail(err, err_size, "%s may not sign certificates: "
			"its keyUsage lacks keyCertSign (openssl: keyUsage="
			"critical,keyCertSign,cRLSign).", what);
	if (cert->has_eku && !cert->eku_server)
		return pki_fail(err, err_size, "%s is not for TLS servers: "
			"its extendedKeyUsage lacks serverAuth; leave the "
			"extension out.", what);
	return 0;
}

/* What RFC 5280 says that a CA's certificate must have, and strict clients, as
 * openssl's -x509_strict, insist on. */
static int check_form(const struct cert *cert, char *err, size_t err_size)
{
	const struct {
		bool right;
		const char *lack;
	} musts[] = {
		{cert->constraints_critical, "its basicConstraints are not "
			"critical (RFC 5280, 4.2.1.9)"},
		{cert->has_key_usage, "it has no keyUsage (RFC 5280, 4.2.1.3)"},
		{cert->ski.len > 0, "it has no subjectKeyIdentifier (RFC 5280, "
			"4.2.1.2)"},
		{cert->aki.len > 0, "it has no authorityKeyIdentifier with a "
			"keyid (RFC 5280, 4.2.1.1)"},
	};

	for (size_t i = 0; i < sizeof(musts) / sizeof(*musts); i++) {
		if (!musts[i].right)
			return pki_fail(err, err_size, "Strict clients refuse "
				"the certificate: %s. Sign with " RIGHT_FILE
				".", musts[i].lack);
	}
	return 0;
}

static int check_known(const struct cert *cert, const char *what, char *err,
	size_t err_size)
{
	return cert->unknown_critical ? pki_fail(err, err_size, "%s has an "
			"extension that is critical and that clients do not "
			"know: they refuse it.", what) : 0;
}

static int check_time(const struct cert *cert, const char *what, time_t now,
	char *err, size_t err_size)
{
	char text[DERTIME_TEXT];

	if (cert->not_after < now)
		return pki_fail(err, err_size, "%s has already expired, on "
			"%s.", what, dertime_text(cert->not_after, text));
	if (cert->not_before > now)
		return pki_fail(err, err_size, "%s is not yet valid: it "
			"begins on %s.", what,
			dertime_text(cert->not_before, text));
	return 0;
}

static int check_end(const struct cert *cert, unsigned validity_s, time_t now,
	char *err, size_t err_size)
{
	char text[DERTIME_TEXT];

	if (cert->not_after - now > (time_t)validity_s)
		return 0;
	return pki_fail(err, err_size, "The certificate ends on %s, sooner "
		"than a certificate that it would sign (issuing.validity): "
		"have it made for longer.",
		dertime_text(cert->not_after, text));
}

/* What a root has signed itself with does not matter. */
static int check_strength(const struct cert *cert, const char *what,
	char *err, size_t err_size)
{
	EVP_PKEY *key = cert_key(cert);
	bool weak = !key || key_weak(key);

	EVP_PKEY_free(key);
	if (cert_weak_signature(cert) && !cert_self_issued(cert))
		return pki_fail(err, err_size, "%s is signed with SHA-1 or "
			"older, which clients refuse: use SHA-256.", what);
	if (weak)
		return pki_fail(err, err_size, "%s has a key that is too weak "
			"or of an unknown kind: RSA from 2048 bits, EC from "
			"256.", what);
	return 0;
}

static int check_cert(const struct cert *cert, const struct store_ca *row,
	unsigned validity_s, time_t now, char *err, size_t err_size)
{
	static const char what[] = "The certificate";

	if (name_empty(cert->subject) || !name_ok(cert->subject))
		return refuse("The certificate's subject is empty or "
			"malformed: it becomes the issuer of every site's.",
			err, err_size);
	if (check_key(cert, row, err, err_size) != 0)
		return -1;
	if (der_same(cert->subject, cert->issuer))
		return refuse("The certificate has the name of its issuer, and "
			"clients take it for a root: make the request with "
			"another common name.", err, err_size);
	if (check_role(cert, what, err, err_size) != 0 ||
	    check_form(cert, err, err_size) != 0 ||
	    check_known(cert, what, err, err_size) != 0 ||
	    check_strength(cert, what, err, err_size) != 0 ||
	    check_time(cert, what, now, err, err_size) != 0)
		return -1;
	return check_end(cert, validity_s, now, err, err_size);
}

int upload_cert(const struct upload *upload, const struct store_ca *row,
	unsigned validity_s, time_t now, CRYPTO_BUFFER **out, char *err,
	size_t err_size)
{
	struct chain chain = {.num_pool = 0};
	struct cert cert;
	int result = -1;

	*out = NULL;
	if (check_kind(upload, err, err_size) != 0 ||
	    read_all(upload, &chain, err, err_size) != 0)
		goto out;
	if (chain.num_pool != 1) {
		result = pki_fail(err, err_size, "The file holds %zu "
			"certificates: upload the new CA's alone here, and "
			"those above it as its chain.", chain.num_pool);
		goto out;
	}
	if (CRYPTO_BUFFER_len(chain.pool[0]) > CERT_MAX) {
		result = refuse("The certificate is larger than 12 KB: it is "
			"sent on every connection.", err, err_size);
		goto out;
	}
	if (cert_read(der_of(chain.pool[0]), &cert) != 0)
		goto out; /* chain_add has read it */
	result = check_cert(&cert, row, validity_s, now, err, err_size);
	if (result == 0) {
		CRYPTO_BUFFER_up_ref(chain.pool[0]);
		*out = chain.pool[0];
	}
out:
	chain_clear(&chain);
	return result;
}

/* --- the chain ---------------------------------------------------------- */

static void title_of(const struct cert *cert, char out[NAME_TITLE + 24])
{
	char title[NAME_TITLE];

	name_title(cert->subject, title);
	snprintf(out, NAME_TITLE + 24, "'%s' in the chain", title);
}

/* check_above: upper is the issuer of lower, below certificates of CAs away
 * from a leaf, the short-lived one under them counted. */
static int check_above(const struct cert *lower, const struct cert *upper,
	size_t below, time_t now, char *err, size_t err_size)
{
	char what[NAME_TITLE + 24], low[NAME_TITLE];

	title_of(upper, what);
	if (check_role(upper, what, err, err_size) != 0 ||
	    check_known(upper, what, err, err_size) != 0 ||
	    check_strength(upper, what, err, err_size) != 0 ||
	    check_time(upper, what, now, err, err_size) != 0)
		return -1;
	name_title(lower->subject, low);
	if (lower->aki.len > 0 && upper->ski.len > 0 &&
	    !der_same(lower->aki, upper->ski))
		return pki_fail(err, err_size, "'%s' says that another key than "
			"that of %s has signed it (its authorityKeyIdentifier): "
			"clients do not find the way. Have it signed again.",
			low, what);
	if (lower->not_after > upper->not_after)
		return pki_fail(err, err_size, "'%s' ends after %s, which "
			"signed it: clients will not accept it. Have it made "
			"for a shorter time.", low, what);
	if (upper->path_len >= 0 && (size_t)upper->path_len < below)
		return pki_fail(err, err_size, "The path length of %s (%d) "
			"does not allow for %zu CAs under it. Have '%s' signed "
			"with a path length of 0, or %s with a greater one.",
			what, upper->path_len, below, low, what);
	return 0;
}

static int check_path(const struct chain *chain, const struct cert *own,
	time_t now, char *err, size_t err_size)
{
	/* one more comes under it, where it says that one may */
	size_t below = own->path_len == 0 ? 1 : 2;
	struct cert lower = *own, upper;

	for (size_t i = 0; i < chain->num_path; i++) {
		if (cert_read(chain->path[i], &upper) != 0)
			return -1; /* chain_add has read it */
		if (check_above(&lower, &upper, below + i, now, err,
			    err_size) != 0)
			return -1;
		lower = upper;
	}
	if (signs_itself(&lower))
		return 0;
	return refuse("The chain does not end at a valid root certificate: "
		"its last one is not self-signed. Add those above it.", err,
		err_size);
}

/* explain: nothing of the chain is the certificate's issuer, or not all of it is
 * on the way. */
static int explain(const struct chain *chain, const struct cert *own,
	char *err, size_t err_size)
{
	char low[NAME_TITLE], issuer[NAME_TITLE];

	name_title(own->subject, low);
	name_title(own->issuer, issuer);
	if (chain->num_path == 0)
		return pki_fail(err, err_size, "The certificate and the chain "
			"do not match: '%s' was issued by '%s', which is not "
			"in the chain, or whose key did not sign it.", low,
			issuer);
	return pki_fail(err, err_size, "The certificate and the chain do not "
		"match: %zu of the %zu certificates in it are not on the way "
		"from '%s' to its root.",
		chain->num_pool - 1 - chain->num_path, chain->num_pool - 1,
		low);
}

static int put_in_order(struct chain *chain, const struct cert *own,
	char *err, size_t err_size)
{
	char why[256];

	if (chain->num_pool < 2)
		return refuse("The chain holds the certificate itself alone: "
			"upload those above it, up to the root.", err,
			err_size);
	if (chain->num_pool - 1 > CHAIN_MAX)
		return refuse("A chain has at most 16 certificates.", err,
			err_size);
	return chain_order(chain, why, sizeof(why)) == 0 ? 0 :
		explain(chain, own, err, err_size);
}

int upload_chain(const struct upload *upload, const struct store_ca *row,
	time_t now, CRYPTO_BUFFER **out, char *err, size_t err_size)
{
	struct chain chain = {.num_pool = 0};
	struct cert own;
	int result = -1;

	*out = NULL;
	CRYPTO_BUFFER_up_ref(row->cert);
	if (chain_add(&chain, row->cert) != 0 ||
	    cert_read(der_of(row->cert), &own) != 0) {
		result = refuse("The CA's certificate can't be parsed.", err,
			err_size);
		goto out;
	}
	if (check_kind(upload, err, err_size) == 0 &&
	    read_all(upload, &chain, err, err_size) == 0 &&
	    put_in_order(&chain, &own, err, err_size) == 0)
		result = check_path(&chain, &own, now, err, err_size);
	if (result == 0)
		*out = chain_join(&chain);
out:
	chain_clear(&chain);
	return result;
}

/* --- both, once more ------------------------------------------------------ */

/* add_all adds what the row has, one behind the other. */
static bool add_all(struct chain *chain, const CRYPTO_BUFFER *joined)
{
	CBS all = der_cbs(der_of(joined)), one;
	CRYPTO_BUFFER *der;

	while (CBS_len(&all) > 0) {
		if (!CBS_get_asn1_element(&all, &one, CBS_ASN1_SEQUENCE))
			return false;
		der = der_buffer(der_rest(&one));
		if (chain_add(chain, der) != 0) {
			CRYPTO_BUFFER_free(der);
			return false;
		}
	}
	return true;
}

static int chain_again(const struct store_ca *row, const struct cert *own,
	time_t now, char *err, size_t err_size)
{
	struct chain chain = {.num_pool = 0};
	int result;

	CRYPTO_BUFFER_up_ref(row->cert);
	if (chain_add(&chain, row->cert) != 0 || !add_all(&chain, row->chain))
		result = refuse("The chain can't be parsed.", err, err_size);
	else
		result = put_in_order(&chain, own, err, err_size);
	if (result == 0)
		result = check_path(&chain, own, now, err, err_size);
	chain_clear(&chain);
	return result;
}

int upload_again(const struct store_ca *row, unsigned validity_s, time_t now,
	char *err, size_t err_size)
{
	struct cert cert;

	if (cert_read(der_of(row->cert), &cert) != 0)
		return refuse("The CA's certificate can't be parsed.", err,
			err_size);
	if (check_cert(&cert, row, validity_s, now, err, err_size) != 0)
		return -1;
	return row->chain ? chain_again(row, &cert, now, err, err_size) : 0;
}
