/*
 * log_commands.h - the words of `sallyport log`, a file a word.
 *
 * Threads: the main one.
 */
#ifndef PROXY_CLI_LOG_COMMANDS_H
#define PROXY_CLI_LOG_COMMANDS_H

#include "proxy/cli/command.h"

int log_query(const struct command *self, int argc, char **argv);
int log_tail(const struct command *self, int argc, char **argv);
int log_pinned(const struct command *self, int argc, char **argv);

#endif
