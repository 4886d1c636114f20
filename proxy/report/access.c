#include "proxy/report/access.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

#include "proxy/report/log_line.h"

enum {
	HAND_OVER = 32 * 1024,
	CLOSE_WAIT_S = 2,
	BEHIND_MAX = 64 * 1024 * 1024,
};

/* How lines are to be written, in one number: workers read it for each. */
enum {
	STYLE_FORM = 0xff,   /* an enum log_form */
	STYLE_OFF = 0x100,   /* nowhere: not even written */
	STYLE_REDACT = 16,   /* from that bit on */
};

struct block {
	char *data; /* owned */
	size_t len;
	enum log_form form;
	struct block *next;
};

struct access_log {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct block *blocks; /* owned */
	size_t behind;
	uint64_t dropped; /* not told of yet */
	uint64_t all_dropped;
	struct log_target *target; /* owned: the writing thread's */
	struct log_target *old;  /* owned: the one of another form before; or NULL */
	struct log_target *next; /* owned: to be taken up; or NULL */
	bool ending;
	atomic_uint style;
	void (*full)(void *arg);
	void *arg;
};

struct access_buffer {
	struct access_log *log; /* borrowed */
	struct json_line line;
	enum log_form form;     /* of what is in line */
	uint64_t lines;
	struct log_clock clock;
};

/* --- the writing thread ------------------------------------------------- */

static void write_dropped(struct log_target *target, uint64_t dropped)
{
	struct record r = {.kind = RECORD_LOG, .dropped = dropped};
	struct log_clock clock = {0};
	struct json_line line = {0};

	log_line(&line, target->form, 0, &clock, &r);
	log_target_write(target, line.text, line.len);
	free(line.text);
}

/* target_of: blocks of the form before a change may still come. */
static struct log_target *target_of(struct access_log *log, enum log_form form)
{
	return log->old && log->old->form == form && log->target->form != form ?
		log->old : log->target;
}

static void write_blocks(struct access_log *log, struct block *blocks,
	uint64_t dropped)
{
	struct block *block, *tmp;

	LL_FOREACH_SAFE(blocks, block, tmp) {
		log_target_write(target_of(log, block->form), block->data,
			block->len);
		free(block->data);
		free(block);
	}
	if (dropped)
		write_dropped(log->target, dropped);
	if (log->full && log_target_is_full(log->target))
		log->full(log->arg);
}

/* take_up changes over to what access_reopen opened. */
static void take_up(struct access_log *log)
{
	if (!log->next)
		return;
	log_target_close(log->old);
	log->old = NULL;
	log_target_after(log->next, log->target);
	if (log->next->form == log->target->form)
		log_target_close(log->target);
	else
		log->old = log->target;
	log->target = log->next;
	log->next = NULL;
}

static void *writer(void *arg)
{
	struct access_log *log = arg;
	struct block *blocks;
	uint64_t dropped;
	bool ending = false;

	while (!ending) {
		pthread_mutex_lock(&log->lock);
		while (!log->blocks && !log->ending && !log->next)
			pthread_cond_wait(&log->wake, &log->lock);
		take_up(log);
		blocks = log->blocks;
		dropped = log->dropped;
		log->blocks = NULL;
		log->dropped = 0;
		log->behind = 0;
		ending = log->ending;
		pthread_mutex_unlock(&log->lock);
		log_target_begin(log->target);
		write_blocks(log, blocks, dropped);
	}
	return NULL;
}

/* --- opening ------------------------------------------------------------ */

static unsigned style_of(const struct log_want *want,
	const struct log_target *target)
{
	return (unsigned)target->form | want->redact << STYLE_REDACT |
		(log_target_is_none(target) ? STYLE_OFF : 0);
}

int access_open(const struct log_want *want, void (*full)(void *arg), void *arg,
	struct access_log **out, char *err, size_t err_size)
{
	struct access_log *log = calloc(1, sizeof(*log));

	if (!log)
		abort();
	log->target = log_target_open(want, err, err_size);
	if (!log->target) {
		free(log);
		return -1;
	}
	log->full = full;
	log->arg = arg;
	atomic_store(&log->style, style_of(want, log->target));
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->wake, NULL);
	if (pthread_create(&log->thread, NULL, writer, log) != 0)
		abort();
	*out = log;
	return 0;
}

int access_reopen(struct access_log *log, const struct log_want *want,
	char *err, size_t err_size)
{
	struct log_target *target = log_target_open(want, err, err_size);

	if (!target)
		return -1;
	pthread_mutex_lock(&log->lock);
	log_target_close(log->next);
	log->next = target;
	atomic_store(&log->style, style_of(want, target));
	pthread_cond_signal(&log->wake);
	pthread_mutex_unlock(&log->lock);
	return 0;
}

void access_close(struct access_log *log)
{
	struct timespec until;

	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	log->ending = true;
	pthread_cond_signal(&log->wake);
	pthread_mutex_unlock(&log->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_WAIT_S;
	if (pthread_timedjoin_np(log->thread, NULL, &until) != 0) {
		pthread_detach(log->thread);
		return; /* it hangs in a write; what it uses stays */
	}
	log_target_close(log->target);
	log_target_close(log->old);
	log_target_close(log->next);
	pthread_mutex_destroy(&log->lock);
	pthread_cond_destroy(&log->wake);
	free(log);
}

uint64_t access_dropped(struct access_log *log)
{
	uint64_t dropped;

	pthread_mutex_lock(&log->lock);
	dropped = log->all_dropped;
	pthread_mutex_unlock(&log->lock);
	return dropped;
}

/* --- buffers ------------------------------------------------------------ */

struct access_buffer *access_buffer_new(struct access_log *log)
{
	struct access_buffer *buffer = calloc(1, sizeof(*buffer));

	if (!buffer)
		abort();
	buffer->log = log;
	return buffer;
}

void access_buffer_free(struct access_buffer *buffer)
{
	if (!buffer)
		return;
	access_flush(buffer);
	free(buffer->line.text);
	free(buffer);
}

bool access_pending(const struct access_buffer *buffer)
{
	return buffer->line.len > 0;
}

void access_flush(struct access_buffer *buffer)
{
	struct access_log *log = buffer->log;
	struct block *block;
	bool fits;

	if (buffer->line.len == 0)
		return;
	block = calloc(1, sizeof(*block));
	if (!block)
		abort();
	block->data = buffer->line.text;
	block->len = buffer->line.len;
	block->form = buffer->form;
	pthread_mutex_lock(&log->lock);
	fits = log->behind + block->len <= BEHIND_MAX;
	if (fits) {
		LL_APPEND(log->blocks, block);
		log->behind += block->len;
	} else {
		log->dropped += buffer->lines;
		log->all_dropped += buffer->lines;
	}
	pthread_cond_signal(&log->wake);
	pthread_mutex_unlock(&log->lock);
	if (!fits) {
		free(block->data);
		free(block);
	}
	buffer->line = (struct json_line){0};
	buffer->lines = 0;
}

/* --- one line ----------------------------------------------------------- */

void access_write(struct access_buffer *buffer, const struct record *r)
{
	unsigned style = atomic_load_explicit(&buffer->log->style,
		memory_order_relaxed);
	enum log_form form = (enum log_form)(style & STYLE_FORM);

	if (style & STYLE_OFF)
		return;
	if (form != buffer->form)
		access_flush(buffer);
	buffer->form = form;
	log_line(&buffer->line, form, style >> STYLE_REDACT, &buffer->clock,
		r);
	buffer->lines++;
	if (buffer->line.len >= HAND_OVER)
		access_flush(buffer);
}
