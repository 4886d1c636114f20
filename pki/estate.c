#include "pki/estate.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pki/foundation.h"
#include "pki/pem.h"

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

static int fill(const struct authority_options *options, struct estate *out,
	char *err, size_t err_size)
{
	char *path = state_path(options->state, STORE_FILE);
	int result = open_store(path, out, err, err_size);

	free(path);
	if (result != 0)
		return -1;
	/* Within the transaction: nobody else makes a secret meanwhile. */
	if (keeper_open(options->state, options->passphrase_file,
		    out->num == 0, &out->keeper, err, err_size) != 0)
		return -1;
	if (out->num > 0)
		return 0;
	if (foundation_lay(out, options->crl_base, err, err_size) != 0)
		return -1;
	return estate_list(out, err, err_size);
}

int estate_open(const struct authority_options *options, struct estate *out,
	char *err, size_t err_size)
{
	memset(out, 0, sizeof(*out));
	return fill(options, out, err, err_size);
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
	keeper_free(estate->keeper);
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

const struct store_ca *estate_find(const struct estate *estate, int64_t id)
{
	for (size_t i = 0; i < estate->num; i++) {
		if (estate->list[i].id == id)
			return &estate->list[i];
	}
	return NULL;
}

const struct store_ca *estate_default(const struct estate *estate)
{
	for (size_t i = 0; i < estate->num; i++) {
		if (estate->list[i].is_default)
			return &estate->list[i];
	}
	return NULL;
}

int estate_key(const struct estate *estate, const struct store_ca *row,
	EVP_PKEY **out, char *err, size_t err_size)
{
	*out = keeper_unlock(estate->keeper, der_of(row->key));
	if (*out)
		return 0;
	return pki_fail(err, err_size, "the passphrase of %s does not open the "
		"private key of the CA '%s': it is another one than when the "
		"key was made (keys.passphrase-file)",
		keeper_source(estate->keeper), row->name);
}

/* read_chain splits what is one behind the other; false: too many, or not
 * certificates. */
static bool read_chain(const struct store_ca *row,
	struct der out[CA_CHAIN_MAX], size_t *out_num)
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

int estate_ca(const struct estate *estate, const struct store_ca *row,
	struct ca **out, char *err, size_t err_size)
{
	struct der chain[CA_CHAIN_MAX];
	size_t num_chain;
	EVP_PKEY *key;
	char id[32];
	int result;

	*out = NULL;
	if (!read_chain(row, chain, &num_chain))
		return pki_fail(err, err_size, "sallyport.db: the chain of "
			"the CA '%s' is damaged", row->name);
	if (estate_key(estate, row, &key, err, err_size) != 0)
		return -1;
	snprintf(id, sizeof(id), "%lld", (long long)row->id);
	result = ca_new(der_of(row->cert), key, chain, num_chain, id, out, err,
		err_size);
	EVP_PKEY_free(key);
	return result;
}

struct der estate_top(const struct store_ca *row)
{
	struct der chain[CA_CHAIN_MAX];
	size_t num_chain;

	if (read_chain(row, chain, &num_chain) && num_chain > 0)
		return chain[num_chain - 1];
	return der_of(row->cert);
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
