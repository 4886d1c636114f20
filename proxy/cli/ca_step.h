/*
 * ca_step.h - what the steps of ca_steps.h share.
 *
 * Threads: the main one.
 * Errors:  OPTIONS_FINE, or what the program shall exit with; already told.
 */
#ifndef PROXY_CLI_CA_STEP_H
#define PROXY_CLI_CA_STEP_H

#include "proxy/cli/client.h"
#include "proxy/cli/options.h"
#include "proxy/cli/setup.h"

/* What every step has. */
struct step {
	const char *config, *ca;
	bool json;
	struct config *settings; /* owned */
	struct client *client;   /* owned */
	long long id;
	struct client_reply reply;
};

#define ROW_CONFIG(step) \
	{.letter = 'c', .name = "config", .value = &(step).config}
#define ROW_JSON(step) {.name = "json", .flag = &(step).json}
#define ROW_CA(step) \
	{.name = "a CA: its id or name", .value = &(step).ca, \
		.needed = true, .operand = true}

/* ca_open_step reads the configuration, reaches the API and finds the CA, where
 * one is named. ca_close_step gives what the program shall exit with. */
int ca_open_step(struct step *step, bool signs)
	__attribute__((warn_unused_result));
int ca_close_step(struct step *step, int code)
	__attribute__((warn_unused_result));

/* ca_show_step prints step->reply, a CA; for people, with what comes next. */
void ca_show_step(const struct step *step);

#endif
