/*
 * target.h - which proxy a command is about, and the root certificate it shows.
 *
 *	-c FILE            the first address of its listen.proxy; without it, and
 *	                   without a file, 127.0.0.1:8080
 *	--proxy HOST:PORT  another
 *	--ca FILE          its root, as somebody who knows has given it
 *	--user NAME        who asks; the password is SALLYPORT_PASSWORD, or typed
 *
 * Who is asked for the root is believed only so far: anybody could be listening
 * there. On this machine what it shows is taken where root, we ourselves or the owner of
 * the state folder listen, unless that folder can be read and has another; from anywhere
 * else it must be what --ca has.
 *
 * Owns:    what it hands out, until target_clear.
 * Threads: the main one.
 * Errors:  OPTIONS_FINE, or what the program shall exit with; already told.
 */
#ifndef PROXY_CLI_TARGET_H
#define PROXY_CLI_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/host.h"
#include "proxy/cli/options.h"

struct config;

struct target_order { /* borrowed from argv */
	const char *config, *proxy, *ca, *user;
};

/* The options as commands read them, and tell of them: of a proxy to be used, and of
 * one whose root alone is wanted. */
#define TARGET_ROWS(order) \
	TARGET_ROOT_ROWS(order), {.name = "user", .value = &(order).user}
#define TARGET_HELP \
	"  -c, --config FILE   the proxy of that configuration; without it,\n" \
	"                      the one at 127.0.0.1:8080\n" \
	"  --proxy HOST:PORT   another one\n" \
	"  --ca FILE           its root certificate, needed where it is on\n" \
	"                      another machine\n" \
	"  --user NAME         a user of it; the password is the variable\n" \
	"                      SALLYPORT_PASSWORD, or asked for\n"

#define TARGET_ROOT_ROWS(order) \
	{.letter = 'c', .name = "config", .value = &(order).config}, \
	{.name = "proxy", .value = &(order).proxy}, \
	{.name = "ca", .value = &(order).ca}
#define TARGET_ROOT_HELP \
	"  -c, --config FILE   the proxy of that configuration, running or\n" \
	"                      not; without it, the one at 127.0.0.1:8080,\n" \
	"                      or what the state folder has\n" \
	"  --proxy HOST:PORT   another one\n" \
	"  --ca FILE           its root certificate; without --proxy,\n" \
	"                      nobody is asked\n"

struct target {
	struct config *config; /* owned */
	char host[HOST_SIZE];  /* without brackets */
	uint16_t port;
	char *url;             /* owned: http://[user:password@]host:port */
	char *root_pem;        /* owned; NULL: no Sallyport is there ... */
	char why[512];         /* ... and why one thinks so */
	bool sure;             /* --ca or the state folder has that root, too */
};

/* target_find asks. That nobody answers is no failure without --proxy and --ca: root_pem
 * is NULL then. out is to be cleared whatever the result. */
int target_find(const struct target_order *order, struct target *out)
	__attribute__((warn_unused_result));

/* target_running is target_find for who needs one that runs. */
int target_running(const struct target_order *order, struct target *out)
	__attribute__((warn_unused_result));

/* target_root finds the root alone, without a proxy if need be: what --ca has, what a
 * running proxy shows, what the state folder has. */
int target_root(const struct target_order *order, char **out_pem)
	__attribute__((warn_unused_result));

/* target_root_sure is target_root for who has it trusted for good: it refuses a root that
 * nothing but the one who listens there vouches for. */
int target_root_sure(const struct target_order *order, char **out_pem)
	__attribute__((warn_unused_result));
void target_clear(struct target *target);

#endif
