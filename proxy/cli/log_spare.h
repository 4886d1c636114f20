/*
 * log_spare.h - the rules that would spare hosts from being inspected, to paste.
 *
 * Threads: the main one.
 */
#ifndef PROXY_CLI_LOG_SPARE_H
#define PROXY_CLI_LOG_SPARE_H

#include <stdbool.h>
#include <stdio.h>

#include "proxy/logbook/verdicts.h"

/* log_spare_fits: there is a rule for that. There is none for a program that has
 * accepted nothing of ours: it may just not trust the CA; nor for our own pages, nor
 * for what would pass others. */
bool log_spare_fits(const struct verdict *of);

/* log_spare_passes_others: its rule would go for programs as well that do accept ours
 * for that host. Two clients who refuse it on purpose could have that of anybody. */
bool log_spare_passes_others(const struct verdict *of);

/* log_spare writes one for each program at a host that it pins, and for each host
 * that wants certificates, as items of ssl-rules. A rule is for that program alone
 * where it can be told by what it says of itself, and for the one client where it
 * was seen on no other. False: there is none to write. */
bool log_spare(FILE *out, const struct verdicts *verdicts);

/* log_spare_agent writes what a rule's user-agents would have for it, as "curl/"
 * and a star; false: it is no good for that. */
enum { SPARE_AGENT_SIZE = 72 };
bool log_spare_agent(const char *agent, char out[SPARE_AGENT_SIZE]);

#endif
