#include "proxy/session/tickets.h"

#include <openssl/aes.h>
#include <openssl/cipher.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEY_LIFE_S = 12 * 3600 };

struct ticket_key {
	uint8_t name[16], aes[16], mac[32];
};

struct tickets {
	pthread_mutex_t lock;
	struct ticket_key now, before;
	time_t made;
};

static int ctx_index = -1;
static pthread_once_t ctx_index_once = PTHREAD_ONCE_INIT;

static void make_index(void)
{
	ctx_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (ctx_index < 0)
		abort();
}

static time_t monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void make_key(struct ticket_key *key)
{
	RAND_bytes((uint8_t *)key, sizeof(*key));
}

struct tickets *tickets_new(void)
{
	struct tickets *tickets = calloc(1, sizeof(*tickets));

	if (!tickets)
		abort();
	pthread_mutex_init(&tickets->lock, NULL);
	make_key(&tickets->now);
	make_key(&tickets->before);
	tickets->made = monotonic_s();
	return tickets;
}

void tickets_free(struct tickets *tickets)
{
	if (!tickets)
		return;
	pthread_mutex_destroy(&tickets->lock);
	OPENSSL_cleanse(tickets, sizeof(*tickets));
	free(tickets);
}

/* pick copies the key to seal with, or the one of that name to open with. */
static bool pick(struct tickets *tickets, const uint8_t *name,
	struct ticket_key *out, bool *out_old)
{
	time_t now = monotonic_s();
	bool found = true;

	pthread_mutex_lock(&tickets->lock);
	if (now - tickets->made >= KEY_LIFE_S) {
		/* nobody asked for a day: the key that was is too old too */
		if (now - tickets->made >= 2 * KEY_LIFE_S)
			make_key(&tickets->before);
		else
			tickets->before = tickets->now;
		make_key(&tickets->now);
		tickets->made = now;
	}
	*out_old = false;
	*out = tickets->now;
	if (name && memcmp(name, tickets->now.name, 16) != 0) {
		*out = tickets->before;
		*out_old = true;
		found = memcmp(name, tickets->before.name, 16) == 0;
	}
	pthread_mutex_unlock(&tickets->lock);
	return found;
}

/* The contract is OpenSSL's: 1 done, 2 done but give a new ticket, 0 not ours,
 * negative failed. */
static int on_ticket(SSL *ssl, uint8_t *name, uint8_t *iv,
	EVP_CIPHER_CTX *cipher, HMAC_CTX *mac, int encrypt)
{
	struct tickets *tickets =
		SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ctx_index);
	struct ticket_key key;
	bool old;
	int result = 1;

	if (!pick(tickets, encrypt ? NULL : name, &key, &old))
		return 0;
	if (encrypt) {
		memcpy(name, key.name, sizeof(key.name));
		RAND_bytes(iv, 16);
	}
	if (!EVP_CipherInit_ex(cipher, EVP_aes_128_cbc(), NULL, key.aes, iv,
		    encrypt) ||
	    !HMAC_Init_ex(mac, key.mac, sizeof(key.mac), EVP_sha256(), NULL))
		result = -1;
	OPENSSL_cleanse(&key, sizeof(key));
	return result == 1 && old ? 2 : result;
}

void tickets_use(struct tickets *tickets, SSL_CTX *ctx)
{
	pthread_once(&ctx_index_once, make_index);
	SSL_CTX_set_ex_data(ctx, ctx_index, tickets);
	SSL_CTX_set_tlsext_ticket_key_cb(ctx, on_ticket);
}
