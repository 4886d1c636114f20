#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/report/access.h"

static char folder[64], path[96], moved[104], socket_path[96], where[120];
static char err[200];
static const struct record record = { .host = "a.example" };

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/sallyport-target.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/access.log", folder);
	snprintf(moved, sizeof(moved), "%s.1", path);
	snprintf(socket_path, sizeof(socket_path), "%s/socket", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(moved);
	(void)unlink(socket_path);
	return rmdir(folder);
}

static char *read_file(const char *file)
{
	static char text[1 << 22];
	FILE *f = fopen(file, "r");
	size_t len = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[len] = '\0';
	if (f)
		(void)fclose(f);
	return text;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static struct access_log *open_log(const struct log_want *want,
	void (*full)(void *), void *arg)
{
	struct access_log *log;

	if (access_open(want, full, arg, &log, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return log;
}

static void log_one(const struct log_want *want)
{
	struct access_log *log = open_log(want, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);

	access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(log);
}

/* --- files -------------------------------------------------------------- */

static void csv_has_its_columns_once_a_file(void **state)
{
	struct log_want want = { .where = path, .format = LOG_CSV };
	const char *text;

	(void)state;
	log_one(&want);
	log_one(&want); /* added to what is there */
	text = read_file(path);
	assert_memory_equal(text, "Event Time,User,Policy Action,", 30);
	assert_int_equal(count(text, "Event Time,"), 1);
	assert_int_equal(count(text, "a.example"), 4); /* URL and host */
	assert_int_equal(count(text, "\r\n"), 3);
	assert_int_equal(rename(path, moved), 0);
	log_one(&want);
	assert_int_equal(count(read_file(path), "Event Time,"), 1);
}

static void another_format_begins_in_its_own_file(void **state)
{
	struct log_want json = { .where = path };
	struct log_want csv = { .where = moved, .format = LOG_CSV };
	struct access_log *log = open_log(&json, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);
	struct access_buffer *late = access_buffer_new(log);

	(void)state;
	access_write(buffer, &record);
	access_write(late, &record);
	assert_int_equal(access_reopen(log, &csv, err, sizeof(err)), 0);
	access_write(buffer, &record);
	access_buffer_free(buffer);
	access_buffer_free(late); /* JSON still */
	access_close(log);
	assert_int_equal(count(read_file(path), "{\"time\":"), 2);
	assert_int_equal(count(read_file(path), "\n"), 2);
	assert_int_equal(count(read_file(moved), "{"), 0);
	assert_int_equal(count(read_file(moved), "\r\n"), 2);
}

static void another_format_in_one_file_has_its_columns(void **state)
{
	struct log_want json = { .where = path };
	struct log_want csv = { .where = path, .format = LOG_CSV };
	struct access_log *log = open_log(&json, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);
	const char *text;

	(void)state;
	access_write(buffer, &record);
	access_buffer_free(buffer);
	assert_int_equal(access_reopen(log, &csv, err, sizeof(err)), 0);
	access_close(log);
	log_one(&csv);
	text = read_file(path);
	assert_int_equal(count(text, "Event Time,"), 1);
	assert_int_equal(count(text, "\r\n"), 2);
}

/* --- rotation ----------------------------------------------------------- */

struct turner {
	struct access_log *log;
	struct log_want want;
	atomic_uint asked, turned;
};

static void turn(void *arg)
{
	struct turner *turner = arg;

	atomic_fetch_add(&turner->asked, 1);
	if (atomic_load(&turner->turned) > 0)
		return;
	atomic_fetch_add(&turner->turned, 1);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(access_reopen(turner->log, &turner->want, err,
		sizeof(err)), 0);
}

static void a_full_file_is_told_of_and_no_line_is_lost(void **state)
{
	struct turner turner = { .want = { .where = path, .format = LOG_CSV,
		.rotate = 100000 } };
	struct access_buffer *buffer;
	const char *text;
	unsigned lines;

	(void)state;
	turner.log = open_log(&turner.want, turn, &turner);
	buffer = access_buffer_new(turner.log);
	for (int i = 0; i < 2000; i++)
		access_write(buffer, &record);
	access_flush(buffer);
	for (int i = 0; i < 10000 && !atomic_load(&turner.turned); i++)
		usleep(1000); /* the writing thread may be late */
	for (int i = 0; i < 2000; i++)
		access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(turner.log);
	assert_int_equal(atomic_load(&turner.turned), 1);
	text = read_file(moved);
	lines = count(text, "\r\n") - 1;
	assert_memory_equal(text, "Event Time,", 11);
	assert_string_equal(text + strlen(text) - 2, "\r\n");
	text = read_file(path);
	assert_memory_equal(text, "Event Time,", 11);
	assert_int_equal(lines + count(text, "\r\n") - 1, 4000);
}

/* Nobody who can: it grows on, and is not told of with every block. */
static void a_file_that_can_not_be_turned_grows(void **state)
{
	struct turner turner = { .want = { .where = path, .rotate = 100000 },
		.turned = 1 };
	struct access_buffer *buffer;

	(void)state;
	turner.log = open_log(&turner.want, turn, &turner);
	buffer = access_buffer_new(turner.log);
	for (int i = 0; i < 4000; i++)
		access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(turner.log);
	assert_int_equal(count(read_file(path), "\n"), 4000);
	assert_in_range(atomic_load(&turner.asked), 1, 100);
}

/* --- sockets ------------------------------------------------------------ */

static int listen_at(const char *word)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", socket_path);
	snprintf(where, sizeof(where), "%s:%s", word, socket_path);
	(void)unlink(socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof(patience));
	return fd;
}

static const char *heard(int fd)
{
	static char text[65536];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	assert_true(n > 0);
	text[n] = '\0';
	return text;
}

static void syslog_gets_a_datagram_a_line(void **state)
{
	int fd = listen_at("syslog");
	struct log_want want = { .where = where };
	struct access_log *log = open_log(&want, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);
	char id[40];

	(void)state;
	snprintf(id, sizeof(id), " sallyport[%ld]: {\"time\":", (long)getpid());
	for (int i = 0; i < 3; i++)
		access_write(buffer, &record);
	access_flush(buffer);
	for (int i = 0; i < 3; i++) {
		const char *text = heard(fd);

		assert_memory_equal(text, "<30>", 4);
		assert_int_equal(text[7], ' '); /* <30>Nov 30 08:00:00 */
		assert_memory_equal(text + 19, id, strlen(id));
		assert_int_equal(text[strlen(text) - 1], '}');
	}
	/* somebody else listens there now */
	close(fd);
	fd = listen_at("syslog");
	access_write(buffer, &record);
	access_flush(buffer);
	assert_non_null(strstr(heard(fd), "a.example"));
	access_buffer_free(buffer);
	access_close(log);
	close(fd);
}

static void the_journal_gets_fields(void **state)
{
	int fd = listen_at("journald");
	struct log_want want = { .where = where, .format = LOG_CSV };
	struct access_log *log = open_log(&want, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);

	(void)state;
	access_write(buffer, &record);
	access_write(buffer, &record);
	access_buffer_free(buffer);
	for (int i = 0; i < 2; i++) {
		const char *text = heard(fd);

		assert_memory_equal(text, "PRIORITY=6\n", 11);
		assert_int_equal(count(text, "\nSALLYPORT_HOST=a.example\n"), 1);
		assert_int_equal(count(text, "\n\n"), 0);
	}
	access_close(log);
	close(fd);
}

static void nobody_there_is_said(void **state)
{
	struct log_want want = { .where = "syslog:/nowhere/at/all" };
	struct access_log *log;

	(void)state;
	assert_int_equal(access_open(&want, NULL, NULL, &log, err,
		sizeof(err)), -1);
	assert_string_equal(err, "log.access: /nowhere/at/all: "
		"No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(csv_has_its_columns_once_a_file,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			another_format_begins_in_its_own_file, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			another_format_in_one_file_has_its_columns, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_full_file_is_told_of_and_no_line_is_lost, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_file_that_can_not_be_turned_grows, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(syslog_gets_a_datagram_a_line,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_journal_gets_fields, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(nobody_there_is_said, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
