/*
 * relock.h - another passphrase for the private keys that there are.
 *
 * Threads, errors: as in estate.h.
 */
#ifndef PKI_RELOCK_H
#define PKI_RELOCK_H

#include "pki/authority.h"
#include "pki/keylock.h"

/* relock_all locks every key of the store, which old opens, with new instead: all
 * of them or none. who is for the audit trail; *out_num: how many there were. */
int relock_all(const struct authority_options *options, struct keylock *old,
	struct keylock *new, const char *who, size_t *out_num, char *err,
	size_t err_size) MUST_CHECK;

#endif
