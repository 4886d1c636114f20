#include "pki/relock.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <time.h>

#include "pki/estate.h"
#include "pki/store_audit.h"

static int relock(struct estate *estate, struct store_ca *row,
	struct keylock *old, struct keylock *new, char *err, size_t err_size)
{
	enum key_role role;
	EVP_PKEY *key = keylock_unlock(old, der_of(row->key), &role);

	if (!key)
		return pki_fail(err, err_size, "the old passphrase does not "
			"open the private key of the CA '%s'", row->name);
	CRYPTO_BUFFER_free(row->key);
	row->key = keylock_lock(new, key,
		role == KEY_ROLE_NONE ? estate_role(row) : role);
	EVP_PKEY_free(key);
	return store_save(estate->store, row, err, err_size);
}

static int tell(struct estate *estate, const char *who, char *err,
	size_t err_size)
{
	struct store_audit line = {.time = time(NULL), .what = "passphrase"};

	snprintf(line.who, sizeof(line.who), "%s", who);
	return store_audit_add(estate->store, &line, err, err_size);
}

int relock_all(const struct authority_options *options, struct keylock *old,
	struct keylock *new, const char *who, size_t *out_num, char *err,
	size_t err_size)
{
	struct estate estate;
	int result = estate_open(options, &estate, err, err_size);

	*out_num = 0;
	for (size_t i = 0; result == 0 && i < estate.num; i++) {
		if (!estate.list[i].key)
			continue;
		result = relock(&estate, &estate.list[i], old, new, err,
			err_size);
		(*out_num)++;
	}
	if (result == 0)
		result = tell(&estate, who, err, err_size);
	if (result == 0)
		result = estate_commit(&estate, err, err_size);
	estate_close(&estate);
	return result;
}
