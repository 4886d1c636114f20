/*
 * loop.h - one thread's event loop, with what its streams share.
 *
 * On top of a libuv loop: scratch buffers and a pipe (only one read is handled
 * at a time, so one of each is enough for all connections), the end of the turn
 * (what streams were given to write during a turn of the loop goes out once,
 * together, at its end), and posts, the one way for another thread to have
 * something run here.
 *
 * Threads: one; loop_post any.
 */
#ifndef PROXY_NET_LOOP_H
#define PROXY_NET_LOOP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "proxy/net/splice.h"

enum {
	LOOP_READ_SIZE = 65536,  /* of one read from a socket */
	LOOP_PLAIN_SIZE = 16384, /* of one decrypted record */
	LOOP_LARGE = 16384,      /* what comes at once, in bulk */
};

struct stream;

struct post { /* embedded in what is posted */
	void (*run)(struct post *post);
	struct post *next; /* private */
};

struct loop {
	uv_loop_t uv;
	uint8_t *read;          /* owned: LOOP_READ_SIZE bytes */
	uint8_t *plain;         /* owned: LOOP_PLAIN_SIZE bytes */
	struct splicer splicer; /* likewise one for all */
	size_t bulk;            /* bytes that came in large pieces, this turn */
	bool others;            /* ... and something came in small ones, or posts */
	struct stream *turn;    /* streams with work at the end of the turn */
	/* Called, unless it is NULL, when all that came has been worked off and
	 * the loop is about to wait. */
	void (*resting)(void *arg);
	void *arg;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_async_t async;
	pthread_mutex_t lock;   /* over posts */
	struct post *posts, **posts_end;
	bool stopped;           /* likewise: async is closed */
};

void loop_init(struct loop *loop);

/* loop_stop closes what the loop itself holds open, so that uv_run can end
 * once everything else is closed; then loop_clear. What is posted after
 * that is not run: loop_take_post. */
void loop_stop(struct loop *loop);
void loop_clear(struct loop *loop);

/* loop_run runs until nothing is left. */
void loop_run(struct loop *loop);

/* loop_post has post->run called on the loop's thread. post is borrowed until
 * then; run may free it. Posts run in the order they came. */
void loop_post(struct loop *loop, struct post *post);

/* loop_take_post takes back the first post that has not been run, once the loop
 * has ended; NULL: none. */
struct post *loop_take_post(struct loop *loop);

/* loop_note_read tells of bytes that came: where a turn brings large pieces
 * alone, and not much of them, the next waits a moment for more. */
static inline void loop_note_read(struct loop *loop, size_t len)
{
	if (len >= LOOP_LARGE)
		loop->bulk += len;
	else if (len > 0)
		loop->others = true;
}

/* loop_now is the time of this turn in ms, monotonic. */
static inline uint64_t loop_now(const struct loop *loop)
{
	return uv_now(&loop->uv);
}

#endif
