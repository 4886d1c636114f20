#include "proxy/session/certified.h"

#include <openssl/pool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/config/snapshot.h"
#include "proxy/session/words.h"

enum { CHAIN_MAX = 10 }; /* certificates that a client may send */

struct certified {
	char *user;                     /* owned: words.h */
	STACK_OF(CRYPTO_BUFFER) *chain; /* owned */
	uint8_t by[sizeof(((struct settings *)NULL)->client_ca_digest)];
};

enum verdict certified_verify(const STACK_OF(CRYPTO_BUFFER) *chain,
	const struct trust *trust, char *why, size_t why_size)
{
	size_t num = chain ? sk_CRYPTO_BUFFER_num(chain) : 0;
	struct der der[CHAIN_MAX];

	if (num == 0 || num > CHAIN_MAX) {
		snprintf(why, why_size,
			"more certificates than ten came with it");
		return VERDICT_INVALID;
	}
	for (size_t i = 0; i < num; i++) {
		const CRYPTO_BUFFER *cert = sk_CRYPTO_BUFFER_value(chain, i);

		der[i] = (struct der){
			CRYPTO_BUFFER_data(cert), CRYPTO_BUFFER_len(cert)};
	}
	return trust_verify_client(trust, der, num, time(NULL), why, why_size);
}

/* share: the certificates are the same ones, counted. */
static STACK_OF(CRYPTO_BUFFER) *share(const STACK_OF(CRYPTO_BUFFER) *chain)
{
	STACK_OF(CRYPTO_BUFFER) *copy = sk_CRYPTO_BUFFER_new_null();

	if (!copy)
		abort();
	for (size_t i = 0; chain && i < sk_CRYPTO_BUFFER_num(chain); i++) {
		CRYPTO_BUFFER *cert = sk_CRYPTO_BUFFER_value(chain, i);

		if (!sk_CRYPTO_BUFFER_push(copy, cert))
			abort();
		CRYPTO_BUFFER_up_ref(cert);
	}
	return copy;
}

struct certified *certified_new(const char *user, const SSL *ssl,
	const struct settings *settings)
{
	struct certified *certified = calloc(1, sizeof(*certified));

	if (!certified)
		abort();
	words_set(&certified->user, user);
	certified->chain = share(SSL_get0_peer_certificates(ssl));
	memcpy(certified->by, settings->client_ca_digest,
		sizeof(certified->by));
	return certified;
}

void certified_free(struct certified *certified)
{
	if (!certified)
		return;
	words_clear(&certified->user);
	sk_CRYPTO_BUFFER_pop_free(certified->chain, CRYPTO_BUFFER_free);
	free(certified);
}

const char *certified_user(const struct certified *certified)
{
	return certified->user;
}

/* An unchanged file is not asked again. */
bool certified_holds(struct certified *certified,
	const struct settings *settings)
{
	char why[320];

	if (!settings->client_trust)
		return false;
	if (memcmp(certified->by, settings->client_ca_digest,
		    sizeof(certified->by)) == 0)
		return true;
	if (certified_verify(certified->chain, settings->client_trust, why,
		    sizeof(why)) != VERDICT_TRUSTED)
		return false;
	memcpy(certified->by, settings->client_ca_digest,
		sizeof(certified->by));
	return true;
}
