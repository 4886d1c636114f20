/* ca_revoke.c - `sallyport ca revoke`, and what was taken back with it. */

#include <stdio.h>
#include <string.h>

#include "proxy/cli/ca_find.h"
#include "proxy/cli/ca_step.h"
#include "proxy/cli/ca_steps.h"
#include "proxy/cli/table.h"
#include "proxy/config/mistakes.h"

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

/* --- which issuing CAs ended by it -------------------------------------- */

static int get_issuing(struct step *step, struct client_reply *out)
{
	return client_call(step->client, "GET", "/sallyport/issuing", NULL,
		out);
}

/* is_revoked: the list says so of the CA with that key id. */
static bool is_revoked(const json_t *list, const char *key_id)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one) {
		if (strcmp(text_of(one, "keyId"), key_id) == 0)
			return json_object_get(one, "revoked") != NULL;
	}
	return false;
}

/* newly are those of after that are revoked, and were not before. */
static json_t *newly(const json_t *before, json_t *after)
{
	json_t *out = json_array(), *one;
	size_t i;

	json_array_foreach(after, i, one) {
		if (json_object_get(one, "revoked") &&
		    !is_revoked(before, text_of(one, "keyId")))
			(void)json_array_append(out, one);
	}
	return out;
}

/* --- for people --------------------------------------------------------- */

static void show_issuing(const json_t *list)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		printf("  issuing CA %s, serial %s\n",
			shown(text_of(one, "name")).text,
			text_of(one, "serialNumber"));
	if (json_array_size(list) > 0)
		puts("With it ends every certificate that it signed, those of "
			"other sites, too.");
}

static void show(const struct step *step, const char *site, long long num)
{
	const json_t *issuing = json_object_get(step->reply.json, "issuing");
	long long single = num - (long long)json_array_size(issuing);

	printf("revoked: %lld\n", num);
	if (step->ca)
		printf("  intermediate CA %s (%lld)\nWith it ends every "
			"certificate, and every issuing CA, that it signed.\n",
			shown(step->ca).text, step->id);
	if (site && single > 0)
		printf("  certificates of %s: %lld\n", shown(site).text,
			single);
	show_issuing(issuing);
	if (client_running(step->client))
		puts("The next connections get new ones.");
}

/* --- the step ----------------------------------------------------------- */

/* ask_for has it revoked; the reply has what ended by it, too. */
static int ask_for(struct step *step, json_t *what)
{
	struct client_reply before, after = {.status = 0};
	int code = get_issuing(step, &before);

	if (code != OPTIONS_FINE)
		json_decref(what);
	else
		code = client_json(step->client, "POST", "/sallyport/revoke",
			what, &step->reply);
	if (code == OPTIONS_FINE)
		code = get_issuing(step, &after);
	if (code == OPTIONS_FINE)
		(void)json_object_set_new(step->reply.json, "issuing",
			newly(before.json, after.json));
	client_reply_clear(&before);
	client_reply_clear(&after);
	return code;
}

static int revoke(struct step *step, const char *site, json_t *what)
{
	int code = ask_for(step, what);

	if (code == OPTIONS_FINE && step->json)
		table_json(stdout, step->reply.json);
	else if (code == OPTIONS_FINE)
		show(step, site, json_integer_value(
			json_object_get(step->reply.json, "revoked")));
	return code;
}

int step_take_back(const struct command *self, int argc, char **argv)
{
	struct step step = {.config = NULL};
	const char *serial = NULL, *site = NULL;
	const struct option_row rows[] = {
		ROW_CONFIG(step), ROW_JSON(step),
		{.name = "issuing", .value = &serial},
		{.name = "site", .value = &site},
		{.name = "ca", .value = &step.ca},
	};
	int code = options_read(self, argc, argv, rows, 5);

	if (code == OPTIONS_FINE && !!serial + !!site + !!step.ca != 1) {
		fprintf(stderr, "sallyport ca revoke: give one of --issuing "
			"SERIAL, --site HOST, --ca CA\n");
		code = EXIT_WRONG;
	}
	if (code == OPTIONS_FINE)
		code = ca_open_step(&step, true);
	if (code == OPTIONS_FINE)
		code = revoke(&step, site, serial ?
			json_pack("{s:s}", "issuing", serial) : site ?
			json_pack("{s:s}", "site", site) :
			json_pack("{s:I}", "ca", (json_int_t)step.id));
	return ca_close_step(&step, code);
}
