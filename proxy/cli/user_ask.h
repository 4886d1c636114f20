/*
 * user_ask.h - whether a proxy takes the user it is given, or wants one at all.
 *
 * What runs under exec would only see 407, and most tools say no more of it than
 * that the tunnel failed. So the proxy is asked for a page that needs what theirs
 * will need: one at a port of its own machine where nobody listens, so that nobody
 * else hears of it. (The proxy's own pages are for all.)
 *
 * Owns:    nothing.
 * Threads: the main one. Returns within five seconds.
 * Errors:  none; an answer that says nothing of users is no reason to stop.
 */
#ifndef PROXY_CLI_USER_ASK_H
#define PROXY_CLI_USER_ASK_H

struct target;

/* user_ask tells on standard error what should be done about --user, if anything. */
void user_ask(const struct target *target);

#endif
