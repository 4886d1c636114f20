/*
 * verdicts.h - which programs pin, by what was gathered of their refusals.
 *
 * A program is taken to pin a host's certificate when it has never accepted ours
 * for it, and
 *
 *   - has refused it so many times with an alert that says so, or
 *   - has only closed, three times as often, at three moments or more, all right
 *     after the certificate but a few; and accepts ours for other hosts. By less
 *     nobody can tell a program that refuses from one that was closed,
 *
 * in both cases not all within a few seconds, as in one burst of tries.
 *
 * One that refuses ours for two hosts or more, and accepts it for none, does not
 * trust the CA; there, sparing hosts one by one would only hide that.
 *
 * All lines count for that; told of is only what has one that was asked for.
 *
 * Owns:    the list; it borrows from the refusals, whose rows it sorts and uses up:
 *          nothing is added to these any more.
 * Threads: one.
 */
#ifndef PROXY_LOGBOOK_VERDICTS_H
#define PROXY_LOGBOOK_VERDICTS_H

#include "proxy/logbook/refusals.h"

enum verdict_kind {
	VERDICT_PINNED,    /* a program at a host */
	VERDICT_NO_TRUST,  /* a program, on one client or on all */
	VERDICT_WANTS,     /* a host that wants certificates of clients */
};

struct verdict {
	enum verdict_kind kind;
	const char *host;    /* borrowed; of NO_TRUST the first of them */
	const char *agent, *ja4; /* borrowed; of WANTS "" */
	const char *client;  /* borrowed; NULL: more than one */
	uint64_t by[REFUSAL_HOWS];
	uint64_t wants;
	size_t clients, hosts;
	bool asked;
	bool trusts;         /* of PINNED: it accepts ours for other hosts */
	bool anybody, namesake; /* likewise: other programs accept ours for this
	                      * one; such that call themselves the same do */
	int64_t first_ms, last_ms;
};

struct verdicts {
	struct verdict *at; /* owned: by kind, then host */
	size_t num;
};

void verdicts_find(struct refusals *refusals, unsigned least,
	struct verdicts *out);
void verdicts_clear(struct verdicts *verdicts);

#endif
