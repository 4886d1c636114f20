#include "pki/csr.h"

#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "pki/ca.h"
#include "pki/keymaker.h"
#include "pki/name.h"
#include "pki/tbs.h"
#include "pki/x509.h"

/* 2.5.4.x, in the order in which names are written, and the upper bounds of
 * RFC 5280, appendix A.1. */
static const struct attribute {
	uint8_t arc;
	const char *what;
	size_t offset, most;
	bool printable;
} attributes[] = {
	{6, "country", offsetof(struct csr_order, country), 2, true},
	{8, "state", offsetof(struct csr_order, province), 128, false},
	{7, "city", offsetof(struct csr_order, locality), 128, false},
	{10, "organization", offsetof(struct csr_order, organization), 64,
		false},
	{11, "department", offsetof(struct csr_order, unit), 64, false},
	{3, "common name", offsetof(struct csr_order, common_name), 64, false},
};

enum { NUM_ATTRIBUTES = sizeof(attributes) / sizeof(*attributes) };

static const char *value_of(const struct csr_order *order,
	const struct attribute *attribute)
{
	return (const char *)order + attribute->offset;
}

/* --- checking ----------------------------------------------------------- */

static bool is_country(const char *text)
{
	return strlen(text) == 2 && text[0] >= 'A' && text[0] <= 'Z' &&
		text[1] >= 'A' && text[1] <= 'Z';
}

static int check_text(const struct csr_order *order,
	const struct attribute *attribute, char *err, size_t err_size)
{
	const char *text = value_of(order, attribute);
	size_t letters;

	if (!memchr(text, '\0', CSR_TEXT))
		return pki_fail(err, err_size, "The %s is too long: at most "
			"%zu letters.", attribute->what, attribute->most);
	if (!name_text_ok(text, &letters))
		return pki_fail(err, err_size, "The %s holds what can't stand "
			"in a name: control characters, or bytes that are not "
			"UTF-8.", attribute->what);
	if (letters > attribute->most)
		return pki_fail(err, err_size, "The %s is too long: at most "
			"%zu letters.", attribute->what, attribute->most);
	return 0;
}

int csr_check(const struct csr_order *order, char *err, size_t err_size)
{
	for (size_t i = 0; i < NUM_ATTRIBUTES; i++) {
		if (check_text(order, &attributes[i], err, err_size) != 0)
			return -1;
	}
	if (order->common_name[0] == '\0')
		return pki_fail(err, err_size, "A common name is required.");
	if (order->country[0] != '\0' && !is_country(order->country))
		return pki_fail(err, err_size, "The country is two capital "
			"letters (ISO 3166), as US.");
	if (order->path_len < -1 || order->path_len > CA_PATH_LEN_MAX)
		return pki_fail(err, err_size, "The path length is 0 to %d.",
			CA_PATH_LEN_MAX);
	return 0;
}

/* --- writing (RFC 2986, 4) ---------------------------------------------- */

static bool write_name(CBB *out, const struct csr_order *order)
{
	CBB rdns;

	if (!CBB_add_asn1(out, &rdns, CBS_ASN1_SEQUENCE))
		return false;
	for (size_t i = 0; i < NUM_ATTRIBUTES; i++) {
		const char *text = value_of(order, &attributes[i]);

		if (text[0] != '\0' &&
		    !name_add(&rdns, attributes[i].arc, text,
			    attributes[i].printable))
			return false;
	}
	return CBB_flush(out);
}

/* extensionRequest (RFC 2985, 5.4.2): what the certificate should have. */
static bool write_attributes(CBB *out, const struct csr_order *order,
	struct der spki)
{
	static const uint8_t request[] = {
		0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
	uint8_t id[KEY_ID_SIZE];
	CBB all, one, type, values, list;

	return spki_identifier(spki, id) &&
		CBB_add_asn1(out, &all, CBS_ASN1_CONSTRUCTED |
			CBS_ASN1_CONTEXT_SPECIFIC | 0) &&
		CBB_add_asn1(&all, &one, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1(&one, &type, CBS_ASN1_OBJECT) &&
		CBB_add_bytes(&type, request, sizeof(request)) &&
		CBB_add_asn1(&one, &values, CBS_ASN1_SET) &&
		CBB_add_asn1(&values, &list, CBS_ASN1_SEQUENCE) &&
		tbs_ca(&list, order->path_len) &&
		tbs_key_usage(&list, KEY_USAGE_CERT_SIGN |
			KEY_USAGE_CRL_SIGN) &&
		tbs_ski(&list, (struct der){id, sizeof(id)}) && CBB_flush(out);
}

static bool write_info(CBB *out, const struct csr_order *order, EVP_PKEY *key)
{
	CRYPTO_BUFFER *spki = key_spki(key);
	CBB info;
	bool ok;

	ok = CBB_add_asn1(out, &info, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1_uint64(&info, 0) && write_name(&info, order) &&
		tbs_der(&info, der_of(spki)) &&
		write_attributes(&info, order, der_of(spki)) && CBB_flush(out);
	CRYPTO_BUFFER_free(spki);
	return ok;
}

CRYPTO_BUFFER *csr_make(const struct csr_order *order, EVP_PKEY *key,
	char *err, size_t err_size)
{
	CRYPTO_BUFFER *made = NULL;
	CBB cbb;

	if (csr_check(order, err, err_size) != 0)
		return NULL;
	CBB_zero(&cbb);
	if (CBB_init(&cbb, 1024) && write_info(&cbb, order, key))
		made = tbs_sign_with(&cbb, key, order->digest == CSR_SHA384);
	else
		CBB_cleanup(&cbb);
	if (!made)
		(void)pki_fail(err, err_size,
			"the request could not be written or signed");
	return made;
}
