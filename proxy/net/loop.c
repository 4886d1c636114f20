#include "proxy/net/loop.h"

#include <stdlib.h>
#include <time.h>

#include "proxy/net/stream.h"

enum { MUCH = 512 * 1024 }; /* in a turn: more will be there at once */

/* Streams that another's work marks while we are at it are done in the same
 * sweep: the kernel is not asked to wait while anything is left to do. */
static void end_turn(struct loop *loop)
{
	struct stream *stream;

	while ((stream = loop->turn)) {
		loop->turn = stream->next_turn;
		stream->in_turn = false;
		stream_turn(stream);
	}
}

/* breathe waits a moment for more where a turn did nothing but move bulk, and not
 * much of it. Bulk comes in pieces of some 30 KB, and waking up for each costs as
 * much as moving it through a tunnel, and makes it no faster. With the slack that
 * Linux gives a thread's timers it is about 70 us; whoever else comes meanwhile
 * waits for that long. What was read has been passed on before. */
static void breathe(struct loop *loop)
{
	static const struct timespec moment = {.tv_nsec = 20 * 1000};

	if (loop->bulk > 0 && loop->bulk < MUCH && !loop->others)
		(void)nanosleep(&moment, NULL);
	loop->bulk = 0;
	loop->others = false;
}

static void on_prepare(uv_prepare_t *handle)
{
	struct loop *loop = handle->data;

	end_turn(loop);
	if (loop->resting)
		loop->resting(loop->arg);
	breathe(loop);
}

static void on_check(uv_check_t *handle)
{
	end_turn(handle->data);
}

static void on_async(uv_async_t *handle)
{
	struct loop *loop = handle->data;
	struct post *post, *next;

	loop->others = true;
	pthread_mutex_lock(&loop->lock);
	post = loop->posts;
	loop->posts = NULL;
	loop->posts_end = &loop->posts;
	pthread_mutex_unlock(&loop->lock);
	for (; post; post = next) {
		next = post->next;
		post->run(post);
	}
}

static void check(int result)
{
	if (result != 0)
		abort();
}

static uint8_t *scratch(size_t size)
{
	uint8_t *p = malloc(size);

	if (!p)
		abort();
	return p;
}

void loop_init(struct loop *loop)
{
	*loop = (struct loop){0};
	loop->posts_end = &loop->posts;
	loop->read = scratch(LOOP_READ_SIZE);
	loop->plain = scratch(LOOP_PLAIN_SIZE);
	splicer_init(&loop->splicer);
	pthread_mutex_init(&loop->lock, NULL);
	check(uv_loop_init(&loop->uv));
	check(uv_prepare_init(&loop->uv, &loop->prepare));
	check(uv_check_init(&loop->uv, &loop->check));
	check(uv_async_init(&loop->uv, &loop->async, on_async));
	loop->prepare.data = loop->check.data = loop->async.data = loop;
	check(uv_prepare_start(&loop->prepare, on_prepare));
	check(uv_check_start(&loop->check, on_check));
	/* Alone, these two must not keep the loop alive; async does, until
	 * loop_stop. */
	uv_unref((uv_handle_t *)&loop->prepare);
	uv_unref((uv_handle_t *)&loop->check);
}

void loop_stop(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	loop->stopped = true;
	pthread_mutex_unlock(&loop->lock);
	uv_close((uv_handle_t *)&loop->async, NULL);
}

void loop_run(struct loop *loop)
{
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	buffer_forget_spares();
}

void loop_clear(struct loop *loop)
{
	uv_close((uv_handle_t *)&loop->prepare, NULL);
	uv_close((uv_handle_t *)&loop->check, NULL);
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT);
	check(uv_loop_close(&loop->uv));
	pthread_mutex_destroy(&loop->lock);
	free(loop->read);
	free(loop->plain);
	splicer_clear(&loop->splicer);
	buffer_forget_spares();
}

struct post *loop_take_post(struct loop *loop)
{
	struct post *post;

	pthread_mutex_lock(&loop->lock);
	post = loop->posts;
	if (post)
		loop->posts = post->next;
	if (!loop->posts)
		loop->posts_end = &loop->posts;
	pthread_mutex_unlock(&loop->lock);
	return post;
}

void loop_post(struct loop *loop, struct post *post)
{
	pthread_mutex_lock(&loop->lock);
	post->next = NULL;
	*loop->posts_end = post;
	loop->posts_end = &post->next;
	if (!loop->stopped)
		(void)uv_async_send(&loop->async);
	pthread_mutex_unlock(&loop->lock);
}
