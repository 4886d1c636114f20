/*
 * tally.h - when issuing CAs were made, under each CA: no more than TALLY_MOST in
 * any one time.
 *
 * It is memory without a pointer in it, empty where it is all zeros, so that it
 * can be there for longer than who counts: a keeper that is started again goes
 * on with what the one before has counted, and whoever could have keepers end
 * gains nothing by it.
 *
 * Threads: one at a time; the caller's lock.
 */
#ifndef PKI_TALLY_H
#define PKI_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "pki/ca.h"

enum {
	TALLY_MOST = 17,   /* one, and a few more for restarts and revocations */
	TALLY_CAS = 1000,  /* counted at a time */
};

struct tally {
	struct tally_row {
		uint8_t id[CA_KEY_ID];
		uint32_t num;               /* 0: nobody's */
		int64_t until;              /* it counts until then */
		int64_t at[TALLY_MOST];     /* round and round */
	} rows[TALLY_CAS];
};

/* tally_add counts one more under the CA with this key, now (seconds of a clock
 * that nobody sets). False, and nothing is counted: there have been as many as
 * may be in the last per_s seconds. */
bool tally_add(struct tally *tally, const uint8_t id[CA_KEY_ID], int64_t now,
	int64_t per_s);

#endif
