#include "proxy/session/passwords.h"

#include <openssl/hmac.h>
#include <openssl/mem.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "cache/lru.h"
#include "proxy/config/htpasswd.h"
#include "proxy/session/guesses.h"

enum {
	TABLE_MAX = 10000,
	TABLE_BYTES = 8 * 1024 * 1024,
	RIGHT_MS = 5 * 60 * 1000,
	RENEW_MS = 60 * 1000, /* not each time */
	WRONG_MS = 30 * 1000,
	SEAL = PASSWORD_SEAL,
};

static const struct allowance of_place = {.free = 10, .each_ms = 2000};

/* The password that is right for a user at an address. */
struct right {
	uint8_t seal[SEAL];
	uint64_t whole_ms; /* of_place: of those that were not this one */
	uint64_t used_ms;
};

/* What is kept of a seal that was not right: these two, as themselves. */
static char wrong_mark;   /* it is wrong */
static char guessed_mark; /* it was held against a right one, and taken for */

struct passwords {
	uint8_t secret[SEAL];
	struct lru *rights; /* owned: by address and user */
	struct lru *others; /* owned: by seal */
};

static void no_free(void *mark)
{
	(void)mark;
}

static void right_free(void *value)
{
	OPENSSL_cleanse(value, sizeof(struct right));
	free(value);
}

struct passwords *passwords_new(void)
{
	struct passwords *passwords = calloc(1, sizeof(*passwords));

	if (!passwords || !RAND_bytes(passwords->secret,
			sizeof(passwords->secret)))
		abort();
	passwords->rights = lru_new(TABLE_MAX, TABLE_BYTES, right_free);
	passwords->others = lru_new(TABLE_MAX, TABLE_BYTES, no_free);
	return passwords;
}

void passwords_free(struct passwords *passwords)
{
	if (!passwords)
		return;
	lru_free(passwords->rights);
	lru_free(passwords->others);
	OPENSSL_cleanse(passwords->secret, sizeof(passwords->secret));
	free(passwords);
}

/* --- seals -------------------------------------------------------------- */

/* Each with its length: no two of them can be taken for another two. */
static bool add(HMAC_CTX *hmac, const void *data, size_t len)
{
	uint64_t size = len;

	return HMAC_Update(hmac, (const uint8_t *)&size, sizeof(size)) &&
		HMAC_Update(hmac, data, len);
}

void password_seal(const struct passwords *passwords, struct password *out,
	const char *hash, const char *text)
{
	HMAC_CTX hmac;
	unsigned len;

	HMAC_CTX_init(&hmac);
	if (!hash)
		hash = "";
	if (!HMAC_Init_ex(&hmac, passwords->secret, SEAL, EVP_sha256(), NULL) ||
	    !add(&hmac, &out->address, sizeof(out->address)) ||
	    !add(&hmac, out->user, strlen(out->user)) ||
	    !add(&hmac, hash, strlen(hash)) ||
	    !add(&hmac, text, strlen(text)) ||
	    !HMAC_Final(&hmac, out->seal, &len) || len != SEAL)
		abort();
	HMAC_CTX_cleanup(&hmac);
}

/* --- places: an address and a user -------------------------------------- */

struct place {
	size_t len;
	uint8_t bytes[sizeof(struct quota_client) + HTPASSWD_USER_MAX];
};

/* A user whose name is too long for one is cut: the seal has all of it. */
static struct place place_of(const struct password *password)
{
	size_t len = strnlen(password->user, HTPASSWD_USER_MAX);
	size_t before = sizeof(password->address);
	struct place place = {.len = before + len};

	memcpy(place.bytes, &password->address, before);
	memcpy(place.bytes + before, password->user, len);
	return place;
}

static void put_right(struct passwords *passwords, const struct place *place,
	struct right *right, uint64_t now_ms)
{
	right->used_ms = now_ms;
	lru_put(passwords->rights, place->bytes, place->len, right,
		sizeof(*right), now_ms + RIGHT_MS, now_ms);
}

/* renew: what is in use is kept; its user's hash is in the seal. */
static void renew(struct passwords *passwords, const struct place *place,
	const struct right *right, uint64_t now_ms)
{
	if (now_ms < right->used_ms + RENEW_MS)
		return;
	put_right(passwords, place, lru_take(passwords->rights, place->bytes,
		place->len, now_ms), now_ms);
}

/* --- looking and learning ----------------------------------------------- */

static void mark(struct passwords *passwords, const struct password *password,
	char *as, uint64_t now_ms)
{
	lru_put(passwords->others, password->seal, SEAL, as, 0,
		now_ms + WRONG_MS, now_ms);
}

/* hold_against compares what nobody has compared yet. */
static enum password_known hold_against(struct passwords *passwords,
	struct right *right, const struct place *place,
	const struct password *password, uint64_t now_ms)
{
	if (!allowance_left(&of_place, right->whole_ms, now_ms))
		return PASSWORD_SLOW;
	if (CRYPTO_memcmp(right->seal, password->seal, SEAL) == 0) {
		renew(passwords, place, right, now_ms);
		return PASSWORD_RIGHT;
	}
	(void)allowance_take(&of_place, &right->whole_ms, now_ms);
	mark(passwords, password, &guessed_mark, now_ms);
	return PASSWORD_UNKNOWN;
}

enum password_known passwords_look(struct passwords *passwords,
	const struct password *password, uint64_t now_ms)
{
	char *as = lru_get(passwords->others, password->seal, SEAL, now_ms);
	struct place place;
	struct right *right;

	if (as) {
		mark(passwords, password, as, now_ms);
		return as == &wrong_mark ? PASSWORD_WRONG : PASSWORD_UNKNOWN;
	}
	place = place_of(password);
	right = lru_get(passwords->rights, place.bytes, place.len, now_ms);
	if (!right)
		return PASSWORD_UNKNOWN;
	return hold_against(passwords, right, &place, password, now_ms);
}

/* The allowance of who was right there before goes on. */
static void learn_right(struct passwords *passwords,
	const struct password *password, uint64_t now_ms)
{
	struct place place = place_of(password);
	struct right *right = lru_take(passwords->rights, place.bytes,
		place.len, now_ms);

	if (!right)
		right = calloc(1, sizeof(*right));
	if (!right)
		abort();
	memcpy(right->seal, password->seal, SEAL);
	put_right(passwords, &place, right, now_ms);
	(void)lru_take(passwords->others, password->seal, SEAL, now_ms);
}

void passwords_learn(struct passwords *passwords,
	const struct password *password, bool right, uint64_t now_ms)
{
	if (right)
		learn_right(passwords, password, now_ms);
	else
		mark(passwords, password, &wrong_mark, now_ms);
}
