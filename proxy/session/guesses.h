/*
 * guesses.h - how many wrong passwords are borne.
 *
 * Each address of a client (IPv6: each /64, as quotas count) and each user's name
 * has some free, and one more in some seconds. A guess takes one of both; who turns
 * out to be right is given them back. So one address can't try many passwords, nor
 * many addresses those of one user.
 *
 * An address's guesses are remembered for longer than they count against it, a
 * minute each: who has guessed lately lets others go first (verifier.h).
 *
 * Owns:    three tables, bounded; who was longest at rest goes first, and is as new.
 * Threads: one at a time.
 */
#ifndef PROXY_SESSION_GUESSES_H
#define PROXY_SESSION_GUESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/session/quota.h"

/* An allowance of so many, which come back one by one. What is left of it is kept
 * as the time when it is whole again (zeroed: it is). */
struct allowance {
	unsigned free, each_ms;
};

bool allowance_left(const struct allowance *allowance, uint64_t whole_ms,
	uint64_t now_ms);
bool allowance_take(const struct allowance *allowance, uint64_t *whole_ms,
	uint64_t now_ms);

struct guesses;

struct guesses *guesses_new(void);
void guesses_free(struct guesses *guesses);

/* guesses_take: false, there is none left of one or the other, and none was
 * taken. */
bool guesses_take(struct guesses *guesses, const struct quota_client *client,
	const char *user, uint64_t now_ms) __attribute__((warn_unused_result));
void guesses_give(struct guesses *guesses, const struct quota_client *client,
	const char *user, uint64_t now_ms);

/* guesses_recent: so many of client's are remembered, those that are being looked
 * at among them; 30 at most. */
unsigned guesses_recent(struct guesses *guesses,
	const struct quota_client *client, uint64_t now_ms);

#endif
