#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pki/lifecycle_private.h"
#include "pki/store_issuing.h"
#include "pki/upload.h"

/* --- the key ------------------------------------------------------------ */

static enum life_outcome may_make_key(const struct life *life,
	const struct store_ca *row)
{
	return row->state == STATE_GENERAL_DONE ? LIFE_OK :
		life_out_of_order(life, row, "The key pair has been generated "
			"already, and never changes.");
}

/* Making a key takes its time: nobody else waits for the store meanwhile. What it
 * is locked with must be what opens those there are, or it would be found out
 * when the organization has signed. */
static enum life_outcome see_key(const struct life *life, int64_t id)
{
	struct store_ca *row, *other;
	struct estate estate;
	uint8_t key_id[CA_KEY_ID];
	enum life_outcome outcome = life_begin(life, id, false, &estate, &row);

	if (outcome == LIFE_OK)
		outcome = may_make_key(life, row);
	other = outcome == LIFE_OK ? estate_default(&estate) : NULL;
	if (other && estate_hold(&estate, other, false, key_id, life->err,
			     life->err_size) != 0)
		outcome = LIFE_FAILED;
	estate_close(&estate);
	return outcome;
}

static enum life_outcome keep_key(const struct life *life, int64_t id,
	enum key_kind kind, CRYPTO_BUFFER *locked, CRYPTO_BUFFER *spki,
	struct store_ca *out)
{
	struct store_ca *row;
	struct estate estate;
	enum life_outcome outcome = life_begin(life, id, false, &estate, &row);

	if (outcome == LIFE_OK)
		outcome = may_make_key(life, row);
	if (outcome == LIFE_OK) {
		CRYPTO_BUFFER_up_ref(locked);
		CRYPTO_BUFFER_up_ref(spki);
		row->key = locked;
		row->spki = spki;
		row->key_time = time(NULL);
		row->state = STATE_KEYGEN_DONE;
		snprintf(row->key_type, sizeof(row->key_type), "%s",
			key_kind_name(kind));
		outcome = life_save(life, &estate, row, "keypair", row->key_type,
			out);
	}
	estate_close(&estate);
	return outcome;
}

enum life_outcome life_make_key(const struct life *life, int64_t id,
	enum key_kind kind, struct store_ca *out)
{
	CRYPTO_BUFFER *locked, *spki;
	enum life_outcome outcome = see_key(life, id);

	if (outcome != LIFE_OK)
		return outcome;
	if (keeper_make_key(life->options->link, kind, KEY_ROLE_INTERMEDIATE,
		    &locked, &spki, life->err, life->err_size) != 0)
		return LIFE_FAILED;
	outcome = keep_key(life, id, kind, locked, spki, out);
	CRYPTO_BUFFER_free(locked);
	CRYPTO_BUFFER_free(spki);
	return outcome;
}

enum life_outcome life_take_public_key(const struct life *life, int64_t id,
	struct store_ca *out)
{
	struct store_ca *row;
	struct estate estate;
	enum life_outcome outcome = life_begin(life, id, false, &estate, &row);

	if (outcome == LIFE_OK && !row->spki)
		outcome = life_out_of_order(life, row, "There is no public key: "
			"generate the key pair first.");
	if (outcome == LIFE_OK && row->state == STATE_KEYGEN_DONE) {
		row->state = STATE_PUBKEY_DONE;
		outcome = life_save(life, &estate, row, "public-key", NULL, out);
	} else if (outcome == LIFE_OK) {
		life_copy(row, out);
	}
	estate_close(&estate);
	return outcome;
}

/* --- the request -------------------------------------------------------- */

static unsigned bits_of(const struct store_ca *row)
{
	static const struct {
		const char *type;
		unsigned bits;
	} sizes[] = {{"RSA_2K", 2048}, {"RSA_3K", 3072}, {"RSA_4K", 4096}};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		if (strcmp(row->key_type, sizes[i].type) == 0)
			return sizes[i].bits;
	}
	return 0;
}

static enum life_outcome may_make_csr(const struct life *life,
	const struct store_ca *row, const struct csr_order *order,
	const char *file_name, unsigned bits)
{
	unsigned right = bits_of(row);

	if (!row->key)
		return life_out_of_order(life, row, "There is no key pair to make "
			"a request with: generate it first.");
	if (row->state > STATE_CSRGEN_DONE)
		return life_out_of_order(life, row, "A certificate has been "
			"uploaded for the request already.");
	if (file_name && upload_file_ok(file_name, life->err,
				 life->err_size) != 0)
		return LIFE_REFUSED;
	if (bits && right && bits != right)
		return life_no(life, LIFE_REFUSED, "The key size is %u bits: "
			"that of the key pair that was generated.", right);
	return csr_check(order, life->err, life->err_size) == 0 ? LIFE_OK :
								LIFE_REFUSED;
}

static enum life_outcome sign_csr(const struct life *life,
	struct estate *estate, struct store_ca *row,
	const struct csr_order *order)
{
	uint8_t key_id[CA_KEY_ID];
	CRYPTO_BUFFER *csr;

	if (estate_hold(estate, row, false, key_id, life->err,
		    life->err_size) != 0)
		return LIFE_FAILED;
	csr = keeper_request(life->options->link, key_id, order, life->err,
		life->err_size);
	if (!csr)
		return LIFE_FAILED;
	CRYPTO_BUFFER_free(row->csr);
	row->csr = csr;
	return LIFE_OK;
}

enum life_outcome life_make_csr(const struct life *life, int64_t id,
	const struct csr_order *order, const char *file_name, unsigned bits,
	struct store_ca *out)
{
	struct store_ca *row;
	struct estate estate;
	enum life_outcome outcome = life_begin(life, id, false, &estate, &row);

	if (outcome == LIFE_OK)
		outcome = may_make_csr(life, row, order, file_name, bits);
	if (outcome == LIFE_OK)
		outcome = sign_csr(life, &estate, row, order);
	if (outcome == LIFE_OK) {
		row->csr_time = time(NULL);
		row->state = STATE_CSRGEN_DONE;
		snprintf(row->csr_file, sizeof(row->csr_file), "%s",
			file_name ? file_name : "");
		outcome = life_save(life, &estate, row, "csr", order->common_name,
			out);
	}
	estate_close(&estate);
	return outcome;
}

/* --- what comes back ---------------------------------------------------- */

static enum life_outcome check_twin(const struct life *life,
	const struct estate *estate, const struct store_ca *row)
{
	for (size_t i = 0; i < estate->num; i++) {
		const struct store_ca *other = &estate->list[i];

		if (other->id != row->id && other->cert && !other->retired &&
		    der_same(der_of(other->cert), der_of(row->cert)))
			return life_no(life, LIFE_REFUSED, "The CA \"%s\" "
				"has this certificate already.", other->name);
	}
	return LIFE_OK;
}

static enum life_outcome take_cert(const struct life *life,
	struct estate *estate, struct store_ca *row,
	const struct upload *upload)
{
	CRYPTO_BUFFER *cert;

	if (row->state == STATE_CERT_READY)
		return life_out_of_order(life, row, "The certificate is finalized, "
			"and no longer changes.");
	if (!row->csr)
		return life_out_of_order(life, row, "No CSR found: generate it, "
			"and have it signed first.");
	if (upload->file_name && upload_file_ok(upload->file_name, life->err,
					 life->err_size) != 0)
		return LIFE_REFUSED;
	if (upload_cert(upload, row, life->options->validity_s, time(NULL),
		    &cert, life->err, life->err_size) != 0)
		return LIFE_REFUSED;
	CRYPTO_BUFFER_free(row->cert);
	CRYPTO_BUFFER_free(row->chain);
	row->cert = cert;
	row->chain = NULL;
	row->state = STATE_INTCERT_UPLOAD_DONE;
	snprintf(row->cert_file, sizeof(row->cert_file), "%s",
		upload->file_name ? upload->file_name : "");
	return check_twin(life, estate, row);
}

enum life_outcome life_upload_cert(const struct life *life, int64_t id,
	const struct upload *upload, struct store_ca *out)
{
	struct store_ca *row;
	struct estate estate;
	enum life_outcome outcome = life_begin(life, id, false, &estate, &row);

	if (outcome == LIFE_OK)
		outcome = take_cert(life, &estate, row, upload);
	if (outcome == LIFE_OK)
		outcome = life_save(life, &estate, row, "upload-cert",
			row->cert_file, out);
	estate_close(&estate);
	return outcome;
}

static enum life_outcome take_chain(const struct life *life,
	struct store_ca *row, const struct upload *upload)
{
	CRYPTO_BUFFER *chain;

	if (row->state == STATE_CERT_READY)
		return life_out_of_order(life, row, "The certificate is finalized, "
			"and no longer changes.");
	if (!row->cert)
		return life_out_of_order(life, row, "The signed certificate must "
			"be uploaded before its chain.");
	if (upload->file_name && upload_file_ok(upload->file_name, life->err,
					 life->err_size) != 0)
		return LIFE_REFUSED;
	if (upload_chain(upload, row, time(NULL), &chain, life->err,
		    life->err_size) != 0)
		return LIFE_REFUSED;
	CRYPTO_BUFFER_free(row->chain);
	row->chain = chain;
	row->state = STATE_CERTCHAIN_UPLOAD_DONE;
	return LIFE_OK;
}

enum life_outcome life_upload_chain(const struct life *life, int64_t id,
	const struct upload *upload, struct store_ca *out)
{
	struct store_ca *row;
	struct estate estate;
	enum life_outcome outcome = life_begin(life, id, false, &estate, &row);

	if (outcome == LIFE_OK)
		outcome = take_chain(life, row, upload);
	if (outcome == LIFE_OK)
		outcome = life_save(life, &estate, row, "upload-chain", NULL, out);
	estate_close(&estate);
	return outcome;
}

/* --- putting it to use -------------------------------------------------- */

/* What was right when it came may have ended since; and the keeper must be able
 * to sign with it. */
static enum life_outcome try_out(const struct life *life,
	struct estate *estate, struct store_ca *row)
{
	struct ca *ca;

	if (estate_ca(estate, row, &ca, life->err, life->err_size) != 0)
		return LIFE_REFUSED;
	ca_unref(ca);
	return LIFE_OK;
}

enum life_outcome life_finalize(const struct life *life, int64_t id,
	struct store_ca *out)
{
	struct store_ca *row;
	struct estate estate;
	enum life_outcome outcome = life_begin(life, id, false, &estate, &row);

	if (outcome == LIFE_OK && row->state == STATE_CERT_READY)
		outcome = life_out_of_order(life, row,
			"The certificate is finalized already.");
	else if (outcome == LIFE_OK && !row->cert)
		outcome = life_out_of_order(life, row, "The signed certificate "
			"must be uploaded before it can be finalized.");
	if (outcome == LIFE_OK && upload_again(row, life->options->validity_s,
			time(NULL), life->err, life->err_size) != 0)
		outcome = LIFE_REFUSED;
	if (outcome == LIFE_OK)
		outcome = try_out(life, &estate, row);
	if (outcome == LIFE_OK) {
		row->state = STATE_CERT_READY;
		outcome = life_save(life, &estate, row, "finalize", NULL, out);
	}
	estate_close(&estate);
	return outcome;
}

static enum life_outcome may_be_default(const struct life *life,
	const struct store_ca *row)
{
	if (row->state != STATE_CERT_READY)
		return life_out_of_order(life, row, "Only a finalized certificate "
			"(CERT_READY) can be the default.");
	if (!row->enabled)
		return life_no(life, LIFE_REFUSED, "The certificate is "
			"disabled: it can't be the default.");
	return LIFE_OK;
}

enum life_outcome life_make_default(const struct life *life, int64_t id,
	struct store_ca *out)
{
	struct store_ca *row;
	struct estate estate;
	enum life_outcome outcome = life_begin(life, id, true, &estate, &row);

	if (outcome == LIFE_OK)
		outcome = may_be_default(life, row);
	if (outcome == LIFE_OK)
		outcome = try_out(life, &estate, row);
	if (outcome == LIFE_OK &&
	    (store_set_default(estate.store, id, life->err,
		     life->err_size) != 0 ||
		life_tell(life, &estate, id, row->name, "make-default",
			NULL) != 0))
		outcome = LIFE_FAILED;
	if (outcome == LIFE_OK)
		outcome = life_finish(life, &estate, id, out);
	estate_close(&estate);
	return outcome;
}
