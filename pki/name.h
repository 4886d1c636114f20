/*
 * name.h - distinguished names, as their DER.
 *
 * Threads: any.
 */
#ifndef PKI_NAME_H
#define PKI_NAME_H

#include <stdint.h>

#include "pki/base.h"

enum {
	NAME_CN_MAX = 64,   /* ub-common-name, RFC 5280, appendix A.1 */
	NAME_TITLE = 96,    /* room for name_title */
};

/* name_ok says whether a name (with its SEQUENCE header) can be put into a
 * certificate of ours: strict DER, attributes that every reader takes. */
bool name_ok(struct der name);
bool name_empty(struct der name);

/* name_title writes what a person would call it, for sentences: the common
 * name, else the last value, else "(no name)", in UTF-8; what is no letter that
 * can be seen comes out as '?'. Returns out. */
const char *name_title(struct der name, char out[NAME_TITLE]);

/* name_common writes the common name as it is; of a directory's name, which
 * begins with a domain component, the last RDN's. -1: there is none, or more than
 * one, it does not fit, or is no text that can be seen in UTF-8, nor ASCII; *out
 * is empty. */
int name_common(struct der name, char *out, size_t size) MUST_CHECK;

/* name_write adds Name {O=organization, CN=cn}; either may be NULL, and a cn
 * of more than NAME_CN_MAX is left out. */
bool name_write(CBB *out, const char *organization, const char *cn) MUST_CHECK;

/* name_add adds RDN 2.5.4.ARC=text, as a PrintableString or in UTF-8. */
bool name_add(CBB *rdns, uint8_t arc, const char *text, bool printable)
	MUST_CHECK;

/* name_next_letter goes on behind one letter of text that ends with NUL. False:
 * there is none in UTF-8 that may be shown; *at may stand anywhere in it. */
bool name_next_letter(const uint8_t **at);

/* name_text_ok: UTF-8 without control characters and letters that are not seen;
 * how many letters. */
bool name_text_ok(const char *text, size_t *out_letters);

/* name_under writes the name of a CA under the one called over: all that over
 * has but its common name, and "that common name, what" in its place, cut so
 * that it fits. */
bool name_under(CBB *out, struct der over, const char *what) MUST_CHECK;

#endif
