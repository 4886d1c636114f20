/*
 * relay PORT TO-ADDRESS TO-PORT [splice] - the least a proxy can cost.
 *
 * Moves bytes between two sockets, one thread, 64 KiB at a time, or by
 * splice(2) through a pipe. It writes in blocking mode, so that one slow reader
 * stalls all: a floor to compare with, not a design.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 64, AT_ONCE = 65536, PIPE = 1 << 20 };

struct end {
	int fd, pipe[2];
	struct end *other;
	bool gone;
};

static int epoll;
static bool splicing;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(struct end *end)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = end};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, end->fd, &event) != 0)
		die("epoll_ctl");
}

static ssize_t move_by_copy(struct end *from)
{
	static char data[AT_ONCE];
	ssize_t got = recv(from->fd, data, sizeof(data), MSG_DONTWAIT), sent;

	for (ssize_t at = 0; at < got; at += sent) {
		sent = write(from->other->fd, data + at, (size_t)(got - at));
		if (sent <= 0)
			return 0;
	}
	return got;
}

static ssize_t move_by_splice(struct end *from)
{
	ssize_t got = splice(from->fd, NULL, from->pipe[1], NULL, PIPE,
		SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	ssize_t sent;

	for (ssize_t left = got; left > 0; left -= sent) {
		sent = splice(from->pipe[0], NULL, from->other->fd, NULL,
			(size_t)left, SPLICE_F_MOVE);
		if (sent <= 0)
			return 0;
	}
	return got;
}

static void open_end(struct end *end, int fd, struct end *other)
{
	int one = 1;

	end->fd = fd;
	end->other = other;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (splicing && pipe(end->pipe) != 0)
		die("pipe");
	if (splicing)
		(void)fcntl(end->pipe[1], F_SETPIPE_SZ, PIPE);
	watch(end);
}

static void close_end(struct end *end)
{
	end->gone = true;
	close(end->fd);
	if (splicing) {
		close(end->pipe[0]);
		close(end->pipe[1]);
	}
}

static void accept_one(const struct end *listener,
	const struct sockaddr_in *to)
{
	int in = accept(listener->fd, NULL, NULL), out;
	struct end *ends = calloc(2, sizeof(*ends));

	if (in < 0 || !ends)
		return;
	out = socket(AF_INET, SOCK_STREAM, 0);
	if (out < 0 || connect(out, (const void *)to, sizeof(*to)) != 0)
		die("connect");
	open_end(&ends[0], in, &ends[1]);
	open_end(&ends[1], out, &ends[0]);
}

/* The two ends are not freed: an event of this turn may name them still. */
static void move(struct end *end, unsigned events)
{
	ssize_t n = splicing ? move_by_splice(end) : move_by_copy(end);

	if (n > 0 || (n < 0 && (events & EPOLLIN)))
		return;
	close_end(end->other);
	close_end(end);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET}, to = at;
	struct end listener = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
	struct epoll_event events[EVENTS];
	struct end *end;
	int one = 1, n;

	if (argc < 4 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1)
		return 2;
	splicing = argc > 4;
	signal(SIGPIPE, SIG_IGN);
	at.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	to.sin_port = htons((uint16_t)strtoul(argv[3], NULL, 10));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	epoll = epoll_create1(0);
	(void)setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &one,
		sizeof(one));
	if (bind(listener.fd, (void *)&at, sizeof(at)) != 0 ||
		listen(listener.fd, 4096) != 0)
		die("bind");
	watch(&listener);
	for (;;) {
		n = epoll_wait(epoll, events, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			end = events[i].data.ptr;
			if (end == &listener)
				accept_one(end, &to);
			else if (!end->gone)
				move(end, events[i].events);
		}
	}
}
