/*
 * flight.h - ask once, answer many.
 *
 * When many connections want the same costly thing at the same moment (a leaf
 * for one host, say), the first becomes the leader and makes it; the others
 * wait. Whatever the leader gets, result or failure, all get.
 *
 * Owns:    copies of the keys. Never the result: a waiter that wants to keep
 *          it takes a reference in landed.
 * Threads: any. landed is called on the thread of the leader that lands, with
 *          no lock held; it should do no more than post itself home to its own
 *          loop.
 * Errors:  none of its own.
 */
#ifndef CACHE_FLIGHT_H
#define CACHE_FLIGHT_H

#include <stddef.h>

struct flight; /* all keys in the air */

struct waiter { /* embedded in the one who waits */
	void (*landed)(struct waiter *waiter, void *result, const char *err);
	struct waiter *next; /* private */
};

enum { FLIGHT_LEAD = 1, FLIGHT_WAIT = 2 };

/* flight_new makes one with nothing in the air. */
struct flight *flight_new(void);
void flight_free(struct flight *flight); /* nothing may be in the air */

/* flight_join puts waiter in line for key. It returns FLIGHT_LEAD if the
 * caller must now make the thing and call flight_land exactly once (the
 * leader's own waiter is not in line and its landed is not called),
 * FLIGHT_WAIT if somebody is at it. Who waits can't leave: waiter stays
 * borrowed until landed is called. */
int flight_join(struct flight *flight, const void *key, size_t key_len,
	struct waiter *waiter) __attribute__((warn_unused_result));

/* flight_land hands result (borrowed during the calls; NULL with err set on
 * failure) to every waiter of key, in the order they came, and forgets the
 * key. Returns how many were waiting. Who joins once it has begun starts
 * anew, from within landed too. key may lie in what a waiter frees. */
size_t flight_land(struct flight *flight, const void *key, size_t key_len,
	void *result, const char *err);

#endif
