#include "proxy/tools/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pki/base.h"
#include "pki/pem.h"
#include "proxy/tools/jks.h"
#include "proxy/tools/pkcs12.h"

enum { SEQUENCE = 0x30 };

/* Where systems have what they trust; Go's crypto/x509 looks there, too. */
static const char *const system_files[] = {
	"/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL, Fedora */
	"/etc/pki/tls/certs/ca-bundle.crt",   /* older ones of these */
	"/etc/ssl/ca-bundle.pem",             /* SUSE */
	"/etc/ssl/cert.pem",                  /* BSD, macOS */
	"/usr/local/share/certs/ca-root-nss.crt",
};

struct bundle {
	CRYPTO_BUFFER *certs[BUNDLE_CERTS_MAX]; /* owned */
	size_t num;
};

struct bundle *bundle_new(void)
{
	return pki_new(sizeof(struct bundle));
}

void bundle_free(struct bundle *bundle)
{
	if (!bundle)
		return;
	for (size_t i = 0; i < bundle->num; i++)
		CRYPTO_BUFFER_free(bundle->certs[i]);
	free(bundle);
}

size_t bundle_num(const struct bundle *bundle)
{
	return bundle->num;
}

struct der bundle_at(const struct bundle *bundle, size_t i)
{
	return der_of(bundle->certs[i]);
}

/* is_certificate: one whole SEQUENCE that begins with another. What is in it is for
 * others to judge, who are less strict than we are. */
static bool is_certificate(struct der cert)
{
	CBS whole = der_cbs(cert), inner;

	return CBS_get_asn1(&whole, &inner, CBS_ASN1_SEQUENCE) &&
		CBS_len(&whole) == 0 &&
		CBS_peek_asn1_tag(&inner, CBS_ASN1_SEQUENCE);
}

int bundle_add(struct bundle *bundle, struct der cert)
{
	if (!is_certificate(cert))
		return -1;
	for (size_t i = 0; i < bundle->num; i++) {
		if (der_same(der_of(bundle->certs[i]), cert))
			return 0;
	}
	if (bundle->num == BUNDLE_CERTS_MAX)
		return -1;
	bundle->certs[bundle->num++] = der_buffer(cert);
	return 0;
}

size_t bundle_add_pem(struct bundle *bundle, const char *text, size_t len)
{
	struct pem *pem = pem_new(text, len);
	CRYPTO_BUFFER *cert;
	size_t num = 0;
	int result;

	while ((result = pem_next_cert(pem, &cert)) != PEM_END) {
		if (result != PEM_CERT)
			continue; /* one that is damaged */
		num += bundle_add(bundle, der_of(cert)) == 0;
		CRYPTO_BUFFER_free(cert);
	}
	pem_free(pem);
	return num;
}

/* --- files -------------------------------------------------------------- */

/* add_data takes a file's bytes for what they look like; the number of
 * certificates, 0 where there are none that can be had. */
static size_t add_data(struct bundle *bundle, const char *data, size_t len,
	const char *password)
{
	const uint8_t *at = (const uint8_t *)data;
	size_t num = 0;

	if (jks_is(at, len))
		return jks_read(bundle, at, len, &num) == 0 ? num : 0;
	if (len == 0 || at[0] != SEQUENCE)
		return bundle_add_pem(bundle, data, len);
	if (pkcs12_read(bundle, at, len, password, &num) == 0)
		return num;
	return bundle_add(bundle, (struct der){at, len}) == 0;
}

/* add_one reads a file; *out_num: what it had. */
static int add_one(struct bundle *bundle, const char *path,
	const char *password, size_t *out_num, char *err, size_t err_size)
{
	struct stat info;
	char *data;
	size_t len;

	if (file_read_regular(path, BUNDLE_FILE_MAX, &info, &data, &len, err,
		    err_size) != 0)
		return -1;
	*out_num = add_data(bundle, data, len, password);
	free(data);
	return 0;
}

/* add_folder: what is in it need not all be certificates. */
static int add_folder(struct bundle *bundle, const char *path, char *err,
	size_t err_size)
{
	DIR *folder = opendir(path);
	size_t files = 0, num, total = 0;
	const struct dirent *entry;
	char name[4096], ignored[FILE_ERR_SIZE];
	struct stat info;

	if (!folder)
		return pki_fail(err, err_size, "%s: %s", path,
			strerror(errno));
	while ((entry = readdir(folder)) && files++ < BUNDLE_FILES_MAX) {
		if ((size_t)snprintf(name, sizeof(name), "%s/%s", path,
			    entry->d_name) >= sizeof(name) ||
		    stat(name, &info) != 0 || !S_ISREG(info.st_mode))
			continue;
		if (add_one(bundle, name, NULL, &num, ignored,
			    sizeof(ignored)) == 0)
			total += num;
	}
	closedir(folder);
	if (total == 0)
		return pki_fail(err, err_size, "%s: no certificate is in any "
			"of its files", path);
	return 0;
}

int bundle_add_file(struct bundle *bundle, const char *path,
	const char *password, char *err, size_t err_size)
{
	struct stat info;
	size_t num;

	if (stat(path, &info) != 0)
		return pki_fail(err, err_size, "%s: %s", path,
			strerror(errno));
	if (S_ISDIR(info.st_mode))
		return add_folder(bundle, path, err, err_size);
	if (!S_ISREG(info.st_mode))
		return pki_fail(err, err_size, "%s: is no file", path);
	if (add_one(bundle, path, password, &num, err, err_size) != 0)
		return -1;
	if (num == 0)
		return pki_fail(err, err_size, "%s: no certificate is in it "
			"that can be read", path);
	return 0;
}

const char *bundle_add_system(struct bundle *bundle, char *err,
	size_t err_size)
{
	size_t num = sizeof(system_files) / sizeof(*system_files);

	for (size_t i = 0; i < num; i++) {
		if (bundle_add_file(bundle, system_files[i], NULL, err,
			    err_size) == 0)
			return system_files[i];
	}
	(void)pki_fail(err, err_size, "this system has its certificates in "
		"none of the usual places, as %s; the package is "
		"ca-certificates", system_files[0]);
	return NULL;
}

/* --- as a text ---------------------------------------------------------- */

char *bundle_pem(const struct bundle *bundle, size_t *out_len)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		abort();
	for (size_t i = 0; i < bundle->num; i++) {
		char *pem = pem_of_cert(der_of(bundle->certs[i]));

		fputs(pem, out);
		free(pem);
	}
	if (fclose(out) != 0)
		abort();
	*out_len = len;
	return text;
}
