#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/core/channel.h"

static int ends[2];
static struct message message;

static int set_up(void **state)
{
	(void)state;
	return channel_pair(ends);
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		if (ends[i] >= 0)
			close(ends[i]);
	}
	return 0;
}

static void receive(int *fd)
{
	memset(&message, 0xff, sizeof(message));
	assert_int_equal(channel_receive(ends[1], &message, fd), 1);
}

/* num_open is how many descriptors this process has. */
static int num_open(void)
{
	int num = 0;

	for (int fd = 0; fd < 256; fd++)
		num += fcntl(fd, F_GETFD) >= 0;
	return num;
}

static void stays_in_this_process(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		assert_true(fcntl(ends[i], F_GETFD) & FD_CLOEXEC);
}

static void carries_a_message(void **state)
{
	int fd = 99;

	(void)state;
	assert_int_equal(channel_tell(ends[0], MESSAGE_FILE, 13, "/etc/x",
		-1), 0);
	assert_int_equal(channel_tell(ends[0], MESSAGE_READY, 0, NULL, -1),
		0);
	receive(&fd);
	assert_int_equal(fd, -1);
	assert_int_equal(message.kind, MESSAGE_FILE);
	assert_int_equal(message.number, 13);
	assert_string_equal(message.text, "/etc/x");
	receive(&fd);
	assert_int_equal(message.kind, MESSAGE_READY);
	assert_string_equal(message.text, "");
}

/* One that takes nothing does not hold up who tells it. */
static void does_not_wait_for_good(void **state)
{
	int result = 0, sent = 0;

	(void)state;
	channel_set_patience(ends[0], 1);
	while (result == 0 && sent++ < 100000)
		result = channel_tell(ends[0], MESSAGE_RELOAD, 0, NULL, -1);
	assert_int_equal(result, -1);
	assert_int_equal(errno, EAGAIN);
}

static void carries_bytes(void **state)
{
	struct message sent = {.kind = MESSAGE_PASSPHRASE, .number = 1024};
	int fd;

	(void)state;
	memset(sent.text, 0xfe, 1024);
	sent.text[7] = '\0';
	assert_int_equal(channel_send(ends[0], &sent, -1), 0);
	receive(&fd);
	assert_memory_equal(&message, &sent, sizeof(sent));
}

static void carries_a_descriptor(void **state)
{
	int pipe_[2], fd = -1, before;
	char letter;

	(void)state;
	assert_int_equal(pipe(pipe_), 0);
	before = num_open();
	assert_int_equal(channel_tell(ends[0], MESSAGE_ASKER, 0, NULL,
		pipe_[1]), 0);
	assert_int_equal(num_open(), before); /* the sender's stays its own */
	receive(&fd);
	assert_true(fd >= 0 && fd != pipe_[1]);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(pipe_[0], &letter, 1), 1);
	close(fd);
	close(pipe_[0]);
	close(pipe_[1]);
}

static void ends_a_text_that_has_no_end(void **state)
{
	struct message sent = {.kind = MESSAGE_SOURCE};
	int fd;

	(void)state;
	memset(sent.text, 'x', sizeof(sent.text));
	assert_int_equal(channel_send(ends[0], &sent, -1), 0);
	receive(&fd);
	assert_int_equal(strlen(message.text), MESSAGE_TEXT - 1);
	sent.text[MESSAGE_TEXT - 1] = '\0'; /* one too long is cut */
	assert_int_equal(channel_tell(ends[0], MESSAGE_SOURCE, 0, sent.text,
		-1), 0);
	receive(&fd);
	assert_string_equal(message.text, sent.text);
}

static void tells_that_the_other_end_has_gone(void **state)
{
	int fd = 5;

	(void)state;
	close(ends[0]);
	ends[0] = -1;
	assert_int_equal(channel_receive(ends[1], &message, &fd), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(channel_tell(ends[1], MESSAGE_READY, 0, NULL, -1),
		-1); /* and no SIGPIPE */
	assert_int_equal(errno, EPIPE);
}

/* send_raw sends len bytes and that many descriptors, as a process would that
 * somebody else has taken over. */
static void send_raw(size_t len, size_t num_fds)
{
	static char bytes[sizeof(struct message) + 1];
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control = {0};
	struct iovec io = {bytes, len};
	struct msghdr msg = {.msg_iov = &io, .msg_iovlen = 1};
	int fds[4] = {0, 0, 0, 0};

	if (num_fds > 0) {
		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(num_fds * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(num_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds,
			num_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(ends[0], &msg, 0), len);
}

static void takes_only_what_is_a_message(void **state)
{
	static const size_t lens[] = {1, sizeof(struct message) - 1,
		sizeof(struct message) + 1};
	int fd, before = num_open();

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 5; j++) {
			send_raw(lens[i], j);
			fd = 5;
			errno = 0;
			assert_int_equal(channel_receive(ends[1], &message,
				&fd), -1);
			assert_int_equal(errno, EPROTO);
			assert_int_equal(fd, -1);
			assert_int_equal(num_open(), before);
		}
	}
}

/* A message has a descriptor at most: no more are ever kept. */
static void keeps_no_descriptor_too_many(void **state)
{
	int fd, before = num_open();

	(void)state;
	for (size_t num = 0; num < 5; num++) {
		send_raw(sizeof(struct message), num);
		assert_int_equal(channel_receive(ends[1], &message, &fd), 1);
		assert_int_equal(fd >= 0, num > 0);
		if (fd >= 0)
			close(fd);
		assert_int_equal(num_open(), before);
	}
}

static int await(uint32_t number)
{
	errno = 0;
	return channel_await(ends[1], MESSAGE_RULED, number, 0);
}

static void awaits_one_among_others(void **state)
{
	int before;

	(void)state;
	before = num_open();
	assert_int_equal(channel_tell(ends[0], MESSAGE_READY, 2, NULL,
		ends[0]), 0);
	assert_int_equal(channel_tell(ends[0], MESSAGE_RULED, 1, NULL, -1), 0);
	assert_int_equal(channel_tell(ends[0], MESSAGE_RULED, 2, NULL, -1), 0);
	errno = 0;
	assert_int_equal(channel_await(ends[1], MESSAGE_RULED, 2, 60), 0);
	assert_int_equal(num_open(), before);
	assert_int_equal(await(2), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(channel_tell(ends[0], MESSAGE_RULED, 3, NULL, -1), 0);
	assert_int_equal(await(4), -1);
	assert_int_equal(errno, ETIMEDOUT);
	close(ends[0]);
	ends[0] = -1;
	assert_int_equal(await(4), -1);
	assert_int_equal(errno, EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stays_in_this_process, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(carries_a_message, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(does_not_wait_for_good, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(carries_bytes, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(carries_a_descriptor, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(ends_a_text_that_has_no_end,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			tells_that_the_other_end_has_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(takes_only_what_is_a_message,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(awaits_one_among_others, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(keeps_no_descriptor_too_many,
			set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
