#include "proxy/tools/jks.h"

#include <openssl/bytestring.h>
#include <openssl/mem.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/base.h"

enum {
	MAGIC = (int)0xfeedfeed,
	VERSION = 2,
	KEY_ENTRY = 1,
	CERT_ENTRY = 2,
	ALIAS = 32,
};

#define TYPE "X.509"

/* --- writing ------------------------------------------------------------ */

/* digest covers the password, its letters as two bytes each, as Java has them. */
static void digest(const uint8_t *data, size_t len,
	uint8_t out[SHA_DIGEST_LENGTH])
{
	static const char password[] = JKS_PASSWORD;
	static const char words[] = "Mighty Aphrodite";
	SHA_CTX sha;

	SHA1_Init(&sha);
	for (size_t i = 0; password[i]; i++) {
		uint8_t letter[2] = {0, (uint8_t)password[i]};

		SHA1_Update(&sha, letter, sizeof(letter));
	}
	SHA1_Update(&sha, words, sizeof(words) - 1);
	SHA1_Update(&sha, data, len);
	SHA1_Final(out, &sha);
}

static int add_text(CBB *out, const char *text)
{
	return CBB_add_u16(out, (uint16_t)strlen(text)) &&
		CBB_add_bytes(out, (const uint8_t *)text, strlen(text));
}

static int add_entry(CBB *out, const char *alias, uint64_t now_ms,
	struct der cert)
{
	return CBB_add_u32(out, CERT_ENTRY) && add_text(out, alias) &&
		CBB_add_u64(out, now_ms) && add_text(out, TYPE) &&
		CBB_add_u32(out, (uint32_t)cert.len) &&
		CBB_add_bytes(out, cert.at, cert.len);
}

/* name: root has but one certificate, or none. */
static void name(const struct bundle *root, struct der cert, size_t number,
	char out[ALIAS])
{
	if (bundle_num(root) > 0 && der_same(bundle_at(root, 0), cert))
		snprintf(out, ALIAS, "sallyport");
	else
		snprintf(out, ALIAS, "ca-%zu", number);
}

static int add_all(CBB *out, const struct bundle *bundle,
	const struct bundle *root, uint64_t now_ms)
{
	size_t num = bundle_num(bundle);
	uint8_t sum[SHA_DIGEST_LENGTH];
	char alias[ALIAS];

	if (!CBB_add_u32(out, (uint32_t)MAGIC) || !CBB_add_u32(out, VERSION) ||
	    !CBB_add_u32(out, (uint32_t)num))
		return 0;
	for (size_t i = 0; i < num; i++) {
		name(root, bundle_at(bundle, i), i + 1, alias);
		if (!add_entry(out, alias, now_ms, bundle_at(bundle, i)))
			return 0;
	}
	digest(CBB_data(out), CBB_len(out), sum);
	return CBB_add_bytes(out, sum, sizeof(sum));
}

uint8_t *jks_write(const struct bundle *bundle, const char *root_pem,
	uint64_t now_ms, size_t *out_len)
{
	struct bundle *root = bundle_new();
	uint8_t *data, *copy;
	CBB out;

	if (root_pem)
		(void)bundle_add_pem(root, root_pem, strlen(root_pem));
	if (!CBB_init(&out, 1 << 18) ||
	    !add_all(&out, bundle, root, now_ms) ||
	    !CBB_finish(&out, &data, out_len))
		abort(); /* for want of memory */
	bundle_free(root);
	copy = malloc(*out_len);
	if (!copy)
		abort();
	memcpy(copy, data, *out_len);
	OPENSSL_free(data);
	return copy;
}

/* --- reading ------------------------------------------------------------ */

bool jks_is(const uint8_t *data, size_t len)
{
	static const uint8_t magic[] = {0xfe, 0xed, 0xfe, 0xed};

	return len >= sizeof(magic) && memcmp(data, magic, sizeof(magic)) == 0;
}

static int get_text(CBS *in, CBS *out)
{
	return CBS_get_u16_length_prefixed(in, out);
}

static int get_long(CBS *in, CBS *out)
{
	uint32_t len;

	return CBS_get_u32(in, &len) && CBS_get_bytes(in, out, len);
}

static int get_cert(CBS *in, uint32_t version, CBS *out)
{
	CBS type;

	return (version == 1 || get_text(in, &type)) && get_long(in, out);
}

static int skip_key(CBS *in, uint32_t version)
{
	uint32_t num;
	CBS ignored;

	if (!get_long(in, &ignored) || !CBS_get_u32(in, &num))
		return 0;
	while (num-- > 0) {
		if (!get_cert(in, version, &ignored))
			return 0;
	}
	return 1;
}

static int read_entry(struct bundle *bundle, CBS *in, uint32_t version,
	size_t *num)
{
	uint32_t tag;
	CBS alias, cert;
	uint64_t date;

	if (!CBS_get_u32(in, &tag) || !get_text(in, &alias) ||
	    !CBS_get_u64(in, &date))
		return 0;
	if (tag == KEY_ENTRY)
		return skip_key(in, version);
	if (tag != CERT_ENTRY || !get_cert(in, version, &cert))
		return 0;
	*num += bundle_add(bundle, (struct der){CBS_data(&cert),
		CBS_len(&cert)}) == 0;
	return 1;
}

int jks_read(struct bundle *bundle, const uint8_t *data, size_t len,
	size_t *out_num)
{
	uint32_t magic, version, entries;
	CBS in;

	*out_num = 0;
	CBS_init(&in, data, len);
	if (!jks_is(data, len) || !CBS_get_u32(&in, &magic) ||
	    !CBS_get_u32(&in, &version) || version < 1 || version > VERSION ||
	    !CBS_get_u32(&in, &entries))
		return -1;
	while (entries-- > 0) {
		if (!read_entry(bundle, &in, version, out_num))
			return -1;
	}
	return CBS_len(&in) == SHA_DIGEST_LENGTH ? 0 : -1;
}
