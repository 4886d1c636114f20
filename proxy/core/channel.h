/*
 * channel.h - what the supervisor tells the processes it started.
 *
 * Messages of one size over a pair of sockets, each with a descriptor at most.
 * The keeper and the worker trust it, and it them not at all: five words go
 * up, that the worker is ready, that it has reloaded, that its log is full, that
 * the keeper does not answer, and, from the keeper, by which rules it goes.
 *
 * Threads: one at each end.
 */
#ifndef PROXY_CORE_CHANNEL_H
#define PROXY_CORE_CHANNEL_H

#include <stdint.h>

enum message_kind {
	/* to the worker */
	MESSAGE_FILE = 1,  /* text: a path; fd, or number: errno */
	MESSAGE_FOLDER,    /* text: the configuration's, absolute; number 1: all
	                    * files follow, 0: those that are there */
	MESSAGE_LISTENER,  /* fd; number: listener_number */
	MESSAGE_ADDRESS,   /* text: where clients find the proxy, "host:port" */
	MESSAGE_STATE,     /* fd: the state folder */
	MESSAGE_KEEPER,    /* fd; number: enum asker */
	MESSAGE_SOURCE,    /* text: where the passphrase is from */
	MESSAGE_START,     /* that was all; text: the configuration's path */
	MESSAGE_RELOAD,    /* ... again */
	MESSAGE_REOPEN,    /* a file, the log, has come anew */
	MESSAGE_NO_RELOAD, /* what is to be loaded is wrong; it has been told */
	/* to the keeper */
	MESSAGE_PASSPHRASE, /* text, number: how long */
	MESSAGE_TALLY,      /* fd: memory for a struct tally */
	MESSAGE_RULES,      /* text: a struct keeper_rules; number: which */
	MESSAGE_ASKER,      /* fd: who asks */
	/* from the worker */
	MESSAGE_READY,
	MESSAGE_DEAF,       /* the keeper does not answer */
	MESSAGE_RELOADED,   /* whatever came of it */
	MESSAGE_FULL,       /* the log is */
	/* from the keeper */
	MESSAGE_RULED,      /* it goes by the rules of that number */
};

/* The worker's two ways to the keeper: making keys takes seconds. */
enum asker { ASKER_QUICK, ASKER_SLOW, NUM_ASKERS };

/* Which list of the configuration a listener is of, as the configuration was when
 * it was opened. A thread's come in this order. */
enum listener_kind {
	LISTENER_PROXY,
	LISTENER_TRANSPARENT,
	LISTENER_PROXY_TLS,
	LISTENER_ADMIN,    /* of no thread */
	NUM_LISTENER_KINDS,
};

/* Worker threads at the most, as of the setting workers. */
enum { WORKER_THREADS_MAX = 256 };

/* listener_number is what kind and thread are told as. */
static inline uint32_t listener_number(enum listener_kind kind,
	uint32_t thread)
{
	return thread * NUM_LISTENER_KINDS + kind;
}

enum { MESSAGE_TEXT = 4096 };

struct message {
	uint32_t kind;     /* enum message_kind */
	uint32_t number;
	char text[MESSAGE_TEXT]; /* NUL-ended where it is a text */
};

/* Where a process that was started finds its end. */
enum { CHANNEL_FD = 3 };

/* channel_pair makes one; both ends are close-on-exec. -1 and errno. */
int channel_pair(int out[2]) __attribute__((warn_unused_result));

/* channel_set_patience: who does not take what is sent for that long is not
 * waited for any more (EAGAIN). */
void channel_set_patience(int channel, int seconds);

/* channel_send: fd -1 is none, and stays the caller's. 0, or -1 and errno. */
int channel_send(int channel, const struct message *message, int fd)
	__attribute__((warn_unused_result));

/* channel_tell sends a message of these; text may be NULL. */
int channel_tell(int channel, enum message_kind kind, uint32_t number,
	const char *text, int fd) __attribute__((warn_unused_result));

/* channel_await passes over what comes until it is kind and number, and waits for
 * that some seconds in all. 0, or -1 and errno: ETIMEDOUT, EPIPE where the other
 * end has gone. */
int channel_await(int channel, enum message_kind kind, uint32_t number,
	int seconds) __attribute__((warn_unused_result));

/* channel_receive waits for one. 1: it has come, *out_fd is -1 or the caller's;
 * 0: the other end has gone; -1 and errno. */
int channel_receive(int channel, struct message *out, int *out_fd)
	__attribute__((warn_unused_result));

#endif
