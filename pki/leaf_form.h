/*
 * leaf_form.h - what a leaf says, before and while it is signed.
 *
 * leaf.h decides what goes in, from an origin's certificate; this writes it and
 * has the CA sign: here, or by the keeper, which gets these fields and builds
 * the certificate itself.
 *
 * Threads: any.
 */
#ifndef PKI_LEAF_FORM_H
#define PKI_LEAF_FORM_H

#include <time.h>

#include "pki/base.h"
#include "pki/ca.h"

enum {
	LEAF_SUBJECT_MAX = 4096,            /* bytes of a subject */
	LEAF_LONGEST_LIFE = 397 * 24 * 3600 /* browsers refuse longer ones */
};

struct leaf_form {
	struct der subject;   /* Name, with its header */
	struct der san;       /* the extension's value */
	struct der spki;      /* of one of the leafkeys */
	time_t from, until;
	const char *crl_base; /* as in leaf.h */
};

/* leaf_form_sign gives the certificate, an owned reference; NULL, with a
 * sentence in err: it could not be written or signed. */
CRYPTO_BUFFER *leaf_form_sign(const struct ca *ca,
	const struct leaf_form *form, char *err, size_t err_size) MUST_CHECK;

/* leaf_form_check holds a form that somebody else has filled against all that
 * leaf.h promises, and against the longest life. */
int leaf_form_check(const struct ca *ca, const struct leaf_form *form,
	time_t now, unsigned validity_s, char *err, size_t err_size)
	MUST_CHECK;

#endif
