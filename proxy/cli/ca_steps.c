#include "proxy/cli/ca_steps.h"

#include <stdio.h>
#include <unistd.h>

#include "proxy/cli/ca_ask.h"
#include "proxy/cli/ca_find.h"
#include "proxy/cli/ca_step.h"
#include "proxy/cli/table.h"
#include "proxy/config/mistakes.h"

/* --- beginning and end -------------------------------------------------- */

int ca_open_step(struct step *step, bool signs)
{
	int code = setup_config(step->config, &step->settings);

	if (code != OPTIONS_FINE)
		return code;
	code = client_open(step->settings, signs, &step->client);
	if (code == OPTIONS_FINE && step->ca)
		code = ca_find(step->client, step->ca, &step->id);
	return code;
}

int ca_close_step(struct step *step, int code)
{
	client_reply_clear(&step->reply);
	client_close(step->client);
	config_free(step->settings);
	return code == OPTIONS_FINE ? EXIT_DONE : code;
}

int ca_refresh(struct client *running)
{
	struct client_reply reply;
	int code;

	if (!running) {
		puts("It signs from the next start on.");
		return OPTIONS_FINE;
	}
	code = client_json(running, "POST", "/sallyport/refresh", NULL,
		&reply);
	if (code == OPTIONS_FINE)
		puts("It signs from now on.");
	client_reply_clear(&reply);
	return code;
}

/* --- one step of a CA's life -------------------------------------------- */

/* call makes a call at path/ID and shows the CA as it is then. */
static int call(struct step *step, const char *method, const char *word,
	json_t *object)
{
	char path[CA_PATH_SIZE];
	struct client_reply reply;
	int code;

	ca_path(word, step->id, path);
	code = client_json(step->client, method, path, object, &reply);
	client_reply_clear(&reply);
	if (code == OPTIONS_FINE)
		code = ca_get(step->client, "", step->id, &step->reply);
	if (code == OPTIONS_FINE)
		ca_show_step(step);
	return code;
}

static int one_step(const struct command *self, int argc, char **argv,
	const char *method, const char *word, json_t *object)
{
	struct step step = {.config = NULL};
	const struct option_row rows[] = {ROW_CONFIG(step), ROW_JSON(step),
		ROW_CA(step)};
	int code = options_read(self, argc, argv, rows, 3);

	if (code == OPTIONS_FINE)
		code = ca_open_step(&step, true);
	if (code == OPTIONS_FINE)
		code = call(&step, method, word, json_incref(object));
	json_decref(object);
	return ca_close_step(&step, code);
}

int step_finalize(const struct command *self, int argc, char **argv)
{
	return one_step(self, argc, argv, "POST", "/finalizeCert", NULL);
}

int step_make_default(const struct command *self, int argc, char **argv)
{
	return one_step(self, argc, argv, "PUT", "/makeDefault", NULL);
}

int step_disable(const struct command *self, int argc, char **argv)
{
	return one_step(self, argc, argv, "PUT", "",
		json_pack("{s:s}", "status", "DISABLED"));
}

static int delete(struct step *step)
{
	struct client_reply reply;
	char path[CA_PATH_SIZE];
	int code;

	ca_path("", step->id, path);
	code = client_call(step->client, "DELETE", path, NULL, &reply);
	client_reply_clear(&reply);
	return code;
}

/* confirm asks who sits there, as no key comes back; a program knows what it does. */
static int confirm(const struct step *step)
{
	const json_t *name = json_object_get(step->reply.json, "name");
	char question[ASK_ANSWER];
	bool yes = false;

	if (step->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return OPTIONS_FINE;
	snprintf(question, sizeof(question), "Delete %s (%lld) and its private "
		"key, which nothing brings back?",
		shown(json_string_value(name)).text, step->id);
	if (ask_yes(question, &yes) && yes)
		return OPTIONS_FINE;
	puts("It is still there.");
	return EXIT_FAILED;
}

/* show_deleted shows the CA as it was. */
static void show_deleted(const struct step *step)
{
	const json_t *name = json_object_get(step->reply.json, "name");

	if (step->json)
		table_json(stdout, step->reply.json);
	else
		printf("deleted: %s (%lld)\n",
			shown(json_string_value(name)).text, step->id);
}

int step_delete(const struct command *self, int argc, char **argv)
{
	struct step step = {.config = NULL};
	bool yes = false;
	const struct option_row rows[] = {ROW_CONFIG(step), ROW_JSON(step),
		{.name = "yes", .flag = &yes}, ROW_CA(step)};
	int code = options_read(self, argc, argv, rows, 4);

	if (code == OPTIONS_FINE)
		code = ca_open_step(&step, true);
	if (code == OPTIONS_FINE)
		code = ca_get(step.client, "", step.id, &step.reply);
	if (code == OPTIONS_FINE && !yes)
		code = confirm(&step);
	if (code == OPTIONS_FINE)
		code = delete(&step);
	if (code == OPTIONS_FINE)
		show_deleted(&step);
	return ca_close_step(&step, code);
}

int step_create(const struct command *self, int argc, char **argv)
{
	struct step step = {.config = NULL};
	const char *name = NULL, *description = NULL;
	bool disabled = false;
	const struct option_row rows[] = {
		ROW_CONFIG(step), ROW_JSON(step),
		{.name = "description", .value = &description},
		{.name = "disabled", .flag = &disabled},
		{.name = "a name", .value = &name, .needed = true,
			.operand = true},
	};
	int code = options_read(self, argc, argv, rows, 5);

	if (code == OPTIONS_FINE && !ca_name_ok(name))
		code = EXIT_WRONG;
	if (code == OPTIONS_FINE)
		code = ca_open_step(&step, true);
	if (code == OPTIONS_FINE)
		code = client_json(step.client, "POST", CA_PATH,
			json_pack("{s:s, s:s, s:s, s:s, s:s*}", "name", name,
				"type", "CUSTOM_SW", "region", "GLOBAL",
				"status", disabled ? "DISABLED" : "ENABLED",
				"description", description), &step.reply);
	if (code == OPTIONS_FINE)
		ca_show_step(&step);
	return ca_close_step(&step, code);
}

int step_keypair(const struct command *self, int argc, char **argv)
{
	struct step step = {.config = NULL};
	const char *type = NULL;
	const struct option_row rows[] = {
		ROW_CONFIG(step), ROW_JSON(step),
		{.name = "key-type", .value = &type}, ROW_CA(step),
	};
	int code = options_read(self, argc, argv, rows, 4);

	if (code == OPTIONS_FINE)
		code = ca_open_step(&step, true);
	if (code == OPTIONS_FINE)
		code = call(&step, "POST", "/keyPair", json_pack("{s:s}",
			"keyType", type ? type : "EC_P256"));
	return ca_close_step(&step, code);
}
