/*
 * state.h - where this installation keeps what it must not lose.
 *
 * Threads: any.
 */
#ifndef PROXY_CONFIG_STATE_H
#define PROXY_CONFIG_STATE_H

/* state_default is the state folder of this user, owned: /var/lib/sallyport
 * for root, else by the XDG Base Directory Specification. NULL: no home. */
char *state_default(void);

#endif
