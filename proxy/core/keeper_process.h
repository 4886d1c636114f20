/*
 * keeper_process.h - the process that has the long-lived keys.
 *
 * The supervisor starts it, gives it the passphrase and the rules, and the ends
 * of sockets by which the worker asks (keeper_frame.h). It opens nothing by
 * itself, and ends when the supervisor does.
 *
 * Threads: call it on the main thread, before there are others.
 */
#ifndef PROXY_CORE_KEEPER_PROCESS_H
#define PROXY_CORE_KEEPER_PROCESS_H

/* keeper_process_run serves at CHANNEL_FD to its end; the process's exit
 * code. uid and gid 0: those it has. */
int keeper_process_run(unsigned uid, unsigned gid);

#endif
