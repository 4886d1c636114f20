#include "pki/san.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

static const unsigned dns_tag = CBS_ASN1_CONTEXT_SPECIFIC | 2;
static const unsigned address_tag = CBS_ASN1_CONTEXT_SPECIFIC | 7;

/* --- form --------------------------------------------------------------- */

static bool right_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool right_labels(const uint8_t *at, size_t len)
{
	size_t label = 0;

	for (size_t i = 0; i < len; i++) {
		if (at[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (!right_letter(at[i]) || ++label > 63) {
			return false;
		}
	}
	return label > 0;
}

static bool is_wildcard(const uint8_t *at, size_t len)
{
	return len > 2 && at[0] == '*' && at[1] == '.';
}

/* Letters, digits, hyphens, underscores; a wildcard as the first label. */
static bool right_dns_name(const uint8_t *at, size_t len)
{
	if (len == 0 || len > 253)
		return false;
	if (is_wildcard(at, len))
		return right_labels(at + 2, len - 2);
	return right_labels(at, len);
}

bool san_name_read(const char *text, struct san_name *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, out->bytes) == 1)
		out->len = 4;
	else if (inet_pton(AF_INET6, text, out->bytes) == 1)
		out->len = 16;
	if (out->len > 0) {
		out->is_address = true;
		out->at = out->bytes;
		return true;
	}
	out->at = (const uint8_t *)text;
	out->len = strlen(text);
	return out->len <= 253 && right_labels(out->at, out->len);
}

bool san_next(CBS *list, struct san_name *out)
{
	CBS value;
	unsigned tag;

	while (CBS_get_any_asn1(list, &value, &tag)) {
		out->at = CBS_data(&value);
		out->len = CBS_len(&value);
		out->is_address = tag == address_tag;
		if (tag == address_tag && (out->len == 4 || out->len == 16))
			return true;
		if (tag == dns_tag && right_dns_name(out->at, out->len))
			return true;
	}
	return false;
}

/* --- fitting ------------------------------------------------------------ */

static bool same_letters(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (tolower(a[i]) != tolower(b[i]))
			return false;
	}
	return true;
}

static bool wildcard_fits(const struct san_name *pattern,
	const struct san_name *name)
{
	const uint8_t *dot = memchr(name->at, '.', name->len);
	size_t rest = pattern->len - 1; /* ".example.com" */

	if (!dot || dot == name->at ||
	    !memchr(pattern->at + 2, '.', pattern->len - 2))
		return false;
	return (size_t)(name->at + name->len - dot) == rest &&
		same_letters(pattern->at + 1, dot, rest);
}

static bool fits(const struct san_name *pattern, const struct san_name *name)
{
	if (pattern->is_address != name->is_address)
		return false;
	if (pattern->is_address)
		return pattern->len == name->len &&
			memcmp(pattern->at, name->at, name->len) == 0;
	if (is_wildcard(pattern->at, pattern->len))
		return wildcard_fits(pattern, name);
	return pattern->len == name->len &&
		same_letters(pattern->at, name->at, name->len);
}

static bool open_san(struct der san, CBS *list)
{
	CBS in = der_cbs(san);

	return CBS_get_asn1(&in, list, CBS_ASN1_SEQUENCE) && CBS_len(&in) == 0;
}

/* find_fitting gives the first of list that fits name. */
static bool find_fitting(CBS list, const struct san_name *name,
	struct san_name *out)
{
	while (san_next(&list, out)) {
		if (fits(out, name))
			return true;
	}
	return false;
}

bool san_covers(struct der san, const char *name)
{
	struct san_name asked, found;
	CBS list;

	return san_name_read(name, &asked) && open_san(san, &list) &&
		find_fitting(list, &asked, &found);
}

/* --- writing ------------------------------------------------------------ */

/* What a GeneralName takes: tag, length of one or two bytes, content. */
static size_t size_of(const struct san_name *name)
{
	return name->len + (name->len < 128 ? 2 : 3);
}

static bool put(CBB *list, const struct san_name *name)
{
	CBB one;

	return CBB_add_asn1(list, &one,
		       name->is_address ? address_tag : dns_tag) &&
		CBB_add_bytes(&one, name->at, name->len) && CBB_flush(list);
}

bool san_write_one(CBB *out, const char *name)
{
	struct san_name one;
	CBB list;

	return san_name_read(name, &one) &&
		CBB_add_asn1(out, &list, CBS_ASN1_SEQUENCE) &&
		put(&list, &one) && CBB_flush(out);
}

static size_t size_of_all(CBS list)
{
	struct san_name name;
	size_t size = 0;

	while (san_next(&list, &name))
		size += size_of(&name);
	return size;
}

bool san_plain(struct der san)
{
	CBS list;
	size_t size;

	if (!open_san(san, &list))
		return false;
	size = size_of_all(list);
	return size > 0 && size <= SAN_MAX && size == CBS_len(&list);
}

/* put_what_goes_in fills what room is left behind first (may be NULL). */
static bool put_what_goes_in(CBB *out, CBS list, const struct san_name *first)
{
	struct san_name name;
	size_t room = SAN_MAX;

	if (first) {
		room -= size_of(first);
		if (!put(out, first))
			return false;
	}
	while (san_next(&list, &name)) {
		if (size_of(&name) > room || (first && name.at == first->at))
			continue;
		room -= size_of(&name);
		if (!put(out, &name))
			return false;
	}
	return true;
}

bool san_write_copy(CBB *out, struct der origin, const char *name)
{
	struct san_name asked, fitting;
	CBS from;
	CBB list;
	size_t size;
	bool first;

	if (!open_san(origin, &from))
		return san_write_one(out, name);
	size = size_of_all(from);
	if (size == 0)
		return san_write_one(out, name);
	first = size > SAN_MAX && san_name_read(name, &asked) &&
		find_fitting(from, &asked, &fitting);
	return CBB_add_asn1(out, &list, CBS_ASN1_SEQUENCE) &&
		put_what_goes_in(&list, from, first ? &fitting : NULL) &&
		CBB_flush(out);
}
