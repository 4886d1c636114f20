/*
 * workbench.h - a folder for the time that a command takes.
 *
 * Others may look into it (apt reads as another user), and nobody else may write.
 * A process of its own, the caretaker, makes it and removes it: so it goes whenever
 * we do, killed or not, at whatever moment. What we have started and not made another
 * program of holds it, too, as a proxy's guard does.
 *
 * Owns:    the folder, and all that comes to be in it; the caretaker.
 * Threads: the main one; there may be no other while it is opened.
 */
#ifndef PROXY_CLI_WORKBENCH_H
#define PROXY_CLI_WORKBENCH_H

#include <stddef.h>
#include <sys/types.h>

struct workbench { /* zeroed: none */
	char *folder; /* owned: its path */
	int at;       /* it, open */
	int line;     /* open while the folder is needed */
	pid_t caretaker;
};

/* workbench_open makes it under TMPDIR, or /tmp where there is none, or one in which
 * others could change it. -1: a sentence; out is none then. */
int workbench_open(struct workbench *out, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* workbench_close returns when it is gone. */
void workbench_close(struct workbench *bench);

#endif
