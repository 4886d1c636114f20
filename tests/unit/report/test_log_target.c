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

static char folder[64], path[96], moved[104], socket_path[96], where[120];
static char err[200];
static const struct record record = { .host = "a.example" };

static char said[4096];

static void tell(void *arg, const char *text)
{
	size_t len = strlen(said);

	(void)arg;
	(void)snprintf(said + len, sizeof(said) - len, "%s\n", text);
}

static int set_up(void **state)
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

	struct access_calls calls = { .full = full, .tell = tell, .arg = arg };

	if (access_open(want, &calls, &log, err, sizeof(err)) != 0)
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

static void another_format_after_a_restart_has_its_columns(void **state)
{
	struct log_want json = { .where = path };
	struct log_want csv = { .where = path, .format = LOG_CSV };
	const char *text;

	(void)state;
	log_one(&json);
	log_one(&csv);
	log_one(&csv);
	text = read_file(path);
	assert_memory_equal(text, "{\"time\":", 8);
	assert_int_equal(count(text, "}\nEvent Time,"), 1);
	assert_int_equal(count(text, "Event Time,"), 1);
	assert_int_equal(count(text, "\n"), 4);
	log_one(&json);
	log_one(&csv);
	text = read_file(path);
	assert_int_equal(count(text, "}\nEvent Time,"), 2);
	assert_int_equal(count(text, "\n"), 7);
}

static void columns_of_another_version_are_others(void **state)
{
	static const char old[] = "Event Time,User\r\n2026-11-20,ann\r\n";
	struct log_want csv = { .where = path, .format = LOG_CSV };
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	assert_int_equal(fputs(old, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
	log_one(&csv);
	log_one(&csv);
	assert_memory_equal(read_file(path), old, sizeof(old) - 1);
	assert_int_equal(count(read_file(path), "Event Time,"), 2);
	assert_int_equal(count(read_file(path), "\r\n"), 5);
}

static void columns_far_above_are_known(void **state)
{
	struct log_want csv = { .where = path, .format = LOG_CSV };
	struct access_log *log = open_log(&csv, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);

	(void)state;
	for (int i = 0; i < 15000; i++)
		access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(log);
	log_one(&csv);
	assert_in_range(strlen(read_file(path)), 1500000, 4000000);
	assert_int_equal(count(read_file(path), "Event Time,"), 1);
}

/* Whoever wrote it was killed within a line. */
static void what_was_cut_is_ended(void **state)
{
	struct log_want want = { .where = path };
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	assert_int_equal(fputs("{\"time\":\"20", f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
	log_one(&want);
	assert_memory_equal(read_file(path), "{\"time\":\"20\n{\"time\":", 20);
	assert_int_equal(count(read_file(path), "\n"), 2);
}

/* --- what is lost ------------------------------------------------------- */

static void let_files_grow(rlim_t size)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* number_before is the number that stands before what. */
static unsigned number_before(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	assert_non_null(at);
	while (at > text && at[-1] >= '0' && at[-1] <= '9')
		at--;
	return (unsigned)strtoul(at, NULL, 10);
}

static void wait_for_drops(struct access_log *log)
{
	for (int i = 0; i < 10000 && access_dropped(log) == 0; i++)
		usleep(1000);
}

/* assert_whole: each line begins so, and nowhere else. */
static void assert_whole(const char *text, const char *begin)
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

static void a_full_disk_cuts_no_line(void **state)
{
	struct log_want want = { .where = path };
	struct access_log *log = open_log(&want, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);
	unsigned lost;
	const char *text;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	for (int round = 1; round <= 2; round++) {
		let_files_grow((rlim_t)round * 10007);
		for (int i = 0; i < 100; i++)
			access_write(buffer, &record);
		access_flush(buffer);
		wait_for_drops(log);
	}
	lost = (unsigned)access_dropped(log);
	assert_in_range(lost, 1, 199);
	let_files_grow(RLIM_INFINITY);
	for (int i = 0; i < 100; i++)
		access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(log);
	text = read_file(path);
	assert_whole(text, "{\"time\":");
	assert_int_equal(count(text, "\"dropped\":"), 1);
	lost = number_before(said, " were lost");
	assert_int_equal(count(text, "}\n{") + 1, 301 - lost);
	assert_int_equal(count(said, "File too large; lines are lost"), 1);
	assert_int_equal(count(said, "takes lines again"), 1);
	assert_int_equal(count(said, "\n"), 2);
}

static void what_no_device_takes_is_counted(void **state)
{
	struct log_want want = { .where = "/dev/full", .format = LOG_CSV };
	struct access_log *log = open_log(&want, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);

	(void)state;
	for (int i = 0; i < 500; i++)
		access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(log);
	assert_string_equal(said,
		"log.access: /dev/full: No space left on device; lines are "
		"lost until it takes them again\n"
		"log.access: /dev/full: 500 lines were lost\n");
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

enum { MANY = 3000 };

static unsigned drain(int fd)
{
	char text[2000];
	unsigned lines = 0;

	while (recv(fd, text, sizeof(text), MSG_DONTWAIT) > 0)
		lines++;
	return lines;
}

static struct access_buffer *wedge(const char *word, struct access_log **log,
	int *fd)
{
	struct access_buffer *buffer;
	struct log_want want = { .where = where };

	*fd = listen_at(word);
	*log = open_log(&want, NULL, NULL);
	buffer = access_buffer_new(*log);
	for (int i = 0; i < MANY; i++)
		access_write(buffer, &record);
	access_flush(buffer);
	return buffer;
}

static void a_socket_that_nobody_reads_is_left(void **state)
{
	struct log_want file = { .where = path };
	struct access_buffer *buffer;
	struct access_log *log;
	int fd;

	(void)state;
	buffer = wedge("syslog", &log, &fd);
	assert_int_equal(access_reopen(log, &file, err, sizeof(err)), 0);
	access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(log);
	assert_whole(read_file(path), "{\"time\":");
	assert_int_equal(drain(fd) + count(read_file(path), "\n"), MANY + 1);
	assert_string_equal(said, "");
	close(fd);
}

static void what_nobody_reads_in_the_end_is_counted(void **state)
{
	static const char *const words[] = { "syslog", "journald" };
	struct access_buffer *buffer;
	struct access_log *log;
	int fd;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		said[0] = '\0';
		buffer = wedge(words[i], &log, &fd);
		access_buffer_free(buffer);
		access_close(log);
		assert_int_equal(drain(fd) + number_before(said,
			" lines were lost"), MANY);
		close(fd);
	}
}

static size_t read_on(int fd, char *out)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, out + len, 4096)) > 0)
		len += (size_t)n;
	return len;
}

/* Its reader stops within a line, and another comes: it gets whole ones. */
static void a_pipe_changes_hands(void **state)
{
	static char url[40000];
	struct record long_one = { .url = url, .url_len = sizeof(url) };
	struct log_want want = { .where = path };
	struct access_buffer *buffer;
	struct access_log *log;
	char *text = calloc(1, 1 << 20), *line;
	size_t len;
	int fd;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	memset(url, 'u', sizeof(url));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(log_target_open(&want, err, sizeof(err)));
	assert_non_null(strstr(err, "nobody reads there"));
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	log = open_log(&want, NULL, NULL);
	buffer = access_buffer_new(log);
	for (int i = 0; i < 10; i++)
		access_write(buffer, &long_one);
	access_flush(buffer);
	usleep(100000); /* it is full now, most likely */
	close(fd);
	wait_for_drops(log);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_non_null(text);
	len = read_on(fd, text); /* what the first has left there */
	access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(log);
	read_on(fd, text + len);
	line = strstr(text, "\"host\":\"a.example\"");
	assert_non_null(line);
	while (line > text && line[-1] != '\n')
		line--;
	assert_memory_equal(line, "{\"time\":", 8);
	assert_int_equal(count(said, "Broken pipe; lines are lost"), 1);
	free(text);
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
	assert_int_equal(access_open(&want, NULL, &log, err,
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
			another_format_after_a_restart_has_its_columns, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			columns_of_another_version_are_others, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(columns_far_above_are_known,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_cut_is_ended, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_full_disk_cuts_no_line,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_no_device_takes_is_counted,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_socket_that_nobody_reads_is_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_nobody_reads_in_the_end_is_counted, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_pipe_changes_hands, set_up,
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
