#include <stdio.h>

#include "pki/trust.h"
#include "proxy/cli/options.h"
#include "proxy/cli/setup.h"
#include "proxy/core/load.h"

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
	struct trust *trust;
	int code = options_read(self, argc, argv, rows, 1);

	if (code == OPTIONS_FINE)
		code = setup_config(file, &config);
	if (code != OPTIONS_FINE)
		return code;
	name = file ? file : "defaults (no -c FILE)";
	if (load_trust(config, stderr, &trust) == 0) {
		trust_free(trust);
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
