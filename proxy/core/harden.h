/*
 * harden.h - what a process gives up before it goes to work.
 *
 * Threads: the main one, before there are others.
 */
#ifndef PROXY_CORE_HARDEN_H
#define PROXY_CORE_HARDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* harden_name is what ps and pgrep call the process: at most 15 letters. */
void harden_name(const char *name);

/* harden_private: no core, no debugger, not even of the same user's. */
void harden_private(void);

/* harden_raise asks for as much locked memory as may be had: before root is
 * given up. */
void harden_raise(void);

/* harden_memory keeps memory from being swapped. False: the system does not
 * allow for it (RLIMIT_MEMLOCK). */
bool harden_memory(void);

/* harden_die: this process ends when the one that started it does. Where that has
 * gone already, the end of its channel tells. */
void harden_die(void);

/* harden_become gives up root for good, for this user and group. With the uid 0
 * root that must stay root gives up its capabilities; others have none. */
int harden_become(uid_t uid, gid_t gid, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* harden_calls leaves the keeper what it needs of the kernel: to read, write,
 * wait and have memory; no sockets, files or other processes. False: the
 * kernel can't. */
bool harden_calls(void);

/* harden_end lets a sanitizer look at the process at its end. */
void harden_end(void);

#endif
