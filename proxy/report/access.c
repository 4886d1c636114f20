#include "proxy/report/access.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "proxy/net/clock.h"
#include "proxy/report/log_line.h"

enum {
	HAND_OVER = 32 * 1024, /* bytes of lines, in a block */
	BEHIND_MAX = 64 * 1024 * 1024, /* bytes that wait to be written */
	OLD_WAIT_MS = 2000, /* for what the log does not go to any more */
	END_WAIT_MS = 2000,
	CLOSE_WAIT_S = 3,   /* for a disk that hangs */
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
	uint64_t tells; /* lines that it says were lost; 0: it is an ordinary one */
	struct block *prev, *next;
};

struct access_log {
	pthread_t thread;
	int wake_fd;            /* an eventfd, of the writing thread */
	struct access_calls calls;
	atomic_uint style;
	pthread_mutex_t lock;   /* of what follows */
	struct block *blocks;   /* owned */
	size_t behind;
	uint64_t dropped;       /* not told of yet */
	uint64_t all_dropped;
	struct log_target *next; /* owned: to be taken up; or NULL */
	bool ending;

	/* The writing thread's. */
	struct log_target *target; /* owned */
	struct log_target *old; /* owned: the one of another form before; or NULL */
	int64_t old_until, end_until; /* 0: for ever */
	struct block *block;    /* owned: being written; or NULL */
	size_t at;              /* so much of it is */
	bool losing;            /* lines were lost, which has been said */
};

struct access_buffer {
	struct access_log *log; /* borrowed */
	struct json_line line;
	enum log_form form;     /* of what is in line */
	uint64_t lines;
	struct log_clock clock;
};

/* --- the writing thread ------------------------------------------------- */

static void wake(struct access_log *log)
{
	const uint64_t one = 1;

	while (write(log->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* make_block takes what is in line, whose next lines are of another block. */
static struct block *make_block(struct json_line *line, enum log_form form,
	uint64_t tells)
{
	struct block *block = calloc(1, sizeof(*block));

	if (!block)
		abort();
	*block = (struct block){.data = line->text, .len = line->len,
		.form = form, .tells = tells};
	*line = (struct json_line){0};
	return block;
}

static void free_block(struct block *block)
{
	if (block)
		free(block->data);
	free(block);
}

/* target_of: blocks of the form before a change may still come. */
static struct log_target *target_of(struct access_log *log,
	const struct block *block)
{
	return log->old && log->old->form == block->form &&
		log->target->form != block->form ? log->old : log->target;
}

/* begin_again: what is written of a line stays where that was. */
static void begin_again(struct access_log *log)
{
	const char *end = log->at > 0 ?
		memrchr(log->block->data, '\n', log->at) : NULL;

	log->at = end ? (size_t)(end + 1 - log->block->data) : 0;
}

/* take_up changes over to what access_reopen opened. */
static void take_up(struct access_log *log)
{
	if (!log->next)
		return;
	if (log->block && target_of(log, log->block) == log->old)
		begin_again(log);
	log_target_close(log->old);
	log->old = NULL;
	if (!log_target_after(log->next, log->target) && log->block &&
	    log->next->form == log->target->form)
		begin_again(log);
	if (log->next->form == log->target->form) {
		log_target_close(log->target);
	} else {
		log->old = log->target;
		log->old_until = clock_ms() + OLD_WAIT_MS;
	}
	log->target = log->next;
	log->next = NULL;
}

/* turn_to has the next block in hand, if there is one. False: that was the last. */
static bool turn_to(struct access_log *log)
{
	bool ending;

	pthread_mutex_lock(&log->lock);
	take_up(log);
	if (!log->block && log->blocks) {
		log->block = log->blocks;
		log->at = 0;
		log->behind -= log->block->len;
		DL_DELETE(log->blocks, log->block);
	}
	ending = log->ending;
	pthread_mutex_unlock(&log->lock);
	if (ending && log->end_until == 0)
		log->end_until = clock_ms() + END_WAIT_MS;
	return log->block || !ending;
}

static int64_t until_of(const struct access_log *log,
	const struct log_target *target)
{
	return log->end_until || target != log->old ? log->end_until :
						      log->old_until;
}

static void tell(struct access_log *log, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(struct access_log *log, const char *format, ...)
{
	char text[1024];
	va_list args;
	int begin;

	if (!log->calls.tell || log->target->is_stderr)
		return;
	begin = snprintf(text, sizeof(text), "log.access: %.500s",
		log->target->name);
	va_start(args, format);
	vsnprintf(text + begin, sizeof(text) - (size_t)begin, format, args);
	va_end(args);
	log->calls.tell(log->calls.arg, text);
}

/* count adds what the target has not taken to what was lost. What says so is no
 * line of anybody's. */
static void count(struct access_log *log, struct log_target *target,
	const struct block *block)
{
	uint64_t lost = block->tells ? 0 : target->lost;

	pthread_mutex_lock(&log->lock);
	log->dropped += lost;
	log->all_dropped += lost;
	pthread_mutex_unlock(&log->lock);
}

/* told: the block that says it has been written. */
static void told(struct access_log *log, uint64_t lines)
{
	pthread_mutex_lock(&log->lock);
	log->dropped -= lines;
	pthread_mutex_unlock(&log->lock);
	log->losing = false;
	tell(log, " takes lines again; %llu were lost",
		(unsigned long long)lines);
}

/* write_block writes what is taken of it. False: the rest is to wait. */
static bool write_block(struct access_log *log)
{
	struct block *block = log->block;
	struct log_target *target = target_of(log, block);
	int64_t until = until_of(log, target);

	target->lost = 0;
	log->at += log_target_write(target, block->data + log->at,
		block->len - log->at);
	if (log->at < block->len) {
		if (until == 0 || clock_ms() < until)
			return false;
		log_target_lose(target, block->data + log->at,
			block->len - log->at);
	}
	count(log, target, block);
	if (block->tells && target->lost == 0)
		told(log, block->tells);
	free_block(block);
	log->block = NULL;
	if (log->calls.full && log_target_is_full(log->target))
		log->calls.full(log->calls.arg);
	return true;
}

/* tell_block is the line of the log that says how many were lost. */
static struct block *tell_block(const struct access_log *log, uint64_t dropped)
{
	struct record r = {.kind = RECORD_LOG, .dropped = dropped};
	struct log_clock clock = {0};
	struct json_line line = {0};

	log_line(&line, log->target->form, 0, &clock, &r);
	return make_block(&line, log->target->form, dropped);
}

/* look_lost says that lines are lost, and once all is taken again how many. True:
 * the line that says so is in hand. */
static bool look_lost(struct access_log *log)
{
	uint64_t dropped;
	bool waiting;

	pthread_mutex_lock(&log->lock);
	dropped = log->dropped;
	waiting = log->block || log->blocks;
	pthread_mutex_unlock(&log->lock);
	if (dropped == 0)
		return false;
	if (!log->losing)
		tell(log, ": %s; lines are lost until it takes them again",
			log->target->error ? strerror(log->target->error) :
			"what reads it does not keep up");
	log->losing = true;
	if (waiting || log->target->error ||
	    (log->end_until && clock_ms() >= log->end_until))
		return false;
	log->block = tell_block(log, dropped);
	log->at = 0;
	return true;
}

/* pause_for waits for what there is to do, or for who takes what is in hand. */
static void pause_for(struct access_log *log)
{
	struct log_target *target = log->block ? target_of(log, log->block) :
		NULL;
	int64_t until = target ? until_of(log, target) : 0, left = -1;
	struct pollfd fds[] = {
		{.fd = log->wake_fd, .events = POLLIN},
		{.fd = target ? target->fd : -1, .events = POLLOUT},
	};
	uint64_t woken;

	if (until) {
		left = until - clock_ms();
		left = left > 0 ? left : 0;
	}
	if (poll(fds, 2, (int)left) > 0 && fds[0].revents)
		while (read(log->wake_fd, &woken, sizeof(woken)) < 0 &&
			errno == EINTR)
			;
}

static void *writer(void *arg)
{
	struct access_log *log = arg;
	bool done, more;

	while (turn_to(log)) {
		if (!log->block || target_of(log, log->block) == log->target)
			log_target_begin(log->target);
		done = log->block && write_block(log);
		more = look_lost(log);
		if (!done && !more)
			pause_for(log);
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

int access_open(const struct log_want *want, const struct access_calls *calls,
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
	if (calls)
		log->calls = *calls;
	atomic_store(&log->style, style_of(want, log->target));
	pthread_mutex_init(&log->lock, NULL);
	log->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (log->wake_fd < 0)
		abort();
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
	pthread_mutex_unlock(&log->lock);
	wake(log);
	return 0;
}

void access_close(struct access_log *log)
{
	struct timespec until;

	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	log->ending = true;
	pthread_mutex_unlock(&log->lock);
	wake(log);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += CLOSE_WAIT_S;
	if (pthread_timedjoin_np(log->thread, NULL, &until) != 0) {
		pthread_detach(log->thread);
		return; /* it hangs in a write; what it uses stays */
	}
	if (log->dropped > 0)
		tell(log, ": %llu lines were lost",
			(unsigned long long)log->dropped);
	log_target_close(log->target);
	log_target_close(log->old);
	log_target_close(log->next);
	pthread_mutex_destroy(&log->lock);
	(void)close(log->wake_fd);
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
	block = make_block(&buffer->line, buffer->form, 0);
	pthread_mutex_lock(&log->lock);
	fits = log->behind + block->len <= BEHIND_MAX;
	if (fits) {
		DL_APPEND(log->blocks, block);
		log->behind += block->len;
	} else {
		log->dropped += buffer->lines;
		log->all_dropped += buffer->lines;
	}
	pthread_mutex_unlock(&log->lock);
	wake(log);
	if (!fits)
		free_block(block);
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
