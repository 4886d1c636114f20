/*
 * foundation.h - the CAs that Sallyport makes itself at its first start, and
 * what keeps them good.
 */
#ifndef PKI_FOUNDATION_H
#define PKI_FOUNDATION_H

#include "pki/estate.h"

/* foundation_lay makes root, intermediate and untrusted CA in an empty store,
 * the intermediate as the default. */
int foundation_lay(struct estate *estate, char *err, size_t err_size)
	MUST_CHECK;

/* foundation_mend has signed anew, with the same key and name, what is within
 * 30 days of its end, and an intermediate whose CDP is not crl_base's (NULL:
 * not looked at). What it has changed is in estate's list. */
int foundation_mend(struct estate *estate, const char *crl_base, char *err,
	size_t err_size) MUST_CHECK;

#endif
