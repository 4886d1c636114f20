#include "pki/trust.h"

#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pki/base.h"
#include "pki/judge.h"
#include "pki/pem.h"

enum { TRUST_FILE_MAX = 32 << 20 };

struct trust {
	X509_STORE *store;              /* owned; locks for itself */
	uint8_t (*roots)[SHA256_DIGEST_LENGTH]; /* owned, sorted, no twins */
	size_t num_roots;
	uint8_t digest[SHA256_DIGEST_LENGTH];
};

static void digest_roots(struct trust *trust)
{
	SHA256((const uint8_t *)trust->roots,
		trust->num_roots * sizeof(*trust->roots), trust->digest);
}

struct trust *trust_new(void)
{
	struct trust *trust = pki_new(sizeof(*trust));

	trust->store = X509_STORE_new();
	if (!trust->store)
		abort();
	digest_roots(trust);
	return trust;
}

void trust_free(struct trust *trust)
{
	if (!trust)
		return;
	X509_STORE_free(trust->store);
	free(trust->roots);
	free(trust);
}

const uint8_t *trust_digest(const struct trust *trust)
{
	return trust->digest;
}

/* --- adding ------------------------------------------------------------- */

/* insert keeps the digests sorted; false: this root is there already. */
static bool insert(struct trust *trust, const uint8_t *digest)
{
	const size_t size = sizeof(*trust->roots);
	size_t at = 0;

	while (at < trust->num_roots &&
		memcmp(trust->roots[at], digest, size) < 0)
		at++;
	if (at < trust->num_roots &&
	    memcmp(trust->roots[at], digest, size) == 0)
		return false;
	trust->roots = realloc(trust->roots, (trust->num_roots + 1) * size);
	if (!trust->roots)
		abort();
	memmove(trust->roots + at + 1, trust->roots + at,
		(trust->num_roots - at) * size);
	memcpy(trust->roots[at], digest, size);
	trust->num_roots++;
	return true;
}

static bool add_root(struct trust *trust, const CRYPTO_BUFFER *der)
{
	X509 *x509 = judge_parse(der_of(der));
	uint8_t digest[SHA256_DIGEST_LENGTH];

	if (!x509)
		return false;
	SHA256(CRYPTO_BUFFER_data(der), CRYPTO_BUFFER_len(der), digest);
	if (insert(trust, digest) && !X509_STORE_add_cert(trust->store, x509))
		abort();
	X509_free(x509);
	return true;
}

/* add_text adds all of a PEM text; strict: one that does not parse ends it. */
static int add_text(struct trust *trust, const char *text, size_t len,
	const char *path, bool strict, char *err, size_t err_size)
{
	struct pem *pem = pem_new(text, len);
	size_t place = 0, added = 0;
	CRYPTO_BUFFER *der;
	bool bad = false;
	int got;

	while (!(bad && strict) &&
		(got = pem_next_cert(pem, &der)) != PEM_END) {
		place++;
		bad = got < 0 || !add_root(trust, der);
		if (!bad)
			added++;
		if (got == PEM_CERT)
			CRYPTO_BUFFER_free(der);
	}
	pem_free(pem);
	if (bad && strict)
		return pki_fail(err, err_size,
			"%s: certificate %zu can't be parsed", path, place);
	if (added == 0)
		return pki_fail(err, err_size,
			"%s: holds no certificate (PEM)", path);
	return 0;
}

static int add_bundle(struct trust *trust, const char *path, char *err,
	size_t err_size)
{
	char *text;
	size_t len;
	int result;

	if (file_read(path, TRUST_FILE_MAX, &text, &len, err, err_size) != 0)
		return -1;
	result = add_text(trust, text, len, path, false, err, err_size);
	digest_roots(trust);
	free(text);
	return result;
}

int trust_add_text(struct trust *trust, const char *text, size_t len,
	const char *path, char *err, size_t err_size)
{
	int result = add_text(trust, text, len, path, true, err, err_size);

	digest_roots(trust);
	return result;
}

int trust_add_system(struct trust *trust, char *err, size_t err_size)
{
	static const char *const bundles[] = {
		"/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora */
		"/etc/pki/tls/certs/ca-bundle.crt",   /* RHEL of old */
		"/etc/ssl/ca-bundle.pem",             /* SUSE */
		"/etc/ssl/cert.pem",                  /* Alpine */
	};

	for (size_t i = 0; i < sizeof(bundles) / sizeof(*bundles); i++) {
		if (access(bundles[i], R_OK) == 0)
			return add_bundle(trust, bundles[i], err, err_size);
	}
	return pki_fail(err, err_size, "the system's root certificates are "
		"nowhere to be found: install ca-certificates, or name a file "
		"in origin.trust");
}

/* --- asking ------------------------------------------------------------- */

enum verdict trust_verify(const struct trust *trust, const struct der *chain,
	size_t num_chain, const char *name, time_t now, time_t *out_until,
	char *err, size_t err_size)
{
	struct judge_case asked = {
		.store = trust->store,
		.chain = chain,
		.num_chain = num_chain,
		.name = name,
		.now = now,
	};

	return judge(&asked, out_until, err, err_size);
}

enum verdict trust_verify_client(const struct trust *trust,
	const struct der *chain, size_t num_chain, time_t now, char *why,
	size_t why_size)
{
	struct judge_case asked = {
		.store = trust->store,
		.chain = chain,
		.num_chain = num_chain,
		.now = now,
	};
	time_t until;

	return judge(&asked, &until, why, why_size);
}
