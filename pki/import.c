#include <openssl/evp.h>
#include <openssl/mem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pki/chain.h"
#include "pki/dertime.h"
#include "pki/foundation.h"
#include "pki/import.h"
#include "pki/keymaker.h"
#include "pki/name.h"
#include "pki/pem.h"
#include "pki/store_audit.h"
#include "pki/x509.h"

enum {
	FILE_MAX = 1 << 20,
	/* A leaf's life by default: a CA with less left would cut every one. */
	LEAST_LEFT = 14 * 24 * 3600,
};

/* parcel is what the files hold. */
struct parcel {
	struct chain chain;
	EVP_PKEY *key;                 /* owned */
};

/* --- reading ------------------------------------------------------------ */

static int read_certs(struct parcel *parcel, const char *path, char *err,
	size_t err_size)
{
	char *text;
	size_t len;
	int result;

	if (file_read(path, FILE_MAX, &text, &len, err, err_size) != 0)
		return -1;
	result = chain_add_pem(&parcel->chain, text, len, path, err, err_size);
	OPENSSL_cleanse(text, len); /* a key may stand in it, too */
	free(text);
	return result;
}

static int read_key(struct parcel *parcel, const char *path,
	const char *passphrase, char *err, size_t err_size)
{
	char *text;
	size_t len;
	int result;

	if (file_read(path, FILE_MAX, &text, &len, err, err_size) != 0)
		return -1;
	result = pem_key(text, len, path, passphrase, &parcel->key, err,
		err_size);
	OPENSSL_cleanse(text, len);
	free(text);
	return result;
}

/* --- checking ----------------------------------------------------------- */

/* The id is not known yet; ca_new only wants one that could be. */
static int check(const struct parcel *parcel, char *err, size_t err_size)
{
	const struct chain *chain = &parcel->chain;
	char title[NAME_TITLE], text[DERTIME_TEXT];
	time_t until;
	struct ca *ca;

	if (ca_new(der_of(chain->pool[0]), parcel->key, chain->path,
		    chain->num_path, "0", &ca, err, err_size) != 0)
		return -1;
	until = ca_not_after(ca);
	name_title(ca_subject(ca), title);
	ca_unref(ca);
	if (until - time(NULL) >= LEAST_LEFT)
		return 0;
	return pki_fail(err, err_size, "the CA certificate '%s' ends on %s: "
		"sooner than a leaf that it would sign", title,
		dertime_text(until, text));
}

static int read_parcel(struct parcel *parcel, const struct import_files *files,
	char *err, size_t err_size)
{
	if (read_certs(parcel, files->cert, err, err_size) != 0 ||
	    (files->chain &&
		    read_certs(parcel, files->chain, err, err_size) != 0) ||
	    read_key(parcel, files->key, files->passphrase, err,
		    err_size) != 0 ||
	    chain_order(&parcel->chain, err, err_size) != 0)
		return -1;
	return check(parcel, err, err_size);
}

/* --- keeping ------------------------------------------------------------ */

/* What is being brought, and by whom. */
struct bringing {
	struct estate estate;
	const struct parcel *parcel;
	struct keylock *lock;
	const char *who;
};

static int tell(struct bringing *b, const struct store_ca *row, char *err,
	size_t err_size)
{
	struct store_audit line = {.time = time(NULL), .what = "import",
		.ca = row->id};

	snprintf(line.who, sizeof(line.who), "%s", b->who);
	snprintf(line.name, sizeof(line.name), "%s", row->name);
	return store_audit_add(b->estate.store, &line, err, err_size);
}

/* The same certificate once more only becomes the default, with this chain. */
static int keep_again(struct bringing *b, struct store_ca *row,
	CRYPTO_BUFFER *chain, char *err, size_t err_size)
{
	CRYPTO_BUFFER_free(row->chain);
	row->chain = chain;
	if (chain)
		CRYPTO_BUFFER_up_ref(chain);
	row->enabled = true;
	if (store_save(b->estate.store, row, err, err_size) != 0 ||
	    tell(b, row, err, err_size) != 0)
		return -1;
	return store_set_default(b->estate.store, row->id, err, err_size);
}

static int keep_new(struct bringing *b, CRYPTO_BUFFER *chain, char *err,
	size_t err_size)
{
	EVP_PKEY *key = b->parcel->key;
	struct store_ca row = {
		.purpose = STORE_INTERMEDIATE,
		.is_default = true,
		.enabled = true,
		.state = STATE_CERT_READY,
		.key = keylock_lock(b->lock, key, KEY_ROLE_INTERMEDIATE),
		.spki = key_spki(key),
		.key_time = time(NULL),
		.cert = b->parcel->chain.pool[0],
		.chain = chain,
	};
	char title[NAME_TITLE];
	struct cert cert;
	int result = cert_read(der_of(row.cert), &cert);

	if (result == 0) {
		name_title(cert.subject, title);
		snprintf(row.name, sizeof(row.name), "%s", title);
		snprintf(row.key_type, sizeof(row.key_type), "%s",
			key_type_name(key));
		result = store_add(b->estate.store, &row, err, err_size);
	}
	if (result == 0)
		result = tell(b, &row, err, err_size);
	CRYPTO_BUFFER_free(row.key);
	CRYPTO_BUFFER_free(row.spki);
	return result;
}

static struct store_ca *find_same(const struct estate *estate,
	const CRYPTO_BUFFER *cert)
{
	for (size_t i = 0; i < estate->num; i++) {
		struct store_ca *row = &estate->list[i];

		if (row->purpose == STORE_INTERMEDIATE && row->cert &&
		    !row->retired &&
		    der_same(der_of(row->cert), der_of(cert)))
			return row;
	}
	return NULL;
}

/* One passphrase for all keys: it must open what is there already. */
static int check_lock(const struct bringing *b, const char *source, char *err,
	size_t err_size)
{
	const struct store_ca *row = estate_default(&b->estate);
	enum key_role role;
	EVP_PKEY *key = row && row->key ?
		keylock_unlock(b->lock, der_of(row->key), &role) : NULL;

	EVP_PKEY_free(key);
	if (key)
		return 0;
	return pki_fail(err, err_size, "the passphrase of %s does not open "
		"the private key of the CA '%s', which was locked with another "
		"one", source,
		row ? row->name : "?");
}

static int keep(struct bringing *b, const struct authority_options *options,
	char *err, size_t err_size)
{
	struct store_ca *row;
	CRYPTO_BUFFER *chain;
	int result;

	if (check_lock(b, options->link->source, err, err_size) != 0)
		return -1;
	row = find_same(&b->estate, b->parcel->chain.pool[0]);
	chain = chain_join(&b->parcel->chain);
	if (row)
		result = keep_again(b, row, chain, err, err_size);
	else
		result = keep_new(b, chain, err, err_size);
	CRYPTO_BUFFER_free(chain);
	return result;
}

static int bring(struct bringing *b, const struct authority_options *options,
	char *err, size_t err_size)
{
	struct estate *estate = &b->estate;
	int result = -1;

	if (foundation_open(options, estate, err, err_size) == 0 &&
	    keep(b, options, err, err_size) == 0 &&
	    estate_list(estate, err, err_size) == 0 &&
	    estate_commit(estate, err, err_size) == 0)
		result = estate_write_root(estate, options->state, err,
			err_size);
	estate_close(estate);
	return result;
}

int import_read(const struct import_files *files, struct parcel **out,
	char *err, size_t err_size)
{
	struct parcel *parcel = pki_new(sizeof(*parcel));
	int result = read_parcel(parcel, files, err, err_size);

	*out = result == 0 ? parcel : NULL;
	if (result != 0)
		import_free(parcel);
	return result;
}

int import_keep(const struct authority_options *options,
	const struct parcel *parcel, struct keylock *lock, const char *who,
	char *err, size_t err_size)
{
	struct bringing b = {.parcel = parcel, .lock = lock, .who = who};

	return bring(&b, options, err, err_size);
}

void import_free(struct parcel *parcel)
{
	if (!parcel)
		return;
	chain_clear(&parcel->chain);
	EVP_PKEY_free(parcel->key);
	free(parcel);
}
