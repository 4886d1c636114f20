#include "pki/estate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pki/crl.h"
#include "pki/pem.h"
#include "pki/store_issuing.h"
#include "pki/x509.h"

enum { ROOT_FILE_MAX = 1 << 20 };

/* --- opening ------------------------------------------------------------ */

static int open_store(const char *path, struct estate *out, char *err,
	size_t err_size)
{
	if (store_open(path, &out->store, err, err_size) != 0 ||
	    store_begin(out->store, err, err_size) != 0)
		return -1;
	return estate_list(out, err, err_size);
}

int estate_open(const struct authority_options *options, struct estate *out,
	char *err, size_t err_size)
{
	char *path = state_path(options->state, STORE_FILE);
	int result;

	memset(out, 0, sizeof(*out));
	result = open_store(path, out, err, err_size);
	out->link = options->link;
	free(path);
	return result;
}

int estate_look(const struct authority_options *options, struct estate *out,
	char *err, size_t err_size)
{
	char *path = state_path(options->state, STORE_FILE);
	int result = ESTATE_NONE;
	struct stat info;

	memset(out, 0, sizeof(*out));
	/* Opening would make it. One that is empty is about to get its CAs. */
	if (stat(path, &info) == 0 && info.st_size > 0)
		result = open_store(path, out, err, err_size);
	free(path);
	return result == 0 && out->num == 0 ? ESTATE_NONE : result;
}

int estate_commit(struct estate *estate, char *err, size_t err_size)
{
	return store_commit(estate->store, err, err_size);
}

void estate_close(struct estate *estate)
{
	store_list_free(estate->list, estate->num);
	store_close(estate->store);
	memset(estate, 0, sizeof(*estate));
}

/* --- rows --------------------------------------------------------------- */

int estate_list(struct estate *estate, char *err, size_t err_size)
{
	store_list_free(estate->list, estate->num);
	estate->list = NULL;
	estate->num = 0;
	return store_list(estate->store, &estate->list, &estate->num, err,
		err_size);
}

struct store_ca *estate_find(const struct estate *estate, int64_t id)
{
	for (size_t i = 0; i < estate->num; i++) {
		if (estate->list[i].id == id)
			return &estate->list[i];
	}
	return NULL;
}

struct store_ca *estate_default(const struct estate *estate)
{
	for (size_t i = 0; i < estate->num; i++) {
		if (estate->list[i].is_default)
			return &estate->list[i];
	}
	return NULL;
}

enum key_role estate_role(const struct store_ca *row)
{
	static const enum key_role roles[] = {
		[STORE_ROOT] = KEY_ROLE_ROOT,
		[STORE_INTERMEDIATE] = KEY_ROLE_INTERMEDIATE,
		[STORE_UNTRUSTED] = KEY_ROLE_UNTRUSTED,
	};

	return roles[row->purpose];
}

int estate_hold(struct estate *estate, struct store_ca *row, bool as_ca,
	uint8_t out_key_id[CA_KEY_ID], char *err, size_t err_size)
{
	struct der none = {NULL, 0};
	struct keeper_held held;
	char id[STORE_CRL_ID], why[600];
	int result;

	if (!row->key)
		return pki_fail(err, err_size, "sallyport.db: the CA '%s' has "
			"no key", row->name);
	result = keeper_hold(estate->link, der_of(row->key), estate_role(row),
		as_ca ? der_of(row->cert) : none, store_crl_id(row, id),
		&held, why,
		sizeof(why));
	if (result != 0)
		return pki_fail(err, err_size, "the CA '%s': %s", row->name,
			why);
	memcpy(out_key_id, held.key_id, CA_KEY_ID);
	if (!held.relocked)
		return 0;
	CRYPTO_BUFFER_free(row->key);
	row->key = held.relocked;
	return store_save(estate->store, row, err, err_size);
}

void estate_forget(const struct estate *estate, const CRYPTO_BUFFER *spki)
{
	uint8_t id[CA_KEY_ID];
	char err[256];

	if (estate->link && spki && spki_identifier(der_of(spki), id))
		(void)!keeper_forget(estate->link, id, err, sizeof(err));
}

bool estate_chain(const struct store_ca *row, struct der out[CA_CHAIN_MAX],
	size_t *out_num)
{
	CBS all, one;

	*out_num = 0;
	if (!row->chain)
		return true;
	all = der_cbs(der_of(row->chain));
	while (CBS_len(&all) > 0) {
		if (*out_num == CA_CHAIN_MAX ||
		    !CBS_get_asn1_element(&all, &one, CBS_ASN1_SEQUENCE))
			return false;
		out[(*out_num)++] = der_rest(&one);
	}
	return true;
}

int estate_ca(struct estate *estate, struct store_ca *row,
	struct ca **out, char *err, size_t err_size)
{
	struct der chain[CA_CHAIN_MAX];
	uint8_t key_id[CA_KEY_ID];
	size_t num_chain;
	char id[STORE_CRL_ID];

	*out = NULL;
	if (!estate_chain(row, chain, &num_chain))
		return pki_fail(err, err_size, "sallyport.db: the chain of "
			"the CA '%s' is damaged", row->name);
	if (estate_hold(estate, row, true, key_id, err, err_size) != 0)
		return -1;
	return ca_new_kept(der_of(row->cert), estate->link, chain, num_chain,
		store_crl_id(row, id), out, err, err_size);
}

struct der estate_top(const struct store_ca *row)
{
	struct der chain[CA_CHAIN_MAX];
	size_t num_chain;

	if (estate_chain(row, chain, &num_chain) && num_chain > 0)
		return chain[num_chain - 1];
	return der_of(row->cert);
}

/* --- CRLs --------------------------------------------------------------- */

CRYPTO_BUFFER *estate_make_crl(struct estate *estate,
	const struct store_ca *row, const struct ca *ca, time_t now,
	time_t until, char *err, size_t err_size)
{
	struct crl_entry *revoked =
		pki_new(CRL_REVOKED_MAX * sizeof(*revoked));
	struct crl_order order = {
		.number = (uint64_t)row->crl_number + 1,
		.now = now,
		.until = until,
		.revoked = revoked,
	};
	CRYPTO_BUFFER *crl = NULL;

	if (order.until > ca_not_after(ca))
		order.until = ca_not_after(ca);
	if (store_revoked(estate->store, row->id, now, revoked,
		    &order.num_revoked, err, err_size) == 0)
		crl = crl_make(ca, &order, err, err_size);
	free(revoked);
	return crl;
}

CRYPTO_BUFFER *estate_renew_crl(struct estate *estate,
	const struct store_ca *row, const struct ca *ca, time_t now,
	time_t until, char *err, size_t err_size)
{
	CRYPTO_BUFFER *crl = estate_make_crl(estate, row, ca, now, until, err,
		err_size);

	if (crl && store_set_crl(estate->store, row->id, crl,
			   row->crl_number + 1, now, err, err_size) == 0)
		return crl;
	CRYPTO_BUFFER_free(crl);
	return NULL;
}

/* --- the root's file ---------------------------------------------------- */

static bool says(const char *path, const char *text)
{
	char *now = NULL;
	size_t len;
	bool same;

	if (file_read(path, ROOT_FILE_MAX, &now, &len, NULL, 0) != 0)
		return false;
	same = strcmp(now, text) == 0;
	free(now);
	return same;
}

int estate_write_root(const struct estate *estate, const char *state,
	char *err, size_t err_size)
{
	const struct store_ca *row = estate_default(estate);
	char *path, *text;
	int result = 0;

	if (!row)
		return pki_fail(err, err_size,
			"sallyport.db: no CA is the default");
	path = state_path(state, "root.pem");
	text = pem_of_cert(estate_top(row));
	if (!says(path, text))
		result = file_write(path, text, strlen(text), 0644, err,
			err_size);
	free(path);
	free(text);
	return result;
}
