#include "proxy/cli/tap.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "pki/base.h"

enum { PIPES_MAX = 64, READ = 16 * 1024, SEND_S = 5 };

struct pipe_ {
	int client, proxy;       /* -1: it is over */
	struct overheard heard;
	char answer[16];         /* the proxy's first words */
	size_t answer_len;
};

struct tap {
	int listener;
	uint16_t port;
	struct sockaddr_storage to;
	socklen_t to_len;
	char *canary;            /* owned */
	struct pipe_ pipes[PIPES_MAX];
	size_t num;
	struct tap_heard best;   /* of those that are over */
};

/* --- one connection ----------------------------------------------------- */

static unsigned status_of(const struct pipe_ *pipe)
{
	unsigned status = 0;

	if (sscanf(pipe->answer, "HTTP/1.%*1[01] %3u", &status) != 1)
		return 0;
	return status;
}

static void note(struct tap_heard *best, const struct pipe_ *pipe)
{
	unsigned status = status_of(pipe);

	if (pipe->heard.step > best->step)
		best->step = pipe->heard.step;
	if (status != 0)
		best->status = status;
}

static void end(struct tap *tap, struct pipe_ *pipe)
{
	if (pipe->client < 0)
		return;
	note(&tap->best, pipe);
	close(pipe->client);
	close(pipe->proxy);
	pipe->client = pipe->proxy = -1;
}

/* hear takes in what a side says; false: it is to go no farther. */
static bool hear(struct tap *tap, struct pipe_ *pipe, bool client,
	const uint8_t *at, size_t len)
{
	size_t room = sizeof(pipe->answer) - 1 - pipe->answer_len;

	if (client) {
		overheard_feed(&pipe->heard, tap->canary, at, len);
		if (pipe->heard.step < OVERHEARD_TLS)
			pipe->answer_len = 0; /* the one to this head counts */
		return pipe->heard.step != OVERHEARD_ELSEWHERE;
	}
	if (room > len)
		room = len;
	memcpy(pipe->answer + pipe->answer_len, at, room);
	pipe->answer_len += room;
	pipe->answer[pipe->answer_len] = '\0';
	return true;
}

/* carry: little is said here, and the kernel has room for it; who reads nothing at all for
 * SEND_S is given up. */
static void carry(struct tap *tap, struct pipe_ *pipe, bool client)
{
	int from = client ? pipe->client : pipe->proxy;
	int to = client ? pipe->proxy : pipe->client;
	uint8_t data[READ];
	ssize_t got = recv(from, data, sizeof(data), 0);

	if (got <= 0 || !hear(tap, pipe, client, data, (size_t)got) ||
	    send(to, data, (size_t)got, MSG_NOSIGNAL) != got)
		end(tap, pipe);
}

/* --- all of them -------------------------------------------------------- */

static int dial(const struct tap *tap)
{
	const struct timeval limit = {.tv_sec = SEND_S};
	int fd = socket(tap->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&tap->to, tap->to_len) == 0)
		return fd;
	close(fd);
	return -1;
}

/* sweep closes the ranks. */
static void sweep(struct tap *tap)
{
	size_t num = 0;

	for (size_t i = 0; i < tap->num; i++) {
		if (tap->pipes[i].client >= 0)
			tap->pipes[num++] = tap->pipes[i];
	}
	tap->num = num;
}

static void let_in(struct tap *tap)
{
	const struct timeval limit = {.tv_sec = SEND_S};
	int client = accept4(tap->listener, NULL, NULL, SOCK_CLOEXEC), proxy;

	if (client < 0)
		return;
	(void)setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit,
		sizeof(limit));
	proxy = tap->num < PIPES_MAX ? dial(tap) : -1;
	if (proxy < 0)
		close(client);
	else
		tap->pipes[tap->num++] = (struct pipe_){
			.client = client, .proxy = proxy};
}

void tap_turn(struct tap *tap, int wait_ms)
{
	struct pollfd all[1 + 2 * PIPES_MAX];
	size_t num = tap->num;

	all[0] = (struct pollfd){.fd = tap->listener, .events = POLLIN};
	for (size_t i = 0; i < num; i++) {
		all[1 + 2 * i] = (struct pollfd){.fd = tap->pipes[i].client,
			.events = POLLIN};
		all[2 + 2 * i] = (struct pollfd){.fd = tap->pipes[i].proxy,
			.events = POLLIN};
	}
	if (poll(all, 1 + 2 * num, wait_ms) <= 0)
		return;
	for (size_t i = 0; i < 2 * num; i++) {
		if (all[1 + i].revents && tap->pipes[i / 2].client >= 0)
			carry(tap, &tap->pipes[i / 2], i % 2 == 0);
	}
	if (all[0].revents)
		let_in(tap);
	sweep(tap);
}

struct tap_heard tap_heard(const struct tap *tap)
{
	struct tap_heard best = tap->best;

	for (size_t i = 0; i < tap->num; i++)
		note(&best, &tap->pipes[i]);
	return best;
}

void tap_begin(struct tap *tap)
{
	for (size_t i = 0; i < tap->num; i++)
		end(tap, &tap->pipes[i]);
	tap->num = 0;
	tap->best = (struct tap_heard){OVERHEARD_NOTHING, 0};
	(void)listen(tap->listener, PIPES_MAX); /* again does nothing */
}

/* --- its own ------------------------------------------------------------ */

static int resolve(struct tap *tap, const char *host, uint16_t port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	char service[8];

	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(host, service, &hints, &found) != 0)
		return -1;
	memcpy(&tap->to, found->ai_addr, found->ai_addrlen);
	tap->to_len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

/* take_port: who connects before tap_begin is refused, and need not wait for it. */
static int take_port(struct tap *tap)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	tap->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC |
		SOCK_NONBLOCK, 0);
	if (tap->listener < 0 ||
	    bind(tap->listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    getsockname(tap->listener, (struct sockaddr *)&at, &len) != 0)
		return -1;
	tap->port = ntohs(at.sin_port);
	return 0;
}

int tap_open(const char *host, uint16_t port, const char *canary,
	struct tap **out, char *err, size_t err_size)
{
	struct tap *tap = pki_new(sizeof(*tap));
	const char *why = NULL;

	tap->listener = -1;
	tap->canary = pki_copy(canary);
	if (resolve(tap, host, port) != 0)
		why = "the proxy's name has no address";
	else if (take_port(tap) != 0)
		why = "no port is free";
	*out = why ? NULL : tap;
	if (!why)
		return 0;
	tap_close(tap);
	return pki_fail(err, err_size, "%s", why);
}

void tap_close(struct tap *tap)
{
	if (!tap)
		return;
	tap_begin(tap);
	if (tap->listener >= 0)
		close(tap->listener);
	free(tap->canary);
	free(tap);
}

uint16_t tap_port(const struct tap *tap)
{
	return tap->port;
}
