#include "pki/pem.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

struct pem {
	BIO *bio; /* owned; borrows the text */
};

static BIO *open_text(const char *text, size_t len)
{
	BIO *bio;

	if (len > INT_MAX)
		abort(); /* file_read's limits are far below */
	bio = BIO_new_mem_buf(text, (int)len);
	if (!bio)
		abort();
	return bio;
}

struct pem *pem_new(const char *text, size_t len)
{
	struct pem *pem = pki_new(sizeof(*pem));

	pem->bio = open_text(text, len);
	return pem;
}

void pem_free(struct pem *pem)
{
	if (!pem)
		return;
	BIO_free(pem->bio);
	free(pem);
}

static bool at_end(void)
{
	uint32_t error = ERR_peek_last_error();

	return ERR_GET_LIB(error) == ERR_LIB_PEM &&
		ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* next_block gives the next block if it is a certificate, *out NULL if it is
 * something else. */
static int next_block(struct pem *pem, CRYPTO_BUFFER **out)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long len = 0;
	int result = PEM_CERT;

	*out = NULL;
	if (!PEM_read_bio(pem->bio, &name, &header, &data, &len)) {
		result = at_end() ? PEM_END : -1;
		ERR_clear_error();
		return result;
	}
	if (strcmp(name, PEM_STRING_X509) == 0 ||
	    strcmp(name, PEM_STRING_X509_OLD) == 0)
		*out = der_buffer((struct der){data, (size_t)len});
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	return result;
}

int pem_next_cert(struct pem *pem, CRYPTO_BUFFER **out)
{
	int result;

	do {
		result = next_block(pem, out);
	} while (result == PEM_CERT && !*out);
	return result;
}

/* --- keys --------------------------------------------------------------- */

struct asked {
	const char *passphrase; /* borrowed; NULL: none to give */
	bool was;
};

/* Never asks a terminal: that is for the command to do. */
static int on_asked(char *out, int size, int writing, void *arg)
{
	struct asked *asked = arg;
	size_t len;

	(void)writing;
	asked->was = true;
	if (!asked->passphrase)
		return 0;
	len = strlen(asked->passphrase);
	if (len > (size_t)size)
		return 0;
	memcpy(out, asked->passphrase, len);
	return (int)len;
}

int pem_key(const char *text, size_t len, const char *path,
	const char *passphrase, EVP_PKEY **out, char *err, size_t err_size)
{
	struct asked asked = {.passphrase = passphrase};
	BIO *bio = open_text(text, len);

	*out = PEM_read_bio_PrivateKey(bio, NULL, on_asked, &asked);
	BIO_free(bio);
	if (*out)
		return 0;
	if (asked.was && !passphrase)
		return pki_fail(err, err_size, "%s: the private key is "
			"encrypted: its passphrase is needed", path);
	if (asked.was)
		return pki_fail(err, err_size, "%s: the passphrase does not "
			"open the private key", path);
	return pki_fail(err, err_size, "%s: no private key that can be read "
		"(PEM: PKCS#8, PKCS#1 or SEC 1)", path);
}

/* --- writing ------------------------------------------------------------ */

char *pem_of_cert(struct der cert)
{
	return pem_of(PEM_STRING_X509, cert);
}

char *pem_of(const char *title, struct der der)
{
	BIO *bio = BIO_new(BIO_s_mem());
	const uint8_t *data;
	size_t len;
	char *text;

	if (!bio || der.len > LONG_MAX ||
	    !PEM_write_bio(bio, title, "", der.at, (long)der.len) ||
	    !BIO_mem_contents(bio, &data, &len))
		abort();
	text = pki_new(len + 1);
	memcpy(text, data, len);
	BIO_free(bio);
	return text;
}
