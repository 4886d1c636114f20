#include "proxy/admin/ca_json.h"

#include "pki/lifecycle.h"
#include "pki/name.h"
#include "pki/x509.h"
#include "proxy/admin/put.h"

/* A CA of our own has no key pair of its own making in the store's row of an
 * older version, but its certificate has the key. */
static void put_public_key(json_t *object, const struct store_ca *row)
{
	struct cert cert;

	if (row->spki)
		put_pem(object, "publicKey", "PUBLIC KEY", der_of(row->spki));
	else if (row->cert && cert_read(der_of(row->cert), &cert) == 0)
		put_pem(object, "publicKey", "PUBLIC KEY", cert.spki);
}

static void put_dates(json_t *object, const struct store_ca *row)
{
	struct cert cert;

	if (!row->cert || cert_read(der_of(row->cert), &cert) != 0)
		return;
	put_time(object, "certStartDate", cert.not_before);
	put_time(object, "certExpDate", cert.not_after);
}

static void put_general(json_t *object, const struct store_ca *row)
{
	put_number(object, "id", row->id);
	put_text(object, "name", row->name);
	put_text(object, "type", row->type);
	put_text(object, "region", row->region);
	put_text(object, "status", row->enabled ? "ENABLED" : "DISABLED");
	put_flag(object, "defaultCertificate", row->is_default);
	put_text(object, "keyType", row->key_type);
	put_text(object, "description", row->description);
	put_text(object, "currentState", state_word(row->state));
}

json_t *ca_json(const struct store_ca *row)
{
	json_t *object = ca_json_lite(row);

	put_dates(object, row);
	put_public_key(object, row);
	put_time(object, "keyGenerationTime", row->key_time);
	put_text(object, "csrFileName", row->csr_file);
	put_time(object, "csrGenerationTime", row->csr_time);
	put_text(object, "uploadedCertFileName", row->cert_file);
	return object;
}

json_t *ca_json_lite(const struct store_ca *row)
{
	json_t *object = json_object();

	put_general(object, row);
	return object;
}

json_t *ca_json_ready(const struct store_ca *row)
{
	json_t *object = json_object();

	put_number(object, "id", row->id);
	put_text(object, "name", row->name);
	put_flag(object, "defaultCertificate", row->is_default);
	return object;
}

json_t *ca_json_key(const struct store_ca *row)
{
	json_t *object = json_object();

	put_number(object, "certId", row->id);
	put_public_key(object, row);
	put_time(object, "keyGenerationTime", row->key_time);
	return object;
}

json_t *ca_json_issuing(const struct store_issuing *row)
{
	char title[NAME_TITLE];
	json_t *object;
	struct cert cert;

	if (cert_read(der_of(row->cert), &cert) != 0)
		return NULL;
	object = json_object();
	put_text(object, "keyId", row->key_id);
	put_serial(object, "serialNumber", cert.serial);
	put_text(object, "name", name_title(cert.subject, title));
	put_number(object, "ca", row->parent);
	put_time(object, "startDate", cert.not_before);
	put_time(object, "expDate", cert.not_after);
	put_time(object, "revoked", row->revoked);
	return object;
}
