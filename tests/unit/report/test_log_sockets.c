/* Where lines go that is no file: syslog, the journal, pipes. */
#include "tests/unit/report/log_target_test.h"

static char where[120];

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
	wait_for_drops(log, 9); /* one may be in the pipe */
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
	assert_string_equal(err, "log.access: /nowhere/at/all: nobody takes "
		"lines there; start the service that does, or name stdout or a "
		"file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(syslog_gets_a_datagram_a_line),
		TEST(a_socket_that_nobody_reads_is_left),
		TEST(what_nobody_reads_in_the_end_is_counted),
		TEST(a_pipe_changes_hands),
		TEST(the_journal_gets_fields),
		TEST(nobody_there_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
