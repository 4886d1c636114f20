#include "pki/keeper.h"

#include <errno.h>
#include <openssl/cipher.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/pkcs8.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/keymaker.h"

enum {
	SECRET_BYTES = 32,
	PASSPHRASE_FILE_MAX = 4096,
	/* What people think up is worth a third of a second a key; 256 bits of
	 * chance need no stretching, only what readers expect. */
	ITERATIONS_PASSPHRASE = 600000,
	ITERATIONS_SECRET = 100000,
};

struct keeper {
	char *passphrase;       /* owned, wiped */
	size_t size, len;
	char *source;           /* owned */
	int iterations;
};

static int make_secret(const char *path, char *err, size_t err_size)
{
	char text[2 * SECRET_BYTES + 1];
	int result;

	make_chance(SECRET_BYTES, text);
	text[2 * SECRET_BYTES] = '\n'; /* for the NUL: a line */
	result = file_write(path, text, sizeof(text), 0600, err, err_size);
	OPENSSL_cleanse(text, sizeof(text));
	return result;
}

/* need_secret sees to it that our own file is there and nobody else's. */
static int need_secret(const char *path, bool may_make, char *err,
	size_t err_size)
{
	struct stat st;

	if (stat(path, &st) == 0) {
		if ((st.st_mode & 077) != 0)
			return pki_fail(err, err_size, "%s: others may read "
				"it: chmod 600 it", path);
		return 0;
	}
	if (errno != ENOENT)
		return pki_fail(err, err_size, "%s: %s", path,
			strerror(errno));
	if (!may_make)
		return pki_fail(err, err_size, "%s: gone, and the private "
			"keys in sallyport.db can't be opened without it: "
			"bring it back from a copy, or set "
			"keys.passphrase-file if they were made with one",
			path);
	return make_secret(path, err, err_size);
}

/* The first line, as openssl's -passin file: takes it. */
static int read_passphrase(struct keeper *keeper, char *err, size_t err_size)
{
	if (file_read(keeper->source, PASSPHRASE_FILE_MAX, &keeper->passphrase,
		    &keeper->size, err, err_size) != 0)
		return -1;
	keeper->len = strcspn(keeper->passphrase, "\r\n");
	if (keeper->len == 0)
		return pki_fail(err, err_size,
			"%s: the passphrase (its first line) is empty",
			keeper->source);
	return 0;
}

static int fill(struct keeper *keeper, const char *state,
	const char *passphrase_file, bool may_make, char *err, size_t err_size)
{
	if (passphrase_file) {
		keeper->source = pki_copy(passphrase_file);
		keeper->iterations = ITERATIONS_PASSPHRASE;
		return read_passphrase(keeper, err, err_size);
	}
	keeper->source = state_path(state, "keys.secret");
	keeper->iterations = ITERATIONS_SECRET;
	if (need_secret(keeper->source, may_make, err, err_size) != 0)
		return -1;
	return read_passphrase(keeper, err, err_size);
}

int keeper_open(const char *state, const char *passphrase_file, bool may_make,
	struct keeper **out, char *err, size_t err_size)
{
	struct keeper *keeper = pki_new(sizeof(*keeper));

	*out = NULL;
	if (fill(keeper, state, passphrase_file, may_make, err,
		    err_size) != 0) {
		keeper_free(keeper);
		return -1;
	}
	*out = keeper;
	return 0;
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	if (keeper->passphrase)
		OPENSSL_cleanse(keeper->passphrase, keeper->size);
	free(keeper->passphrase);
	free(keeper->source);
	free(keeper);
}

/* The number of iterations is said: what BoringSSL would choose is 2,048. */
CRYPTO_BUFFER *keeper_lock(const struct keeper *keeper, const EVP_PKEY *key)
{
	CRYPTO_BUFFER *locked = NULL;
	CBB cbb;

	if (CBB_init(&cbb, 512) &&
	    PKCS8_marshal_encrypted_private_key(&cbb, -1, EVP_aes_256_cbc(),
		    keeper->passphrase, keeper->len, NULL, 0,
		    keeper->iterations, key))
		locked = der_finish(&cbb);
	if (!locked)
		abort();
	return locked;
}

EVP_PKEY *keeper_unlock(const struct keeper *keeper, struct der locked)
{
	CBS cbs = der_cbs(locked);
	EVP_PKEY *key = PKCS8_parse_encrypted_private_key(&cbs,
		keeper->passphrase, keeper->len);

	ERR_clear_error();
	return key;
}

const char *keeper_source(const struct keeper *keeper)
{
	return keeper->source;
}
