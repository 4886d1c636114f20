/*
 * remarks.h - what is legal in a policy but surely not meant: rules that never
 * decide, categories that are empty or that no rule uses, users whom nobody can be.
 *
 * Who checks a file is told the same as who puts a policy by the API.
 *
 * Threads: any.
 */
#ifndef PROXY_CORE_REMARKS_H
#define PROXY_CORE_REMARKS_H

#include <stdio.h>

struct settings;

/* remarks_print writes them to out as warnings, "FILE:LINE: warning: what". */
void remarks_print(const struct settings *settings, FILE *out);

#endif
