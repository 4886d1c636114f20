#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/logbook/book.h"
#include "proxy/logbook/latest.h"
#include "proxy/logbook/trail.h"

static char folder[] = "/tmp/sallyport-logbook.XXXXXX", path[64];

/* line_of is a line of the log about a host. */
static const char *line_of(const char *host)
{
	static char line[256];

	snprintf(line, sizeof(line), "{\"time\":\"2026-11-20T12:00:00.000Z\","
		"\"host\":\"%s\"}\n", host);
	return line;
}

static void append(const char *name, const char *text)
{
	FILE *file = fopen(name, "a");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static const char *numbered(int number)
{
	static char name[80];

	snprintf(name, sizeof(name), "%s.%d", path, number);
	return name;
}

static int clean(void **state)
{
	(void)state;
	(void)unlink(path);
	for (int i = 1; i < 12; i++)
		(void)unlink(numbered(i));
	return 0;
}

/* hosts reads all of a book: "a b c". */
static const char *hosts(struct book *book)
{
	static char text[512];
	struct entry entry = {.line = NULL};
	size_t len = 0;

	text[0] = '\0';
	while (book_next(book, &entry))
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
			len > 0 ? " " : "", entry_text(&entry, ENTRY_host));
	entry_clear(&entry);
	return text;
}

static void the_oldest_comes_first(void **state)
{
	struct book book = {.num = 0};

	(void)state;
	append(path, line_of("e"));
	append(path, line_of("f"));
	append(numbered(1), line_of("d"));
	append(numbered(2), line_of("c"));
	append(numbered(10), line_of("a")); /* by number, not by name */
	append(numbered(9), line_of("b"));
	assert_int_equal(book_add(&book, path), 0);
	assert_int_equal(book_add_rotated(&book, path), 0);
	/* What is turned meanwhile is read all the same, and once. */
	assert_int_equal(rename(numbered(1), path), 0);
	assert_int_equal(book_add(&book, path), 0);
	assert_string_equal(hosts(&book), "a b c d e f");
	assert_int_equal(book.foreign, 0);
	book_close(&book);
}

static void what_is_foreign_is_counted(void **state)
{
	struct book book = {.num = 0};

	(void)state;
	append(path, "x\n\n");
	append(path, line_of("a"));
	append(path, "{\"time\":\"2026-11-\n");
	append(path, line_of("b"));
	append(path, "Event Time,host\r\n2026-11-20T12:00:00.000Z,c\r\n");
	append(path, "2026-11-20T12:00:00.000Z,d"); /* no end: whole anyway */
	assert_int_equal(book_add(&book, path), 0);
	assert_string_equal(hosts(&book), "a b c d");
	assert_int_equal(book.foreign, 2);
	book_close(&book);
	assert_int_equal(book_add(&book, folder), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(book_add(&book, numbered(7)), -1);
	assert_int_equal(errno, ENOENT);
	book_close(&book);
}

/* One that is longer than any of the log's is not kept in memory. */
static void long_lines_are_passed_over(void **state)
{
	static char part[1 << 16];
	struct book book = {.num = 0};

	(void)state;
	memset(part, 'x', sizeof(part) - 1);
	append(path, line_of("a"));
	for (int i = 0; i < 3 * (LINE_MAX_BYTES >> 16); i++)
		append(path, part);
	append(path, "\n");
	append(path, line_of("b"));
	assert_int_equal(book_add(&book, path), 0);
	assert_string_equal(hosts(&book), "a b");
	assert_int_equal(book.foreign, 1);
	assert_true(book.lines.cap <= LINE_MAX_BYTES);
	book_close(&book);
}

static void the_last_are_kept(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d", "e"};
	struct entry_columns columns = {.num = 0};
	struct entry entry = {.line = NULL};
	struct latest latest;

	(void)state;
	for (size_t max = 0; max < 7; max++) {
		latest_open(&latest, max);
		for (size_t i = 0; i < 5; i++) {
			const char *line = line_of(names[i]);

			assert_int_equal(entry_read(&entry, line,
				strlen(line) - 1, &columns), ENTRY_FINE);
			latest_add(&latest, &entry);
		}
		assert_int_equal(latest.num, max < 5 ? max : 5);
		assert_int_equal(latest_missing(&latest), 0);
		for (size_t i = 0; i < latest.num; i++)
			assert_non_null(strstr(latest_at(&latest, i),
				names[5 - latest.num + i]));
		latest_close(&latest);
	}
	entry_clear(&entry);
}

/* --- one that grows ----------------------------------------------------- */

/* more reads what has come: "a b". It asks thrice, as in as many moments. */
static const char *more(struct trail *trail)
{
	static char text[512];
	struct entry entry = {.line = NULL};
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; i < 3; i++) {
		while (trail_next(trail, &entry))
			len += (size_t)snprintf(text + len, sizeof(text) - len,
				"%s%s", len > 0 ? " " : "",
				entry_text(&entry, ENTRY_host));
	}
	entry_clear(&entry);
	return text;
}

static void lines_come_when_they_are_whole(void **state)
{
	struct trail trail;

	(void)state;
	append(path, line_of("a"));
	assert_int_equal(trail_open(&trail, path), 0);
	assert_string_equal(more(&trail), "a");
	assert_string_equal(more(&trail), "");
	append(path, "{\"time\":\"2026-11-20T12:00:00.000Z\",");
	assert_string_equal(more(&trail), "");
	append(path, "\"host\":\"b\"}\n");
	append(path, line_of("c"));
	assert_string_equal(more(&trail), "b c");
	trail_close(&trail);
}

static void turn(void)
{
	char from[80];

	for (int i = 5; i > 0; i--) {
		snprintf(from, sizeof(from), "%s", numbered(i));
		(void)rename(from, numbered(i + 1));
	}
	assert_int_equal(rename(path, numbered(1)), 0);
}

static void turning_loses_nothing(void **state)
{
	struct trail trail;

	(void)state;
	append(path, line_of("a"));
	assert_int_equal(trail_open(&trail, path), 0);
	assert_string_equal(more(&trail), "a");
	append(path, line_of("b"));
	turn();
	assert_string_equal(more(&trail), "b"); /* there is no other yet */
	append(path, line_of("d"));
	append(numbered(1), line_of("c")); /* who writes was not told yet */
	assert_string_equal(more(&trail), "c d");
	/* Thrice between two looks. */
	append(path, line_of("e"));
	turn();
	append(path, line_of("f"));
	turn();
	append(path, line_of("g"));
	turn();
	append(path, line_of("h"));
	assert_string_equal(more(&trail), "e f g h");
	trail_close(&trail);
}

static void cutting_begins_anew(void **state)
{
	struct trail trail;

	(void)state;
	append(path, line_of("a"));
	append(path, line_of("b"));
	assert_int_equal(trail_open(&trail, path), 0);
	assert_string_equal(more(&trail), "a b");
	assert_int_equal(truncate(path, 0), 0);
	append(path, line_of("c"));
	assert_string_equal(more(&trail), "c");
	trail_close(&trail);
}

/* Of a long file only the end is read, but its headings count. */
static void begins_near_the_end(void **state)
{
	struct trail trail;
	struct entry entry = {.line = NULL};
	FILE *file = fopen(path, "w");
	size_t num = 0;

	(void)state;
	assert_non_null(file);
	fputs("Event Time,host\r\n", file);
	for (int i = 0; i < 50000; i++)
		fprintf(file, "2026-11-20T12:00:00.000Z,h%d.test\r\n", i);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(trail_open(&trail, path), 0);
	while (trail_next(&trail, &entry)) {
		assert_memory_equal(entry.value[ENTRY_host], "h", 1);
		num++;
	}
	assert_in_range(num, 1000, 40000);
	assert_string_equal(entry_text(&entry, ENTRY_host), "h49999.test");
	entry_clear(&entry);
	trail_close(&trail);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_oldest_comes_first, clean),
		cmocka_unit_test_setup(what_is_foreign_is_counted, clean),
		cmocka_unit_test_setup(long_lines_are_passed_over, clean),
		cmocka_unit_test_setup(the_last_are_kept, clean),
		cmocka_unit_test_setup(lines_come_when_they_are_whole, clean),
		cmocka_unit_test_setup(turning_loses_nothing, clean),
		cmocka_unit_test_setup(cutting_begins_anew, clean),
		cmocka_unit_test_setup(begins_near_the_end, clean),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/log", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)clean(NULL);
	(void)rmdir(folder);
	return failed;
}
