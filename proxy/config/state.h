/*
 * state.h - where this installation keeps what it must not lose.
 *
 * Threads: any.
 */
#ifndef PROXY_CONFIG_STATE_H
#define PROXY_CONFIG_STATE_H

/* state_default is the state folder of this user, owned: sallyport below
 * $XDG_STATE_HOME where that is set, also for root and by the service; else
 * /var/lib/sallyport for root and ~/.local/state/sallyport for others (XDG Base
 * Directory Specification). NULL: no home. For who was handed one (handed.h), that
 * one. */
char *state_default(void);

#endif
