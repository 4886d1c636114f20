#include "pki/chain.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "pki/name.h"
#include "pki/pem.h"
#include "pki/x509.h"

static bool in_pool(const struct chain *chain, struct der der)
{
	for (size_t i = 0; i < chain->num_pool; i++) {
		if (der_same(der_of(chain->pool[i]), der))
			return true;
	}
	return false;
}

int chain_add(struct chain *chain, CRYPTO_BUFFER *der)
{
	struct cert cert;

	if (in_pool(chain, der_of(der))) {
		CRYPTO_BUFFER_free(der);
		return 0;
	}
	if (cert_read(der_of(der), &cert) != 0)
		return CHAIN_BAD;
	if (chain->num_pool == CHAIN_POOL)
		return CHAIN_FULL;
	chain->pool[chain->num_pool++] = der;
	return 0;
}

static int add_or_say(struct chain *chain, CRYPTO_BUFFER *der,
	const char *what, char *err, size_t err_size)
{
	int result = chain_add(chain, der);

	if (result == 0)
		return 0;
	CRYPTO_BUFFER_free(der);
	if (result == CHAIN_BAD)
		return pki_fail(err, err_size,
			"%s: a certificate in it can't be parsed", what);
	return pki_fail(err, err_size, "%s: more than %d certificates", what,
		CHAIN_POOL);
}

int chain_add_pem(struct chain *chain, const char *text, size_t len,
	const char *what, char *err, size_t err_size)
{
	struct pem *pem = pem_new(text, len);
	CRYPTO_BUFFER *der;
	int result = 0, found = 0, got;

	while (result == 0 && (got = pem_next_cert(pem, &der)) != PEM_END) {
		found++;
		if (got < 0)
			result = pki_fail(err, err_size,
				"%s: its PEM is damaged", what);
		else
			result = add_or_say(chain, der, what, err, err_size);
	}
	pem_free(pem);
	if (result == 0 && found == 0)
		return pki_fail(err, err_size,
			"%s: holds no certificate (PEM)", what);
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

int chain_order(struct chain *chain, char *err, size_t err_size)
{
	struct cert at;
	size_t i = 0;

	chain->num_path = 0;
	if (cert_read(der_of(chain->pool[0]), &at) != 0)
		return -1; /* chain_add has read it */
	while (!cert_self_issued(&at) && chain->num_path < CHAIN_MAX) {
		for (i = 1; i < chain->num_pool; i++) {
			if (issues(der_of(chain->pool[i]), &at))
				break;
		}
		if (i >= chain->num_pool)
			break;
		chain->path[chain->num_path++] = der_of(chain->pool[i]);
		if (cert_read(der_of(chain->pool[i]), &at) != 0)
			return -1;
	}
	if (chain->num_path + 1 == chain->num_pool)
		return 0;
	return pki_fail(err, err_size, "the chain does not lead upwards from "
		"the certificate: of %zu certificates in it, %zu are on the "
		"way to the root", chain->num_pool - 1, chain->num_path);
}

CRYPTO_BUFFER *chain_join(const struct chain *chain)
{
	CRYPTO_BUFFER *joined = NULL;
	CBB cbb;

	if (chain->num_path == 0)
		return NULL;
	if (CBB_init(&cbb, 4096)) {
		for (size_t i = 0; i < chain->num_path; i++)
			CBB_add_bytes(&cbb, chain->path[i].at,
				chain->path[i].len);
		joined = der_finish(&cbb);
	}
	if (!joined)
		abort();
	return joined;
}

void chain_clear(struct chain *chain)
{
	for (size_t i = 0; i < chain->num_pool; i++)
		CRYPTO_BUFFER_free(chain->pool[i]);
	*chain = (struct chain){0};
}
