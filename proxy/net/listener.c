#include "proxy/net/listener.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/net/address.h"

enum {
	BACKLOG = 4096,  /* the kernel takes less if it must (somaxconn) */
	AT_ONCE = 64,    /* accepted at one wake-up; others have work too */
	REST_MS = 100,   /* after an error */
	PATH_ROOM = 64,
	NAME_ROOM = 64,
};

struct listener {
	uv_poll_t poll;
	uv_timer_t rest;
	int fd;           /* owned; -1 once closed */
	const struct listener_ops *ops; /* borrowed */
	void *arg;
	bool held;        /* by listener_pause */
	bool resting;     /* after an error */
	bool told;        /* of the error; until one is accepted again */
	unsigned handles; /* open handles of libuv */
	void (*closed)(void *arg);
	void *closed_arg;
};

/* --- who has an address: best effort, by /proc --------------------------- */

/* owner_matches: would a socket listening there be in the way of address? Its
 * address is in the words of the machine, as /proc has them. */
static bool owner_matches(const struct sockaddr *address, const char *hex)
{
	static const char zeros[] = "00000000000000000000000000000000";
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	uint32_t words[4] = {0};
	char own[33];
	size_t len = address->sa_family == AF_INET ? 8 : 32;

	if (address->sa_family == AF_INET)
		memcpy(words, &v4->sin_addr, 4);
	else
		memcpy(words, &v6->sin6_addr, 16);
	(void)snprintf(own, sizeof(own), "%08X%08X%08X%08X", words[0], words[1],
		words[2], words[3]);
	if (strncmp(hex, zeros, strlen(hex)) == 0
			|| strncmp(own, zeros, len) == 0)
		return true;
	return strlen(hex) == len && strncmp(hex, own, len) == 0;
}

/* inode_of finds the socket that listens in the way of address; 0: none. */
static unsigned long inode_of(const struct sockaddr *address, const char *table)
{
	enum { LISTEN = 0x0a };
	FILE *file = fopen(table, "re");
	char line[512], hex[33];
	unsigned port, state;
	unsigned long inode, found = 0;

	if (!file)
		return 0;
	while (!found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %*u: %32[0-9A-F]:%x %*s %x %*s %*s %*s %*s "
				"%*s %lu", hex, &port, &state, &inode) != 4)
			continue;
		if (state == LISTEN && port == address_port(address)
				&& owner_matches(address, hex))
			found = inode;
	}
	(void)fclose(file);
	return found;
}

static bool is_link_to(DIR *dir, const char *name, const char *target)
{
	char link[PATH_ROOM];
	ssize_t len = readlinkat(dirfd(dir), name, link, sizeof(link) - 1);

	if (len < 0)
		return false;
	link[len] = '\0';
	return strcmp(link, target) == 0;
}

static bool has_socket(const char *pid, const char *socket_name)
{
	char path[PATH_ROOM];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)))
		found = is_link_to(dir, entry->d_name, socket_name);
	(void)closedir(dir);
	return found;
}

static void name_of(const char *pid, char out[NAME_ROOM])
{
	char path[PATH_ROOM];
	FILE *file;

	(void)snprintf(out, NAME_ROOM, "a process");
	(void)snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(out, NAME_ROOM, file))
		out[strcspn(out, "\n")] = '\0';
	(void)fclose(file);
}

/* owner_of writes "nginx (pid 4711)" if it can be found out. */
static bool owner_of(const struct sockaddr *address, char *out, size_t size)
{
	unsigned long inode = inode_of(address, "/proc/net/tcp");
	char socket_name[PATH_ROOM], name[NAME_ROOM];
	struct dirent *entry;
	bool found = false;
	DIR *proc;

	if (!inode)
		inode = inode_of(address, "/proc/net/tcp6");
	if (!inode || !(proc = opendir("/proc")))
		return false;
	(void)snprintf(socket_name, sizeof(socket_name), "socket:[%lu]", inode);
	while (!found && (entry = readdir(proc))) {
		if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name)
				|| !has_socket(entry->d_name, socket_name))
			continue;
		name_of(entry->d_name, name);
		(void)snprintf(out, size, "%s (pid %.16s)", name,
			entry->d_name);
		found = true;
	}
	(void)closedir(proc);
	return found;
}

/* --- sockets ------------------------------------------------------------- */

static void explain(const struct sockaddr *address, int error, char *err,
	size_t err_size)
{
	char host[46], text[NAME_ROOM], owner[2 * NAME_ROOM];

	address_text(address, host);
	address_with_port(host, address_port(address), text, sizeof(text));
	if (error != EADDRINUSE)
		(void)snprintf(err, err_size, "cannot listen on %s: %s", text,
			strerror(error));
	else if (owner_of(address, owner, sizeof(owner)))
		(void)snprintf(err, err_size, "%s is in use by %s", text,
			owner);
	else
		(void)snprintf(err, err_size, "%s is in use", text);
}

/* SO_REUSEADDR lets us start while connections of an earlier run still linger;
 * it does not let two listen at one place. */
static int bound_socket(const struct sockaddr *address, bool shared)
{
	int on = 1, fd, error;

	fd = socket(address->sa_family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if ((!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on,
			sizeof(on)) == 0)
			&& bind(fd, address, address_len(address)) == 0)
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

int listener_bind(const struct sockaddr *address, int *out, char *err,
	size_t err_size)
{
	*out = bound_socket(address, true);
	if (*out >= 0)
		return 0;
	explain(address, errno, err, err_size);
	return -1;
}

int listener_claim(const struct sockaddr *address, char *err, size_t err_size)
{
	int fd = bound_socket(address, false);

	if (fd < 0) {
		explain(address, errno, err, err_size);
		return -1;
	}
	(void)close(fd);
	return 0;
}

/* --- accepting ----------------------------------------------------------- */

static void on_readable(uv_poll_t *poll, int status, int events);

/* rearm derives from the facts whether the socket is watched. */
static void rearm(struct listener *l)
{
	if (l->fd < 0)
		return;
	if (l->held || l->resting)
		(void)uv_poll_stop(&l->poll);
	else
		(void)uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

static void on_rested(uv_timer_t *timer)
{
	struct listener *l = timer->data;

	l->resting = false;
	rearm(l);
}

static void rest(struct listener *l, int error)
{
	bool told = l->told;

	l->resting = l->told = true;
	(void)uv_timer_start(&l->rest, on_rested, REST_MS, 0);
	rearm(l);
	if (!told)
		l->ops->paused(l->arg, error);
}

/* is_passing: an error of the connection that was to be accepted (accept(2)
 * hands on what the network had to say of it), not of the listener. */
static bool is_passing(int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case EPERM:
	case EPROTO:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case ENETDOWN:
	case ENETUNREACH:
	case ENONET:
	case EHOSTDOWN:
	case EHOSTUNREACH:
		return true;
	default:
		return false;
	}
}

/* accept_one returns false when there is no more to accept for now. */
static bool accept_one(struct listener *l)
{
	struct sockaddr_storage peer = {0};
	socklen_t len = sizeof(peer);
	int fd;

	fd = accept4(l->fd, (struct sockaddr *)&peer, &len,
		SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		l->told = false;
		l->ops->accepted(l->arg, fd, (struct sockaddr *)&peer);
		return true;
	}
	if (is_passing(errno))
		return true;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		rest(l, errno);
	return false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;
	int left = AT_ONCE;

	(void)events;
	if (status < 0) { /* libuv has stopped watching */
		rest(l, -status);
		return;
	}
	/* accepted may pause or close; the memory lasts until the next turn */
	while (left-- > 0 && l->fd >= 0 && !l->held && accept_one(l))
		continue;
}

void listener_pause(struct listener *l)
{
	l->held = true;
	rearm(l);
}

void listener_resume(struct listener *l)
{
	l->held = l->resting = false;
	if (l->fd >= 0)
		(void)uv_timer_stop(&l->rest);
	rearm(l);
}

/* --- beginning and end --------------------------------------------------- */

/* begin listens. 0, or the errno that says why not. */
static int begin(struct listener *l, uv_loop_t *loop)
{
	if (listen(l->fd, BACKLOG) != 0)
		return errno;
	return -uv_poll_init(loop, &l->poll, l->fd);
}

static void explain_fd(int fd, int error, char *err, size_t err_size)
{
	struct sockaddr_storage at = {0};
	socklen_t len = sizeof(at);

	(void)getsockname(fd, (struct sockaddr *)&at, &len);
	explain((struct sockaddr *)&at, error, err, err_size);
}

int listener_open(uv_loop_t *loop, int fd, const struct listener_ops *ops,
	void *arg, struct listener **out, char *err, size_t err_size)
{
	struct listener *l = calloc(1, sizeof(*l));
	int error;

	if (!l)
		abort();
	l->ops = ops;
	l->arg = arg;
	l->fd = fd;
	error = begin(l, loop);
	if (error != 0) {
		explain_fd(fd, error, err, err_size);
		(void)close(fd);
		free(l);
		return -1;
	}
	(void)uv_timer_init(loop, &l->rest);
	l->poll.data = l->rest.data = l;
	l->handles = 2;
	rearm(l);
	*out = l;
	return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct listener *l = handle->data;
	void (*closed)(void *arg) = l->closed;
	void *arg = l->closed_arg;

	if (--l->handles > 0)
		return;
	free(l);
	if (closed)
		closed(arg);
}

void listener_close(struct listener *l, void (*closed)(void *arg), void *arg)
{
	l->closed = closed;
	l->closed_arg = arg;
	uv_close((uv_handle_t *)&l->poll, on_handle_closed);
	uv_close((uv_handle_t *)&l->rest, on_handle_closed);
	(void)close(l->fd);
	l->fd = -1;
}

/* --- where a redirected connection was going ----------------------------- */

static int origdst_at(int fd, int level, struct sockaddr_storage *out)
{
	/* SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST; the headers of the kernel
	 * that name them do not go together with those of the C library. */
	enum { ORIGINAL_DST = 80 };
	socklen_t len = sizeof(*out);

	*out = (struct sockaddr_storage){0};
	return getsockopt(fd, level, ORIGINAL_DST, out, &len);
}

/* IPv4 connections to a socket of IPv6 are tracked as what they are. */
int origdst_get(int fd, struct sockaddr_storage *out)
{
	if (origdst_at(fd, IPPROTO_IP, out) == 0 && out->ss_family == AF_INET)
		return 0;
	if (origdst_at(fd, IPPROTO_IPV6, out) == 0
			&& out->ss_family == AF_INET6)
		return 0;
	return -1;
}
