#include <openssl/evp.h>
#include <openssl/mem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pki/dertime.h"
#include "pki/estate.h"
#include "pki/import.h"
#include "pki/keymaker.h"
#include "pki/name.h"
#include "pki/pem.h"
#include "pki/store_audit.h"
#include "pki/x509.h"

enum {
	FILE_MAX = 1 << 20,
	POOL_MAX = 2 * CA_CHAIN_MAX,
	/* A leaf's life by default: a CA with less left would cut every one. */
	LEAST_LEFT = 14 * 24 * 3600,
};

/* parcel is what the files hold. */
struct parcel {
	CRYPTO_BUFFER *pool[POOL_MAX]; /* owned; pool[0] is the CA's own */
	size_t num_pool;
	struct der path[CA_CHAIN_MAX]; /* borrowed from pool, nearest first */
	size_t num_path;
	EVP_PKEY *key;                 /* owned */
};

static void parcel_clear(struct parcel *parcel)
{
	for (size_t i = 0; i < parcel->num_pool; i++)
		CRYPTO_BUFFER_free(parcel->pool[i]);
	EVP_PKEY_free(parcel->key);
}

/* --- reading ------------------------------------------------------------ */

static bool in_pool(const struct parcel *parcel, struct der der)
{
	for (size_t i = 0; i < parcel->num_pool; i++) {
		if (der_same(der_of(parcel->pool[i]), der))
			return true;
	}
	return false;
}

static int add_cert(struct parcel *parcel, CRYPTO_BUFFER *der,
	const char *path, char *err, size_t err_size)
{
	struct cert cert;
	int result = 0;

	if (in_pool(parcel, der_of(der))) {
		CRYPTO_BUFFER_free(der);
		return 0;
	}
	if (cert_read(der_of(der), &cert) != 0)
		result = pki_fail(err, err_size,
			"%s: a certificate in it can't be parsed", path);
	else if (parcel->num_pool == POOL_MAX)
		result = pki_fail(err, err_size,
			"%s: more than %d certificates", path, POOL_MAX);
	else
		parcel->pool[parcel->num_pool++] = der;
	if (result != 0)
		CRYPTO_BUFFER_free(der);
	return result;
}

static int add_certs(struct parcel *parcel, const char *text, size_t len,
	const char *path, char *err, size_t err_size)
{
	struct pem *pem = pem_new(text, len);
	CRYPTO_BUFFER *der;
	int result = 0, found = 0, got;

	while (result == 0 && (got = pem_next_cert(pem, &der)) != PEM_END) {
		found++;
		if (got < 0)
			result = pki_fail(err, err_size,
				"%s: its PEM is damaged", path);
		else
			result = add_cert(parcel, der, path, err, err_size);
	}
	pem_free(pem);
	if (result == 0 && found == 0)
		return pki_fail(err, err_size,
			"%s: holds no certificate (PEM)", path);
	return result;
}

static int read_certs(struct parcel *parcel, const char *path, char *err,
	size_t err_size)
{
	char *text;
	size_t len;
	int result;

	if (file_read(path, FILE_MAX, &text, &len, err, err_size) != 0)
		return -1;
	result = add_certs(parcel, text, len, path, err, err_size);
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

/* --- putting in order --------------------------------------------------- */

static bool issues(struct der upper_der, const struct cert *lower)
{
	struct cert upper;
	EVP_PKEY *key;
	bool did;

	if (cert_read(upper_der, &upper) != 0 ||
	    !der_same(upper.subject, lower->issuer))
		return false;
	key = cert_key(&upper);
	did = key && cert_signed_by(lower, key);
	EVP_PKEY_free(key);
	return did;
}

/* order finds the path upwards, whatever the order of the files. */
static int order(struct parcel *parcel, char *err, size_t err_size)
{
	struct cert at;
	size_t i = 0;

	if (cert_read(der_of(parcel->pool[0]), &at) != 0)
		return -1; /* add_cert has read it */
	while (i < parcel->num_pool && !cert_self_issued(&at) &&
		parcel->num_path < CA_CHAIN_MAX) {
		for (i = 1; i < parcel->num_pool; i++) {
			if (issues(der_of(parcel->pool[i]), &at))
				break;
		}
		if (i == parcel->num_pool)
			break;
		parcel->path[parcel->num_path++] = der_of(parcel->pool[i]);
		if (cert_read(der_of(parcel->pool[i]), &at) != 0)
			return -1;
	}
	if (parcel->num_path + 1 == parcel->num_pool)
		return 0;
	return pki_fail(err, err_size, "the chain does not lead upwards from "
		"the certificate: of %zu certificates in it, %zu are on the "
		"way to the root", parcel->num_pool - 1, parcel->num_path);
}

/* --- checking ----------------------------------------------------------- */

/* The id is not known yet; ca_new only wants one that could be. */
static int check(const struct parcel *parcel, char *err, size_t err_size)
{
	char title[NAME_TITLE], text[DERTIME_TEXT];
	time_t until;
	struct ca *ca;

	if (ca_new(der_of(parcel->pool[0]), parcel->key, parcel->path,
		    parcel->num_path, "0", &ca, err, err_size) != 0)
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
	    order(parcel, err, err_size) != 0)
		return -1;
	return check(parcel, err, err_size);
}

/* --- keeping ------------------------------------------------------------ */

static CRYPTO_BUFFER *join(const struct parcel *parcel)
{
	CRYPTO_BUFFER *joined = NULL;
	CBB cbb;

	if (parcel->num_path == 0)
		return NULL;
	if (CBB_init(&cbb, 4096)) {
		for (size_t i = 0; i < parcel->num_path; i++)
			CBB_add_bytes(&cbb, parcel->path[i].at,
				parcel->path[i].len);
		joined = der_finish(&cbb);
	}
	if (!joined)
		abort();
	return joined;
}

/* What is being brought, and by whom. */
struct bringing {
	struct estate estate;
	const struct parcel *parcel;
	struct keylock *lock;
	const char *who;
};

/* The same certificate once more only becomes the default, with this chain. */
static int keep_again(struct bringing *b, struct store_ca *row,
	CRYPTO_BUFFER *chain, char *err, size_t err_size)
{
	CRYPTO_BUFFER_free(row->chain);
	row->chain = chain;
	if (chain)
		CRYPTO_BUFFER_up_ref(chain);
	row->enabled = true;
	if (store_save(b->estate.store, row, err, err_size) != 0)
		return -1;
	return store_set_default(b->estate.store, row->id, err, err_size);
}

static int tell(struct bringing *b, const struct store_ca *row, char *err,
	size_t err_size)
{
	struct store_audit line = {.time = time(NULL), .what = "import",
		.ca = row->id};

	snprintf(line.who, sizeof(line.who), "%s", b->who);
	snprintf(line.name, sizeof(line.name), "%s", row->name);
	return store_audit_add(b->estate.store, &line, err, err_size);
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
		.cert = b->parcel->pool[0],
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
		"the private key of the CA '%s': it is another one than when "
		"the key was made (keys.passphrase-file)", source,
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
	row = find_same(&b->estate, b->parcel->pool[0]);
	chain = join(b->parcel);
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

	if (estate_open(options, estate, err, err_size) == 0 &&
	    keep(b, options, err, err_size) == 0 &&
	    estate_list(estate, err, err_size) == 0 &&
	    estate_commit(estate, err, err_size) == 0)
		result = estate_write_root(estate, options->state, err,
			err_size);
	estate_close(estate);
	return result;
}

int import_ca(const struct authority_options *options,
	const struct import_files *files, struct keylock *lock,
	const char *who, char *err, size_t err_size)
{
	struct parcel parcel = {0};
	struct bringing b = {.parcel = &parcel, .lock = lock, .who = who};
	int result = read_parcel(&parcel, files, err, err_size);

	if (result == 0)
		result = bring(&b, options, err, err_size);
	parcel_clear(&parcel);
	return result;
}
