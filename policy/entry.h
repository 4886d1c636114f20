/*
 * entry.h - one line of a list: what it names, in one spelling.
 *
 *	example.com            that host
 *	.example.com           it and all below; *.example.com is the same
 *	192.0.2.7  [2001:db8::1]   an address; IPv6 also without brackets
 *	10.0.0.0/8             a network
 *	host:8443              ... at that port alone, of any of these but networks
 *	host/some/path         ... that path and what is below it (path.h), the
 *	                       lax reading; a slash at its end changes nothing
 *	https://host/path      the scheme says nothing
 *
 * "10.0.0.1/24" is a network (and a mistake: the network is 10.0.0.0/24), with
 * https:// before it the path /24 of an address.
 *
 * Lines of public lists are read too: of hosts files ("0.0.0.0 a.example
 * b.example": each name; names of this machine are passed over), of AdBlock lists
 * "||example.com^" (the domain and all below it), comments ("!") and headers.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  negative with a sentence in err, which quotes the line in a way that can
 *          be shown; it does not name file and line, which the caller knows.
 */
#ifndef POLICY_ENTRY_H
#define POLICY_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/host.h"
#include "policy/network.h"

enum { ENTRY_PATH_MAX = 2048 };

/* Large, since the path is in it: neither zeroed nor copied where there are many. */
struct entry {
	char host[HOST_SIZE];   /* normalized; "": a network */
	bool below;             /* and all below it */
	struct network network; /* if host is "" */
	uint16_t port;          /* 0: any */
	char path[ENTRY_PATH_MAX + 2]; /* lax; no slash behind; "": any */
	size_t path_len;
};

/* entry_parse reads one entry as rules and inline lists have it: no white space,
 * no comment, none of the forms of public lists. */
int entry_parse(const char *text, size_t len, struct entry *out, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* entry_each reads one line of a file, without its end, and calls one for each
 * entry; none for a line that is empty or a comment. What is wrong with one of
 * several names of a line is told; those before it have been given. */
typedef void entry_one(void *arg, const struct entry *entry);
int entry_each(const char *line, size_t len, entry_one *one, void *arg,
	char *err, size_t err_size) __attribute__((warn_unused_result));

#endif
