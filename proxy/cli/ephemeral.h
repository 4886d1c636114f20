/*
 * ephemeral.h - a proxy of one's own, for as long as a command runs.
 *
 * It is `sallyport run`, in a process group of its own, so that what the terminal sends
 * is not for it; and it ends when we do, however that comes about. Where no
 * configuration is given it listens on a free port of this machine, for this machine
 * alone, has no admin listener and no log, and its CA is gone when it is. All users here
 * can reach it: Java has no property for a user and password, and the processes of
 * a command of root's may be anybody's (apt's are _apt's), so that whose a connection is
 * says too little.
 *
 * Owns:    the process.
 * Threads: the main one.
 * Errors:  OPTIONS_FINE, or what the program shall exit with; already told, with what
 *          the proxy had to say.
 */
#ifndef PROXY_CLI_EPHEMERAL_H
#define PROXY_CLI_EPHEMERAL_H

#include <sys/types.h>

struct ephemeral { /* zeroed: none */
	pid_t pid;         /* of who guards it, and heads its process group */
	char *config;      /* owned: what it runs by */
	char *said;        /* owned: the file that has what it says */
};

struct ephemeral_order {
	const char *config;  /* NULL: one is made */
	const char *folder;  /* to write to: a workbench's */
	const char *origins; /* whom it shall trust (PEM); NULL: the system's */
};

/* ephemeral_start returns once it takes connections. */
int ephemeral_start(const struct ephemeral_order *order,
	struct ephemeral *out) __attribute__((warn_unused_result));

/* ephemeral_stop tells where it had ended before, and why. */
void ephemeral_stop(struct ephemeral *proxy);

#endif
