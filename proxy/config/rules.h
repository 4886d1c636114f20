/*
 * rules.h - from the categories and ssl-rules of a file to a policy.
 *
 * Threads: one. Errors: told to loader->mistakes.
 */
#ifndef PROXY_CONFIG_RULES_H
#define PROXY_CONFIG_RULES_H

#include "proxy/config/fields.h"

/* rules_load reads loader->categories and loader->rules, either perhaps NULL,
 * into loader->config->policy. */
void rules_load(struct loader *loader);

#endif
