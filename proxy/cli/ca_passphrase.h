/*
 * ca_passphrase.h - `sallyport ca passphrase`: after the configuration names
 * another passphrase, the keys are locked with it.
 *
 * Threads: the main one.
 */
#ifndef PROXY_CLI_CA_PASSPHRASE_H
#define PROXY_CLI_CA_PASSPHRASE_H

#include "proxy/cli/command.h"

extern const char ca_passphrase_help[];
int ca_passphrase(const struct command *self, int argc, char **argv);

#endif
