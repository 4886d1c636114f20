#include "proxy/logbook/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST = 64 << 10 };

int lines_file(const char *path, struct stat *out_info)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO :
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), why;

	if (fd < 0)
		return -1;
	why = fstat(fd, out_info) != 0 ? errno :
		S_ISDIR(out_info->st_mode) ? EISDIR : 0;
	if (why == 0)
		return fd;
	if (fd != STDIN_FILENO)
		close(fd);
	errno = why;
	return -1;
}

void lines_open(struct lines *lines, int fd)
{
	*lines = (struct lines){.fd = fd, .cap = FIRST};
	lines->buffer = malloc(FIRST);
	if (!lines->buffer)
		abort();
}

void lines_close(struct lines *lines)
{
	free(lines->buffer);
	if (lines->fd > STDIN_FILENO)
		close(lines->fd);
	*lines = (struct lines){.fd = -1};
}

void lines_drop(struct lines *lines)
{
	lines->begin = lines->end = lines->searched = 0;
	lines->passing = false;
}

/* make_room: at the end of the buffer, for what comes next of a line. */
static void make_room(struct lines *lines)
{
	size_t len = lines->end - lines->begin;

	memmove(lines->buffer, lines->buffer + lines->begin, len);
	lines->searched -= lines->begin;
	lines->begin = 0;
	lines->end = len;
	if (len < lines->cap)
		return;
	if (lines->cap >= LINE_MAX_BYTES) {
		lines->too_long += !lines->passing;
		lines_drop(lines);
		lines->passing = true;
		return;
	}
	lines->cap *= 2;
	lines->buffer = realloc(lines->buffer, lines->cap);
	if (!lines->buffer)
		abort();
}

static bool fill(struct lines *lines)
{
	ssize_t num;

	if (lines->end == lines->cap)
		make_room(lines);
	do {
		num = read(lines->fd, lines->buffer + lines->end,
			lines->cap - lines->end);
	} while (num < 0 && errno == EINTR);
	if (num < 0)
		lines->error = errno;
	if (num <= 0)
		return false;
	lines->end += (size_t)num;
	return true;
}

const char *lines_next(struct lines *lines, size_t *out_len)
{
	char *line, *newline;

	do {
		newline = lines->end == lines->searched ? NULL :
			memchr(lines->buffer + lines->searched, '\n',
				lines->end - lines->searched);
		if (!newline) {
			lines->searched = lines->end;
			continue;
		}
		line = lines->buffer + lines->begin;
		*out_len = (size_t)(newline - line);
		lines->begin = (size_t)(newline + 1 - lines->buffer);
		lines->searched = lines->begin;
		if (!lines->passing)
			return line;
		lines->passing = false;
	} while (lines->searched < lines->end || fill(lines));
	return NULL;
}

const char *lines_rest(struct lines *lines, size_t *out_len)
{
	const char *line = lines->buffer + lines->begin;

	*out_len = lines->end - lines->begin;
	if (*out_len == 0 || lines->passing)
		return NULL;
	lines_drop(lines);
	return line;
}
