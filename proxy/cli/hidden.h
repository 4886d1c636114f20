/*
 * hidden.h - a line that is typed where nobody sees it.
 *
 * Threads: the main one.
 */
#ifndef PROXY_CLI_HIDDEN_H
#define PROXY_CLI_HIDDEN_H

#include <stddef.h>

/* hidden_line asks on standard error where standard input is a terminal, and reads a
 * line of it, without its end. Its length, or -1. */
int hidden_line(const char *prompt, char *out, size_t size);

#endif
