/*
 * limits.h - how much this process, and those that it starts, may have.
 *
 * Threads: the main one.
 */
#ifndef PROXY_CORE_LIMITS_H
#define PROXY_CORE_LIMITS_H

struct config;

/* limits_raise_files asks for as many descriptors as may be had: two a connection
 * and some more. Where that is less than somebody has asked for, it says so. */
void limits_raise_files(const struct config *config);

#endif
