/*
 * verifier.h - is that the user's password? Asked by loops, answered by threads.
 *
 * Hashing a password is made to be slow, so it is done by a few threads of their
 * own, of low priority, before which a line waits. What it found is kept for some
 * minutes under a digest made with a secret of this process (passwords.h), so that
 * a client that sends its password with each request costs one hashing; the look-up
 * is of the digest alone, and tells nothing by the time it takes. Who asks for what
 * is being hashed already waits for that.
 *
 * Guessing: each address of a client (IPv6: each /64) and each user name has some
 * wrong answers free, then one in some seconds (guesses.h); what comes faster is
 * refused unheard (VERIFIER_SLOW). A password that was right on this connection (the
 * waiter is its) passes whatever others do, and one that is known to be right at
 * this address passes all the same, but where that user's own are being guessed
 * there: from that address anybody's guess looks the same, and to pass the right
 * one alone would tell it.
 *
 * The line: first goes who has guessed least of late (guesses.h), the first come of
 * equals; what an address has in the line counts as guessed. So a first login stands
 * behind one password at most of each address that has guessed nothing in the last
 * minutes, and when the line is full, it takes the place of one who has. The order
 * knows nothing of users: how long an answer takes does not tell who is one. What is
 * left to an attacker: with hundreds of addresses (each an IPv4 address or an IPv6
 * /64) that guess no more than once a minute, or are new each time, first logins can
 * be held up, until the hashing is outrun (VERIFIER_BUSY). With twenty, a first
 * login of a user whose name is known (VERIFIER_SLOW): that bounds the guessing.
 *
 * Owns:    its threads. A waiter is its maker's, embedded in what waits.
 * Threads: one verifier a process; asked from any loop, which gets its answer.
 */
#ifndef PROXY_SESSION_VERIFIER_H
#define PROXY_SESSION_VERIFIER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "proxy/net/loop.h"

struct settings;
struct verifier;

enum verifier_result {
	VERIFIER_RIGHT,
	VERIFIER_WRONG,
	VERIFIER_SLOW, /* too many wrong ones: not looked at; try later */
	VERIFIER_BUSY, /* the line is too long */
	VERIFIER_WAIT, /* answered will be called, on the loop of the waiter,
	                * with RIGHT, WRONG, or BUSY: it had to make room */
};

/* Embedded; zeroed at first, and then left as it is: what was right for a waiter
 * is right for it again, as long as the user's hash is the same. */
struct verifier_waiter {
	/* Set by the caller. Never called from inside verifier_ask. */
	void (*answered)(struct verifier_waiter *waiter,
		enum verifier_result result);
	struct loop *loop;
	/* Private. */
	struct post post;
	struct verifier_waiter *prev, *next;
	struct verifier_job *job;
	enum verifier_result result;
	bool sealed;
	uint8_t seal[32]; /* what it asked last: passwords.h */
};

/* verifier_threads: so many, that half of the machine is left. */
unsigned verifier_threads(void);
struct verifier *verifier_new(unsigned threads);
void verifier_free(struct verifier *verifier); /* no waiter is left */

/* verifier_ask: settings is referred to while it takes; without an htpasswd all
 * are wrong. user and password are copied; the caller may wipe its own at once.
 * now_ms is the loop's. */
enum verifier_result verifier_ask(struct verifier *verifier,
	struct settings *settings, const struct sockaddr *client,
	const char *user, const char *password, uint64_t now_ms,
	struct verifier_waiter *waiter);

/* verifier_leave, between VERIFIER_WAIT and answered: answered will not be called;
 * false: it is on its way to the loop and will be (whoever waits must last until
 * then). */
bool verifier_leave(struct verifier *verifier, struct verifier_waiter *waiter);

/* VERIFIER_RETRY_S is what a client that was slowed is told in Retry-After. */
enum { VERIFIER_RETRY_S = 5 };

#endif
