#include "proxy/logbook/plain.h"

#include <string.h>

enum { DIGITS_MAX = 18 };

void plain_open(struct plain *plain, char *text, size_t len)
{
	*plain = (struct plain){.at = text, .end = text + len,
		.mark = text[0]};
}

/* text cuts off what is between quotes. NULL: it is not plain. */
static const char *text(struct plain *plain)
{
	char *at = plain->at;

	if (*at++ != '"')
		return NULL;
	plain->value = at;
	while (*at >= ' ' && *at < 0x7f && *at != '"' && *at != '\\')
		at++;
	if (*at != '"')
		return NULL;
	*at++ = '\0';
	plain->at = at;
	return plain->value;
}

static const char *number(struct plain *plain)
{
	size_t len = strspn(plain->at, "0123456789");
	const char *begin = plain->at;

	if (len == 0 || len > DIGITS_MAX || (len > 1 && *begin == '0'))
		return NULL;
	plain->at += len;
	return begin;
}

static const char *word(struct plain *plain, const char *is)
{
	size_t len = strlen(is);

	if (strncmp(plain->at, is, len) != 0)
		return NULL;
	plain->at += len;
	return is;
}

static const char *value(struct plain *plain)
{
	switch (*plain->at) {
	case '"':
		plain->kind = PLAIN_TEXT;
		return text(plain);
	case 't':
		plain->kind = PLAIN_BOOL;
		return word(plain, "true");
	case 'f':
		plain->kind = PLAIN_BOOL;
		return word(plain, "false");
	default:
		plain->kind = PLAIN_NUMBER;
		return number(plain);
	}
}

bool plain_next(struct plain *plain)
{
	char due = plain->key ? ',' : '{';

	if (plain->mark != due) {
		plain->fine = plain->key && plain->mark == '}' &&
			plain->at + 1 == plain->end;
		return false;
	}
	plain->at++;
	plain->key = text(plain);
	if (!plain->key || *plain->at != ':')
		return false;
	plain->at++;
	plain->value = value(plain);
	if (!plain->value)
		return false;
	plain->mark = *plain->at; /* where a number ends */
	*plain->at = '\0';
	return true;
}
