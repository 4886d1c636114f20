#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pki/base.h"
#include "pki/lifecycle.h"
#include "pki/x509.h"
#include "policy/catalog.h"
#include "proxy/cli/options.h"
#include "proxy/cli/setup.h"
#include "proxy/config/memory.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/load.h"
#include "proxy/core/log_want.h"
#include "proxy/core/remarks.h"
#include "proxy/core/source.h"
#include "proxy/session/keylog.h"

static const char *plural(size_t num)
{
	return num == 1 ? "" : "s";
}

static const char *plural_y(size_t num)
{
	return num == 1 ? "y" : "ies";
}

/* --- CAs that rules name ------------------------------------------------ */

static const struct store_ca *find(const struct store_ca *list, size_t num,
	const char *name)
{
	for (size_t i = 0; i < num; i++) {
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	}
	return NULL;
}

/* ends_soon: within what readyz and the log tell beforehand. */
static bool ends_soon(const struct store_ca *row)
{
	enum { SOON_S = 30 * 24 * 3600 };
	struct cert cert;

	return row->cert && cert_read(der_of(row->cert), &cert) == 0 &&
		cert.not_after - time(NULL) < SOON_S;
}

static void check_one(const struct named_ca *named,
	const struct store_ca *row, struct mistakes *mistakes)
{
	mistakes_in(mistakes, named->from);
	if (!row)
		load_tell_no_ca(named, mistakes);
	else if (!life_usable(row))
		mistakes_warning(mistakes, named->line, "intermediate-ca: the "
			"CA \"%s\" is %s: connections under this rule are "
			"refused", shown(named->name).text,
			row->state == STATE_CERT_READY ? "disabled" :
			"not finished");
	else if (ends_soon(row))
		mistakes_warning(mistakes, named->line, "intermediate-ca: the "
			"CA \"%s\" ends within 30 days, or has ended",
			shown(named->name).text);
}

static int check_all(const struct config *config, const struct life *life)
{
	struct mistakes mistakes = {.file = config->path};
	struct store_ca *list;
	size_t num;
	int code = OPTIONS_FINE;

	if (life_list(life, &list, &num) != LIFE_OK)
		return setup_failed(life->err);
	for (size_t i = 0; i < config->num_named; i++)
		check_one(&config->named[i],
			find(list, num, config->named[i].name), &mistakes);
	mistakes_print(&mistakes, stderr);
	if (mistakes.errors > 0)
		code = EXIT_WRONG;
	mistakes_clear(&mistakes);
	store_list_free(list, num);
	return code;
}

/* none_yet: what setup_open_to_look would say, with the lines it is about. */
static int none_yet(const struct config *config)
{
	struct mistakes mistakes = {.file = config->path};

	for (size_t i = 0; i < config->num_named; i++) {
		const struct named_ca *named = &config->named[i];

		mistakes_in(&mistakes, named->from);
		mistakes_error(&mistakes, named->line, "intermediate-ca: there "
			"is no CA \"%s\": the state folder %s has none yet; "
			"\"sallyport run\" makes the first at its first start, "
			"\"sallyport ca setup\" and \"sallyport ca import\" "
			"bring others", shown(named->name).text, config->state);
	}
	mistakes_print(&mistakes, stderr);
	mistakes_clear(&mistakes);
	return EXIT_WRONG;
}

/* Only a file that names CAs is held against the state folder. */
static int check_named(const struct config *config)
{
	struct setup setup;
	char err[512];
	struct life life = {.err = err, .err_size = sizeof(err)};
	int code;

	if (config->num_named == 0)
		return OPTIONS_FINE;
	if (setup_has_no_ca(config))
		return none_yet(config);
	code = setup_open_to_look(config, &setup);
	life.options = &setup.options;
	if (code == OPTIONS_FINE)
		code = check_all(config, &life);
	setup_close(&setup);
	return code;
}

/* --- the whole ---------------------------------------------------------- */

static void say_fine(const char *name, const struct settings *settings)
{
	const struct config *config = settings->config;
	size_t entries = catalog_num_entries(settings->catalog);

	printf("%s: fine, %zu rule%s, %zu URL rule%s, %zu categor%s, "
		"%zu entr%s\n", name, config->num_rules,
		plural(config->num_rules), config->num_url_rules,
		plural(config->num_url_rules), config->num_categories,
		plural_y(config->num_categories), entries, plural_y(entries));
}

/* warn_of_log: nobody takes the lines here; it may be another machine that this is for.
 * A file has been looked at with the configuration. */
static void warn_of_log(struct mistakes *mistakes, const struct config *config)
{
	const struct log_want want = log_want_of(config);
	struct log_target *target;
	char err[512];

	if (config_logs_to_file(config))
		return;
	target = log_target_open(&want, err, sizeof(err));
	if (!target)
		mistakes_warning(mistakes, 0, "%s", err);
	log_target_close(target);
}

/* check_places: what "sallyport run" writes to, and would not start without. */
static int check_places(const struct config *config)
{
	struct mistakes mistakes = {.file = config->path};
	char err[1024];
	int result = config_check_prepare(config, err, sizeof(err));
	int code;

	if (result == CONFIG_ANOTHERS)
		mistakes_warning(&mistakes, 0, "%s", err);
	else if (result != 0)
		mistakes_error(&mistakes, 0, "%s", err);
	if (config->key_log &&
	    keylog_check(config->key_log, err, sizeof(err)) != 0)
		mistakes_error(&mistakes, 0, "%s", err);
	warn_of_log(&mistakes, config);
	mistakes_print(&mistakes, stderr);
	code = mistakes.errors > 0 ? EXIT_WRONG : OPTIONS_FINE;
	mistakes_clear(&mistakes);
	return code;
}

/* check_loaded takes config; name: what is fine, NULL: something is not. */
static int check_loaded(struct config *config, const char *name)
{
	struct settings *settings;
	int code;

	if (load_settings(config, NULL, stderr, &settings) != 0)
		return EXIT_WRONG;
	remarks_print(settings, stderr);
	code = check_named(config);
	if (code == OPTIONS_FINE && name)
		say_fine(name, settings);
	settings_unref(settings);
	return code;
}

/* is_closed: another user's state folder is no mistake of the file. */
static bool is_closed(const char *state)
{
	char *policy = state_path(state, "policy");
	bool closed = access(policy, R_OK | X_OK) != 0 && errno == EACCES;

	free(policy);
	return closed;
}

/* check_over: a policy that came by the API goes over the file, and is what counts
 * while it does. */
static int check_over(const char *file, const char *state)
{
	char told[SOURCE_TOLD], name[64];
	struct config *config;
	struct source source;
	int code = OPTIONS_FINE;

	if (is_closed(state)) {
		fprintf(stderr, "sallyport check: whether a policy came by the "
			"API is not known: %s can't be read by this user\n",
			state);
		return OPTIONS_FINE;
	}
	if (source_read(file, state, &source, stderr) != 0)
		return EXIT_WRONG;
	if (source_told(&source, told)) {
		fprintf(stderr, "sallyport check: %s\n", told);
		snprintf(name, sizeof(name), "with policy version %u",
			source.version.number);
		code = source_load(&source, &config, stderr) != 0 ?
			EXIT_WRONG : check_loaded(config, name);
		if (code != OPTIONS_FINE)
			source_tell_way_out(&source, state, stderr);
	}
	source_clear(&source);
	return code;
}

static int check(const struct command *self, int argc, char **argv)
{
	const char *file = NULL;
	const struct option_row rows[] = {
		{.letter = 'c', .name = "config", .value = &file},
	};
	struct config *config;
	char *state;
	int code = options_read(self, argc, argv, rows, 1), places;

	if (code != OPTIONS_FINE)
		return code;
	if (config_load(file, &config, stderr) != 0)
		return EXIT_WRONG;
	state = must(strdup(config->state));
	places = check_places(config);
	code = check_loaded(config, places != OPTIONS_FINE ? NULL : file ?
		file : "defaults (no -c FILE)");
	if (code == OPTIONS_FINE)
		code = places == OPTIONS_FINE ? check_over(file, state) :
			places;
	free(state);
	return code == OPTIONS_FINE ? EXIT_DONE : code;
}

const struct command command_check = {
	.name = "check",
	.summary = "look for mistakes in a configuration",
	.help =
		"usage: sallyport check [-c FILE]\n"
		"\n"
		"Reads the configuration and all that it names as \"sallyport run\"\n"
		"would, and tells every mistake with its line:\n"
		"\n"
		"  sallyport.yaml:3: there is no key \"lissen\"; did you mean \"listen\"?\n"
		"\n"
		"A state folder or a file of log.keys with which it would not start is one, too.\n"
		"\n"
		"What is legal but surely not meant is told as a warning: rules that never\n"
		"decide, categories that are empty or that no rule uses, users whom nobody can\n"
		"be, networks of users.sources behind others that hold them, lines of lists\n"
		"that are no entries, a journal or syslog that nobody runs here.\n"
		"\n"
		"  -c, --config FILE   the configuration (YAML)\n"
		"\n"
		"Exit code: 0 fine (warnings count as fine), 2 mistakes.\n",
	.run = check,
};
