/*
 * foundation.h - the CAs that Sallyport makes itself at its first start, and
 * what keeps them good.
 *
 * Threads, errors: as in estate.h.
 */
#ifndef PKI_FOUNDATION_H
#define PKI_FOUNDATION_H

#include "pki/estate.h"

/* foundation_open is estate_open for who needs CAs that are there: the first to
 * open a state folder lays the foundation, root, intermediate and untrusted CA,
 * the intermediate as the default. */
int foundation_open(const struct authority_options *options,
	struct estate *out, char *err, size_t err_size) MUST_CHECK;

/* foundation_mend has signed anew, with the same key and name, what is within
 * 30 days of its end, and an intermediate whose CDP is not crl_base's (NULL:
 * not looked at). What it has changed is in estate's list. */
int foundation_mend(struct estate *estate, const char *crl_base, char *err,
	size_t err_size) MUST_CHECK;

#endif
