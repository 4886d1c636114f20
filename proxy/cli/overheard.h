/*
 * overheard.h - how far a program has come, by what it sends on a connection to the
 * proxy.
 *
 *	CONNECT canary:443 ...      it uses the proxy
 *	a record of type 22         it has begun TLS
 *	a record of type 23         it trusts what it was shown: that is its request
 *
 * But for two of the latter in TLS 1.3: Finished, which is long, and alerts, which are
 * short, and by which a program also says that it does not trust. Only TLS 1.2 has a
 * ClientKeyExchange that anybody can see. What else is in the records nobody here can
 * read, or needs to.
 *
 * Owns:    nothing; zeroed, nothing has come.
 * Threads: any.
 */
#ifndef PROXY_CLI_OVERHEARD_H
#define PROXY_CLI_OVERHEARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum overheard_step {
	OVERHEARD_NOTHING,
	OVERHEARD_ELSEWHERE, /* it asks for another host, and is to be let go */
	OVERHEARD_CONNECT,
	OVERHEARD_TLS,
	OVERHEARD_REQUEST,
};

struct overheard {
	enum overheard_step step;
	enum { OVERHEARD_FIRST, OVERHEARD_HEAD, OVERHEARD_RECORD,
		OVERHEARD_BODY } at;
	char line[128];      /* the first of a head, as far as there is room */
	size_t line_len;
	unsigned ends;       /* of CR LF CR LF, so many are there */
	uint8_t record[5];
	size_t record_len, left;
	bool first;          /* of a body nothing has come */
	bool old;            /* TLS 1.2 */
	bool finished;
};

/* overheard_feed: canary is "host:port". */
void overheard_feed(struct overheard *heard, const char *canary,
	const uint8_t *at, size_t len);

#endif
