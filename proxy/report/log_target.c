#include "proxy/report/log_target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proxy/config/handed.h"
#include "proxy/report/log_ending.h"

/* --- lines --------------------------------------------------------------- */

static const char *end_of(const struct log_target *target)
{
	return target->kind == TARGET_JOURNAL ? "\n\n" : "\n";
}

void log_target_lose(struct log_target *target, const char *data, size_t len)
{
	const char *end = end_of(target), *found;

	while ((found = memmem(data, len, end, strlen(end)))) {
		target->lost++;
		found += strlen(end);
		len -= (size_t)(found - data);
		data = found;
	}
	target->cut |= target->within;
	target->within = false;
}

/* --- sockets ------------------------------------------------------------ */

static void hang_up(struct log_target *target)
{
	int why = errno;

	if (target->fd >= 0)
		(void)close(target->fd);
	target->fd = -1;
	errno = why;
}

static int connect_to(struct log_target *target)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	hang_up(target);
	target->fd = socket(AF_UNIX,
		SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	memcpy(at.sun_path, target->path, sizeof(target->path));
	if (target->fd >= 0 && connect(target->fd, (struct sockaddr *)&at,
			sizeof(at)) == 0)
		return 0;
	hang_up(target);
	return -1;
}

/* say sends a datagram; one that nobody takes is sent again once, to who listens
 * there now. -1 and errno; EAGAIN: not yet. */
static int say(struct log_target *target, const char *data, size_t len)
{
	for (int tries = 0; tries < 2; tries++) {
		ssize_t n;

		if (target->fd < 0 && connect_to(target) != 0)
			return -1;
		do {
			n = send(target->fd, data, len, MSG_NOSIGNAL);
		} while (n < 0 && errno == EINTR);
		if (n >= 0)
			return 0;
		if (errno == EAGAIN || errno == EMSGSIZE)
			return -1;
		hang_up(target);
	}
	return -1;
}

/* RFC 3164, 4.1, as libc's syslog writes it: 30 is of a daemon, informational. */
static size_t syslog_head(char *out, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;
	char when[32];

	localtime_r(&now, &tm);
	(void)strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
	return (size_t)snprintf(out, size, "<30>%s sallyport[%ld]: ", when,
		(long)getpid());
}

static int say_line(struct log_target *target, const char *line, size_t len)
{
	char head[80];
	size_t head_len = syslog_head(head, sizeof(head));
	char *text = malloc(head_len + len);
	int result, why;

	if (!text)
		abort();
	if (len > 0 && line[len - 1] == '\r')
		len--;
	memcpy(text, head, head_len);
	memcpy(text + head_len, line, len);
	result = say(target, text, head_len + len);
	why = errno;
	free(text);
	errno = why;
	return result;
}

/* say_each says what lies between two ends. Where nobody is, nobody is for the next
 * lines either; a line that is too long for a datagram is lost alone. */
static size_t say_each(struct log_target *target, const char *data, size_t len)
{
	const char *end = end_of(target), *at = data, *found;
	int result;

	while ((found = memmem(at, len - (size_t)(at - data), end,
			strlen(end)))) {
		target->error = 0;
		result = target->kind == TARGET_SYSLOG ?
			say_line(target, at, (size_t)(found - at)) :
			say(target, at, (size_t)(found - at));
		if (result != 0 && errno == EAGAIN)
			return (size_t)(at - data);
		if (result != 0)
			target->error = errno;
		if (result != 0 && errno != EMSGSIZE)
			break;
		target->lost += result != 0;
		at = found + strlen(end);
	}
	if (found)
		log_target_lose(target, at, len - (size_t)(at - data));
	return len;
}

/* --- files -------------------------------------------------------------- */

static size_t put_regular(struct log_target *target, const char *data,
	size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = write(target->fd, data + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			target->error = n < 0 ? errno : ENOSPC;
			break;
		}
		done += (size_t)n;
	}
	target->size += done;
	return done;
}

/* piece_of is what a pipe takes whole or not at all, whole lines if they fit. */
static size_t piece_of(const char *data, size_t len)
{
	const char *end;

	if (len <= PIPE_BUF)
		return len;
	end = memrchr(data, '\n', PIPE_BUF);
	return end ? (size_t)(end + 1 - data) : PIPE_BUF;
}

/* put_stream: others may have the descriptor as well, so it is not made one that
 * never waits; it is asked first. */
static size_t put_stream(struct log_target *target, const char *data,
	size_t len)
{
	struct pollfd ask = {.fd = target->fd, .events = POLLOUT};
	size_t done = 0, piece;
	ssize_t n;

	while (done < len && poll(&ask, 1, 0) > 0) {
		piece = piece_of(data + done, len - done);
		n = target->is_socket ? send(target->fd, data + done, piece,
			MSG_NOSIGNAL | MSG_DONTWAIT) :
			write(target->fd, data + done, piece);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0) {
			target->error = n < 0 ? errno : ENOSPC;
			break;
		}
		done += (size_t)n;
	}
	return done;
}

static size_t put(struct log_target *target, const char *data, size_t len)
{
	size_t done;

	target->error = 0;
	done = target->is_regular ? put_regular(target, data, len) :
		put_stream(target, data, len);
	if (done > 0)
		target->within = data[done - 1] != '\n';
	return done;
}

/* take_back cuts the beginning of a line off the file, unless somebody else has gone on
 * behind it. */
static void take_back(struct log_target *target, size_t len)
{
	off_t at = lseek(target->fd, 0, SEEK_CUR);
	struct stat info;

	if (len == 0 || !target->is_regular || at < (off_t)len ||
	    fstat(target->fd, &info) != 0 || info.st_size != at ||
	    ftruncate(target->fd, at - (off_t)len) != 0)
		return;
	(void)lseek(target->fd, at - (off_t)len, SEEK_SET);
	target->size -= len;
	target->within = false;
}

/* put_lines is log_target_write, but for the headings. */
static size_t put_lines(struct log_target *target, const char *data, size_t len)
{
	size_t done = 0, whole = 0;
	const char *end;

	if (target->cut && put(target, "\n", 1) == 1)
		target->cut = false;
	if (!target->cut)
		done = put(target, data, len);
	if (!target->error)
		return done;
	end = done > 0 ? memrchr(data, '\n', done) : NULL;
	if (end)
		whole = (size_t)(end + 1 - data);
	take_back(target, done - whole);
	log_target_lose(target, data + whole, len - whole);
	return len;
}

static void measure(struct log_target *target)
{
	struct stat info, other;

	if (fstat(target->fd, &info) != 0)
		return;
	target->is_stderr = fstat(STDERR_FILENO, &other) == 0 &&
		info.st_dev == other.st_dev && info.st_ino == other.st_ino;
	target->is_socket = S_ISSOCK(info.st_mode);
	target->is_regular = S_ISREG(info.st_mode);
	target->size = target->is_regular && info.st_size > 0 ?
		(uint64_t)info.st_size : 0;
}

/* need looks what must come before the first line. */
static void need(struct log_target *target)
{
	struct log_ending ending = {.titled = false};

	target->asked = true;
	measure(target);
	if (target->is_regular && target->size > 0) {
		ending = log_ending_of(target->fd, target->form);
		target->cut = ending.cut;
	}
	if (!ending.titled)
		log_line_header(&target->titles, target->form);
}

void log_target_begin(struct log_target *target)
{
	const struct json_line *titles = &target->titles;
	uint64_t lost = target->lost;
	size_t n;

	if (target->begun || target->kind != TARGET_FILE)
		return;
	if (!target->asked)
		need(target);
	target->error = 0;
	if (titles->len > target->titles_at) {
		n = put_lines(target, titles->text + target->titles_at,
			titles->len - target->titles_at);
		target->titles_at = target->error ? 0 : target->titles_at + n;
	}
	target->lost = lost;
	target->begun = target->titles_at == titles->len;
}

static size_t put_file(struct log_target *target, const char *data, size_t len)
{
	log_target_begin(target);
	if (target->begun)
		return put_lines(target, data, len);
	if (!target->error)
		return 0;
	log_target_lose(target, data, len);
	return len;
}

/* --- any ---------------------------------------------------------------- */

static const char *after(const char *text, const char *begin)
{
	size_t len = strlen(begin);

	return strncmp(text, begin, len) == 0 ? text + len : NULL;
}

/* take_socket: where it is WORD, the usual one, or for tests WORD:PATH. */
static bool take_socket(struct log_target *target, const char *where,
	const char *word, const char *usual)
{
	const char *rest = after(where, word);

	if (!rest || (rest[0] && rest[0] != ':'))
		return false;
	snprintf(target->path, sizeof(target->path), "%s",
		rest[0] ? rest + 1 : usual);
	return true;
}

static int open_file(struct log_target *target, const char *where)
{
	target->kind = TARGET_FILE;
	if (strcmp(where, "stdout") == 0) {
		target->fd = STDOUT_FILENO;
	} else if (strcmp(where, "stderr") == 0) {
		target->fd = STDERR_FILENO;
	} else {
		target->own_fd = true;
		target->fd = handed_open(where,
			O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK, 0600);
	}
	if (target->fd < 0)
		return -1;
	measure(target);
	return 0;
}

static int open_where(struct log_target *target, const char *where)
{
	target->fd = -1;
	if (strcmp(where, "none") == 0)
		return 0;
	if (take_socket(target, where, "syslog", "/dev/log"))
		target->kind = TARGET_SYSLOG;
	else if (take_socket(target, where, "journald",
			 "/run/systemd/journal/socket"))
		target->kind = TARGET_JOURNAL;
	else
		return open_file(target, where);
	target->own_fd = true;
	return connect_to(target);
}

/* why_not: by errno. */
static const char *why_not(const struct log_target *target)
{
	if (errno == ENXIO)
		return "nobody reads there; who does must have it open first";
	if (target->path[0] && (errno == ENOENT || errno == ECONNREFUSED))
		return "nobody takes lines there; start the service that does, or "
			"name stdout or a file";
	return strerror(errno);
}

struct log_target *log_target_open(const struct log_want *want, char *err,
	size_t err_size)
{
	struct log_target *target = calloc(1, sizeof(*target));

	if (!target)
		abort();
	target->form = want->format;
	target->name = strdup(want->where);
	if (!target->name)
		abort();
	if (open_where(target, want->where) != 0) {
		snprintf(err, err_size, "log.access: %s: %s",
			target->path[0] ? target->path : want->where,
			why_not(target));
		log_target_close(target);
		return NULL;
	}
	if (target->kind == TARGET_JOURNAL)
		target->form = LOG_JOURNAL;
	target->rotate = target->own_fd && target->is_regular ? want->rotate : 0;
	target->full_at = target->rotate;
	return target;
}

void log_target_close(struct log_target *target)
{
	if (!target)
		return;
	if (target->own_fd && target->fd >= 0)
		(void)close(target->fd);
	free(target->titles.text);
	free(target->name);
	free(target);
}

bool log_target_is_none(const struct log_target *target)
{
	return target->kind == TARGET_NONE;
}

/* is_same: they are of one pipe or device. */
static bool is_same(const struct log_target *a, const struct log_target *b)
{
	struct stat one, other;

	return a->kind == TARGET_FILE && b->kind == TARGET_FILE &&
		fstat(a->fd, &one) == 0 && fstat(b->fd, &other) == 0 &&
		one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool log_target_after(struct log_target *target,
	const struct log_target *before)
{
	if (target->is_regular || !is_same(target, before))
		return false;
	if (target->form == before->form && before->begun) {
		target->asked = target->begun = true;
		target->within = before->within;
		target->cut = before->cut;
		return true;
	}
	target->cut = before->cut || before->within;
	return false;
}

size_t log_target_write(struct log_target *target, const char *data, size_t len)
{
	switch (target->kind) {
	case TARGET_FILE:
		return put_file(target, data, len);
	case TARGET_SYSLOG:
	case TARGET_JOURNAL:
		return say_each(target, data, len);
	case TARGET_NONE:
	default:
		return len;
	}
}

bool log_target_is_full(struct log_target *target)
{
	if (target->rotate == 0 || target->size < target->full_at)
		return false;
	target->full_at = target->size + target->rotate / 10;
	return true;
}
