/*
 * user_ask.h - whether a proxy takes the user it is given, or wants one at all.
 *
 * What runs under exec would only see 407, and most tools say no more of it than
 * that the tunnel failed. So the proxy is asked for the one page of its own that needs
 * what theirs will need (portal.h), so that nobody else hears of it.
 *
 * Owns:    nothing.
 * Threads: the main one. Returns within five seconds.
 * Errors:  none; an answer that says nothing of users is no reason to stop.
 */
#ifndef PROXY_CLI_USER_ASK_H
#define PROXY_CLI_USER_ASK_H

struct target;

enum user_answer {
	USER_TAKEN,         /* the one that the URL has; or none is wanted */
	USER_WANTED = 407,  /* another one, with a password */
	USER_UNKNOWN = 403, /* it takes no password, and does not know this address */
};

/* USER_HOW is what somebody can do about USER_UNKNOWN. */
#define USER_HOW \
	"it knows its users by their address, which has to be in users.sources " \
	"of its configuration, or by a certificate, which exec has no tool show: " \
	"that goes to listen.proxy-tls, as by curl --proxy-cert"

enum user_answer user_taken(const struct target *target);

/* user_ask is user_taken, and tells on standard error what should be done, if
 * anything. */
enum user_answer user_ask(const struct target *target);

#endif
