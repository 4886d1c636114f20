#include "pki/keylock.h"

#include <openssl/cipher.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/pkcs8.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	SALT = 16,
	IV = 16,
	DERIVED = 32,
	KEY_MAX = 16 * 1024, /* bytes of a key that is opened */
	OLD_ROUNDS = 100000, /* at the least, of older versions */
};

/* The OIDs' contents: PBES2, PBKDF2, hmacWithSHA256 (RFC 8018, A.4, B.1.1),
 * aes256-CBC. */
static const uint8_t pbes2[] = {
	0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d};
static const uint8_t pbkdf2[] = {
	0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c};
static const uint8_t hmac_sha256[] = {
	0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09};
static const uint8_t aes256_cbc[] = {
	0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a};

struct keylock {
	char passphrase[KEYLOCK_PASSPHRASE_MAX]; /* wiped */
	size_t len;
	pthread_mutex_t lock;
	bool derived;
	uint8_t salt[SALT];     /* under the lock, as is key */
	uint8_t key[DERIVED];   /* wiped */
};

struct keylock *keylock_new(const char *passphrase, size_t len)
{
	struct keylock *lock = pki_new(sizeof(*lock));

	if (len > sizeof(lock->passphrase) ||
	    pthread_mutex_init(&lock->lock, NULL) != 0)
		abort();
	memcpy(lock->passphrase, passphrase, len);
	lock->len = len;
	return lock;
}

void keylock_free(struct keylock *lock)
{
	if (!lock)
		return;
	pthread_mutex_destroy(&lock->lock);
	OPENSSL_cleanse(lock, sizeof(*lock));
	free(lock);
}

/* --- deriving ----------------------------------------------------------- */

static void derive(const struct keylock *lock, const uint8_t salt[SALT],
	uint8_t out[DERIVED])
{
	if (!PKCS5_PBKDF2_HMAC(lock->passphrase, lock->len, salt, SALT,
		    KEYLOCK_ROUNDS, EVP_sha256(), DERIVED, out))
		abort();
}

/* key_for gives the key to open with: the one that is kept, or a new one. */
static void key_for(struct keylock *lock, const uint8_t salt[SALT],
	uint8_t out[DERIVED])
{
	bool kept;

	pthread_mutex_lock(&lock->lock);
	kept = lock->derived && memcmp(lock->salt, salt, SALT) == 0;
	if (kept)
		memcpy(out, lock->key, DERIVED);
	pthread_mutex_unlock(&lock->lock);
	if (!kept)
		derive(lock, salt, out);
}

/* keep_key keeps the first that has opened anything. */
static void keep_key(struct keylock *lock, const uint8_t salt[SALT],
	const uint8_t key[DERIVED])
{
	pthread_mutex_lock(&lock->lock);
	if (!lock->derived) {
		memcpy(lock->key, key, DERIVED);
		memcpy(lock->salt, salt, SALT);
		lock->derived = true;
	}
	pthread_mutex_unlock(&lock->lock);
}

/* key_to_lock gives the kept key, and its salt. */
static void key_to_lock(struct keylock *lock, uint8_t salt[SALT],
	uint8_t out[DERIVED])
{
	pthread_mutex_lock(&lock->lock);
	if (!lock->derived) {
		RAND_bytes(lock->salt, SALT);
		derive(lock, lock->salt, lock->key);
		lock->derived = true;
	}
	memcpy(salt, lock->salt, SALT);
	memcpy(out, lock->key, DERIVED);
	pthread_mutex_unlock(&lock->lock);
}

/* --- the form (RFC 5208, 6; RFC 8018, A.4) ------------------------------ */

struct form {
	uint8_t salt[SALT], iv[IV];
	struct der sealed;
};

static bool add_oid(CBB *out, const uint8_t *oid, size_t len)
{
	CBB cbb;

	return CBB_add_asn1(out, &cbb, CBS_ASN1_OBJECT) &&
		CBB_add_bytes(&cbb, oid, len) && CBB_flush(out);
}

static bool write_kdf(CBB *out, const uint8_t salt[SALT])
{
	CBB kdf, params, prf, null;

	return CBB_add_asn1(out, &kdf, CBS_ASN1_SEQUENCE) &&
		add_oid(&kdf, pbkdf2, sizeof(pbkdf2)) &&
		CBB_add_asn1(&kdf, &params, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1_octet_string(&params, salt, SALT) &&
		CBB_add_asn1_uint64(&params, KEYLOCK_ROUNDS) &&
		CBB_add_asn1(&params, &prf, CBS_ASN1_SEQUENCE) &&
		add_oid(&prf, hmac_sha256, sizeof(hmac_sha256)) &&
		CBB_add_asn1(&prf, &null, CBS_ASN1_NULL) && CBB_flush(out);
}

static bool write_cipher(CBB *out, const uint8_t iv[IV])
{
	CBB cipher;

	return CBB_add_asn1(out, &cipher, CBS_ASN1_SEQUENCE) &&
		add_oid(&cipher, aes256_cbc, sizeof(aes256_cbc)) &&
		CBB_add_asn1_octet_string(&cipher, iv, IV) && CBB_flush(out);
}

static bool write_form(CBB *out, const struct form *form)
{
	CBB whole, algorithm, params;

	return CBB_add_asn1(out, &whole, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1(&whole, &algorithm, CBS_ASN1_SEQUENCE) &&
		add_oid(&algorithm, pbes2, sizeof(pbes2)) &&
		CBB_add_asn1(&algorithm, &params, CBS_ASN1_SEQUENCE) &&
		write_kdf(&params, form->salt) &&
		write_cipher(&params, form->iv) &&
		CBB_add_asn1_octet_string(&whole, form->sealed.at,
			form->sealed.len) && CBB_flush(out);
}

static bool get_oid(CBS *in, const uint8_t *oid, size_t len)
{
	CBS cbs;

	return CBS_get_asn1(in, &cbs, CBS_ASN1_OBJECT) &&
		CBS_mem_equal(&cbs, oid, len);
}

static bool get_bytes(CBS *in, uint8_t *out, size_t len)
{
	CBS cbs;

	return CBS_get_asn1(in, &cbs, CBS_ASN1_OCTETSTRING) &&
		CBS_len(&cbs) == len && CBS_copy_bytes(&cbs, out, len);
}

static bool read_kdf(CBS *in, uint8_t salt[SALT])
{
	CBS kdf, params, prf;
	uint64_t rounds;

	return CBS_get_asn1(in, &kdf, CBS_ASN1_SEQUENCE) &&
		get_oid(&kdf, pbkdf2, sizeof(pbkdf2)) &&
		CBS_get_asn1(&kdf, &params, CBS_ASN1_SEQUENCE) &&
		get_bytes(&params, salt, SALT) &&
		CBS_get_asn1_uint64(&params, &rounds) &&
		rounds == KEYLOCK_ROUNDS &&
		CBS_get_asn1(&params, &prf, CBS_ASN1_SEQUENCE) &&
		get_oid(&prf, hmac_sha256, sizeof(hmac_sha256));
}

/* read_form takes what write_form writes; all else is somebody else's. */
static bool read_form(struct der locked, struct form *out)
{
	CBS cbs = der_cbs(locked), whole, algorithm, params, cipher, sealed;
	bool ok;

	ok = CBS_get_asn1(&cbs, &whole, CBS_ASN1_SEQUENCE) &&
		CBS_len(&cbs) == 0 &&
		CBS_get_asn1(&whole, &algorithm, CBS_ASN1_SEQUENCE) &&
		get_oid(&algorithm, pbes2, sizeof(pbes2)) &&
		CBS_get_asn1(&algorithm, &params, CBS_ASN1_SEQUENCE) &&
		read_kdf(&params, out->salt) &&
		CBS_get_asn1(&params, &cipher, CBS_ASN1_SEQUENCE) &&
		get_oid(&cipher, aes256_cbc, sizeof(aes256_cbc)) &&
		get_bytes(&cipher, out->iv, IV) &&
		CBS_get_asn1(&whole, &sealed, CBS_ASN1_OCTETSTRING) &&
		CBS_len(&whole) == 0;
	if (ok)
		out->sealed = der_rest(&sealed);
	return ok && out->sealed.len > 0 && out->sealed.len <= KEY_MAX;
}

/* --- AES-256-CBC -------------------------------------------------------- */

/* run gives len bytes at most of which out holds room for one block more than
 * in; 0: what was sealed is not what this key seals. */
static size_t run(bool seal, const uint8_t key[DERIVED], const uint8_t iv[IV],
	struct der in, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len = 0, last = 0;
	bool ok;

	ok = ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_cbc(), NULL, key, iv,
			seal ? 1 : 0) &&
		EVP_CipherUpdate(ctx, out, &len, in.at, (int)in.len) &&
		EVP_CipherFinal_ex(ctx, out + len, &last);
	EVP_CIPHER_CTX_free(ctx);
	return ok ? (size_t)(len + last) : 0;
}

/* --- what it is for (RFC 5208, 5) --------------------------------------- */

/* 2.5.4.13, description */
static const uint8_t description[] = {0x55, 0x04, 0x0d};

#define ATTRIBUTES (CBS_ASN1_CONSTRUCTED | CBS_ASN1_CONTEXT_SPECIFIC | 0)

static const char *const roles[] = {
	[KEY_ROLE_ROOT] = "root",
	[KEY_ROLE_INTERMEDIATE] = "intermediate",
	[KEY_ROLE_UNTRUSTED] = "untrusted",
};

static bool write_role(CBB *out, enum key_role role)
{
	CBB attributes, attribute, values, value;

	return CBB_add_asn1(out, &attributes, ATTRIBUTES) &&
		CBB_add_asn1(&attributes, &attribute, CBS_ASN1_SEQUENCE) &&
		add_oid(&attribute, description, sizeof(description)) &&
		CBB_add_asn1(&attribute, &values, CBS_ASN1_SET) &&
		CBB_add_asn1(&values, &value, CBS_ASN1_UTF8STRING) &&
		CBB_add_bytes(&value, (const uint8_t *)roles[role],
			strlen(roles[role])) && CBB_flush(out);
}

static bool find_role(CBS value, enum key_role *out)
{
	for (int i = KEY_ROLE_ROOT; i <= KEY_ROLE_UNTRUSTED; i++) {
		if (CBS_mem_equal(&value, (const uint8_t *)roles[i],
			    strlen(roles[i]))) {
			*out = (enum key_role)i;
			return true;
		}
	}
	return false;
}

/* read_role reads the attribute that write_role writes, which must be there and
 * be the last that is: CBC lets who can't read it cut it off. */
static bool read_role(struct der plain, enum key_role *out)
{
	CBS cbs = der_cbs(plain), whole, attributes, attribute, values, value;

	return CBS_get_asn1(&cbs, &whole, CBS_ASN1_SEQUENCE) &&
		CBS_len(&cbs) == 0 &&
		CBS_get_asn1(&whole, NULL, CBS_ASN1_INTEGER) &&
		CBS_get_asn1(&whole, NULL, CBS_ASN1_SEQUENCE) &&
		CBS_get_asn1(&whole, NULL, CBS_ASN1_OCTETSTRING) &&
		CBS_get_asn1(&whole, &attributes, ATTRIBUTES) &&
		CBS_len(&whole) == 0 &&
		CBS_get_asn1(&attributes, &attribute, CBS_ASN1_SEQUENCE) &&
		CBS_len(&attributes) == 0 &&
		get_oid(&attribute, description, sizeof(description)) &&
		CBS_get_asn1(&attribute, &values, CBS_ASN1_SET) &&
		CBS_len(&attribute) == 0 &&
		CBS_get_asn1(&values, &value, CBS_ASN1_UTF8STRING) &&
		CBS_len(&values) == 0 && find_role(value, out);
}

/* marshal gives a PrivateKeyInfo with the role in it, to be freed with
 * OPENSSL_free, which wipes it. */
static struct der marshal(const EVP_PKEY *key, enum key_role role)
{
	uint8_t *plain = NULL, *whole = NULL;
	size_t plain_len = 0, len = 0;
	CBB cbb, info;
	CBS cbs, content;

	if (!CBB_init(&cbb, 512) || !EVP_marshal_private_key(&cbb, key) ||
	    !CBB_finish(&cbb, &plain, &plain_len))
		abort();
	CBS_init(&cbs, plain, plain_len);
	if (!CBS_get_asn1(&cbs, &content, CBS_ASN1_SEQUENCE) ||
	    !CBB_init(&cbb, plain_len + 64) ||
	    !CBB_add_asn1(&cbb, &info, CBS_ASN1_SEQUENCE) ||
	    !CBB_add_bytes(&info, CBS_data(&content), CBS_len(&content)) ||
	    !write_role(&info, role) || !CBB_finish(&cbb, &whole, &len))
		abort();
	OPENSSL_free(plain);
	return (struct der){whole, len};
}

/* --- locking ------------------------------------------------------------ */

static struct der seal(const uint8_t key[DERIVED], const uint8_t iv[IV],
	const EVP_PKEY *pkey, enum key_role role)
{
	struct der plain = marshal(pkey, role);
	uint8_t *sealed = pki_new(plain.len + IV);
	size_t len = run(true, key, iv, plain, sealed);

	OPENSSL_free((void *)(uintptr_t)plain.at);
	if (len == 0)
		abort();
	return (struct der){sealed, len};
}

CRYPTO_BUFFER *keylock_lock(struct keylock *lock, const EVP_PKEY *key,
	enum key_role role)
{
	CRYPTO_BUFFER *locked = NULL;
	uint8_t derived[DERIVED];
	struct form form;
	CBB cbb;

	key_to_lock(lock, form.salt, derived);
	RAND_bytes(form.iv, IV);
	form.sealed = seal(derived, form.iv, key, role);
	OPENSSL_cleanse(derived, sizeof(derived));
	if (CBB_init(&cbb, 512) && write_form(&cbb, &form))
		locked = der_finish(&cbb);
	free((void *)(uintptr_t)form.sealed.at);
	if (!locked)
		abort();
	return locked;
}

static EVP_PKEY *open_form(struct keylock *lock, const struct form *form,
	enum key_role *out_role)
{
	uint8_t derived[DERIVED], *plain = pki_new(form->sealed.len + IV);
	EVP_PKEY *key = NULL;
	size_t len;
	CBS cbs;

	key_for(lock, form->salt, derived);
	len = run(false, derived, form->iv, form->sealed, plain);
	CBS_init(&cbs, plain, len);
	if (len > 0 && read_role((struct der){plain, len}, out_role))
		key = EVP_parse_private_key(&cbs);
	if (key)
		keep_key(lock, form->salt, derived);
	OPENSSL_cleanse(derived, sizeof(derived));
	OPENSSL_cleanse(plain, form->sealed.len + IV);
	free(plain);
	return key;
}

static bool holds(struct der der, const uint8_t *what, size_t len)
{
	return der.len > 0 && memmem(der.at, der.len, what, len);
}

/* is_ours_reworded: no older version went so many rounds of HMAC-SHA-256. What
 * does, in another form than ours, is a key of ours that somebody wants to be
 * taken for one without a role. */
static bool is_ours_reworded(struct der locked)
{
	static const uint8_t rounds[] = {0x02, 0x03,
		KEYLOCK_ROUNDS >> 16 & 0xff, KEYLOCK_ROUNDS >> 8 & 0xff,
		KEYLOCK_ROUNDS & 0xff};

	return holds(locked, rounds, sizeof(rounds)) &&
		holds(locked, hmac_sha256, sizeof(hmac_sha256));
}

/* is_costly: a key of another form, under PBES2 and PBKDF2 with as many rounds as
 * older versions had. With fewer, whoever brings it could try passphrases out. */
static bool is_costly(struct der locked)
{
	CBS cbs = der_cbs(locked), whole, algorithm, params, kdf;
	uint64_t rounds;

	return CBS_get_asn1(&cbs, &whole, CBS_ASN1_SEQUENCE) &&
		CBS_get_asn1(&whole, &algorithm, CBS_ASN1_SEQUENCE) &&
		get_oid(&algorithm, pbes2, sizeof(pbes2)) &&
		CBS_get_asn1(&algorithm, &params, CBS_ASN1_SEQUENCE) &&
		CBS_get_asn1(&params, &kdf, CBS_ASN1_SEQUENCE) &&
		get_oid(&kdf, pbkdf2, sizeof(pbkdf2)) &&
		CBS_get_asn1(&kdf, &params, CBS_ASN1_SEQUENCE) &&
		CBS_get_asn1(&params, NULL, CBS_ASN1_OCTETSTRING) &&
		CBS_get_asn1_uint64(&params, &rounds) &&
		rounds >= OLD_ROUNDS && rounds <= KEYLOCK_ROUNDS;
}

EVP_PKEY *keylock_unlock(struct keylock *lock, struct der locked,
	enum key_role *out_role)
{
	CBS cbs = der_cbs(locked);
	EVP_PKEY *key = NULL;
	struct form form;

	*out_role = KEY_ROLE_NONE;
	if (read_form(locked, &form))
		key = open_form(lock, &form, out_role);
	else if (is_costly(locked) && !is_ours_reworded(locked))
		key = PKCS8_parse_encrypted_private_key(&cbs,
			lock->passphrase, lock->len);
	ERR_clear_error();
	return key;
}

bool keylock_is_current(struct der locked)
{
	struct form form;

	return read_form(locked, &form);
}
