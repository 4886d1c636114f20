#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pki/trust.h"
#include "proxy/cli/options.h"
#include "proxy/cli/setup.h"

static bool told(const char *file, const char *err)
{
	fprintf(stderr, "%s: origin.trust: %s\n", file, err);
	return false;
}

/* trust_is_fine reads the roots as run would. */
static bool trust_is_fine(const char *file, const struct config *config)
{
	struct trust *trust = trust_new();
	bool fine = true;
	char err[1024];

	if (config->origin.trust_system &&
		trust_add_system(trust, err, sizeof(err)) != 0)
		fine = told(file, err);
	for (size_t i = 0; i < config->origin.num_trust_files; i++) {
		if (trust_add_file(trust, config->origin.trust_files[i], err,
			sizeof(err)) != 0)
			fine = told(file, err);
	}
	trust_unref(trust);
	return fine;
}

/* log_is_fine: the log can be written, or made where it is to be. */
static bool log_is_fine(const char *file, const struct config *config)
{
	const char *path = config->access_log, *slash = strrchr(path, '/');
	char folder[4096];

	if (strcmp(path, "stdout") == 0 || strcmp(path, "stderr") == 0 ||
		strcmp(path, "none") == 0)
		return true;
	snprintf(folder, sizeof(folder), "%.*s",
		slash ? (int)(slash - path + 1) : 2, slash ? path : "./");
	if (access(access(path, F_OK) == 0 ? path : folder, W_OK) == 0)
		return true;
	fprintf(stderr, "%s: log.access: %s: %s\n", file, path,
		strerror(errno));
	return false;
}

static const char *plural(size_t num)
{
	return num == 1 ? "" : "s";
}

static const char *plural_y(size_t num)
{
	return num == 1 ? "y" : "ies";
}

static int check(const struct command *self, int argc, char **argv)
{
	const char *file = NULL, *name;
	const struct option_row rows[] = {
		{.letter = 'c', .name = "config", .value = &file},
	};
	struct config *config;
	int code = options_read(self, argc, argv, rows, 1);

	if (code == OPTIONS_FINE)
		code = setup_config(file, &config);
	if (code != OPTIONS_FINE)
		return code;
	name = file ? file : "defaults (no -c FILE)";
	if (trust_is_fine(name, config) & log_is_fine(name, config)) {
		code = EXIT_DONE;
		printf("%s: fine, %zu rule%s, %zu categor%s\n", name,
			config->num_rules, plural(config->num_rules),
			config->num_categories,
			plural_y(config->num_categories));
	} else {
		code = EXIT_WRONG;
	}
	config_free(config);
	return code;
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
		"What is legal but surely not meant is told as a warning.\n"
		"\n"
		"  -c, --config FILE   the configuration (YAML)\n"
		"\n"
		"Exit code: 0 fine (warnings count as fine), 2 mistakes.\n",
	.run = check,
};
