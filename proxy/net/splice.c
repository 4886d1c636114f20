#include "proxy/net/splice.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
	PIPE_SIZE = 1 << 20, /* what anybody may have, pipe(7) */
	MOST = 256 * 1024,   /* in one move: what is not taken is in memory */
};

void splicer_init(struct splicer *splicer)
{
	int ends[2];

	*splicer = (struct splicer){-1, -1};
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return;
	splicer->out = ends[0];
	splicer->in = ends[1];
	(void)fcntl(splicer->in, F_SETPIPE_SZ, PIPE_SIZE);
}

void splicer_clear(struct splicer *splicer)
{
	if (splicer->in >= 0) {
		(void)close(splicer->in);
		(void)close(splicer->out);
	}
	*splicer = (struct splicer){-1, -1};
}

/* A pipe that might hold somebody's bytes is not used again. */
static void renew(struct splicer *splicer)
{
	splicer_clear(splicer);
	splicer_init(splicer);
}

/* keep takes what is left out of the pipe; false: not all of it came. */
static bool keep(struct splicer *splicer, size_t len, struct buffer *rest)
{
	ssize_t n;

	while (len > 0) {
		n = read(splicer->out, buffer_reserve(rest, len), len);
		if (n <= 0)
			return false;
		buffer_commit(rest, (size_t)n);
		len -= (size_t)n;
	}
	return true;
}

static void pour(struct splicer *splicer, int to, struct buffer *rest,
	struct spliced *out)
{
	size_t left = out->in;
	ssize_t n;

	while (left > 0) {
		n = splice(splicer->out, NULL, to, NULL, left,
			SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (n <= 0)
			break;
		left -= (size_t)n;
	}
	out->out = out->in - left;
	if (left == 0)
		return;
	out->deaf = n == 0 || (errno != EAGAIN && errno != EINTR) ||
		!keep(splicer, left, rest);
	if (out->deaf)
		renew(splicer);
}

/* may_be_read: nothing has come, or splice(2) can't do it. All else is the
 * connection's own error, which the kernel tells once: who reads after that is
 * told of an end in order. */
static bool may_be_read(int error)
{
	return error == EAGAIN || error == EINTR || error == EINVAL ||
		error == ENOMEM || error == ENOSYS || error == EPERM;
}

enum splice_result splice_move(struct splicer *splicer, int from, int to,
	struct buffer *rest, struct spliced *out)
{
	ssize_t n;

	*out = (struct spliced){0};
	if (splicer->in < 0)
		splicer_init(splicer); /* descriptors may be had again */
	if (splicer->in < 0)
		return SPLICE_NOTHING;
	n = splice(from, NULL, splicer->in, NULL, MOST,
		SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (n == 0)
		return SPLICE_ENDED;
	if (n < 0)
		return may_be_read(errno) ? SPLICE_NOTHING : SPLICE_BROKE;
	out->in = (size_t)n;
	pour(splicer, to, rest, out);
	return SPLICE_MOVED;
}
