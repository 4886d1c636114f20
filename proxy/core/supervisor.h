/*
 * supervisor.h - `sallyport run`: what starts the keeper and the worker.
 *
 *	supervisor ─┬─ keeper   the long-lived private keys; signs (keeper.h)
 *	(passphrase)└─ worker   the connections; a thread a core (server.h)
 *
 * It reads the configuration and the passphrase, opens what the configuration
 * names, binds the addresses, starts both by exec, and from then on waits: for
 * signals, and for one of the two to end, which it starts again. It speaks with
 * no network, and of the two it takes no more than the few words of channel.h.
 *
 *	SIGTERM, SIGINT  go on to the worker, which drains; a second one stops it,
 *	                 if need be by SIGKILL. Neither waits for a load
 *	SIGHUP           read the configuration again; a bad one changes nothing
 *	SIGUSR1          goes on to the worker
 *
 * Started as root, it gives each of them a user of its own (identity.h).
 *
 * Threads: call it on the main thread, before there are others.
 * Returns the process's exit code: 0 ended in order, 1 failed, 2 wrong
 * configuration.
 */
#ifndef PROXY_CORE_SUPERVISOR_H
#define PROXY_CORE_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>

struct supervisor_options {
	const char *path;       /* of the configuration; NULL: none */
	/* ask has a person type the passphrase, twice where it is the first
	 * that keys are locked with; NULL: nobody is asked. Its length, or
	 * -1: none, or two that differ. */
	int (*ask)(char *out, size_t size, bool twice);
};

int supervisor_run(const struct supervisor_options *options);

#endif
