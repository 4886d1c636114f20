#include "proxy/report/log_target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proxy/config/handed.h"

/* --- sockets ------------------------------------------------------------ */

static int connect_to(struct log_target *target)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	if (target->fd >= 0)
		(void)close(target->fd);
	target->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	memcpy(at.sun_path, target->path, sizeof(target->path));
	if (target->fd >= 0 && connect(target->fd, (struct sockaddr *)&at,
			sizeof(at)) == 0)
		return 0;
	if (target->fd >= 0)
		(void)close(target->fd);
	target->fd = -1;
	return -1;
}

/* say sends a datagram; one that nobody takes is sent again once, to who listens
 * there now. */
static void say(struct log_target *target, const char *data, size_t len)
{
	for (int tries = 0; tries < 2; tries++) {
		ssize_t n;

		if (target->fd < 0 && connect_to(target) != 0)
			return;
		do {
			n = send(target->fd, data, len, MSG_NOSIGNAL);
		} while (n < 0 && errno == EINTR);
		if (n >= 0 || errno == EMSGSIZE)
			return;
		(void)close(target->fd);
		target->fd = -1;
	}
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

static void say_line(struct log_target *target, const char *line, size_t len)
{
	char head[80];
	size_t head_len = syslog_head(head, sizeof(head));
	char *text = malloc(head_len + len);

	if (!text)
		abort();
	if (len > 0 && line[len - 1] == '\r')
		len--;
	memcpy(text, head, head_len);
	memcpy(text + head_len, line, len);
	say(target, text, head_len + len);
	free(text);
}

/* each_line says what lies between two ends. */
static void each_line(struct log_target *target, const char *data, size_t len,
	const char *end, void (*one)(struct log_target *, const char *, size_t))
{
	const char *found;

	while ((found = memmem(data, len, end, strlen(end)))) {
		size_t line = (size_t)(found - data);

		one(target, data, line);
		data += line + strlen(end);
		len -= line + strlen(end);
	}
}

/* --- files -------------------------------------------------------------- */

static void write_all(struct log_target *target, const char *data, size_t len)
{
	ssize_t n;

	target->size += len;
	while (len > 0) {
		n = write(target->fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* a full disk, a closed pipe: nowhere to say so */
		data += n;
		len -= (size_t)n;
	}
}

static void measure(struct log_target *target)
{
	struct stat info;

	if (fstat(target->fd, &info) != 0 || !S_ISREG(info.st_mode))
		return;
	target->is_regular = true;
	target->size = info.st_size > 0 ? (uint64_t)info.st_size : 0;
}

/* --- any ---------------------------------------------------------------- */

static const char *after(const char *text, const char *begin)
{
	size_t len = strlen(begin);

	return strncmp(text, begin, len) == 0 ? text + len : NULL;
}

static bool is_socket(struct log_target *target, const char *where,
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
	if (strcmp(where, "stdout") == 0)
		target->fd = STDOUT_FILENO;
	else if (strcmp(where, "stderr") == 0)
		target->fd = STDERR_FILENO;
	else
		target->own_fd = true;
	if (target->own_fd)
		target->fd = handed_open(where,
			O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (target->fd >= 0)
		measure(target);
	return target->fd >= 0 ? 0 : -1;
}

static int open_where(struct log_target *target, const char *where)
{
	target->fd = -1;
	if (strcmp(where, "none") == 0)
		return 0;
	if (is_socket(target, where, "syslog", "/dev/log"))
		target->kind = TARGET_SYSLOG;
	else if (is_socket(target, where, "journald",
			 "/run/systemd/journal/socket"))
		target->kind = TARGET_JOURNAL;
	else
		return open_file(target, where);
	target->own_fd = true;
	return connect_to(target);
}

struct log_target *log_target_open(const struct log_want *want, char *err,
	size_t err_size)
{
	struct log_target *target = calloc(1, sizeof(*target));

	if (!target)
		abort();
	target->form = want->format;
	if (open_where(target, want->where) != 0) {
		snprintf(err, err_size, "log.access: %s: %s",
			target->path[0] ? target->path : want->where,
			strerror(errno));
		free(target);
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
	free(target);
}

bool log_target_is_none(const struct log_target *target)
{
	return target->kind == TARGET_NONE;
}

void log_target_begin(struct log_target *target)
{
	struct json_line line = {0};

	if (target->begun || target->kind != TARGET_FILE)
		return;
	target->begun = true;
	if (target->size > 0 && !target->turned)
		return;
	log_line_header(&line, target->form);
	if (line.len > 0)
		write_all(target, line.text, line.len);
	free(line.text);
}

void log_target_after(struct log_target *target,
	const struct log_target *before)
{
	struct stat now, then;

	target->turned = target->is_regular && before->is_regular &&
		target->form != before->form &&
		fstat(target->fd, &now) == 0 &&
		fstat(before->fd, &then) == 0 &&
		now.st_dev == then.st_dev && now.st_ino == then.st_ino;
}

void log_target_write(struct log_target *target, const char *data, size_t len)
{
	switch (target->kind) {
	case TARGET_FILE:
		write_all(target, data, len);
		break;
	case TARGET_SYSLOG:
		each_line(target, data, len, "\n", say_line);
		break;
	case TARGET_JOURNAL:
		each_line(target, data, len, "\n\n", say);
		break;
	case TARGET_NONE:
	default:
		break;
	}
}

bool log_target_is_full(struct log_target *target)
{
	if (target->rotate == 0 || target->size < target->full_at)
		return false;
	target->full_at = target->size + target->rotate / 10;
	return true;
}
