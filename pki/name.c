#include "pki/name.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* 2.5.4.3 and 2.5.4.10 */
static const uint8_t cn_oid[] = {0x55, 0x04, 0x03};
static const uint8_t o_oid[] = {0x55, 0x04, 0x0a};

static bool get_attribute(CBS *rdn, CBS *type, CBS *value)
{
	CBS pair;
	unsigned tag;

	return CBS_get_asn1(rdn, &pair, CBS_ASN1_SEQUENCE) &&
		CBS_get_asn1(&pair, type, CBS_ASN1_OBJECT) &&
		CBS_len(type) > 0 && CBS_get_any_asn1(&pair, value, &tag) &&
		(tag & CBS_ASN1_CONSTRUCTED) == 0 && CBS_len(&pair) == 0;
}

static bool open_name(struct der name, CBS *rdns)
{
	CBS cbs = der_cbs(name);

	return CBS_get_asn1(&cbs, rdns, CBS_ASN1_SEQUENCE) &&
		CBS_len(&cbs) == 0;
}

static bool strict(struct der name)
{
	CBS rdns, rdn, type, value;

	if (!open_name(name, &rdns))
		return false;
	while (CBS_len(&rdns) > 0) {
		if (!CBS_get_asn1(&rdns, &rdn, CBS_ASN1_SET) ||
		    CBS_len(&rdn) == 0)
			return false;
		while (CBS_len(&rdn) > 0) {
			if (!get_attribute(&rdn, &type, &value))
				return false;
		}
	}
	return true;
}

/* The walk above sees to the DER, X509_NAME to what is in the strings. */
bool name_ok(struct der name)
{
	const uint8_t *at = name.at;
	X509_NAME *parsed;
	bool ok;

	if (!strict(name))
		return false;
	parsed = d2i_X509_NAME(NULL, &at, (long)name.len);
	ok = parsed && at == name.at + name.len;
	X509_NAME_free(parsed);
	ERR_clear_error();
	return ok;
}

bool name_empty(struct der name)
{
	CBS rdns;

	return !open_name(name, &rdns) || CBS_len(&rdns) == 0;
}

static const char *copy_title(const CBS *value, char out[NAME_TITLE])
{
	const uint8_t *at = CBS_data(value);
	size_t len = CBS_len(value), i;

	for (i = 0; i < len && i < NAME_TITLE - 1; i++)
		out[i] = at[i] >= 0x20 && at[i] < 0x7f ? (char)at[i] : '?';
	out[i] = '\0';
	return out;
}

const char *name_title(struct der name, char out[NAME_TITLE])
{
	CBS rdns, rdn, type, value;

	snprintf(out, NAME_TITLE, "(no name)");
	if (!open_name(name, &rdns))
		return out;
	while (CBS_get_asn1(&rdns, &rdn, CBS_ASN1_SET)) {
		while (get_attribute(&rdn, &type, &value)) {
			copy_title(&value, out);
			if (CBS_mem_equal(&type, cn_oid, sizeof(cn_oid)))
				return out;
		}
	}
	return out;
}

static bool add_attribute(CBB *rdns, const uint8_t oid[3], const char *text)
{
	CBB rdn, pair, type, value;

	return CBB_add_asn1(rdns, &rdn, CBS_ASN1_SET) &&
		CBB_add_asn1(&rdn, &pair, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1(&pair, &type, CBS_ASN1_OBJECT) &&
		CBB_add_bytes(&type, oid, 3) &&
		CBB_add_asn1(&pair, &value, CBS_ASN1_UTF8STRING) &&
		CBB_add_bytes(&value, (const uint8_t *)text, strlen(text)) &&
		CBB_flush(rdns);
}

bool name_write(CBB *out, const char *organization, const char *cn)
{
	CBB rdns;

	if (!CBB_add_asn1(out, &rdns, CBS_ASN1_SEQUENCE))
		return false;
	if (organization && !add_attribute(&rdns, o_oid, organization))
		return false;
	if (cn && strlen(cn) <= NAME_CN_MAX && cn[0] != '\0' &&
	    !add_attribute(&rdns, cn_oid, cn))
		return false;
	return CBB_flush(out);
}
