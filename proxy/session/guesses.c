#include "proxy/session/guesses.h"

#include <stdlib.h>
#include <string.h>

#include "cache/lru.h"

enum {
	TABLE_MAX = 10000,
	TABLE_BYTES = 4 * 1024 * 1024,
};

static const struct allowance of_address = {.free = 10, .each_ms = 2000};
static const struct allowance of_user = {.free = 20, .each_ms = 1000};
static const struct allowance of_recent = {.free = 30, .each_ms = 60000};

struct guesses {
	struct lru *addresses, *users; /* owned: of a whole_ms each */
	struct lru *recent;            /* likewise, of addresses */
};

/* --- allowances --------------------------------------------------------- */

/* Loops read their clocks a little apart: now_ms may have been a later one. */
static uint64_t behind(uint64_t whole_ms, uint64_t now_ms)
{
	return whole_ms > now_ms ? whole_ms - now_ms : 0;
}

bool allowance_left(const struct allowance *allowance, uint64_t whole_ms,
	uint64_t now_ms)
{
	return behind(whole_ms, now_ms) + allowance->each_ms <=
		(uint64_t)allowance->free * allowance->each_ms;
}

bool allowance_take(const struct allowance *allowance, uint64_t *whole_ms,
	uint64_t now_ms)
{
	if (!allowance_left(allowance, *whole_ms, now_ms))
		return false;
	*whole_ms = now_ms + behind(*whole_ms, now_ms) + allowance->each_ms;
	return true;
}

static void allowance_give(const struct allowance *allowance, uint64_t *whole_ms)
{
	*whole_ms -= *whole_ms < allowance->each_ms ? *whole_ms :
		allowance->each_ms;
}

/* taken is how much of it has not come back. */
static unsigned taken(const struct allowance *allowance, uint64_t whole_ms,
	uint64_t now_ms)
{
	return (unsigned)((behind(whole_ms, now_ms) + allowance->each_ms - 1) /
		allowance->each_ms);
}

/* --- tables ------------------------------------------------------------- */

struct guesses *guesses_new(void)
{
	struct guesses *guesses = calloc(1, sizeof(*guesses));

	if (!guesses)
		abort();
	guesses->addresses = lru_new(TABLE_MAX, TABLE_BYTES, free);
	guesses->users = lru_new(TABLE_MAX, TABLE_BYTES, free);
	guesses->recent = lru_new(TABLE_MAX, TABLE_BYTES, free);
	return guesses;
}

void guesses_free(struct guesses *guesses)
{
	if (!guesses)
		return;
	lru_free(guesses->addresses);
	lru_free(guesses->users);
	lru_free(guesses->recent);
	free(guesses);
}

static uint64_t whole_of(struct lru *table, const void *key, size_t len,
	uint64_t now_ms)
{
	const uint64_t *whole_ms = lru_get(table, key, len, now_ms);

	return whole_ms ? *whole_ms : 0;
}

/* An allowance that is whole again is not kept: its time is past. */
static void keep(struct lru *table, const void *key, size_t len,
	uint64_t whole_ms, uint64_t now_ms)
{
	uint64_t *kept = malloc(sizeof(*kept));

	if (!kept)
		abort();
	*kept = whole_ms;
	lru_put(table, key, len, kept, sizeof(*kept), whole_ms, now_ms);
}

bool guesses_take(struct guesses *guesses, const struct quota_client *client,
	const char *user, uint64_t now_ms)
{
	size_t len = strlen(user);
	uint64_t at = whole_of(guesses->addresses, client, sizeof(*client),
		now_ms);
	uint64_t by = whole_of(guesses->users, user, len, now_ms);
	uint64_t recent = whole_of(guesses->recent, client, sizeof(*client),
		now_ms);

	if (!allowance_take(&of_address, &at, now_ms) ||
	    !allowance_take(&of_user, &by, now_ms))
		return false;
	keep(guesses->addresses, client, sizeof(*client), at, now_ms);
	keep(guesses->users, user, len, by, now_ms);
	if (allowance_take(&of_recent, &recent, now_ms)) /* more: all the same */
		keep(guesses->recent, client, sizeof(*client), recent, now_ms);
	return true;
}

static void give(struct lru *table, const struct allowance *allowance,
	const void *key, size_t len, uint64_t now_ms)
{
	uint64_t whole_ms = whole_of(table, key, len, now_ms);

	if (whole_ms == 0)
		return;
	allowance_give(allowance, &whole_ms);
	keep(table, key, len, whole_ms, now_ms);
}

void guesses_give(struct guesses *guesses, const struct quota_client *client,
	const char *user, uint64_t now_ms)
{
	give(guesses->addresses, &of_address, client, sizeof(*client), now_ms);
	give(guesses->users, &of_user, user, strlen(user), now_ms);
	give(guesses->recent, &of_recent, client, sizeof(*client), now_ms);
}

unsigned guesses_recent(struct guesses *guesses,
	const struct quota_client *client, uint64_t now_ms)
{
	return taken(&of_recent, whole_of(guesses->recent, client,
		sizeof(*client), now_ms), now_ms);
}
