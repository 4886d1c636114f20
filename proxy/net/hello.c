#include "proxy/net/hello.h"

#include <openssl/bytestring.h>
#include <string.h>

enum {
	RECORD_HANDSHAKE = 22,
	CLIENT_HELLO = 1,
	RECORD_PLAIN_MAX = 16384, /* RFC 8446, 5.1 */
	EXT_SERVER_NAME = 0,
	EXT_GROUPS = 10,
	EXT_SIGALGS = 13,
	EXT_ALPN = 16,
	EXT_VERSIONS = 43,
	TLS13 = 0x0304,
	ECDSA_P256_SHA256 = 0x0403,
	GROUP_P256 = 23,
};

/* What decides whether a P-256 leaf can be shown. */
struct means {
	bool sigalg, cipher, group, groups_given;
};

/* measure says how far a message has come of which have bytes are there and
 * claimed will be, by the sizes of the records so far. A record with more in
 * it than the message is refused at once, not when the last byte is there:
 * what is said of a hello must not hang on how TCP cut it. */
static enum hello_result measure(const uint8_t *message, size_t have,
	size_t claimed)
{
	size_t need;

	if (have > 0 && message[0] != CLIENT_HELLO)
		return HELLO_BAD;
	if (have < 4)
		return HELLO_MORE;
	need = 4 + ((size_t)message[1] << 16 | (size_t)message[2] << 8 |
			   message[3]);
	if (need > HELLO_MESSAGE_MAX + 4)
		return HELLO_TOO_LARGE;
	if (claimed > need)
		return HELLO_BAD;
	return have == need ? HELLO_WHOLE : HELLO_MORE;
}

/* record_head reads a record's header. */
static enum hello_result record_head(CBS *raw, uint16_t *out_size)
{
	uint8_t type;
	uint16_t version;

	if (CBS_len(raw) > 0 && CBS_data(raw)[0] != RECORD_HANDSHAKE)
		return HELLO_BAD;
	if (CBS_len(raw) > 1 && CBS_data(raw)[1] != 3)
		return HELLO_BAD;
	if (!CBS_get_u8(raw, &type) || !CBS_get_u16(raw, &version) ||
	    !CBS_get_u16(raw, out_size))
		return HELLO_MORE;
	if (*out_size == 0 || *out_size > RECORD_PLAIN_MAX)
		return HELLO_BAD;
	return HELLO_WHOLE;
}

/* unwrap takes the handshake message out of its records (RFC 8446, 5.1: it
 * may be spread over any number of them, none empty). Records of another kind
 * in between are a mistake. */
static enum hello_result unwrap(CBS raw, uint8_t *out, size_t *out_len)
{
	enum hello_result result;
	uint16_t size;
	size_t here;

	for (;;) {
		result = record_head(&raw, &size);
		if (result != HELLO_WHOLE)
			return result;
		/* a record that is not whole yet is looked into all the same */
		here = CBS_len(&raw) < size ? CBS_len(&raw) : size;
		if (here > HELLO_MESSAGE_MAX + 4 - *out_len)
			return HELLO_BAD; /* more than the message has */
		if (here > 0)
			memcpy(out + *out_len, CBS_data(&raw), here);
		*out_len += here;
		result = measure(out, *out_len, *out_len - here + size);
		if (result != HELLO_MORE || here < size)
			return result;
		(void)CBS_skip(&raw, size);
	}
}

static bool read_sni(CBS ext, struct hello *out)
{
	CBS list, name;
	uint8_t type;

	if (!CBS_get_u16_length_prefixed(&ext, &list) ||
	    !CBS_get_u8(&list, &type) || type != 0 ||
	    !CBS_get_u16_length_prefixed(&list, &name) ||
	    CBS_len(&list) != 0 || CBS_len(&ext) != 0 ||
	    CBS_len(&name) == 0 || CBS_len(&name) > 255 ||
	    CBS_contains_zero_byte(&name))
		return false;
	out->has_sni = true;
	out->sni_len = CBS_len(&name);
	memcpy(out->sni, CBS_data(&name), out->sni_len);
	return true;
}

static bool cbs_is(const CBS *cbs, const char *text)
{
	return CBS_mem_equal(cbs, (const uint8_t *)text, strlen(text));
}

/* RFC 8701: reserved names that mean nothing, of two bytes 0x?a0x?a. */
static bool is_grease(const CBS *name)
{
	const uint8_t *at = CBS_data(name);

	return CBS_len(name) == 2 && at[0] == at[1] && (at[0] & 15) == 10;
}

static bool read_alpn(CBS ext, struct hello *out)
{
	CBS list, name;
	size_t len;

	if (!CBS_get_u16_length_prefixed(&ext, &list) || CBS_len(&ext) != 0 ||
	    CBS_len(&list) < 2)
		return false;
	len = CBS_len(&list);
	out->alpn_len = len > HELLO_ALPN_MAX ? 0 : len;
	memcpy(out->alpn, CBS_data(&list), out->alpn_len);
	while (CBS_len(&list) > 0) {
		if (!CBS_get_u8_length_prefixed(&list, &name) ||
		    CBS_len(&name) == 0)
			return false;
		if (cbs_is(&name, "http/1.1"))
			out->alpn_http1 = true;
		else if (cbs_is(&name, "h2"))
			out->alpn_h2 = true;
		else if (!is_grease(&name) && !cbs_is(&name, "http/1.0"))
			out->alpn_other = true;
	}
	return true;
}

/* list_has looks for a 16-bit value in a list with a length of prefix bytes. */
static bool list_has(CBS ext, int prefix, uint16_t want)
{
	CBS list;
	uint16_t value;

	if (prefix == 1 ? !CBS_get_u8_length_prefixed(&ext, &list) :
			  !CBS_get_u16_length_prefixed(&ext, &list))
		return false;
	while (CBS_get_u16(&list, &value))
		if (value == want)
			return true;
	return false;
}

static bool read_extension(uint16_t type, const CBS *ext, struct hello *out,
	struct means *means)
{
	switch (type) {
	case EXT_SERVER_NAME:
		return read_sni(*ext, out);
	case EXT_ALPN:
		return read_alpn(*ext, out);
	case EXT_VERSIONS:
		out->tls13 = list_has(*ext, 1, TLS13);
		return true;
	case EXT_SIGALGS:
		means->sigalg = list_has(*ext, 2, ECDSA_P256_SHA256);
		return true;
	case EXT_GROUPS:
		means->groups_given = true;
		means->group = list_has(*ext, 2, GROUP_P256);
		return true;
	default:
		return true;
	}
}

/* No extension may come twice (RFC 8446, 4.2). A hello of 16 KiB has at most
 * 4,096 of them; real ones have twenty. */
static bool came_before(CBS all, const uint8_t *until, uint16_t type)
{
	CBS ext;
	uint16_t other;

	while (CBS_data(&all) < until && CBS_get_u16(&all, &other) &&
	       CBS_get_u16_length_prefixed(&all, &ext))
		if (other == type)
			return true;
	return false;
}

static bool read_extensions(CBS all, struct hello *out, struct means *means)
{
	CBS left = all, ext;
	const uint8_t *at;
	uint16_t type;
	unsigned count = 0;

	while (CBS_len(&left) > 0) {
		at = CBS_data(&left);
		if (++count > JA4_EXTENSIONS_MAX ||
		    !CBS_get_u16(&left, &type) ||
		    !CBS_get_u16_length_prefixed(&left, &ext) ||
		    came_before(all, at, type) ||
		    !read_extension(type, &ext, out, means))
			return false;
	}
	return true;
}

/* TLS 1.2 binds the leaf's key to the cipher suite (RFC 8422, 2). */
static bool has_ecdsa_cipher(CBS ciphers)
{
	static const uint16_t known[] = {
		0xc02b, 0xc02c, 0xcca9, 0xc009, 0xc00a, 0xc023, 0xc024,
	};
	uint16_t cipher;

	while (CBS_get_u16(&ciphers, &cipher))
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (cipher == known[i])
				return true;
	return false;
}

static enum hello_result parse(const uint8_t *message, size_t len,
	struct hello *out)
{
	struct means means = {0};
	CBS body, session, ciphers, methods, extensions;
	uint16_t version;

	CBS_init(&body, message, len);
	if (!CBS_skip(&body, 4) || !CBS_get_u16(&body, &version) ||
	    !CBS_skip(&body, 32) ||
	    !CBS_get_u8_length_prefixed(&body, &session) ||
	    CBS_len(&session) > 32 ||
	    !CBS_get_u16_length_prefixed(&body, &ciphers) ||
	    CBS_len(&ciphers) < 2 || CBS_len(&ciphers) % 2 != 0 ||
	    !CBS_get_u8_length_prefixed(&body, &methods) ||
	    CBS_len(&methods) == 0)
		return HELLO_BAD;
	if (CBS_len(&body) == 0) /* before extensions: no SNI, no TLS 1.2 sigalgs */
		return HELLO_WHOLE;
	if (!CBS_get_u16_length_prefixed(&body, &extensions) ||
	    CBS_len(&body) != 0 ||
	    !read_extensions(extensions, out, &means))
		return HELLO_BAD;
	means.cipher = has_ecdsa_cipher(ciphers);
	out->ecdsa = means.sigalg && (out->tls13 || (means.cipher &&
				(means.group || !means.groups_given)));
	return HELLO_WHOLE;
}

enum hello_result hello_read(const uint8_t *raw, size_t len,
	struct hello *out)
{
	uint8_t message[HELLO_MESSAGE_MAX + 4];
	size_t message_len = 0;
	enum hello_result result;
	CBS cbs;

	memset(out, 0, sizeof(*out));
	CBS_init(&cbs, raw, len < HELLO_RAW_MAX ? len : HELLO_RAW_MAX);
	result = unwrap(cbs, message, &message_len);
	if (result == HELLO_MORE && len > HELLO_RAW_MAX)
		return HELLO_TOO_LARGE;
	if (result == HELLO_WHOLE)
		result = parse(message, message_len, out);
	if (result == HELLO_WHOLE)
		ja4_write(message, message_len, out->ja4);
	return result;
}
