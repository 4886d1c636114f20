/*
 * pool.h - origin connections between two exchanges.
 *
 * One a worker. The connection used last is used first. Kept for 60 s after its
 * last exchange, whatever TLS says on it meanwhile, at most 256 of one origin key
 * and 1,024 in all; the oldest goes. A connection on which anything happens while
 * it rests (end, data, error) is closed, and the site's cached leaf put in doubt.
 *
 * Threads: one.
 */
#ifndef PROXY_SESSION_POOL_H
#define PROXY_SESSION_POOL_H

#include <stdbool.h>
#include <stdint.h>

struct origin;
struct pool;
struct services;

struct pool *pool_new(struct services *services);

/* pool_close closes all that rest and the pool's own timer. */
void pool_close(struct pool *pool, void (*closed)(void *arg), void *arg);

/* pool_take hands out a connection of this key whose address this client may
 * reach (client_local; see net/address.h) and that pool_may_be_asked; NULL:
 * none. */
struct origin *pool_take(struct pool *pool, const uint8_t *key,
	bool client_local, bool once);

/* pool_may_be_asked: nothing has come on a connection that rested, no end, and
 * no bytes that would be taken for the answer to what is sent next, whoever
 * asks; the kernel is asked too. Where that goes out once and no more, it must
 * have been in use lately: an older one may be closing just now. */
bool pool_may_be_asked(const struct origin *origin, bool once);

/* pool_put takes origin over. */
void pool_put(struct pool *pool, struct origin *origin);

#endif
