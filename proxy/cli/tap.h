/*
 * tap.h - a door before the proxy, on this machine, at which one hears how far a
 * program comes.
 *
 *	tap_open("proxy.example", 8080, "canary:443", &tap, err, sizeof(err));
 *	tap_begin(tap);
 *	... start the program, with 127.0.0.1:tap_port(tap) for its proxy ...
 *	while (it runs)
 *		tap_turn(tap, 20);
 *	heard = tap_heard(tap);
 *
 * Everything goes to the proxy and back as it is, but for what asks for another host than
 * the canary: that goes nowhere.
 *
 * Owns:    the sockets.
 * Threads: the main one.
 * Errors:  a sentence.
 */
#ifndef PROXY_CLI_TAP_H
#define PROXY_CLI_TAP_H

#include <stddef.h>
#include <stdint.h>

#include "proxy/cli/overheard.h"

struct tap;

struct tap_heard {
	enum overheard_step step; /* the farthest of all connections */
	unsigned status;          /* of the proxy's last answer; 0: none */
};

int tap_open(const char *host, uint16_t port, const char *canary,
	struct tap **out, char *err, size_t err_size)
	__attribute__((warn_unused_result));
void tap_close(struct tap *tap);
uint16_t tap_port(const struct tap *tap);

/* tap_begin ends all connections and forgets what was heard; before the first, nobody
 * can connect. */
void tap_begin(struct tap *tap);

/* tap_turn carries what there is to be carried, for so long at the most. */
void tap_turn(struct tap *tap, int wait_ms);
struct tap_heard tap_heard(const struct tap *tap);

#endif
