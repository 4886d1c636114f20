#include "proxy/logbook/book.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has(const struct book *book, const struct stat *info)
{
	for (size_t i = 0; i < book->num; i++) {
		if (book->pages[i].device == info->st_dev &&
		    book->pages[i].inode == info->st_ino)
			return true;
	}
	return false;
}

static void add(struct book *book, int fd, const struct stat *info)
{
	book->pages = realloc(book->pages,
		(book->num + 1) * sizeof(*book->pages));
	if (!book->pages)
		abort();
	book->pages[book->num++] =
		(struct page){fd, info->st_dev, info->st_ino};
}

int book_add(struct book *book, const char *path)
{
	struct stat info;
	int fd = lines_file(path, &info);

	if (fd < 0)
		return -1;
	if (!has(book, &info))
		add(book, fd, &info);
	else if (fd != STDIN_FILENO)
		close(fd);
	return 0;
}

int book_add_rotated(struct book *book, const char *path)
{
	char name[PATH_MAX];

	for (int i = 1; i <= LINES_ROTATED_MAX; i++) {
		if (snprintf(name, sizeof(name), "%s.%d", path, i) >=
		    (int)sizeof(name))
			break;
		if (book_add(book, name) != 0 && errno != ENOENT)
			return -1;
	}
	return 0;
}

/* turn goes on to the next file. */
static bool turn(struct book *book)
{
	if (book->num == 0)
		return false;
	lines_open(&book->lines, book->pages[--book->num].fd);
	book->columns = (struct entry_columns){.num = 0};
	book->reading = true;
	return true;
}

static void end_page(struct book *book)
{
	book->foreign += book->lines.too_long;
	if (book->lines.error)
		book->error = book->lines.error;
	lines_close(&book->lines);
	book->reading = false;
}

bool book_next(struct book *book, struct entry *entry)
{
	const char *line;
	size_t len;

	while (book->reading || turn(book)) {
		line = lines_next(&book->lines, &len);
		if (!line)
			line = lines_rest(&book->lines, &len);
		if (!line) {
			end_page(book);
			continue;
		}
		switch (entry_read(entry, line, len, &book->columns)) {
		case ENTRY_FINE:
			return true;
		case ENTRY_FOREIGN:
			book->foreign++;
			break;
		case ENTRY_HEADINGS:
		default:
			break;
		}
	}
	return false;
}

void book_close(struct book *book)
{
	if (book->reading)
		end_page(book);
	while (book->num > 0) {
		if (book->pages[--book->num].fd > STDIN_FILENO)
			close(book->pages[book->num].fd);
	}
	free(book->pages);
	*book = (struct book){.num = 0};
}
