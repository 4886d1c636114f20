#include "proxy/logbook/trail.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BACK = 1 << 20 }; /* bytes before the end of a file, to begin with */

/* take has that file read; what was before is closed. */
static int take(struct trail *trail, const char *path)
{
	struct stat info;
	int fd = lines_file(path, &info);

	if (fd < 0)
		return -1;
	lines_close(&trail->lines);
	lines_open(&trail->lines, fd);
	trail->info = info;
	trail->columns = (struct entry_columns){.num = 0};
	return 0;
}

/* skip goes to where the last lines begin, by way of the headings. */
static void skip(struct trail *trail)
{
	struct entry entry = {.line = NULL};
	const char *line;
	size_t len;

	if (!S_ISREG(trail->info.st_mode) || trail->info.st_size <= BACK)
		return;
	line = lines_next(&trail->lines, &len);
	if (line)
		(void)entry_read(&entry, line, len, &trail->columns);
	entry_clear(&entry);
	lines_drop(&trail->lines);
	trail->lines.passing = true;
	(void)lseek(trail->lines.fd, trail->info.st_size - BACK, SEEK_SET);
}

int trail_open(struct trail *trail, const char *path)
{
	*trail = (struct trail){.path = path, .lines = {.fd = -1}};
	trail->is_input = strcmp(path, "-") == 0;
	if (take(trail, path) != 0)
		return -1;
	skip(trail);
	return 0;
}

void trail_close(struct trail *trail)
{
	lines_close(&trail->lines);
}

static bool is_same(const struct trail *trail, const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && info.st_dev == trail->info.st_dev &&
		info.st_ino == trail->info.st_ino;
}

/* follower gives the name of what comes after what is read, which is no longer
 * called path. */
static const char *follower(const struct trail *trail, char name[PATH_MAX])
{
	for (int i = 1; i <= LINES_ROTATED_MAX; i++) {
		snprintf(name, PATH_MAX, "%s.%d", trail->path, i);
		if (!is_same(trail, name))
			continue;
		if (i == 1)
			return trail->path;
		snprintf(name, PATH_MAX, "%s.%d", trail->path, i - 1);
		return name;
	}
	return trail->path;
}

/* is_cut: it is shorter than what has been read of it. */
static bool is_cut(const struct trail *trail)
{
	struct stat info;
	off_t at = lseek(trail->lines.fd, 0, SEEK_CUR);

	return at > 0 && fstat(trail->lines.fd, &info) == 0 &&
		S_ISREG(info.st_mode) && info.st_size < at;
}

/* settled: the file has been turned, and no more of it is to come: who writes it may
 * do so until it is told, so one that has just become FILE.1 is asked once more the
 * next time. */
static bool settled(struct trail *trail)
{
	bool before = trail->turned;
	char name[PATH_MAX];

	trail->turned = !is_same(trail, trail->path);
	if (!trail->turned)
		return false;
	return before || follower(trail, name) != trail->path;
}

/* go_on: whether there may be more now, in this file or its follower. */
static bool go_on(struct trail *trail, bool is_settled)
{
	char name[PATH_MAX];

	if (is_cut(trail)) {
		lines_drop(&trail->lines);
		return lseek(trail->lines.fd, 0, SEEK_SET) == 0;
	}
	if (!is_settled || take(trail, follower(trail, name)) != 0)
		return false;
	trail->turned = false;
	return true;
}

/* read_on reads what there is of this file, to its last line where that is not
 * ended and will not be. */
static bool read_on(struct trail *trail, struct entry *entry, bool is_last)
{
	const char *line;
	size_t len;

	do {
		line = lines_next(&trail->lines, &len);
		if (!line && is_last)
			line = lines_rest(&trail->lines, &len);
		if (line && entry_read(entry, line, len, &trail->columns) ==
				ENTRY_FINE)
			return true;
	} while (line);
	return false;
}

bool trail_next(struct trail *trail, struct entry *entry)
{
	bool is_settled;

	do {
		if (read_on(trail, entry, trail->is_input))
			return true;
		is_settled = !trail->is_input && settled(trail);
		if (is_settled && read_on(trail, entry, true))
			return true;
	} while (go_on(trail, is_settled));
	return false;
}
