/*
 * ca_steps.h - the steps of a CA's life as commands, each a call of the API.
 *
 * Threads: the main one.
 * Errors:  an exit_code; of what is no command, OPTIONS_FINE or one. Already told.
 */
#ifndef PROXY_CLI_CA_STEPS_H
#define PROXY_CLI_CA_STEPS_H

#include "proxy/cli/client.h"
#include "proxy/cli/command.h"

/* The commands; ca_commands.c has their words. ca_show_one is `ca show CA`. */
int ca_show_one(const struct command *self, int argc, char **argv);
int step_list(const struct command *self, int argc, char **argv);
int step_issuing(const struct command *self, int argc, char **argv);
int step_audit(const struct command *self, int argc, char **argv);
int step_create(const struct command *self, int argc, char **argv);
int step_keypair(const struct command *self, int argc, char **argv);
int step_csr(const struct command *self, int argc, char **argv);
int step_upload(const struct command *self, int argc, char **argv);
int step_chain(const struct command *self, int argc, char **argv);
int step_finalize(const struct command *self, int argc, char **argv);
int step_make_default(const struct command *self, int argc, char **argv);
int step_disable(const struct command *self, int argc, char **argv);
int step_delete(const struct command *self, int argc, char **argv);
int step_take_back(const struct command *self, int argc, char **argv);
int step_crl(const struct command *self, int argc, char **argv);

/* ca_refresh has a running proxy (NULL: none runs) go by what is in the store
 * now, and says from when on it does. */
int ca_refresh(struct client *running) __attribute__((warn_unused_result));

/* ca_read_file reads a file to upload; *out is the caller's. */
int ca_read_file(const char *path, char **out, size_t *out_len)
	__attribute__((warn_unused_result));

/* ca_file_name is the path's last part, as uploads call it. */
const char *ca_file_name(const char *path);

#endif
