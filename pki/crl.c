#include "pki/crl.h"

#include "pki/dertime.h"
#include "pki/keeper_link.h"
#include "pki/name.h"
#include "pki/tbs.h"

/* The reader's clock may be behind ours. */
enum { BACKDATE = 3600 };

/* RFC 5280, 5.2: AKI and number are a must. */
static bool write_extensions(CBB *out, const struct ca *ca, uint64_t number)
{
	CBB wrapped, list;

	return tbs_open_extensions(out, 0, &wrapped, &list) &&
		tbs_aki(&list, ca_ski(ca)) &&
		tbs_crl_number(&list, number) && CBB_flush(out);
}

static bool write_entry(CBB *out, const struct crl_entry *entry)
{
	CBB one, serial;

	return CBB_add_asn1(out, &one, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1(&one, &serial, CBS_ASN1_INTEGER) &&
		CBB_add_bytes(&serial, entry->serial, entry->serial_len) &&
		dertime_write(&one, entry->at) && CBB_flush(out);
}

/* revokedCertificates is left out where there are none (5.1.2.6). */
static bool write_revoked(CBB *out, const struct crl_order *order)
{
	CBB list;

	if (order->num_revoked == 0)
		return true;
	if (!CBB_add_asn1(out, &list, CBS_ASN1_SEQUENCE))
		return false;
	for (size_t i = 0; i < order->num_revoked; i++) {
		if (!write_entry(&list, &order->revoked[i]))
			return false;
	}
	return CBB_flush(out);
}

static bool write_tbs(CBB *out, const struct ca *ca,
	const struct crl_order *order)
{
	CBB tbs;

	return CBB_add_asn1(out, &tbs, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1_uint64(&tbs, 1) &&
		tbs_algorithm(&tbs, ca_key(ca)) &&
		tbs_der(&tbs, ca_subject(ca)) &&
		dertime_write(&tbs, order->now - BACKDATE) &&
		dertime_write(&tbs, order->until) &&
		write_revoked(&tbs, order) &&
		write_extensions(&tbs, ca, order->number) && CBB_flush(out);
}

static int refuse(const struct ca *ca, const char *why, char *err,
	size_t err_size)
{
	char title[NAME_TITLE];

	return pki_fail(err, err_size, "a CRL of the CA '%s': %s",
		name_title(ca_subject(ca), title), why);
}

CRYPTO_BUFFER *crl_make(const struct ca *ca, const struct crl_order *order,
	char *err, size_t err_size)
{
	CRYPTO_BUFFER *made = NULL;
	CBB cbb;

	if (!ca_can_sign_crl(ca)) {
		(void)refuse(ca, "its keyUsage lacks cRLSign", err, err_size);
		return NULL;
	}
	if (ca_link(ca))
		return keeper_sign_crl(ca, order, err, err_size);
	CBB_zero(&cbb);
	if (CBB_init(&cbb, 512) && write_tbs(&cbb, ca, order))
		made = tbs_sign(&cbb, ca_key(ca));
	else
		CBB_cleanup(&cbb);
	if (!made)
		(void)refuse(ca, "it can't be signed", err, err_size);
	return made;
}

bool crl_fresh(time_t made, time_t now)
{
	return made <= now && now - made < CRL_RENEW;
}
