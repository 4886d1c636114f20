/*
 * shared.h - what all worker threads share: caches, keys of leaves, tickets.
 *
 * Threads: the main one, before the workers start and after they have ended.
 */
#ifndef PROXY_CORE_SHARED_H
#define PROXY_CORE_SHARED_H

struct config;
struct shared;

/* shared_init fills what is zeroed. */
void shared_init(struct shared *shared, const struct config *config);
void shared_clear(struct shared *shared);

#endif
