/*
 * workbench.h - a folder for the time that a command takes.
 *
 * Others may look into it (apt reads as another user), and nobody else may write.
 *
 * Owns:    the folder, and all that comes to be in it.
 * Threads: the main one.
 */
#ifndef PROXY_CLI_WORKBENCH_H
#define PROXY_CLI_WORKBENCH_H

#include <stddef.h>

/* workbench_new makes it under TMPDIR, or /tmp; its path is the caller's. NULL: a
 * sentence. */
char *workbench_new(char *err, size_t err_size);

/* workbench_free removes it, and frees the path. NULL is none. */
void workbench_free(char *folder);

#endif
