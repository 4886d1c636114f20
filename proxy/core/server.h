/*
 * server.h - the worker process: connections, from its start to its end.
 *
 * The supervisor starts it and tells it over a channel what it needs: its
 * listening sockets, the files that the configuration names, the way to the
 * keeper. It loads the configuration, opens the CAs, starts the worker threads,
 * says on stderr what a person needs next, and runs until it is told to stop:
 *
 *	SIGTERM   drain; a second one stops at once
 *	SIGUSR1   a line of figures, JSON, on stderr
 *
 * Threads: call it on the main thread, before there are others.
 * Returns the process's exit code: 0 ended in order, 1 failed, 2 wrong
 * configuration.
 */
#ifndef PROXY_CORE_SERVER_H
#define PROXY_CORE_SERVER_H

/* uid and gid 0: those it has. */
int server_run(unsigned uid, unsigned gid);

#endif
