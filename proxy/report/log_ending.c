#include "proxy/report/log_ending.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Headings that are further up than that are at the beginning. */
enum { BACK = 1 << 20 };

/* open_to_read opens the file itself, whatever it is called by now. */
static int open_to_read(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	char name[40];

	if (flags >= 0 && (flags & O_ACCMODE) == O_RDWR)
		return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static size_t read_at(int fd, char *out, size_t size, off_t at)
{
	ssize_t n = pread(fd, out, size, at);

	return n > 0 ? (size_t)n : 0;
}

static bool begins(const char *at, const char *end, const char *with,
	size_t len)
{
	return (size_t)(end - at) >= len && memcmp(at, with, len) == 0;
}

/* is_titled: the headings that hold for the end of text are these. file is where
 * they are looked for if text, its last part, has none. */
static bool is_titled(int file, const char *text, const char *end,
	const struct json_line *titles)
{
	size_t first = 1 + (size_t)((char *)memchr(titles->text, ',',
		titles->len) - titles->text);
	const char *found = NULL, *last = text;
	char *begin;
	bool same;

	for (const char *at = text; at && at < end;) {
		last = at;
		if (begins(at, end, titles->text, first))
			found = at;
		at = memchr(at, '\n', (size_t)(end - at));
		at += at != NULL;
	}
	if (last < end && *last == '{')
		return false;
	if (found)
		return begins(found, end, titles->text, titles->len);
	begin = malloc(titles->len);
	if (!begin)
		abort();
	same = read_at(file, begin, titles->len, 0) == titles->len &&
		memcmp(begin, titles->text, titles->len) == 0;
	free(begin);
	return same;
}

/* look at the last part of the file, from the first whole line in it on. */
static void look(int file, off_t size, const struct json_line *titles,
	struct log_ending *out)
{
	off_t from = size > BACK ? size - BACK : 0;
	char *part = malloc(BACK);
	const char *text = part, *end;

	if (!part)
		abort();
	end = part + read_at(file, part, BACK, from);
	if (end > part)
		out->cut = end[-1] != '\n';
	if (from > 0)
		text = memchr(part, '\n', (size_t)(end - part));
	text = !text ? end : text + (from > 0);
	if (titles->len > 0)
		out->titled = is_titled(file, text, end, titles);
	free(part);
}

struct log_ending log_ending_of(int fd, enum log_form form)
{
	struct log_ending ending = {.titled = true};
	struct json_line titles = {0};
	int file = open_to_read(fd);
	struct stat info;

	if (file < 0)
		return ending;
	log_line_header(&titles, form);
	if (fstat(file, &info) == 0 && S_ISREG(info.st_mode))
		look(file, info.st_size, &titles, &ending);
	free(titles.text);
	close(file);
	return ending;
}

void log_ending_mend(int fd, enum log_form form)
{
	struct json_line wanting = {0};
	struct log_ending ending;
	struct stat info;

	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0)
		return;
	ending = log_ending_of(fd, form);
	if (ending.cut) {
		*json_room(&wanting, 1) = '\n';
		wanting.len++;
	}
	if (!ending.titled)
		log_line_header(&wanting, form);
	/* Where the disk is full, the worker will say so. */
	if (wanting.len > 0)
		(void)!write(fd, wanting.text, wanting.len);
	free(wanting.text);
}
