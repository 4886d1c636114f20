#include "proxy/net/ja4.h"

#include <openssl/bytestring.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	HEAD_LEN = 10,
	HASH_LEN = 12,
	EXT_SERVER_NAME = 0,
	EXT_SIGALGS = 13,
	EXT_ALPN = 16,
	EXT_VERSIONS = 43,
};

struct parts {
	uint16_t version; /* of the message, before extensions say better */
	CBS ciphers, extensions;
	CBS sigalgs, alpn; /* empty: none */
	bool has_sni;
};

/* RFC 8701. */
static bool is_grease(uint16_t value)
{
	return value >> 8 == (value & 0xff) && (value & 15) == 10;
}

static int by_value(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* --- hashes of lists: "002f,0035" --------------------------------------- */

static const char hex[] = "0123456789abcdef";

static void add_value(SHA256_CTX *sha, uint16_t value, char before)
{
	char text[5] = {before, hex[value >> 12], hex[value >> 8 & 15],
		hex[value >> 4 & 15], hex[value & 15]};

	SHA256_Update(sha, text + (before == 0), 5 - (before == 0));
}

static void end_hash(SHA256_CTX *sha, char out[HASH_LEN])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256_Final(digest, sha);
	for (size_t i = 0; i < HASH_LEN; i++)
		out[i] = hex[i % 2 ? digest[i / 2] & 15 : digest[i / 2] >> 4];
}

static void hash(uint16_t *values, size_t num, CBS behind, char out[HASH_LEN])
{
	SHA256_CTX sha;
	uint16_t value;
	char before = '_';

	memset(out, '0', HASH_LEN);
	if (num == 0)
		return;
	qsort(values, num, sizeof(*values), by_value);
	SHA256_Init(&sha);
	for (size_t i = 0; i < num; i++)
		add_value(&sha, values[i], i == 0 ? 0 : ',');
	while (CBS_get_u16(&behind, &value)) {
		if (is_grease(value))
			continue;
		add_value(&sha, value, before);
		before = ',';
	}
	end_hash(&sha, out);
}

/* --- the parts ---------------------------------------------------------- */

static bool find_parts(const uint8_t *message, size_t len, struct parts *out)
{
	CBS body, skipped;

	memset(out, 0, sizeof(*out));
	CBS_init(&body, message, len);
	if (!CBS_skip(&body, 4) || !CBS_get_u16(&body, &out->version) ||
	    !CBS_skip(&body, 32) ||
	    !CBS_get_u8_length_prefixed(&body, &skipped) ||
	    !CBS_get_u16_length_prefixed(&body, &out->ciphers) ||
	    !CBS_get_u8_length_prefixed(&body, &skipped))
		return false;
	return CBS_len(&body) == 0 ||
		CBS_get_u16_length_prefixed(&body, &out->extensions);
}

static void read_versions(CBS ext, struct parts *out)
{
	CBS list;
	uint16_t version, newest = 0;

	if (!CBS_get_u8_length_prefixed(&ext, &list))
		return;
	while (CBS_get_u16(&list, &version)) {
		if (!is_grease(version) && version > newest)
			newest = version;
	}
	if (newest)
		out->version = newest;
}

static void read_extension(uint16_t type, CBS ext, struct parts *out)
{
	CBS list;

	if (type == EXT_SERVER_NAME)
		out->has_sni = true;
	else if (type == EXT_VERSIONS)
		read_versions(ext, out);
	else if (type == EXT_SIGALGS)
		(void)CBS_get_u16_length_prefixed(&ext, &out->sigalgs);
	else if (type == EXT_ALPN && CBS_get_u16_length_prefixed(&ext, &list))
		(void)CBS_get_u8_length_prefixed(&list, &out->alpn);
}

/* read_extensions keeps in values those that are hashed; *count has the others,
 * too. */
static size_t read_extensions(struct parts *parts,
	uint16_t values[JA4_EXTENSIONS_MAX], size_t *count)
{
	CBS left = parts->extensions, ext;
	uint16_t type;
	size_t num = 0;

	*count = 0;
	while (*count < JA4_EXTENSIONS_MAX && CBS_get_u16(&left, &type) &&
	       CBS_get_u16_length_prefixed(&left, &ext)) {
		if (is_grease(type))
			continue;
		read_extension(type, ext, parts);
		(*count)++;
		if (type != EXT_SERVER_NAME && type != EXT_ALPN)
			values[num++] = type;
	}
	return num;
}

/* --- the head ----------------------------------------------------------- */

static void put_version(uint16_t version, char out[2])
{
	static const struct {
		uint16_t version;
		char text[3];
	} known[] = {
		{0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"},
		{0x0301, "10"}, {0x0300, "s3"}, {0x0002, "s2"},
	};

	memcpy(out, "00", 2);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].version == version)
			memcpy(out, known[i].text, 2);
	}
}

static void put_count(size_t count, char out[2])
{
	if (count > 99)
		count = 99;
	out[0] = (char)('0' + count / 10);
	out[1] = (char)('0' + count % 10);
}

static bool is_letter(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		(c >= 'a' && c <= 'z');
}

static void put_alpn(const CBS *alpn, char out[2])
{
	const uint8_t *at = CBS_data(alpn);
	size_t len = CBS_len(alpn);

	memcpy(out, "00", 2);
	if (len == 0)
		return;
	if (is_letter(at[0]) && is_letter(at[len - 1])) {
		out[0] = (char)at[0];
		out[1] = (char)at[len - 1];
	} else {
		out[0] = hex[at[0] >> 4];
		out[1] = hex[at[len - 1] & 15];
	}
}

void ja4_write(const uint8_t *message, size_t len, char out[JA4_SIZE])
{
	uint16_t values[JA4_EXTENSIONS_MAX], *ciphers, cipher;
	struct parts parts;
	size_t num, num_ciphers = 0, count;
	CBS left, none = {0};

	out[0] = '\0';
	if (!find_parts(message, len, &parts))
		return;
	num = read_extensions(&parts, values, &count);
	left = parts.ciphers;
	ciphers = calloc(CBS_len(&left) / 2 + 1, sizeof(*ciphers));
	if (!ciphers)
		abort();
	while (CBS_get_u16(&left, &cipher)) {
		if (!is_grease(cipher))
			ciphers[num_ciphers++] = cipher;
	}
	out[0] = 't';
	put_version(parts.version, out + 1);
	out[3] = parts.has_sni ? 'd' : 'i';
	put_count(num_ciphers, out + 4);
	put_count(count, out + 6);
	put_alpn(&parts.alpn, out + 8);
	out[HEAD_LEN] = out[HEAD_LEN + HASH_LEN + 1] = '_';
	hash(ciphers, num_ciphers, none, out + HEAD_LEN + 1);
	hash(values, num, parts.sigalgs, out + HEAD_LEN + HASH_LEN + 2);
	out[JA4_SIZE - 1] = '\0';
	free(ciphers);
}
