#include "proxy/core/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "proxy/net/clock.h"

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

int channel_pair(int out[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out);
}

void channel_set_patience(int channel, int seconds)
{
	struct timeval patience = {.tv_sec = seconds};

	(void)setsockopt(channel, SOL_SOCKET, SO_SNDTIMEO, &patience,
		sizeof(patience));
}

static void put_fd(struct msghdr *msg, union control *control, int fd)
{
	struct cmsghdr *header;

	memset(control, 0, sizeof(*control));
	msg->msg_control = control->room;
	msg->msg_controllen = sizeof(control->room);
	header = CMSG_FIRSTHDR(msg);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
}

/* keep keeps the first, and closes what else came along: the room for one is
 * padded to that for two. */
static void keep(int *kept, int fd)
{
	if (*kept < 0)
		*kept = fd;
	else
		close(fd);
}

static int take_fd(struct msghdr *msg)
{
	struct cmsghdr *header;
	int kept = -1, fd;

	for (header = CMSG_FIRSTHDR(msg); header;
		header = CMSG_NXTHDR(msg, header)) {
		if (header->cmsg_level != SOL_SOCKET ||
		    header->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0);
			at + sizeof(fd) <= header->cmsg_len; at += sizeof(fd)) {
			memcpy(&fd, (uint8_t *)header + at, sizeof(fd));
			keep(&kept, fd);
		}
	}
	return kept;
}

int channel_send(int channel, const struct message *message, int fd)
{
	struct iovec io = {(void *)(uintptr_t)message, sizeof(*message)};
	struct msghdr msg = {.msg_iov = &io, .msg_iovlen = 1};
	union control control;
	ssize_t sent;

	if (fd >= 0)
		put_fd(&msg, &control, fd);
	do
		sent = sendmsg(channel, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)sizeof(*message) ? 0 : -1;
}

int channel_tell(int channel, enum message_kind kind, uint32_t number,
	const char *text, int fd)
{
	struct message message = {.kind = kind, .number = number};

	snprintf(message.text, sizeof(message.text), "%s", text ? text : "");
	return channel_send(channel, &message, fd);
}

int channel_receive(int channel, struct message *out, int *out_fd)
{
	struct iovec io = {out, sizeof(*out)};
	union control control;
	struct msghdr msg = {
		.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	ssize_t got;

	do
		got = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	*out_fd = got > 0 ? take_fd(&msg) : -1;
	if (got == 0 || (got < 0 && errno == ECONNRESET))
		return 0;
	if (got == (ssize_t)sizeof(*out) && !(msg.msg_flags & MSG_TRUNC)) {
		out->text[MESSAGE_TEXT - 1] = '\0';
		return 1;
	}
	if (*out_fd >= 0)
		close(*out_fd);
	*out_fd = -1;
	errno = got < 0 ? errno : EPROTO;
	return -1;
}

/* wait_until: 1, there is something to be received. */
static int wait_until(int channel, int64_t until)
{
	struct pollfd at = {.fd = channel, .events = POLLIN};
	int64_t left;
	int got;

	do {
		left = until - clock_ms();
		got = poll(&at, 1, left > 0 ? (int)left : 0);
	} while (got < 0 && errno == EINTR);
	if (got == 0)
		errno = ETIMEDOUT;
	return got > 0 ? 1 : -1;
}

int channel_await(int channel, enum message_kind kind, uint32_t number,
	int seconds)
{
	int64_t until = clock_ms() + (int64_t)seconds * 1000;
	struct message message = {0};
	int fd, got;

	do {
		if (wait_until(channel, until) < 0)
			return -1;
		got = channel_receive(channel, &message, &fd);
		if (fd >= 0)
			close(fd);
		if (got == 0)
			errno = EPIPE;
		if (got <= 0)
			return -1;
		if (message.kind == kind && message.number == number)
			return 0;
	} while (clock_ms() < until);
	errno = ETIMEDOUT;
	return -1;
}
