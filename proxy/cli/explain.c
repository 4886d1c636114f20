#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "proxy/cli/explain_inquiry.h"
#include "proxy/cli/explain_show.h"
#include "proxy/cli/explain_walk.h"
#include "proxy/cli/options.h"
#include "proxy/cli/setup.h"
#include "proxy/cli/table.h"
#include "proxy/config/memory.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/load.h"
#include "proxy/core/remarks_users.h"
#include "proxy/core/source.h"

/* find_state: where the proxy of that file keeps what came by its API. What is to
 * be told of the file is told when it is read again. */
static int find_state(const char *file, char **out)
{
	struct config *config;
	size_t len = 0;
	char *told = NULL;
	FILE *errors = must(open_memstream(&told, &len));
	int result = config_load_to_look(file, &config, errors);

	if (fclose(errors) != 0)
		abort(); /* for want of memory */
	if (result == 0) {
		*out = must(strdup(config->state));
		config_free(config);
	} else {
		fputs(told, stderr);
	}
	free(told);
	return result == 0 ? OPTIONS_FINE : EXIT_WRONG;
}

/* load_all: the file, and the policy that goes over it. Who may not look into the
 * state folder is told so, and gets an answer by the file. */
static int load_all(const char *file, struct config **out)
{
	char *state = NULL, told[SOURCE_TOLD];
	struct source source;
	int code = find_state(file, &state);
	bool known;

	if (code != OPTIONS_FINE)
		return code;
	known = source_read(file, state, &source, stderr) == 0;
	free(state);
	if (!known) {
		fprintf(stderr, "sallyport explain: whether a policy came by "
			"the API is not known; this is by the file alone\n");
		return setup_config(file, out);
	}
	if (source_told(&source, told))
		fprintf(stderr, "sallyport explain: %s\n", told);
	source.to_look = true;
	code = source_load(&source, out, stderr) == 0 ? OPTIONS_FINE :
							EXIT_WRONG;
	source_clear(&source);
	return code;
}

/* open_settings: with what the lists hold, as the proxy would read it all. */
static int open_settings(const char *file, struct settings **out)
{
	struct config *config;
	int code = load_all(file, &config);

	if (code != OPTIONS_FINE)
		return code;
	return load_settings(config, NULL, stderr, out) == 0 ? OPTIONS_FINE :
							       EXIT_WRONG;
}

/* note_user: a name that nothing has is perhaps not what was meant. Certificates
 * may say any. */
static void note_user(const struct settings *settings, const char *user)
{
	const struct config *config = settings->config;

	if (!user || config_has_certificates(config) ||
		policy_knows_user(config->policy, user) ||
		remarks_can_be(settings, user))
		return;
	fprintf(stderr, "sallyport explain: note: no user \"%s\" is in "
		"users.htpasswd, users.sources, a group or a rule\n",
		shown(user).text);
}

static void answer(const struct config *config, struct inquiry *inquiry,
	bool json)
{
	struct walk walk;
	json_t *object;

	walk_rules(config, inquiry, &walk);
	if (json) {
		object = explain_json(inquiry, &walk);
		table_json(stdout, object);
		json_decref(object);
	} else {
		explain_text(stdout, config, inquiry, &walk);
	}
	walk_clear(&walk);
}

static int ask(const char *file, const struct inquiry_words *words, bool json)
{
	struct settings *settings;
	struct inquiry inquiry;
	char err[1024];
	int code;

	if (inquiry_read(words, &inquiry, err, sizeof(err)) != 0) {
		fprintf(stderr, "sallyport explain: %s\n", err);
		inquiry_clear(&inquiry);
		return EXIT_WRONG;
	}
	code = open_settings(file, &settings);
	if (code == OPTIONS_FINE) {
		note_user(settings, inquiry.user);
		answer(settings->config, &inquiry, json);
		settings_unref(settings);
		code = EXIT_DONE;
	}
	inquiry_clear(&inquiry);
	return code;
}

static int explain(const struct command *self, int argc, char **argv)
{
	struct inquiry_words words = {NULL};
	const char *file = NULL;
	bool json = false;
	const struct option_row rows[] = {
		{.letter = 'c', .name = "config", .value = &file},
		{.name = "URL", .value = &words.url, .operand = true,
			.needed = true},
		{.name = "user", .value = &words.user},
		{.name = "from", .value = &words.from},
		{.name = "method", .value = &words.method},
		{.name = "user-agent", .value = &words.user_agent},
		{.name = "to", .value = &words.to},
		{.name = "sni", .value = &words.sni},
		{.name = "at", .value = &words.at},
		{.name = "certificate", .value = &words.certificate},
		{.name = "json", .flag = &json},
	};
	int code = options_read(self, argc, argv, rows,
		sizeof(rows) / sizeof(rows[0]));

	return code == OPTIONS_FINE ? ask(file, &words, json) : code;
}

const struct command command_explain = {
	.name = "explain",
	.summary = "what the rules say of a URL, and why",
	.help =
		"usage: sallyport explain URL [options] [-c FILE]\n"
		"\n"
		"Tells what the rules would decide, each rule down to the one that does, and\n"
		"what it failed on. The last line is \"decision: OUTCOME by RULE\".\n"
		"It is that of a first connection: what the proxy learns by one (that an\n"
		"origin wants the client's certificate) may have the next one tunnelled.\n"
		"\n"
		"  sallyport explain https://github.com/x --user dev1 --from 10.1.2.3\n"
		"\n"
		"  --user NAME          who asks; else who users.sources says, or nobody\n"
		"  --from ADDRESS       from where\n"
		"  --method POST        else GET; in capitals\n"
		"  --user-agent TEXT    of CONNECT and request; else none\n"
		"  --to ADDRESS         what the host resolves to, else asked where rules ask\n"
		"  --sni NAME           where TLS names another host than the URL\n"
		"  --at \"2026-11-30 12:00 +01:00\"   else now; without offset, UTC\n"
		"  --certificate WORD   the origin's: trusted, expired, wrong-host ...\n"
		"  --json               for programs\n"
		"  -c, --config FILE    the configuration (YAML)\n"
		"\n"
		"Needs no running proxy. Exit code: 0 whatever the outcome, 2 wrong use or\n"
		"mistakes in the configuration.\n",
	.run = explain,
};
