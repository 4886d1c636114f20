#include "pki/crl.h"

#include "pki/dertime.h"
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

/* revokedCertificates is left out where there are none (5.1.2.6). */
static bool write_tbs(CBB *out, const struct ca *ca, uint64_t number,
	time_t now)
{
	CBB tbs;

	return CBB_add_asn1(out, &tbs, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1_uint64(&tbs, 1) &&
		tbs_algorithm(&tbs, ca_key(ca)) &&
		tbs_der(&tbs, ca_subject(ca)) &&
		dertime_write(&tbs, now - BACKDATE) &&
		dertime_write(&tbs, now + CRL_LIFE) &&
		write_extensions(&tbs, ca, number) && CBB_flush(out);
}

CRYPTO_BUFFER *crl_make(const struct ca *ca, uint64_t number, time_t now)
{
	CBB cbb;

	if (!ca_can_sign_crl(ca))
		return NULL;
	CBB_zero(&cbb);
	if (!CBB_init(&cbb, 512) || !write_tbs(&cbb, ca, number, now)) {
		CBB_cleanup(&cbb);
		return NULL;
	}
	return tbs_sign(&cbb, ca_key(ca));
}

bool crl_fresh(time_t made, time_t now)
{
	return made <= now && now - made < CRL_RENEW;
}
