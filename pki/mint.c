#include "pki/mint.h"

#include <stdlib.h>

#include "pki/keymaker.h"
#include "pki/name.h"
#include "pki/tbs.h"
#include "pki/x509.h"

/* RFC 5280, 4.2.1.1: a self-signed certificate could do without an AKI; strict
 * readers are happier with it. */
static bool write_list(CBB *list, const struct mint_order *order,
	struct der ski)
{
	const struct ca *issuer = order->issuer;

	if (!tbs_ca(list, order->path_len) ||
	    !tbs_key_usage(list, KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN) ||
	    !tbs_ski(list, ski))
		return false;
	if (!issuer)
		return tbs_aki(list, ski);
	if (!tbs_aki(list, ca_ski(issuer)))
		return false;
	return !ca_can_sign_crl(issuer) ||
		tbs_crl_point(list, order->crl_base, ca_id(issuer));
}

static bool write_extensions(CBB *out, const struct mint_order *order,
	struct der spki)
{
	uint8_t id[KEY_ID_SIZE];
	struct der ski = {id, sizeof(id)};
	CBB wrapped, list;

	return spki_identifier(spki, id) &&
		tbs_open_extensions(out, 3, &wrapped, &list) &&
		write_list(&list, order, ski) && CBB_flush(out);
}

static bool write_tbs(CBB *out, const struct mint_order *order,
	struct der spki)
{
	const struct ca *issuer = order->issuer;
	CBB tbs;

	return CBB_add_asn1(out, &tbs, CBS_ASN1_SEQUENCE) &&
		tbs_version(&tbs) && tbs_serial(&tbs) &&
		tbs_algorithm(&tbs, issuer ? ca_key(issuer) : order->key) &&
		tbs_der(&tbs, issuer ? ca_subject(issuer) : order->subject) &&
		tbs_validity(&tbs, order->from, order->until) &&
		tbs_der(&tbs, order->subject) && tbs_der(&tbs, spki) &&
		write_extensions(&tbs, order, spki) && CBB_flush(out);
}

CRYPTO_BUFFER *mint_ca(const struct mint_order *order)
{
	CRYPTO_BUFFER *spki = key_spki(order->key), *made = NULL;
	CBB cbb;

	CBB_zero(&cbb);
	if (CBB_init(&cbb, 1024) && write_tbs(&cbb, order, der_of(spki)))
		made = tbs_sign(&cbb, order->issuer ? ca_key(order->issuer) :
			order->key);
	else
		CBB_cleanup(&cbb);
	CRYPTO_BUFFER_free(spki);
	return made;
}

CRYPTO_BUFFER *mint_name(const char *cn)
{
	CRYPTO_BUFFER *name = NULL;
	CBB cbb;

	if (CBB_init(&cbb, 128) && name_write(&cbb, "Sallyport", cn))
		name = der_finish(&cbb);
	if (!name)
		abort();
	return name;
}
