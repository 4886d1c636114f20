/*
 * log_want.h - what the configuration wants of the access log, in the log's own words:
 * the worker writes it, and the supervisor opens, mends and rotates it.
 *
 * Threads: any.
 */
#ifndef PROXY_CORE_LOG_WANT_H
#define PROXY_CORE_LOG_WANT_H

#include "proxy/config/config.h"
#include "proxy/report/log_target.h"

/* log_want_of: borrowed from config. */
struct log_want log_want_of(const struct config *config);

#endif
