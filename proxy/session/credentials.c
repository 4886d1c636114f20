#include "proxy/session/credentials.h"

#include <openssl/base64.h>
#include <openssl/mem.h>
#include <string.h>
#include <strings.h>

#include "pki/name.h"

enum {
	TEXT_MAX = HTPASSWD_USER_MAX + 1 + HTPASSWD_PASSWORD_MAX,
	CODED_MAX = (TEXT_MAX + 2) / 3 * 4,
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* RFC 9110, 11.4: the scheme in any case, blanks, what belongs to it. */
static bool skip_scheme(struct slice *value)
{
	static const char scheme[] = "Basic";
	size_t skip = sizeof(scheme) - 1;

	if (value->len <= skip || strncasecmp(value->at, scheme, skip) != 0 ||
	    !is_blank(value->at[skip]))
		return false;
	while (skip < value->len && is_blank(value->at[skip]))
		skip++;
	value->at += skip;
	value->len -= skip;
	while (value->len > 0 && is_blank(value->at[value->len - 1]))
		value->len--;
	return true;
}

/* Passwords may be in whatever the client takes for text, but for controls (RFC
 * 7617, 2): a NUL would end one early. */
static bool has_controls(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return true;
	}
	return false;
}

static bool is_user(const char *user)
{
	size_t letters;

	return user[0] != '\0' && name_text_ok(user, &letters);
}

/* The first colon is the one between: a user has none. */
static bool split(const char *text, size_t len, struct credentials *out)
{
	const char *colon = memchr(text, ':', len);
	size_t user, password;

	if (!colon || has_controls(text, len))
		return false;
	user = (size_t)(colon - text);
	password = len - user - 1;
	if (user > HTPASSWD_USER_MAX || password > HTPASSWD_PASSWORD_MAX)
		return false;
	memcpy(out->user, text, user);
	memcpy(out->password, colon + 1, password);
	return is_user(out->user);
}

bool credentials_read(struct slice value, struct credentials *out)
{
	uint8_t text[CODED_MAX];
	size_t num = 0;
	bool read;

	memset(out, 0, sizeof(*out));
	if (!skip_scheme(&value) || value.len > CODED_MAX)
		return false;
	read = EVP_DecodeBase64(text, &num, sizeof(text),
		       (const uint8_t *)value.at, value.len) &&
		split((const char *)text, num, out);
	OPENSSL_cleanse(text, sizeof(text));
	if (!read)
		credentials_wipe(out);
	return read;
}

void credentials_wipe(struct credentials *credentials)
{
	OPENSSL_cleanse(credentials, sizeof(*credentials));
}
