/*
 * errand.h - run somebody's command, as a shell would, and stand aside.
 *
 * What the terminal sends (SIGINT, SIGQUIT) goes to both and is the command's to
 * heed; what is sent to us alone (SIGTERM, SIGHUP and the like) goes on to it.
 *
 * Threads: the main one; there may be no other.
 */
#ifndef PROXY_CLI_ERRAND_H
#define PROXY_CLI_ERRAND_H

/* errand_run waits for its end and returns what a shell would: its exit status, 128 and
 * the signal that ended it (*out_signal; 0: none did), 127 where there is no such command
 * and 126 where it can't be run, which has been told. */
int errand_run(char **argv, char **envp, int *out_signal);

#endif
