/*
 * listener.h - which user listens at an address of this machine.
 *
 * Any user may listen at a port that is free; the kernel's tables (/proc/net/tcp and
 * tcp6) tell whose socket it is.
 *
 * Threads: any.
 */
#ifndef PROXY_CLI_LISTENER_H
#define PROXY_CLI_LISTENER_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

/* listener_uid is false where the tables name nobody, or more than one. */
bool listener_uid(const struct sockaddr_storage *at, uid_t *out);

/* listener_in looks in one table; -1: several users, 0: nobody, 1: *out. */
int listener_in(FILE *table, const struct sockaddr_storage *at, uid_t *out);

#endif
