/*
 * store_audit.h - who did what to the CAs, and when.
 *
 * A line is written in the transaction of the step that it tells of.
 *
 * Threads, errors: as in store.h.
 */
#ifndef PKI_STORE_AUDIT_H
#define PKI_STORE_AUDIT_H

#include "pki/store.h"

struct store_audit {
	int64_t id, time;
	char who[128];      /* "token ci", "root (uid 0)", "sallyport" */
	char what[32];      /* "create", "make-default" */
	int64_t ca;         /* 0: of none */
	char name[128];     /* its name then */
	char detail[256];
};

int store_audit_add(struct store *store, const struct store_audit *line,
	char *err, size_t err_size) MUST_CHECK;

/* store_audit_known: the same was done by the same not longer than per_s ago. */
bool store_audit_known(struct store *store, const struct store_audit *line,
	int64_t per_s);

/* store_audit_list gives the last of them, at most most, oldest first; owned
 * (free). */
int store_audit_list(struct store *store, size_t most,
	struct store_audit **out, size_t *out_num, char *err,
	size_t err_size) MUST_CHECK;

#endif
