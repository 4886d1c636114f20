/*
 * ca_steps.h - the steps of a CA's life as commands, each a call of the API.
 *
 * Threads: the main one.
 */
#ifndef PROXY_CLI_CA_STEPS_H
#define PROXY_CLI_CA_STEPS_H

#include "proxy/cli/client.h"
#include "proxy/cli/command.h"

/* ca_show_one is `ca show CA`. */
int ca_show_one(const struct command *self, int argc, char **argv);

/* ca_refresh has a running proxy (NULL: none runs) go by what is in the store
 * now, and says from when on it does. */
int ca_refresh(struct client *running) __attribute__((warn_unused_result));

/* ca_read_file reads a file to upload; *out is the caller's. */
int ca_read_file(const char *path, char **out, size_t *out_len)
	__attribute__((warn_unused_result));

/* ca_file_name is the path's last part, as uploads call it. */
const char *ca_file_name(const char *path);

#endif
