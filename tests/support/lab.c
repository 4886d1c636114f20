#include "tests/support/lab.h"

#include <openssl/bio.h>
#include <openssl/bytestring.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

const char *lab_folder(void)
{
	if (folder[0] == '\0') {
		snprintf(folder, sizeof(folder), "/tmp/sallyport-lab.XXXXXX");
		assert_non_null(mkdtemp(folder));
	}
	return folder;
}

void lab_end(void)
{
	char command[128];

	if (folder[0] == '\0')
		return;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	assert_int_equal(system(command), 0);
	folder[0] = '\0';
}

/* --- files -------------------------------------------------------------- */

const char *lab_path(const char *file)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", lab_folder(), file);
	return path;
}

void lab_write(const char *file, const void *data, size_t len)
{
	FILE *f = fopen(lab_path(file), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

void lab_text(const char *file, const char *text)
{
	lab_write(file, text, strlen(text));
}

char *lab_read(const char *file, size_t *out_len)
{
	FILE *f = fopen(lab_path(file), "rb");
	size_t max = 1 << 20, len;
	char *data = malloc(max + 1);

	assert_non_null(f);
	assert_non_null(data);
	len = fread(data, 1, max, f);
	fclose(f);
	data[len] = '\0';
	if (out_len)
		*out_len = len;
	return data;
}

/* --- commands ----------------------------------------------------------- */

static int run(const char *format, va_list args)
	__attribute__((format(printf, 1, 0)));

static int run(const char *format, va_list args)
{
	char command[4096], whole[4400];
	int status;

	vsnprintf(command, sizeof(command), format, args);
	snprintf(whole, sizeof(whole), "cd '%s' && { %s; } >said 2>&1",
		lab_folder(), command);
	status = system(whole);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int lab_try(const char *format, ...)
{
	va_list args;
	int status;

	va_start(args, format);
	status = run(format, args);
	va_end(args);
	return status;
}

void lab_run(const char *format, ...)
{
	va_list args;
	int status;

	va_start(args, format);
	status = run(format, args);
	va_end(args);
	if (status != 0)
		print_error("%s: %s\n", format, lab_said());
	assert_int_equal(status, 0);
}

const char *lab_said(void)
{
	static char said[65536];
	char *text = lab_read("said", NULL);

	snprintf(said, sizeof(said), "%s", text);
	free(text);
	return said;
}

/* --- certificates and keys ---------------------------------------------- */

CRYPTO_BUFFER *lab_cert(const char *file)
{
	BIO *bio = BIO_new_file(lab_path(file), "r");
	char *name = NULL, *header = NULL;
	CRYPTO_BUFFER *cert;
	uint8_t *data = NULL;
	long len;

	assert_non_null(bio);
	assert_int_equal(PEM_read_bio(bio, &name, &header, &data, &len), 1);
	cert = CRYPTO_BUFFER_new(data, (size_t)len, NULL);
	assert_non_null(cert);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	BIO_free(bio);
	return cert;
}

EVP_PKEY *lab_key(const char *file)
{
	BIO *bio = BIO_new_file(lab_path(file), "r");
	EVP_PKEY *key;

	assert_non_null(bio);
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	assert_non_null(key);
	BIO_free(bio);
	return key;
}

struct der lab_der(const CRYPTO_BUFFER *buffer)
{
	return (struct der){CRYPTO_BUFFER_data(buffer),
		CRYPTO_BUFFER_len(buffer)};
}

void lab_write_pem(const char *file, const CRYPTO_BUFFER *der)
{
	BIO *bio = BIO_new_file(lab_path(file), "w");

	assert_non_null(bio);
	assert_int_not_equal(PEM_write_bio(bio, "CERTIFICATE", "",
		CRYPTO_BUFFER_data(der), (long)CRYPTO_BUFFER_len(der)), 0);
	BIO_free(bio);
}

void lab_make_key(const char *name, const char *kind)
{
	if (strncmp(kind, "rsa:", 4) == 0)
		lab_run("openssl genpkey -quiet -algorithm RSA -pkeyopt "
			"rsa_keygen_bits:%s -out %s.key 2>/dev/null || openssl "
			"genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:%s "
			"-out %s.key", kind + 4, name, kind + 4, name);
	else
		lab_run("openssl genpkey -algorithm EC -pkeyopt "
			"ec_paramgen_curve:%s -out %s.key",
			strcmp(kind, "ec384") == 0 ? "P-384" :
			strcmp(kind, "ec224") == 0 ? "P-224" : "P-256", name);
}

static void write_ext(const char *name, const char *ext)
{
	char file[80], text[4096];

	snprintf(file, sizeof(file), "%s.cnf", name);
	snprintf(text, sizeof(text), "[req]\ndistinguished_name=dn\n[dn]\n"
		"[ext]\n%s\n", ext);
	lab_text(file, text);
}

void lab_make_root(const char *name, const char *kind, const char *ext)
{
	lab_make_key(name, kind);
	write_ext(name, ext);
	lab_run("openssl req -x509 -new -sha256 -key %s.key -subj '/O=Lab/"
		"CN=%s' -days 3650 -config %s.cnf -extensions ext -out %s.pem",
		name, name, name, name);
}

void lab_make(const char *name, const char *kind, const char *subject,
	const char *issuer, const char *digest, const char *ext)
{
	lab_make_key(name, kind);
	write_ext(name, ext);
	lab_run("openssl req -new -utf8 -key %s.key -subj '%s' -config %s.cnf "
		"-out %s.csr && openssl x509 -req -%s -in %s.csr -CA %s.pem "
		"-CAkey %s.key -CAcreateserial -days 365 -extfile %s.cnf "
		"-extensions ext -out %s.pem", name, subject, name, name,
		digest, name, issuer, issuer, name, name);
}

struct ca *lab_ca(const char *name, const char *id)
{
	char file[80], err[256] = "";
	CRYPTO_BUFFER *cert;
	EVP_PKEY *key;
	struct ca *ca;

	snprintf(file, sizeof(file), "%s.pem", name);
	cert = lab_cert(file);
	snprintf(file, sizeof(file), "%s.key", name);
	key = lab_key(file);
	if (ca_new(lab_der(cert), key, NULL, 0, id, &ca, err,
		    sizeof(err)) != 0)
		fail_msg("%s", err);
	EVP_PKEY_free(key);
	CRYPTO_BUFFER_free(cert);
	return ca;
}
