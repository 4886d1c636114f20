#include "proxy/portal/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/base64.h>
#include <openssl/sha.h>

#include "pki/base.h"
#include "proxy/portal/html.h"

enum { UUID_SIZE = 37, MARK = 8 /* bytes of the digest, in a name */ };

/* write_uuid makes one of a kind of its own (RFC 9562, 5.8) of root and use. */
static void write_uuid(char out[UUID_SIZE], const struct anchor *root,
	const char *use)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA256_CTX sha;
	size_t at = 0;

	SHA256_Init(&sha);
	SHA256_Update(&sha, use, strlen(use));
	SHA256_Update(&sha, root->digest, sizeof(root->digest));
	SHA256_Final(digest, &sha);
	digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x80);
	digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		snprintf(out + at, 3, "%02X", digest[i]);
		at += 2;
	}
}

static void add_text(UT_string *out, const char *key, const char *text)
{
	utstring_printf(out, "<key>%s</key><string>", key);
	html_text(out, text);
	html_add(out, "</string>\n");
}

static void add_data(UT_string *out, const CRYPTO_BUFFER *der)
{
	size_t len = CRYPTO_BUFFER_len(der), size;
	uint8_t *text;

	if (!EVP_EncodedLength(&size, len) || !(text = malloc(size)))
		abort();
	len = EVP_EncodeBlock(text, CRYPTO_BUFFER_data(der), len);
	html_add(out, "<key>PayloadContent</key><data>\n");
	for (size_t at = 0; at < len; at += 64) {
		size_t line = len - at < 64 ? len - at : 64;

		utstring_bincpy(out, text + at, line);
		html_add(out, "\n");
	}
	html_add(out, "</data>\n");
	free(text);
}

/* add_names: what each payload has, the outer one too. */
static void add_names(UT_string *out, const struct anchor *root,
	const char *type, const char *use)
{
	char uuid[UUID_SIZE], identifier[64], mark[2 * MARK + 1];

	write_uuid(uuid, root, use);
	der_hex((struct der){root->digest, MARK}, mark);
	snprintf(identifier, sizeof(identifier), "internal.sallyport.%s.%s", use,
		mark);
	add_text(out, "PayloadType", type);
	add_text(out, "PayloadIdentifier", identifier);
	add_text(out, "PayloadUUID", uuid);
	html_add(out, "<key>PayloadVersion</key><integer>1</integer>\n");
}

void profile_write(UT_string *out, const struct anchor *root)
{
	html_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
		"\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
		"<plist version=\"1.0\"><dict>\n"
		"<key>PayloadContent</key><array><dict>\n");
	add_names(out, root, "com.apple.security.root", "root");
	add_text(out, "PayloadDisplayName", root->name);
	add_text(out, "PayloadDescription", "Has this device trust the "
		"certificates that your network's proxy makes.");
	add_text(out, "PayloadCertificateFileName", "sallyport-root.crt");
	add_data(out, root->der);
	html_add(out, "</dict></array>\n");
	add_names(out, root, "Configuration", "profile");
	add_text(out, "PayloadDisplayName", "Sallyport root certificate");
	add_text(out, "PayloadDescription", "The root certificate of your "
		"network's proxy, which inspects TLS. Compare its fingerprint "
		"with the one your administrator gives you.");
	html_add(out, "</dict></plist>\n");
}
