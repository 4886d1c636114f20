#include "proxy/core/frame_io.h"

#include <errno.h>
#include <sys/socket.h>

#include "pki/keeper_frame.h"

/* is_whole: of what was carried of it. */
static bool is_whole(ssize_t len)
{
	if (len >= 0)
		errno = 0;
	return len == (ssize_t)sizeof(struct keeper_frame);
}

bool frame_send(int fd, const struct keeper_frame *frame)
{
	ssize_t put;

	do
		put = send(fd, frame, sizeof(*frame), MSG_NOSIGNAL);
	while (put < 0 && errno == EINTR);
	return is_whole(put);
}

bool frame_receive(int fd, struct keeper_frame *frame)
{
	ssize_t got;

	do
		got = recv(fd, frame, sizeof(*frame), MSG_TRUNC);
	while (got < 0 && errno == EINTR);
	return is_whole(got);
}
