#include <stdio.h>
#include <stdlib.h>

#include "proxy/cli/client.h"
#include "proxy/cli/setup.h"
#include "proxy/cli/table.h"
#include "proxy/config/mistakes.h"

/* What all of them have. */
struct token_step {
	const char *config, *name;
	bool json;
	struct config *settings; /* owned */
	struct client *client;   /* owned */
	struct client_reply reply;
};

/* has_store: before the first start there are no tokens, either. */
static int has_store(const struct config *config)
{
	if (!setup_has_no_ca(config))
		return OPTIONS_FINE;
	fprintf(stderr, "sallyport: there are no tokens in %s: no proxy has "
		"been started with it yet. Where Sallyport runs as a service, "
		"ask as root or with its -c FILE\n", config->state);
	return EXIT_FAILED;
}

static int open_step(struct token_step *step, bool changes)
{
	int code = setup_config(step->config, &step->settings);

	if (code == OPTIONS_FINE && !changes)
		code = has_store(step->settings);
	return code == OPTIONS_FINE ?
		client_open(step->settings, changes, &step->client) : code;
}

static int close_step(struct token_step *step, int code)
{
	client_reply_clear(&step->reply);
	client_close(step->client);
	config_free(step->settings);
	return code == OPTIONS_FINE ? EXIT_DONE : code;
}

static const struct table_column of_new[] = {
	{"name", "name", TABLE_TEXT}, {"kind", "kind", TABLE_TEXT},
	{"token", "token", TABLE_TEXT}, {"client id", "clientId", TABLE_TEXT},
	{"client secret", "clientSecret", TABLE_TEXT},
	{"user", "username", TABLE_TEXT},
	{"password", "password", TABLE_TEXT},
	{"API key", "apiKey", TABLE_TEXT},
	{"read-only", "readOnly", TABLE_YES},
};

static const struct table_column of_list[] = {
	{"NAME", "name", TABLE_TEXT}, {"KIND", "kind", TABLE_TEXT},
	{"CLIENT", "client", TABLE_TEXT},
	{"READ-ONLY", "readOnly", TABLE_YES}, {"MADE", "made", TABLE_DAY},
};

/* show_new: the answer has but the secrets. */
static void show_new(const struct token_step *step, bool read_only)
{
	if (step->json) {
		table_json(stdout, step->reply.json);
		return;
	}
	(void)json_object_set_new(step->reply.json, "readOnly",
		json_boolean(read_only));
	table_list(stdout, step->reply.json, of_new,
		sizeof(of_new) / sizeof(*of_new));
}

static int create(const struct command *self, int argc, char **argv)
{
	struct token_step step = {.config = NULL};
	const char *kind = NULL;
	bool read_only = false;
	const struct option_row rows[] = {
		{.letter = 'c', .name = "config", .value = &step.config},
		{.name = "json", .flag = &step.json},
		{.name = "kind", .value = &kind},
		{.name = "read-only", .flag = &read_only},
		{.name = "a name", .value = &step.name, .needed = true,
			.operand = true},
	};
	int code = options_read(self, argc, argv, rows, 5);

	if (code == OPTIONS_FINE)
		code = open_step(&step, true);
	if (code == OPTIONS_FINE)
		code = client_json(step.client, "POST", "/sallyport/tokens",
			json_pack("{s:s, s:s, s:b}", "name", step.name,
				"kind", kind ? kind : "bearer", "readOnly",
				(int)read_only), &step.reply);
	if (code == OPTIONS_FINE)
		show_new(&step, read_only);
	return close_step(&step, code);
}

static int list(const struct command *self, int argc, char **argv)
{
	struct token_step step = {.config = NULL};
	const struct option_row rows[] = {
		{.letter = 'c', .name = "config", .value = &step.config},
		{.name = "json", .flag = &step.json},
	};
	int code = options_read(self, argc, argv, rows, 2);

	if (code == OPTIONS_FINE)
		code = open_step(&step, false);
	if (code == OPTIONS_FINE)
		code = client_call(step.client, "GET", "/sallyport/tokens",
			NULL, &step.reply);
	if (code == OPTIONS_FINE && step.json)
		table_json(stdout, step.reply.json);
	else if (code == OPTIONS_FINE)
		table_print(stdout, step.reply.json, of_list,
			sizeof(of_list) / sizeof(*of_list));
	return close_step(&step, code);
}

static int delete(const struct command *self, int argc, char **argv)
{
	struct token_step step = {.config = NULL};
	const struct option_row rows[] = {
		{.letter = 'c', .name = "config", .value = &step.config},
		{.name = "a name", .value = &step.name, .needed = true,
			.operand = true},
	};
	int code = options_read(self, argc, argv, rows, 2);
	char *path;

	if (code == OPTIONS_FINE)
		code = open_step(&step, true);
	if (code == OPTIONS_FINE) {
		path = client_path("/sallyport/tokens/", step.name);
		code = client_call(step.client, "DELETE", path, NULL,
			&step.reply);
		free(path);
	}
	if (code == OPTIONS_FINE)
		printf("deleted: %s\n", shown(step.name).text);
	return close_step(&step, code);
}

static const char token_help[] =
	"usage: sallyport token create NAME [--kind KIND] [--read-only] [--json]\n"
	"       sallyport token list [--json]\n"
	"       sallyport token delete NAME\n"
	"                 each with [-c FILE]\n"
	"\n"
	"Who may use the REST API, besides the administrator's own token in\n"
	"the state folder (admin-token). What is secret is shown once.\n"
	"\n"
	"  --kind bearer       Authorization: Bearer TOKEN (default)\n"
	"  --kind oauth        client id and secret, for /oauth2/v1/token\n"
	"  --kind session      user, password and API key, for\n"
	"                      /api/v1/authenticatedSession\n"
	"  --read-only         it may look, and change nothing\n"
	"  -c, --config FILE   the configuration (YAML)\n"
	"\n"
	"It works on a running proxy, and on one that is stopped.\n";

const struct command token_words[] = {
	{"token create", "make one", token_help, create},
	{"token list", "those there are", token_help, list},
	{"token delete", "take one away", token_help, delete},
	{NULL, NULL, NULL, NULL},
};

const struct command command_token = {
	.name = "token",
	.summary = "who may use the REST API",
	.help = token_help,
	.run = command_group,
};
