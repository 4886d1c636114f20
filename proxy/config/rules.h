/*
 * rules.h - from the rules of a file to a policy.
 *
 * Threads: one. Errors: told to loader->mistakes.
 */
#ifndef PROXY_CONFIG_RULES_H
#define PROXY_CONFIG_RULES_H

#include "proxy/config/fields.h"

/* rules_load reads the ssl-rules and url-rules of loader->file, or where it has
 * some those of loader->policy, into loader->config's policy, which has all
 * categories and groups. */
void rules_load(struct loader *loader);

#endif
