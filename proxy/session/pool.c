#include "proxy/session/pool.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "proxy/config/config.h"
#include "proxy/net/address.h"
#include "proxy/session/leaves.h"
#include "proxy/session/origin.h"

enum {
	LATELY_MS = 2000,
	IDLE_MS = 60 * 1000,
	SWEEP_MS = 5 * 1000,
	MAX_PER_KEY = 256,
	MAX_ALL = 1024,
};

/* Those of one key, the last put first. */
struct shelf {
	uint8_t key[ORIGIN_KEY_SIZE];
	struct origin *origins;
	unsigned num;
	UT_hash_handle hh;
};

struct pool {
	struct services *services; /* borrowed */
	struct shelf *shelves;     /* owned */
	struct origin *all;        /* the last put first */
	unsigned num;
	uv_timer_t timer;
	void (*closed)(void *arg);
	void *arg;
};

static struct shelf *find(struct pool *pool, const uint8_t *key)
{
	struct shelf *shelf;

	HASH_FIND(hh, pool->shelves, key, ORIGIN_KEY_SIZE, shelf);
	return shelf;
}

static struct shelf *find_or_make(struct pool *pool, const uint8_t *key)
{
	struct shelf *shelf = find(pool, key);

	if (shelf)
		return shelf;
	shelf = calloc(1, sizeof(*shelf));
	if (!shelf)
		abort();
	memcpy(shelf->key, key, ORIGIN_KEY_SIZE);
	HASH_ADD(hh, pool->shelves, key, ORIGIN_KEY_SIZE, shelf);
	return shelf;
}

static void take_off(struct pool *pool, struct origin *origin)
{
	struct shelf *shelf = find(pool, origin->key);

	DL_DELETE(shelf->origins, origin);
	DL_DELETE2(pool->all, origin, before, behind);
	shelf->num--;
	pool->num--;
	count_sub(&pool->services->tally.pooled, 1);
	if (shelf->num > 0)
		return;
	HASH_DEL(pool->shelves, shelf);
	free(shelf);
}

static void drop(struct pool *pool, struct origin *origin)
{
	take_off(pool, origin);
	origin_release(origin, false);
}

/* --- what happens while they rest --------------------------------------- */

static void doubt_keys(struct services *services, struct leaf_want *want)
{
	want->key_type = LEAF_KEY_P256;
	leaves_doubt(services, want);
	want->key_type = LEAF_KEY_RSA2048;
	leaves_doubt(services, want);
}

/* Whichever CA's leaf was shown for it: it is not known here. */
static void doubt(struct origin *origin)
{
	const struct config *config = origin->services->snapshot->config;
	struct leaf_want want = {
		.snapshot = origin->services->snapshot,
		.name = origin->name,
		.port = origin->asked_port,
		.mode = origin->mode,
		.outcome = LEAF_TRUSTED,
	};

	if (!origin->tls)
		return;
	doubt_keys(origin->services, &want);
	for (size_t i = 0; i < config->num_named; i++) {
		want.intermediate_ca = config->named[i].name;
		doubt_keys(origin->services, &want);
	}
}

static size_t on_data(void *owner, const uint8_t *data, size_t len)
{
	struct origin *origin = owner;

	(void)data;
	doubt(origin);
	drop(origin->services->pool, origin);
	return len;
}

static void on_event(void *owner)
{
	struct origin *origin = owner;

	if (!stream_ended(&origin->stream) &&
	    origin->stream.error == STREAM_FINE)
		return;
	doubt(origin);
	drop(origin->services->pool, origin);
}

static const struct origin_ops resting = {on_data, on_event};

/* --- in and out --------------------------------------------------------- */

static struct origin *oldest(struct shelf *shelf)
{
	return shelf->origins->prev; /* utlist: the head's prev is the tail */
}

static void drop_oldest(struct pool *pool)
{
	if (pool->all)
		drop(pool, pool->all->before);
}

bool pool_may_be_asked(const struct origin *origin, bool once)
{
	uint64_t now = loop_now(origin->stream.loop);

	return (!once || now - origin->used_ms <= LATELY_MS) &&
		stream_is_quiet(&origin->stream);
}

static bool may_be_reached(const struct pool *pool, const struct origin *origin,
	bool client_local)
{
	return address_check(&pool->services->shared->own,
		       &origin->peer.any, client_local,
		       origin->configured) == ADDRESS_FINE;
}

struct origin *pool_take(struct pool *pool, const uint8_t *key,
	bool client_local, bool once)
{
	struct shelf *shelf = find(pool, key);
	struct origin *origin;

	if (!shelf)
		return NULL;
	DL_FOREACH(shelf->origins, origin)
		if (pool_may_be_asked(origin, once) &&
		    may_be_reached(pool, origin, client_local))
			break;
	if (origin)
		take_off(pool, origin);
	return origin;
}

void pool_put(struct pool *pool, struct origin *origin)
{
	struct shelf *shelf = find(pool, origin->key);

	if (shelf && shelf->num >= MAX_PER_KEY)
		drop(pool, oldest(shelf));
	else if (pool->num >= MAX_ALL)
		drop_oldest(pool);
	shelf = find_or_make(pool, origin->key);
	DL_PREPEND(shelf->origins, origin);
	DL_PREPEND2(pool->all, origin, before, behind);
	shelf->num++;
	pool->num++;
	count_add(&pool->services->tally.pooled, 1);
	origin->ops = &resting;
	origin->owner = origin;
	origin->used_ms = loop_now(pool->services->loop);
	stream_want(&origin->stream, true);
}

static void sweep(uv_timer_t *timer)
{
	struct pool *pool = timer->data;
	uint64_t now = loop_now(pool->services->loop);

	while (pool->all && now - pool->all->before->used_ms >= IDLE_MS)
		drop_oldest(pool);
}

/* --- life --------------------------------------------------------------- */

struct pool *pool_new(struct services *services)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		abort();
	pool->services = services;
	(void)uv_timer_init(&services->loop->uv, &pool->timer);
	pool->timer.data = pool;
	(void)uv_timer_start(&pool->timer, sweep, SWEEP_MS, SWEEP_MS);
	uv_unref((uv_handle_t *)&pool->timer);
	return pool;
}

static void on_closed(uv_handle_t *handle)
{
	struct pool *pool = handle->data;
	void (*closed)(void *) = pool->closed;
	void *arg = pool->arg;

	free(pool);
	closed(arg);
}

void pool_close(struct pool *pool, void (*closed)(void *arg), void *arg)
{
	pool->closed = closed;
	pool->arg = arg;
	while (pool->num > 0)
		drop_oldest(pool);
	uv_close((uv_handle_t *)&pool->timer, on_closed);
}
