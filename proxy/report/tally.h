/*
 * tally.h - what one worker has counted since it began.
 *
 * Each worker adds to its own, where nobody waits for anybody and no two workers
 * write to one cache line; /metrics adds them up. See metrics.def for what they
 * mean.
 *
 * Threads: the worker's; read by any.
 */
#ifndef PROXY_REPORT_TALLY_H
#define PROXY_REPORT_TALLY_H

#include "proxy/net/count.h"
#include "proxy/report/reason.h"
#include "proxy/report/times.h"

struct rule_counts;

enum tally_listener {
	TALLY_PROXY,
	TALLY_TRANSPARENT,
	TALLY_PROXY_TLS,
	TALLY_LISTENERS
};

/* Whom the client's handshake is with, by the certificate that is shown. */
enum tally_to { TALLY_TO_SITE, TALLY_TO_PROXY, TALLY_TOS };

enum tally_shake {
	TALLY_FULL,
	TALLY_RESUMED,
	TALLY_ALERT,     /* the peer sent one */
	TALLY_CLOSED,    /* the peer went, without one */
	TALLY_ERROR,     /* what the peer said or showed will not do */
	TALLY_TIMEOUT,
	TALLY_ABANDONED, /* nobody waited for it any more */
	TALLY_SHAKES
};

enum tally_tls { TALLY_NO_TLS, TALLY_TLS_1_2, TALLY_TLS_1_3, TALLY_TLSES };

enum tally_use { TALLY_NEW, TALLY_REUSED, TALLY_USES };

enum tally_login {
	TALLY_RIGHT,
	TALLY_WRONG,
	TALLY_SLOWED,
	TALLY_BUSY,
	TALLY_LOGINS
};

enum { TALLY_STATUSES = 6 }; /* 1xx to 5xx; 0: there was no response */

struct tally { /* zeroed is none */
	struct count accepted[TALLY_LISTENERS], ended[TALLY_LISTENERS];
	struct count exchanges[TALLY_STATUSES];
	struct count tunnels;
	struct count refusals[REASON_COUNT];
	struct count client_shakes[TALLY_TOS][TALLY_SHAKES][TALLY_TLSES];
	struct count origin_shakes[TALLY_SHAKES][TALLY_TLSES];
	struct count origins[TALLY_USES];
	struct count origin_errors[REASON_COUNT];
	struct count pooled;   /* now */
	struct count forged;   /* leaves */
	struct count logins[TALLY_LOGINS];
	struct traffic client, origin;
	struct times client_shake, origin_connect, exchange;
	struct rule_counts *rules; /* owned; NULL: not counted. rulebook.h */
};

/* The words in metrics, "proxy-tls" ... */
const char *tally_listener_name(enum tally_listener listener);
const char *tally_to_name(enum tally_to to);
const char *tally_shake_name(enum tally_shake shake);
const char *tally_tls_name(enum tally_tls tls);
const char *tally_use_name(enum tally_use use);
const char *tally_login_name(enum tally_login login);

#endif
