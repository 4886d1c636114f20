#include "proxy/admin/put.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/base.h"
#include "pki/pem.h"

/* A whole letter, RFC 3629, 4: its length, and what its second byte may be. */
static const struct form {
	uint8_t from, to;           /* its first byte */
	uint8_t second_from, second_to;
	size_t len;
} forms[] = {
	{0x00, 0x7f, 0, 0, 1},
	{0xc2, 0xdf, 0x80, 0xbf, 2},
	{0xe0, 0xe0, 0xa0, 0xbf, 3},
	{0xe1, 0xec, 0x80, 0xbf, 3},
	{0xed, 0xed, 0x80, 0x9f, 3},
	{0xee, 0xef, 0x80, 0xbf, 3},
	{0xf0, 0xf0, 0x90, 0xbf, 4},
	{0xf1, 0xf3, 0x80, 0xbf, 4},
	{0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool follows(const struct form *form, const uint8_t *at, size_t len)
{
	if (form->len > len)
		return false;
	if (form->len > 1 && (at[1] < form->second_from ||
			      at[1] > form->second_to))
		return false;
	for (size_t i = 2; i < form->len; i++) {
		if (at[i] < 0x80 || at[i] > 0xbf)
			return false;
	}
	return true;
}

/* letter is how many bytes the letter at that place has; 0: it is none. */
static size_t letter(const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (at[0] >= forms[i].from && at[0] <= forms[i].to)
			return follows(&forms[i], at, len) ? forms[i].len : 0;
	}
	return 0;
}

static json_t *mended(const char *at, size_t len)
{
	static const char unknown[] = "\xef\xbf\xbd";
	char *text = malloc(3 * len + 1);
	size_t num = 0;
	json_t *made;

	if (!text)
		abort();
	for (size_t i = 0; i < len;) {
		size_t good = letter((const uint8_t *)at + i, len - i);

		memcpy(text + num, good ? at + i : unknown, good ? good : 3);
		num += good ? good : 3;
		i += good ? good : 1;
	}
	made = json_stringn(text, num);
	free(text);
	return made;
}

json_t *put_string(const char *at, size_t len)
{
	json_t *made = json_stringn(len > 0 ? at : "", len);

	if (!made)
		made = mended(at, len);
	if (!made)
		abort();
	return made;
}

void put_value(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		abort();
}

void put_bytes(json_t *object, const char *key, const char *at, size_t len)
{
	if (at && len > 0)
		put_value(object, key, put_string(at, len));
}

void put_text(json_t *object, const char *key, const char *text)
{
	if (text)
		put_bytes(object, key, text, strlen(text));
}

void put_number(json_t *object, const char *key, int64_t number)
{
	put_value(object, key, json_integer(number));
}

void put_time(json_t *object, const char *key, int64_t time)
{
	if (time != 0)
		put_number(object, key, time);
}

void put_flag(json_t *object, const char *key, bool flag)
{
	put_value(object, key, json_boolean(flag));
}

void put_serial(json_t *object, const char *key, struct der serial)
{
	char *text;

	if (serial.len > 1 && serial.at[0] == 0) {
		serial.at++;
		serial.len--;
	}
	text = pki_new(2 * serial.len + 1);
	for (size_t i = 0; i < serial.len; i++)
		snprintf(text + 2 * i, 3, "%02X", serial.at[i]);
	put_text(object, key, text);
	free(text);
}

void put_pem(json_t *object, const char *key, const char *title,
	struct der der)
{
	char *text = pem_of(title, der);

	put_text(object, key, text);
	free(text);
}
