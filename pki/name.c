#include "pki/name.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* 2.5.4.x */
enum { ARC_CN = 3, ARC_O = 10 };

static const uint8_t cn_oid[] = {0x55, 0x04, ARC_CN};

static bool get_tagged(CBS *rdn, CBS *type, CBS *value, unsigned *tag)
{
	CBS pair;

	return CBS_get_asn1(rdn, &pair, CBS_ASN1_SEQUENCE) &&
		CBS_get_asn1(&pair, type, CBS_ASN1_OBJECT) &&
		CBS_len(type) > 0 && CBS_get_any_asn1(&pair, value, tag) &&
		(*tag & CBS_ASN1_CONSTRUCTED) == 0 && CBS_len(&pair) == 0;
}

static bool get_attribute(CBS *rdn, CBS *type, CBS *value)
{
	unsigned tag;

	return get_tagged(rdn, type, value, &tag);
}

static bool open_name(struct der name, CBS *rdns)
{
	CBS cbs = der_cbs(name);

	return CBS_get_asn1(&cbs, rdns, CBS_ASN1_SEQUENCE) &&
		CBS_len(&cbs) == 0;
}

static bool strict(struct der name)
{
	CBS rdns, rdn, type, value;

	if (!open_name(name, &rdns))
		return false;
	while (CBS_len(&rdns) > 0) {
		if (!CBS_get_asn1(&rdns, &rdn, CBS_ASN1_SET) ||
		    CBS_len(&rdn) == 0)
			return false;
		while (CBS_len(&rdn) > 0) {
			if (!get_attribute(&rdn, &type, &value))
				return false;
		}
	}
	return true;
}

/* The walk above sees to the DER, X509_NAME to what is in the strings. */
bool name_ok(struct der name)
{
	const uint8_t *at = name.at;
	X509_NAME *parsed;
	bool ok;

	if (!strict(name))
		return false;
	parsed = d2i_X509_NAME(NULL, &at, (long)name.len);
	ok = parsed && at == name.at + name.len;
	X509_NAME_free(parsed);
	ERR_clear_error();
	return ok;
}

bool name_empty(struct der name)
{
	CBS rdns;

	return !open_name(name, &rdns) || CBS_len(&rdns) == 0;
}

/* --- text --------------------------------------------------------------- */

/* Letters that are not seen, or turn those around them: a name must not look like
 * another's. The joiners (U+200C, U+200D) are left: Persian and Hindi are written
 * with them. */
static bool is_hidden(uint32_t letter)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{0xad, 0xad}, {0x61c, 0x61c}, {0x115f, 0x1160},
		{0x180e, 0x180e}, {0x200b, 0x200b}, {0x200e, 0x200f},
		{0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},
		{0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xe0000, 0xe0fff},
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++) {
		if (letter >= hidden[i].first && letter <= hidden[i].last)
			return true;
	}
	return false;
}

/* RFC 3629, 4: how many bytes follow, and the least that they may say. */
bool name_next_letter(const uint8_t **at)
{
	uint32_t letter = **at, least = 0;
	int more = 0;

	if (letter >= 0xf0 && letter < 0xf8) {
		more = 3, least = 0x10000, letter &= 7;
	} else if (letter >= 0xe0 && letter < 0xf0) {
		more = 2, least = 0x800, letter &= 15;
	} else if (letter >= 0xc0 && letter < 0xe0) {
		more = 1, least = 0x80, letter &= 31;
	} else if (letter >= 0x80) {
		return false;
	}
	(*at)++;
	for (; more > 0; more--, (*at)++) {
		if ((**at & 0xc0) != 0x80)
			return false;
		letter = letter << 6 | (**at & 0x3f);
	}
	return letter >= least && letter <= 0x10ffff &&
		(letter < 0xd800 || letter > 0xdfff) && letter >= 0x20 &&
		(letter < 0x7f || letter >= 0xa0) && !is_hidden(letter);
}

/* copy_title copies whole letters; what is none is a '?'. */
static const char *copy_title(const CBS *value, char out[NAME_TITLE])
{
	uint8_t text[NAME_TITLE + 4] = {0}; /* one letter more than fits */
	const uint8_t *at = text;
	size_t len = CBS_len(value), used = 0;

	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	for (size_t i = 0; i < len; i++) /* NUL is no end of it */
		text[i] = CBS_data(value)[i] ? CBS_data(value)[i] : 1;
	while (*at) {
		const uint8_t *from = at;
		bool fine = name_next_letter(&at);
		size_t more = fine ? (size_t)(at - from) : 1;

		at = from + more;
		if (used + more >= NAME_TITLE)
			break;
		memcpy(out + used, fine ? from : (const uint8_t *)"?", more);
		used += more;
	}
	out[used] = '\0';
	return out;
}

const char *name_title(struct der name, char out[NAME_TITLE])
{
	CBS rdns, rdn, type, value;

	snprintf(out, NAME_TITLE, "(no name)");
	if (!open_name(name, &rdns))
		return out;
	while (CBS_get_asn1(&rdns, &rdn, CBS_ASN1_SET)) {
		while (get_attribute(&rdn, &type, &value)) {
			copy_title(&value, out);
			if (CBS_mem_equal(&type, cn_oid, sizeof(cn_oid)))
				return out;
		}
	}
	return out;
}

static const uint8_t dc_oid[] = {
	0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19};

/* only_common finds the common name of a name that has one and no second: who
 * reads the first and who reads the last would take it for two people's. But a
 * directory's name begins with its domain (RFC 4519, 2.4), and is written from
 * there down: containers have common names, too, and its own is the last. */
static bool only_common(struct der name, CBS *out, unsigned *out_tag)
{
	CBS rdns, rdn, type, value;
	size_t found = 0, in_last = 0, rdns_before = 0;
	bool directory = false;
	unsigned tag;

	*out_tag = 0;
	if (!strict(name) || !open_name(name, &rdns))
		return false;
	for (; CBS_get_asn1(&rdns, &rdn, CBS_ASN1_SET); rdns_before++) {
		in_last = 0;
		while (get_tagged(&rdn, &type, &value, &tag)) {
			directory |= rdns_before == 0 &&
				CBS_mem_equal(&type, dc_oid, sizeof(dc_oid));
			if (!CBS_mem_equal(&type, cn_oid, sizeof(cn_oid)))
				continue;
			*out = value;
			*out_tag = tag;
			found++;
			in_last++;
		}
	}
	return found == 1 || (directory && in_last == 1);
}

/* Those of the codings (RFC 5280, 4.1.2.4) that are UTF-8 as they stand. The
 * bytes of another, UTF-16 say, may spell somebody else's name. */
static bool is_utf8(unsigned tag)
{
	return tag == CBS_ASN1_UTF8STRING || tag == CBS_ASN1_PRINTABLESTRING ||
		tag == CBS_ASN1_IA5STRING;
}

int name_common(struct der name, char *out, size_t size)
{
	size_t letters;
	unsigned tag;
	CBS value;

	out[0] = '\0';
	if (!only_common(name, &value, &tag) || !is_utf8(tag) ||
	    CBS_len(&value) == 0 || CBS_len(&value) >= size ||
	    memchr(CBS_data(&value), 0, CBS_len(&value)))
		return -1;
	memcpy(out, CBS_data(&value), CBS_len(&value));
	out[CBS_len(&value)] = '\0';
	if (name_text_ok(out, &letters))
		return 0;
	out[0] = '\0';
	return -1;
}

bool name_add(CBB *rdns, uint8_t arc, const char *text, bool printable)
{
	const uint8_t oid[] = {0x55, 0x04, arc};
	CBB rdn, pair, type, value;

	return CBB_add_asn1(rdns, &rdn, CBS_ASN1_SET) &&
		CBB_add_asn1(&rdn, &pair, CBS_ASN1_SEQUENCE) &&
		CBB_add_asn1(&pair, &type, CBS_ASN1_OBJECT) &&
		CBB_add_bytes(&type, oid, sizeof(oid)) &&
		CBB_add_asn1(&pair, &value, printable ?
			CBS_ASN1_PRINTABLESTRING : CBS_ASN1_UTF8STRING) &&
		CBB_add_bytes(&value, (const uint8_t *)text, strlen(text)) &&
		CBB_flush(rdns);
}

bool name_write(CBB *out, const char *organization, const char *cn)
{
	CBB rdns;

	if (!CBB_add_asn1(out, &rdns, CBS_ASN1_SEQUENCE))
		return false;
	if (organization && !name_add(&rdns, ARC_O, organization, false))
		return false;
	if (cn && strlen(cn) <= NAME_CN_MAX && cn[0] != '\0' &&
	    !name_add(&rdns, ARC_CN, cn, false))
		return false;
	return CBB_flush(out);
}

bool name_text_ok(const char *text, size_t *out_letters)
{
	const uint8_t *at = (const uint8_t *)text;

	*out_letters = 0;
	while (*at) {
		if (!name_next_letter(&at))
			return false;
		(*out_letters)++;
	}
	return true;
}

/* --- under another ------------------------------------------------------ */

static bool is_cn(CBS rdn)
{
	CBS type, value;

	return get_attribute(&rdn, &type, &value) && CBS_len(&rdn) == 0 &&
		CBS_mem_equal(&type, cn_oid, sizeof(cn_oid));
}

/* copy_others copies every RDN that is not the common name alone. */
static bool copy_others(CBB *out, struct der over)
{
	CBS rdns, rdn, element;

	if (!open_name(over, &rdns))
		return false;
	while (CBS_get_asn1_element(&rdns, &element, CBS_ASN1_SET)) {
		CBS whole = element;

		if (!CBS_get_asn1(&whole, &rdn, CBS_ASN1_SET))
			return false;
		if (!is_cn(rdn) && !CBB_add_bytes(out, CBS_data(&element),
				CBS_len(&element)))
			return false;
	}
	return CBS_len(&rdns) == 0;
}

/* cut_to leaves room for so many bytes, and no letter in pieces. */
static void cut_to(char *text, size_t room)
{
	if (strlen(text) <= room)
		return;
	while (room > 0 && ((uint8_t)text[room] & 0xc0) == 0x80)
		room--;
	text[room] = '\0';
}

bool name_under(CBB *out, struct der over, const char *what)
{
	char title[NAME_TITLE], text[NAME_TITLE + NAME_CN_MAX + 2];
	CBB rdns;

	if (strlen(what) > NAME_CN_MAX - 1)
		return false;
	name_title(over, title);
	cut_to(title, NAME_CN_MAX - 1 - strlen(what));
	snprintf(text, sizeof(text), "%s %s", title, what);
	return CBB_add_asn1(out, &rdns, CBS_ASN1_SEQUENCE) &&
		copy_others(&rdns, over) &&
		name_add(&rdns, ARC_CN, text, false) && CBB_flush(out);
}
