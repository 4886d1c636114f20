#include "pki/leaf_form.h"

#include <openssl/evp.h>

#include "pki/keeper_link.h"
#include "pki/name.h"
#include "pki/san.h"
#include "pki/tbs.h"
#include "pki/x509.h"

/* Clocks of two processes, and the time a question is on its way. */
enum { SLACK = 120 };

/* --- writing ------------------------------------------------------------ */

/* RFC 5280, 4.2.1.3, RFC 8446, 4.4.2.2: an RSA key may also be asked to take
 * the premaster secret of TLS 1.2. */
static unsigned usage_of(struct der spki)
{
	static const uint8_t rsa[] = {
		0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
	CBS cbs = der_cbs(spki), whole, algorithm, oid;

	if (CBS_get_asn1(&cbs, &whole, CBS_ASN1_SEQUENCE) &&
	    CBS_get_asn1(&whole, &algorithm, CBS_ASN1_SEQUENCE) &&
	    CBS_get_asn1(&algorithm, &oid, CBS_ASN1_OBJECT) &&
	    CBS_mem_equal(&oid, rsa, sizeof(rsa)))
		return KEY_USAGE_DIGITAL_SIGNATURE |
			KEY_USAGE_KEY_ENCIPHERMENT;
	return KEY_USAGE_DIGITAL_SIGNATURE;
}

/* RFC 5280, 4.2.1.6: critical where the subject is empty. */
static bool write_san(CBB *out, const struct leaf_form *form)
{
	CBB ext, value;

	return tbs_open_san(out, name_empty(form->subject), &ext, &value) &&
		tbs_der(&value, form->san) && CBB_flush(out);
}

/* A CA that may not sign CRLs has none to point at. */
static bool write_crl_point(CBB *out, const struct ca *ca,
	const struct leaf_form *form)
{
	return !ca_can_sign_crl(ca) ||
		tbs_crl_point(out, form->crl_base, ca_id(ca));
}

static bool write_extensions(CBB *out, const struct ca *ca,
	const struct leaf_form *form)
{
	uint8_t id[KEY_ID_SIZE];
	struct der ski = {id, sizeof(id)};
	CBB wrapped, list;

	return spki_identifier(form->spki, id) &&
		tbs_open_extensions(out, 3, &wrapped, &list) &&
		tbs_not_ca(&list) &&
		tbs_key_usage(&list, usage_of(form->spki)) &&
		tbs_server_auth(&list) && tbs_ski(&list, ski) &&
		tbs_aki(&list, ca_ski(ca)) &&
		write_crl_point(&list, ca, form) && write_san(&list, form) &&
		CBB_flush(out);
}

static bool write_tbs(CBB *out, const struct ca *ca,
	const struct leaf_form *form)
{
	CBB tbs;

	return CBB_add_asn1(out, &tbs, CBS_ASN1_SEQUENCE) &&
		tbs_version(&tbs) && tbs_serial(&tbs) &&
		tbs_algorithm(&tbs, ca_key(ca)) &&
		tbs_der(&tbs, ca_subject(ca)) &&
		tbs_validity(&tbs, form->from, form->until) &&
		tbs_der(&tbs, form->subject) && tbs_der(&tbs, form->spki) &&
		write_extensions(&tbs, ca, form) && CBB_flush(out);
}

CRYPTO_BUFFER *leaf_form_sign(const struct ca *ca,
	const struct leaf_form *form, char *err, size_t err_size)
{
	CRYPTO_BUFFER *made = NULL;
	CBB cbb;

	if (ca_link(ca))
		return keeper_sign_leaf(ca, form, err, err_size);
	CBB_zero(&cbb);
	if (CBB_init(&cbb, 1024) && write_tbs(&cbb, ca, form))
		made = tbs_sign(&cbb, ca_key(ca));
	else
		CBB_cleanup(&cbb);
	if (!made)
		(void)pki_fail(err, err_size,
			"the leaf could not be written or signed");
	return made;
}

/* --- holding it against the rules --------------------------------------- */

static bool right_key(struct der spki)
{
	CBS cbs = der_cbs(spki);
	EVP_PKEY *key = EVP_parse_public_key(&cbs);
	bool right = key && CBS_len(&cbs) == 0 && tbs_key_fits(key);

	EVP_PKEY_free(key);
	return right;
}

static int check_time(const struct ca *ca, const struct leaf_form *form,
	time_t now, unsigned validity_s, char *err, size_t err_size)
{
	if (form->from > form->until || form->until < now - SLACK ||
	    form->from < ca_not_before(ca) || form->until > ca_not_after(ca))
		return pki_fail(err, err_size, "a leaf outside its CA's time");
	if (form->until - now > (time_t)validity_s + SLACK ||
	    form->until - form->from > LEAF_LONGEST_LIFE)
		return pki_fail(err, err_size, "a leaf that lives too long");
	return 0;
}

int leaf_form_check(const struct ca *ca, const struct leaf_form *form,
	time_t now, unsigned validity_s, char *err, size_t err_size)
{
	if (form->subject.len > LEAF_SUBJECT_MAX || !name_ok(form->subject) ||
	    der_same(form->subject, ca_subject(ca)))
		return pki_fail(err, err_size, "a leaf's subject is not fit");
	if (!san_plain(form->san))
		return pki_fail(err, err_size, "a leaf's names are not fit");
	if (!right_key(form->spki))
		return pki_fail(err, err_size, "a leaf's key is not fit");
	return check_time(ca, form, now, validity_s, err, err_size);
}
