/*
 * agent.h - what program a client says it is, for the rules that ask.
 *
 * Of two User-Agent fields an origin may go by either, and of a long one rules
 * would see the beginning: both would be a way past a rule about the rest. So
 * where rules ask, a request that has such is no good one.
 *
 * Threads: any.
 */
#ifndef PROXY_SESSION_AGENT_H
#define PROXY_SESSION_AGENT_H

#include <stdbool.h>

#include "proxy/http/message.h"

enum { AGENT_SIZE = 4096 };

/* agent_is_clear: there is one User-Agent, or none, and agent_read gives it
 * whole. */
bool agent_is_clear(const struct head *head);

/* agent_read gives the first one, "" where there is none. */
void agent_read(const struct head *head, char out[AGENT_SIZE]);

#endif
