#include "proxy/cli/ca_steps.h"

#include <stdio.h>
#include <string.h>

#include "proxy/cli/ca_step.h"
#include "proxy/cli/ca_table.h"
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

/* close_step gives what the program shall exit with. */
int ca_close_step(struct step *step, int code)
{
	client_reply_clear(&step->reply);
	client_close(step->client);
	config_free(step->settings);
	if (code != OPTIONS_FINE)
		return code;
	return fflush(stdout) == 0 ? EXIT_DONE :
		setup_failed("standard output can't be written to");
}

/* --- finding ------------------------------------------------------------ */

static bool is_called(const json_t *object, const char *word)
{
	const char *name = json_string_value(json_object_get(object, "name"));
	char id[24];

	snprintf(id, sizeof(id), "%lld", (long long)json_integer_value(
		json_object_get(object, "id")));
	return strcmp(id, word) == 0 || (name && strcmp(name, word) == 0);
}

int ca_find(struct client *client, const char *word, long long *out)
{
	struct client_reply reply;
	const json_t *object, *found = NULL;
	size_t i;
	int code = client_call(client, "GET", CA_PATH "?pageSize=1000", NULL,
		&reply);

	json_array_foreach(reply.json, i, object) {
		if (!found && is_called(object, word))
			found = object;
	}
	if (code == OPTIONS_FINE && found) {
		*out = json_integer_value(json_object_get(found, "id"));
	} else if (code == OPTIONS_FINE) {
		fprintf(stderr, "sallyport: there is no CA \"%s\"; "
			"\"sallyport ca list\" shows those there are\n",
			shown(word).text);
		code = EXIT_FAILED;
	}
	client_reply_clear(&reply);
	return code;
}

static int find_default(struct client *client, long long *out)
{
	struct client_reply reply;
	const json_t *object;
	size_t i;
	int code = client_call(client, "GET", CA_PATH "?pageSize=1000", NULL,
		&reply);

	json_array_foreach(reply.json, i, object) {
		if (json_is_true(json_object_get(object,
				"defaultCertificate")))
			*out = json_integer_value(
				json_object_get(object, "id"));
	}
	client_reply_clear(&reply);
	return code;
}

/* --- showing ------------------------------------------------------------ */

static const struct table_column of_list[] = {
	{"ID", "id", TABLE_TEXT}, {"NAME", "name", TABLE_TEXT},
	{"TYPE", "type", TABLE_TEXT}, {"KEY", "keyType", TABLE_TEXT},
	{"STATE", "currentState", TABLE_TEXT},
	{"STATUS", "status", TABLE_TEXT}, {"ENDS", "certExpDate", TABLE_DAY},
	{"DEFAULT", "defaultCertificate", TABLE_YES},
};

static const struct table_column of_one[] = {
	{"id", "id", TABLE_TEXT}, {"name", "name", TABLE_TEXT},
	{"description", "description", TABLE_TEXT},
	{"type", "type", TABLE_TEXT}, {"region", "region", TABLE_TEXT},
	{"state", "currentState", TABLE_TEXT},
	{"status", "status", TABLE_TEXT},
	{"default", "defaultCertificate", TABLE_YES},
	{"key", "keyType", TABLE_TEXT},
	{"key made", "keyGenerationTime", TABLE_TIME},
	{"request made", "csrGenerationTime", TABLE_TIME},
	{"request file", "csrFileName", TABLE_TEXT},
	{"certificate", "uploadedCertFileName", TABLE_TEXT},
	{"begins", "certStartDate", TABLE_TIME},
	{"ends", "certExpDate", TABLE_TIME},
};

#define NUM(columns) (sizeof(columns) / sizeof(*(columns)))

static void show_list(const struct step *step,
	const struct table_column *columns, size_t num)
{
	if (step->json)
		table_json(stdout, step->reply.json);
	else
		table_print(stdout, step->reply.json, columns, num);
}

void ca_show_step(const struct step *step)
{
	if (step->json)
		table_json(stdout, step->reply.json);
	else
		table_list(stdout, step->reply.json, of_one, NUM(of_one));
}

static int list_at(const struct command *self, int argc, char **argv,
	const char *path, const struct table_column *columns, size_t num)
{
	struct step step = {.config = NULL};
	const struct option_row rows[] = {ROW_CONFIG(step), ROW_JSON(step)};
	int code = options_read(self, argc, argv, rows, 2);

	if (code != OPTIONS_FINE)
		return code;
	code = ca_open_step(&step, false);
	if (code == OPTIONS_FINE)
		code = client_call(step.client, "GET", path, NULL,
			&step.reply);
	if (code == OPTIONS_FINE)
		show_list(&step, columns, num);
	return ca_close_step(&step, code);
}

int ca_show_one(const struct command *self, int argc, char **argv)
{
	struct step step = {.config = NULL};
	const struct option_row rows[] = {
		ROW_CONFIG(step), ROW_JSON(step),
		{.name = "a CA: its id or name", .value = &step.ca,
			.operand = true},
	};
	char path[PATH_SIZE];
	int code = options_read(self, argc, argv, rows, 3);

	if (code == OPTIONS_FINE)
		code = ca_open_step(&step, false);
	if (code == OPTIONS_FINE && !step.ca)
		code = find_default(step.client, &step.id);
	if (code == OPTIONS_FINE) {
		snprintf(path, sizeof(path), CA_PATH "/%lld", step.id);
		code = client_call(step.client, "GET", path, NULL,
			&step.reply);
	}
	if (code == OPTIONS_FINE)
		ca_show_step(&step);
	return ca_close_step(&step, code);
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

int step_list(const struct command *self, int argc, char **argv)
{
	return list_at(self, argc, argv, CA_PATH "?pageSize=1000", of_list,
		NUM(of_list));
}

int step_issuing(const struct command *self, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{"SERIAL", "serialNumber", TABLE_TEXT},
		{"NAME", "name", TABLE_TEXT},
		{"BEGINS", "startDate", TABLE_DAY},
		{"ENDS", "expDate", TABLE_DAY},
		{"REVOKED", "revoked", TABLE_YES},
	};

	return list_at(self, argc, argv, "/sallyport/issuing", columns,
		NUM(columns));
}

int step_audit(const struct command *self, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{"TIME", "time", TABLE_TIME}, {"WHO", "who", TABLE_TEXT},
		{"WHAT", "what", TABLE_TEXT}, {"CA", "name", TABLE_TEXT},
		{"DETAIL", "detail", TABLE_TEXT},
	};

	return list_at(self, argc, argv, "/sallyport/audit?last=1000",
		columns, NUM(columns));
}

/* --- one step of a CA's life -------------------------------------------- */

/* call makes a call at path/ID and shows the CA as it is then. */
static int call(struct step *step, const char *method, const char *word,
	json_t *object)
{
	char path[PATH_SIZE];
	struct client_reply reply;
	int code;

	snprintf(path, sizeof(path), CA_PATH "%s/%lld", word, step->id);
	code = client_json(step->client, method, path, object, &reply);
	client_reply_clear(&reply);
	if (code != OPTIONS_FINE)
		return code;
	snprintf(path, sizeof(path), CA_PATH "/%lld", step->id);
	code = client_call(step->client, "GET", path, NULL, &step->reply);
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

int step_delete(const struct command *self, int argc, char **argv)
{
	struct step step = {.config = NULL};
	const struct option_row rows[] = {ROW_CONFIG(step), ROW_CA(step)};
	char path[PATH_SIZE];
	int code = options_read(self, argc, argv, rows, 2);

	if (code == OPTIONS_FINE)
		code = ca_open_step(&step, true);
	if (code == OPTIONS_FINE) {
		snprintf(path, sizeof(path), CA_PATH "/%lld", step.id);
		code = client_call(step.client, "DELETE", path, NULL,
			&step.reply);
	}
	if (code == OPTIONS_FINE)
		printf("deleted\n");
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
