/*
 * server.h - the whole proxy: from its configuration to its end.
 *
 * server_run loads the configuration at path (NULL: none), locks the state
 * folder, opens the CAs, starts the workers, says on stderr what a person needs
 * next, and runs until it is told to stop:
 *
 *	SIGTERM, SIGINT  drain; a second one stops at once
 *	SIGHUP           read the configuration again; a bad one changes nothing
 *	SIGUSR1          a line of figures, JSON, on stderr
 *
 * Threads: call it on the main thread, before there are others.
 * Returns the process's exit code: 0 ended in order, 1 failed, 2 wrong
 * configuration.
 */
#ifndef PROXY_CORE_SERVER_H
#define PROXY_CORE_SERVER_H

int server_run(const char *path);

#endif
