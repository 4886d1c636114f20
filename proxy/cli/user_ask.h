/*
 * user_ask.h - whether a proxy takes the user it is given, or wants one at all.
 *
 * What runs under exec would only see 407, and most tools say no more of it than
 * that the tunnel failed. So the proxy is asked for the one page of its own that needs
 * what theirs will need (portal.h), so that nobody else hears of it, and its log has no
 * failure that is none.
 *
 * Owns:    nothing.
 * Threads: the main one. Returns within five seconds.
 * Errors:  none; an answer that says nothing of users is no reason to stop.
 */
#ifndef PROXY_CLI_USER_ASK_H
#define PROXY_CLI_USER_ASK_H

#include <stdbool.h>

struct target;

/* user_taken: the proxy takes the user that the URL has, or wants none. */
bool user_taken(const struct target *target);

/* user_ask is user_taken, and tells on standard error what should be done about --user,
 * if anything. */
bool user_ask(const struct target *target);

#endif
