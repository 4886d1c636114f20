#include "proxy/report/access.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "proxy/config/handed.h"
#include "proxy/net/address.h"
#include "proxy/report/json_line.h"

enum {
	HAND_OVER = 32 * 1024,
	CLOSE_WAIT_S = 2,
	BEHIND_MAX = 64 * 1024 * 1024,
};

struct block {
	char *data; /* owned */
	size_t len;
	struct block *next;
};

struct access_log {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct block *blocks; /* owned */
	size_t behind;
	uint64_t dropped;
	int fd; /* the writing thread's; -1: none */
	bool own_fd, ending;
	int next_fd;      /* with has_next: to be taken up */
	bool next_own, has_next;
	atomic_bool off; /* "none": lines are not even written */
};

struct access_buffer {
	struct access_log *log; /* borrowed */
	struct json_line line;
	uint64_t lines;
	time_t second;   /* that text holds */
	char text[28];   /* "2026-11-20T23:16:00.000Z" */
};

/* --- the writing thread ------------------------------------------------- */

static void write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* a full disk, a closed pipe: nowhere to say so */
		data += n;
		len -= (size_t)n;
	}
}

static void write_dropped(int fd, uint64_t dropped)
{
	char line[96];
	int n = snprintf(line, sizeof(line),
		"{\"kind\":\"log\",\"dropped\":%llu}\n",
		(unsigned long long)dropped);

	write_all(fd, line, (size_t)n);
}

static void write_blocks(int fd, struct block *blocks, uint64_t dropped)
{
	struct block *block, *tmp;

	LL_FOREACH_SAFE(blocks, block, tmp) {
		if (fd >= 0)
			write_all(fd, block->data, block->len);
		free(block->data);
		free(block);
	}
	if (dropped && fd >= 0)
		write_dropped(fd, dropped);
}

/* take_up changes over to the file that access_reopen opened. */
static void take_up(struct access_log *log)
{
	if (!log->has_next)
		return;
	if (log->own_fd)
		(void)close(log->fd);
	log->fd = log->next_fd;
	log->own_fd = log->next_own;
	log->has_next = false;
}

static void *writer(void *arg)
{
	struct access_log *log = arg;
	struct block *blocks;
	uint64_t dropped;
	bool ending = false;

	while (!ending) {
		pthread_mutex_lock(&log->lock);
		while (!log->blocks && !log->ending && !log->has_next)
			pthread_cond_wait(&log->wake, &log->lock);
		take_up(log);
		blocks = log->blocks;
		dropped = log->dropped;
		log->blocks = NULL;
		log->dropped = 0;
		log->behind = 0;
		ending = log->ending;
		pthread_mutex_unlock(&log->lock);
		write_blocks(log->fd, blocks, dropped);
	}
	return NULL;
}

/* --- opening ------------------------------------------------------------ */

static int open_where(const char *where, int *out_fd, bool *out_own, char *err,
	size_t err_size)
{
	*out_own = false;
	*out_fd = -1;
	if (strcmp(where, "none") == 0)
		return 0;
	if (strcmp(where, "stdout") == 0)
		*out_fd = STDOUT_FILENO;
	else if (strcmp(where, "stderr") == 0)
		*out_fd = STDERR_FILENO;
	if (*out_fd >= 0)
		return 0;
	*out_fd = handed_open(where, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (*out_fd < 0) {
		snprintf(err, err_size, "log.access: %s: %s", where,
			strerror(errno));
		return -1;
	}
	*out_own = true;
	return 0;
}

int access_open(const char *where, struct access_log **out, char *err,
	size_t err_size)
{
	struct access_log *log = calloc(1, sizeof(*log));

	if (!log)
		abort();
	if (open_where(where, &log->fd, &log->own_fd, err, err_size) != 0) {
		free(log);
		return -1;
	}
	atomic_store(&log->off, log->fd < 0);
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->wake, NULL);
	if (pthread_create(&log->thread, NULL, writer, log) != 0)
		abort();
	*out = log;
	return 0;
}

int access_reopen(struct access_log *log, const char *where, char *err,
	size_t err_size)
{
	int fd;
	bool own;

	if (open_where(where, &fd, &own, err, err_size) != 0)
		return -1;
	pthread_mutex_lock(&log->lock);
	if (log->has_next && log->next_own)
		(void)close(log->next_fd);
	log->next_fd = fd;
	log->next_own = own;
	log->has_next = true;
	atomic_store(&log->off, fd < 0);
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
	if (log->own_fd)
		(void)close(log->fd);
	pthread_mutex_destroy(&log->lock);
	pthread_cond_destroy(&log->wake);
	free(log);
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
	pthread_mutex_lock(&log->lock);
	fits = log->behind + block->len <= BEHIND_MAX;
	if (fits) {
		LL_APPEND(log->blocks, block);
		log->behind += block->len;
	} else {
		log->dropped += buffer->lines;
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

static const char *kind_name(enum record_kind kind)
{
	static const char *const names[] = {
		[RECORD_EXCHANGE] = "exchange",
		[RECORD_TUNNEL] = "tunnel",
		[RECORD_RELAY] = "relay",
		[RECORD_REFUSED] = "refused",
	};

	return names[kind];
}

/* put_time writes the time to the millisecond (RFC 3339); all but that is made
 * anew only once a second. */
static void put_time(struct access_buffer *buffer)
{
	struct timespec now;
	struct tm tm;
	long ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != buffer->second) {
		gmtime_r(&now.tv_sec, &tm);
		(void)strftime(buffer->text, sizeof(buffer->text),
			"%Y-%m-%dT%H:%M:%S.000Z", &tm);
		buffer->second = now.tv_sec;
	}
	ms = now.tv_nsec / 1000000;
	buffer->text[20] = (char)('0' + ms / 100);
	buffer->text[21] = (char)('0' + ms / 10 % 10);
	buffer->text[22] = (char)('0' + ms % 10);
	json_text(&buffer->line, "time", buffer->text);
}

static void put_client(struct json_line *line, const struct sockaddr *client)
{
	char text[46];

	if (!client)
		return;
	address_text(client, text);
	json_text(line, "client", text);
}

static void put_decision(struct json_line *line, const struct record *r)
{
	json_text(line, "host", r->host);
	if (r->port)
		json_number(line, "port", r->port);
	json_text(line, "sni", r->sni);
	json_text(line, "rule", r->rule);
	json_text(line, "action", r->action);
	json_text(line, "url_rule", r->url_rule);
	json_text(line, "url_action", r->url_action);
	json_text(line, "reason", reason_word(r->reason));
	json_text(line, "why", r->why);
	if (r->sni)
		json_text(line, "names", r->names_differ ? "differ" : "same");
}

static void put_tls(struct json_line *line, const struct record *r)
{
	json_text(line, "client_tls", r->client_tls);
	json_text(line, "client_cipher", r->client_cipher);
	if (r->client_tls)
		json_bool(line, "resumed", r->client_resumed);
	json_text(line, "leaf", r->leaf);
	json_text(line, "origin_tls", r->origin_tls);
	json_text(line, "origin_cipher", r->origin_cipher);
	if (r->origin_tls)
		json_bool(line, "origin_resumed", r->origin_resumed);
	if (r->untrusted != REASON_OK)
		json_text(line, "untrusted", reason_word(r->untrusted));
	json_bool(line, "origin_reused", r->origin_reused);
}

static const char *listener_name(const struct record *r)
{
	if (r->proxy_tls)
		return "proxy-tls";
	return r->transparent ? "transparent" : "proxy";
}

void access_write(struct access_buffer *buffer, const struct record *r)
{
	struct json_line *line = &buffer->line;

	if (atomic_load_explicit(&buffer->log->off, memory_order_relaxed))
		return;
	json_open(line);
	put_time(buffer);
	json_text(line, "kind", kind_name(r->kind));
	put_client(line, r->client);
	json_text(line, "user", r->user);
	json_text(line, "listener", listener_name(r));
	put_decision(line, r);
	put_tls(line, r);
	json_bytes(line, "method", r->method, r->method_len);
	json_bytes(line, "url", r->url, r->url_len);
	if (r->status)
		json_number(line, "status", r->status);
	json_number(line, "bytes_in", r->bytes_in);
	json_number(line, "bytes_out", r->bytes_out);
	json_number(line, "ms", r->ms);
	json_number(line, "ms_origin", r->ms_origin);
	json_close(line);
	buffer->lines++;
	if (line->len >= HAND_OVER)
		access_flush(buffer);
}
