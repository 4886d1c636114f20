/*
 * listener.h - accepting connections.
 *
 * Listening sockets are made by hand: SO_REUSEPORT so that every worker has
 * its own (libuv 1.44 has no flag for it), and accepting by hand, so that
 * running out of descriptors (EMFILE, ENFILE, ENOBUFS, ENOMEM) or over the
 * limit of connections pauses accepting instead of spinning or dropping;
 * clients then wait in the kernel's queue. A pause after an error ends by
 * itself after 100 ms, or with listener_resume.
 *
 * Threads: one, the loop's; listener_claim any.
 */
#ifndef PROXY_NET_LISTENER_H
#define PROXY_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <uv.h>

struct listener;

/* listener_bind gives a socket bound to address, for listener_open: one that
 * others of this process's user may be bound beside. -1, with a sentence. */
int listener_bind(const struct sockaddr *address, int *out, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* listener_claim binds address once without SO_REUSEPORT and lets it go again:
 * -1 with a sentence in err when somebody has it ("127.0.0.1:8080 is in use by
 * nginx (pid 4711)" where /proc tells). */
int listener_claim(const struct sockaddr *address, char *err, size_t err_size)
	__attribute__((warn_unused_result));

struct listener_ops {
	/* A connection: fd is non-blocking, close-on-exec, and the callee's. */
	void (*accepted)(void *arg, int fd, const struct sockaddr *peer);
	/* Accepting was paused for this errno (once a pause, for the log). */
	void (*paused)(void *arg, int error);
};

/* listener_open listens at a socket that is bound, which is the listener's from
 * then on, whatever comes of it. */
int listener_open(uv_loop_t *loop, int fd, const struct listener_ops *ops,
	void *arg, struct listener **out, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* listener_pause stops accepting until listener_resume; both may be called at
 * any time. */
void listener_pause(struct listener *listener);
void listener_resume(struct listener *listener);

/* listener_close closes at once: the kernel refuses new connections. The
 * listener frees itself; closed (may be NULL) is called after that. */
void listener_close(struct listener *listener, void (*closed)(void *arg),
	void *arg);

/* origdst_get tells where a redirected connection was going (SO_ORIGINAL_DST,
 * IP6T_SO_ORIGINAL_DST). -1: the kernel has none. */
int origdst_get(int fd, struct sockaddr_storage *out)
	__attribute__((warn_unused_result));

#endif
