/*
 * sites CA.crt CA.key SITE.key FOLDER N - N origins' certificates.
 *
 * Writes FOLDER/siteNNNNN.test.pem: a certificate of its own for each name,
 * P-256, and the one key they share. The openssl command needs a hundred times
 * as long.
 */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

enum { DAY = 86400 };

static void die(const char *what)
{
	fprintf(stderr, "sites: %s\n", what);
	exit(1);
}

static EVP_PKEY *read_key(const char *path)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;

	if (!key)
		die(path);
	fclose(file);
	return key;
}

static X509 *read_cert(const char *path)
{
	FILE *file = fopen(path, "r");
	X509 *cert = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;

	if (!cert)
		die(path);
	fclose(file);
	return cert;
}

static void add(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_nconf_nid(NULL, &context, nid, value);
	if (!extension || !X509_add_ext(cert, extension, -1))
		die(value);
	X509_EXTENSION_free(extension);
}

static X509 *make(X509 *issuer, EVP_PKEY *issuer_key, EVP_PKEY *key,
	const char *name, long serial)
{
	X509 *cert = X509_new();
	char san[80];

	snprintf(san, sizeof(san), "DNS:%s", name);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), -DAY);
	X509_gmtime_adj(X509_getm_notAfter(cert), 300 * DAY);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
		MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer));
	add(cert, issuer, NID_subject_alt_name, san);
	add(cert, issuer, NID_basic_constraints, "critical,CA:FALSE");
	add(cert, issuer, NID_key_usage, "critical,digitalSignature");
	add(cert, issuer, NID_ext_key_usage, "serverAuth");
	add(cert, issuer, NID_subject_key_identifier, "hash");
	add(cert, issuer, NID_authority_key_identifier, "keyid");
	if (!X509_sign(cert, issuer_key, EVP_sha256()))
		die(name);
	return cert;
}

static void save(const char *folder, const char *name, X509 *cert,
	EVP_PKEY *key)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.pem", folder, name);
	file = fopen(path, "w");
	if (!file || !PEM_write_X509(file, cert) ||
		!PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) ||
		fclose(file) != 0)
		die(path);
}

int main(int argc, char **argv)
{
	X509 *issuer, *cert;
	EVP_PKEY *issuer_key, *key;
	char name[32];

	if (argc != 6)
		die("usage: sites CA.crt CA.key SITE.key FOLDER N");
	issuer = read_cert(argv[1]);
	issuer_key = read_key(argv[2]);
	key = read_key(argv[3]);
	for (long i = 0; i < strtol(argv[5], NULL, 10); i++) {
		snprintf(name, sizeof(name), "site%05ld.test", i);
		cert = make(issuer, issuer_key, key, name, 1000000 + i);
		save(argv[4], name, cert, key);
		X509_free(cert);
	}
	return 0;
}
