#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/report/access.h"

enum { TEXT_MAX = 1 << 20 };

static char folder[64], path[96], moved[96], pipe_path[96];
static char err[200];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/sallyport-access.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/access.log", folder);
	snprintf(moved, sizeof(moved), "%s/access.log.1", folder);
	snprintf(pipe_path, sizeof(pipe_path), "%s/pipe", folder);
	return mkfifo(pipe_path, 0600);
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(moved);
	(void)unlink(pipe_path);
	return rmdir(folder);
}

static char *read_file(const char *file)
{
	static char text[TEXT_MAX];
	FILE *f = fopen(file, "r");
	size_t len;

	assert_non_null(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	(void)fclose(f);
	return text;
}

static unsigned lines_of(const char *text)
{
	unsigned lines = 0;

	for (; (text = strchr(text, '\n')); text++)
		lines++;
	return lines;
}

/* after_time is a line without its first field, which must be a time. */
static const char *after_time(const char *line)
{
	static const char form[] =
		"{\"time\":\"dddd-dd-ddTdd:dd:dd.dddZ\",";

	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'd')
			assert_in_range(line[i], '0', '9');
		else
			assert_int_equal(line[i], form[i]);
	return line + sizeof(form) - 1;
}

static struct access_log *open_log(const char *where)
{
	struct access_log *log = NULL;

	struct log_want want = { .where = where, .redact = LOG_REDACT_QUERY };

	assert_int_equal(access_open(&want, NULL, &log, err,
		sizeof(err)), 0);
	assert_non_null(log);
	return log;
}

static void log_one(const struct record *record)
{
	struct access_log *log = open_log(path);
	struct access_buffer *buffer = access_buffer_new(log);

	(void)unlink(moved);
	access_write(buffer, record);
	access_buffer_free(buffer);
	access_close(log);
}

static void writes_what_is_known(void **state)
{
	struct sockaddr_in client = { .sin_family = AF_INET };
	struct record record = {
		.kind = RECORD_EXCHANGE, .host = "a.example", .port = 443,
		.sni = "b.example", .rule = "Default", .action = "inspect",
		.location = "Berlin", .ja4 = "t13d", .origin_days = 90,
		.origin_wildcard = true, .alpn = "http/1.1x", .alpn_len = 8,
		.user_agent = "curl/8;", .user_agent_len = 6,
		.user = "ann", .url_rule = "Yes", .url_action = "allow",
		.names_differ = true, .client_tls = "TLSv1.3",
		.client_cipher = "TLS_AES_128_GCM_SHA256", .leaf = "forged",
		.client_resumed = true, .origin_tls = "TLSv1.2",
		.origin_cipher = "ECDHE", .origin_reused = true,
		.untrusted = REASON_CERT_SELF_SIGNED,
		.method = "GETX", .method_len = 3,
		.url = "https://a.example/\"\n?x", .url_len = 22,
		.reason = REASON_CERT_EXPIRED, .why = "since 2020",
		.status = 502, .bytes_in = 1, .bytes_out = 23, .ms = 4,
		.ms_origin = 3,
	};

	(void)state;
	client.sin_addr.s_addr = htonl(0xc0000201);
	record.client = (struct sockaddr *)&client;
	log_one(&record);
	assert_string_equal(after_time(read_file(path)),
		"\"user\":\"ann\","
		"\"policy_action\":\"Blocked: server certificate not trusted\","
		"\"location\":\"Berlin\","
		"\"url\":\"https://a.example/\\\"\\u000a\","
		"\"decrypted\":true,"
		"\"client_tls\":\"TLSv1.3\","
		"\"client_cipher\":\"TLS_AES_128_GCM_SHA256\","
		"\"resumed\":true,"
		"\"origin_tls\":\"TLSv1.2\",\"origin_cipher\":\"ECDHE\","
		"\"origin_resumed\":false,\"origin_verified\":false,"
		"\"origin_wildcard\":true,\"origin_days\":90,"
		"\"origin_self_signed\":true,"
		"\"fronted\":\"b.example\",\"alpn\":\"http/1.1\","
		"\"kind\":\"exchange\",\"client\":\"192.0.2.1\","
		"\"listener\":\"proxy\",\"host\":\"a.example\",\"port\":443,"
		"\"sni\":\"b.example\",\"names\":\"differ\","
		"\"rule\":\"Default\",\"action\":\"inspect\","
		"\"url_rule\":\"Yes\",\"url_action\":\"allow\","
		"\"reason\":\"origin-certificate-expired\","
		"\"why\":\"since 2020\",\"user_agent\":\"curl/8\","
		"\"ja4\":\"t13d\",\"leaf\":\"forged\","
		"\"untrusted\":\"origin-certificate-self-signed\","
		"\"origin_reused\":true,"
		"\"method\":\"GET\","
		"\"status\":502,\"bytes_in\":1,\"bytes_out\":23,\"ms\":4,"
		"\"ms_origin\":3}\n");
	assert_int_equal(unlink(path), 0);
}

static void leaves_out_what_is_not(void **state)
{
	struct sockaddr_in6 client = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct record record = { .kind = RECORD_REFUSED, .transparent = true,
		.client = (struct sockaddr *)&client };

	(void)state;
	log_one(&record);
	assert_string_equal(after_time(read_file(path)),
		"\"policy_action\":\"Allowed\",\"location\":\"transparent\","
		"\"kind\":\"refused\",\"client\":\"::1\","
		"\"listener\":\"transparent\",\"reason\":\"ok\","
		"\"origin_reused\":false,\"bytes_in\":0,\"bytes_out\":0,"
		"\"ms\":0,\"ms_origin\":0}\n");
	assert_int_equal(unlink(path), 0);
}

/* A client of IPv4 is one, whatever family its listener is of. */
static void knows_mapped_clients(void **state)
{
	struct sockaddr_in6 client = { .sin6_family = AF_INET6 };
	struct record record = { .kind = RECORD_TUNNEL,
		.client = (struct sockaddr *)&client };

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1",
		&client.sin6_addr), 1);
	log_one(&record);
	assert_non_null(strstr(read_file(path), "\"client\":\"192.0.2.1\""));
	assert_int_equal(unlink(path), 0);
}

static void names_the_listener(void **state)
{
	struct record record = { .kind = RECORD_EXCHANGE };

	(void)state;
	log_one(&record);
	record.proxy_tls = true;
	log_one(&record);
	assert_non_null(strstr(read_file(path), "\"listener\":\"proxy\""));
	assert_non_null(strstr(read_file(path), "\"listener\":\"proxy-tls\""));
	assert_int_equal(unlink(path), 0);
}

static void only_we_may_read_it(void **state)
{
	struct record record = {0};
	struct stat st;

	(void)state;
	log_one(&record);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	log_one(&record); /* added to what is there */
	assert_int_equal(lines_of(read_file(path)), 2);
	assert_int_equal(unlink(path), 0);
}

static bool came_within(const char *file, unsigned lines, unsigned ms)
{
	struct timespec pause = { .tv_nsec = 1000000 };

	for (; ms > 0; ms--) {
		if (lines_of(read_file(file)) >= lines)
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

static void hands_over_when_told_or_full(void **state)
{
	struct access_log *log = open_log(path);
	struct access_buffer *buffer = access_buffer_new(log);
	struct record record = { .host = "a.example" };
	unsigned lines = 0;

	(void)state;
	assert_false(access_pending(buffer));
	access_flush(buffer);
	access_write(buffer, &record);
	assert_true(access_pending(buffer));
	assert_int_equal(lines_of(read_file(path)), 0);
	access_flush(buffer);
	assert_false(access_pending(buffer));
	assert_true(came_within(path, 1, 5000));
	do {
		access_write(buffer, &record);
		lines++;
	} while (access_pending(buffer));
	assert_in_range(lines, 100, 1000); /* 32 KiB of them */
	assert_true(came_within(path, 1 + lines, 5000));
	access_buffer_free(buffer);
	access_close(log);
	assert_int_equal(unlink(path), 0);
}

static void close_writes_all(void **state)
{
	struct access_log *log = open_log(path);
	struct access_buffer *buffers[4];
	struct record record = { .host = "a.example" };
	const char *at;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		buffers[i] = access_buffer_new(log);
	for (unsigned i = 0; i < 4000; i++) {
		record.port = (uint16_t)(1 + i / 4);
		access_write(buffers[i % 4], &record);
	}
	for (size_t i = 0; i < 4; i++)
		access_buffer_free(buffers[i]);
	access_close(log);
	at = read_file(path);
	assert_int_equal(lines_of(at), 4000);
	for (; *at; at = strchr(at, '\n') + 1)
		(void)after_time(at); /* whole lines, none within another */
	assert_int_equal(unlink(path), 0);
}

static void reopens(void **state)
{
	struct access_log *log = open_log(path);
	struct access_buffer *buffer = access_buffer_new(log);
	struct record before = { .host = "before.example" };
	struct record after = { .host = "after.example" };
	struct log_want nowhere = { .where = "/nowhere/at/all" };
	struct log_want want = { .where = path };

	(void)state;
	access_write(buffer, &before);
	access_flush(buffer);
	assert_true(came_within(path, 1, 5000));
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(access_reopen(log, &nowhere, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "/nowhere/at/all"));
	access_write(buffer, &before); /* the old one still serves */
	access_flush(buffer);
	assert_true(came_within(moved, 2, 5000));
	assert_int_equal(access_reopen(log, &want, err, sizeof(err)), 0);
	access_write(buffer, &after);
	access_buffer_free(buffer);
	access_close(log);
	assert_int_equal(lines_of(read_file(moved)), 2);
	assert_null(strstr(read_file(moved), "after.example"));
	assert_int_equal(lines_of(read_file(path)), 1);
	assert_non_null(strstr(read_file(path), "after.example"));
	assert_int_equal(unlink(path), 0);
}

static void says_what_can_not_be_opened(void **state)
{
	struct log_want want = { .where = folder };
	struct access_log *log = NULL;

	(void)state;
	assert_int_equal(access_open(&want, NULL, &log, err,
		sizeof(err)), -1);
	assert_null(log);
	assert_non_null(strstr(err, folder));
	assert_non_null(strstr(err, "log.access"));
}

static void none_is_nowhere(void **state)
{
	struct access_log *log = open_log("none");
	struct access_buffer *buffer = access_buffer_new(log);
	struct record record = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(log);
	assert_int_equal(access(path, F_OK), -1);
}

/* Fill a pipe that nobody reads with more than may wait; then read it. */
static void drops_when_behind_and_says_so(void **state)
{
	static char url[30000], chunk[65536];
	struct record record = { .url = url, .url_len = sizeof(url) };
	struct access_buffer *buffer;
	struct access_log *log;
	uint64_t bytes = 0, lines = 0, dropped = 0, wrote = 0;
	int fd = open(pipe_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char *at, *tail, *told;
	ssize_t n;
	size_t kept = 0;

	(void)state;
	assert_true(fd >= 0);
	log = open_log(pipe_path);
	buffer = access_buffer_new(log);
	memset(url, 'u', sizeof(url));
	/* the first may wait in the writer's hands, 64 MiB behind it */
	for (; wrote < 4800; wrote++)
		access_write(buffer, &record);
	access_buffer_free(buffer);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	/* read until what was dropped is told; it comes last */
	tail = calloc(1, 2 * sizeof(chunk));
	assert_non_null(tail);
	while (!dropped && (n = read(fd, tail + kept, sizeof(chunk))) > 0) {
		bytes += (uint64_t)n;
		kept += (size_t)n;
		tail[kept] = '\0';
		while ((at = memchr(tail, '\n', kept))) {
			*at = '\0';
			if ((told = strstr(tail, "\"dropped\":")))
				dropped = strtoull(told + 10, NULL, 10);
			else
				lines++;
			at++;
			kept -= (size_t)(at - tail);
			memmove(tail, at, kept + 1);
		}
	}
	assert_true(dropped > 0);
	assert_int_equal(lines + dropped, wrote);
	assert_in_range(bytes, 60u << 20, 130u << 20);
	free(tail);
	access_close(log);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_is_known),
		cmocka_unit_test(leaves_out_what_is_not),
		cmocka_unit_test(knows_mapped_clients),
		cmocka_unit_test(names_the_listener),
		cmocka_unit_test(only_we_may_read_it),
		cmocka_unit_test(hands_over_when_told_or_full),
		cmocka_unit_test(close_writes_all),
		cmocka_unit_test(reopens),
		cmocka_unit_test(says_what_can_not_be_opened),
		cmocka_unit_test(none_is_nowhere),
		cmocka_unit_test(drops_when_behind_and_says_so),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
