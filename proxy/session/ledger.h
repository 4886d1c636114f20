/*
 * ledger.h - which leaf was signed by whom, for who wants to revoke all of a
 * site's.
 *
 * Signing must not wait for a disk: what is noted here is taken by a thread that
 * writes it to the store, a moment later. It is bounded; when it is full, what
 * is noted is that the CA signed for any site.
 *
 * Owns:    copies.
 * Threads: any.
 */
#ifndef PROXY_SESSION_LEDGER_H
#define PROXY_SESSION_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "pki/ca.h"
#include "pki/crl.h"
#include "policy/host.h"

enum { LEDGER_MAX = 8192, LEDGER_CAS = 64 };

struct ledger;

struct ledger_line {
	char ca[CA_ID_MAX + 1];  /* as in ca_id */
	char site[HOST_SIZE];    /* "": any */
	struct crl_entry entry;
	time_t ends;
};

struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger);

void ledger_note(struct ledger *ledger, const struct ledger_line *line);

/* ledger_take waits until there is something, or ledger_end was called; what
 * there is is the caller's (free), *out_num 0: it has ended. */
struct ledger_line *ledger_take(struct ledger *ledger, size_t *out_num);

/* ledger_written: who has taken them has done with them; ledger_settle waits
 * until that has been said of all that is noted by now. */
void ledger_written(struct ledger *ledger);
void ledger_settle(struct ledger *ledger);
void ledger_end(struct ledger *ledger);

#endif
