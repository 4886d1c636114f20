/*
 * log_target_test.h - a folder for logs, and what the tests of where lines go
 * have in common.
 */
#ifndef TESTS_UNIT_REPORT_LOG_TARGET_TEST_H
#define TESTS_UNIT_REPORT_LOG_TARGET_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/report/access.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static char folder[64], path[96], moved[104], socket_path[96];
static char err[200];
static const struct record record = { .host = "a.example" };

static char said[4096];

static inline void tell(void *arg, const char *text)
{
	size_t len = strlen(said);

	(void)arg;
	(void)snprintf(said + len, sizeof(said) - len, "%s\n", text);
}

static inline int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/sallyport-target.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/access.log", folder);
	snprintf(moved, sizeof(moved), "%s.1", path);
	snprintf(socket_path, sizeof(socket_path), "%s/socket", folder);
	said[0] = '\0';
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(moved);
	(void)unlink(socket_path);
	return rmdir(folder);
}

static inline char *read_file(const char *file)
{
	static char text[1 << 22];
	FILE *f = fopen(file, "r");
	size_t len = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[len] = '\0';
	if (f)
		(void)fclose(f);
	return text;
}

static inline unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static inline struct access_log *open_log(const struct log_want *want,
	void (*full)(void *), void *arg)
{
	struct access_log *log;

	struct access_calls calls = { .full = full, .tell = tell, .arg = arg };

	if (access_open(want, &calls, &log, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return log;
}

static inline void log_one(const struct log_want *want)
{
	struct access_log *log = open_log(want, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);

	access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(log);
}

/* number_before is the number that stands before what. */
static inline unsigned number_before(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	assert_non_null(at);
	while (at > text && at[-1] >= '0' && at[-1] <= '9')
		at--;
	return (unsigned)strtoul(at, NULL, 10);
}

static inline void wait_for_drops(struct access_log *log, uint64_t least)
{
	for (int i = 0; i < 10000 && access_dropped(log) < least; i++)
		usleep(1000);
}

/* assert_whole: each line begins so, and nowhere else. */
static inline void assert_whole(const char *text, const char *begin)
{
	const char *end, *other;

	for (; *text; text = end + 1) {
		assert_memory_equal(text, begin, strlen(begin));
		end = strchr(text, '\n');
		assert_non_null(end);
		other = strstr(text + 1, begin);
		assert_true(!other || other > end);
	}
}

#endif
