#include "proxy/portal/anchor.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <openssl/sha.h>

#include "pki/pem.h"

static bool describe(struct anchor *root)
{
	struct der der = der_of(root->der);
	struct cert cert;
	struct tm tm;

	if (cert_read(der, &cert) != 0)
		return false;
	SHA256(der.at, der.len, root->digest);
	cert_fingerprint(der, root->fingerprint);
	if (cert_common_name(der, root->name, sizeof(root->name)) != 0)
		snprintf(root->name, sizeof(root->name), "the root");
	if (!gmtime_r(&cert.not_after, &tm) || strftime(root->until,
		sizeof(root->until), "%Y-%m-%d", &tm) == 0)
		snprintf(root->until, sizeof(root->until), "?");
	return true;
}

bool anchor_read(const char *pem, struct anchor *out)
{
	struct pem *blocks = pem_new(pem, strlen(pem));
	bool read = pem_next_cert(blocks, &out->der) == PEM_CERT;

	pem_free(blocks);
	if (!read)
		return false;
	if (describe(out))
		return true;
	anchor_clear(out);
	return false;
}

void anchor_show(UT_string *out, const struct anchor *root)
{
	html_add(out, "<dt>Name</dt><dd>");
	html_text(out, root->name);
	html_add(out, "</dd>\n<dt>SHA-256 fingerprint</dt><dd><code>");
	html_digest(out, root->fingerprint);
	html_add(out, "</code></dd>\n");
}

void anchor_clear(struct anchor *root)
{
	CRYPTO_BUFFER_free(root->der);
	root->der = NULL;
}
