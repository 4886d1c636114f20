#include "proxy/cli/options.h"
#include "proxy/core/server.h"

static int run(const struct command *self, int argc, char **argv)
{
	const char *file = NULL;
	const struct option_row rows[] = {
		{.letter = 'c', .name = "config", .value = &file},
	};
	int code = options_read(self, argc, argv, rows, 1);

	if (code != OPTIONS_FINE)
		return code;
	return server_run(file);
}

const struct command command_run = {
	.name = "run",
	.summary = "run the proxy",
	.help =
		"usage: sallyport run [-c FILE]\n"
		"\n"
		"Runs the proxy until it is told to stop. Without a file it\n"
		"listens on 127.0.0.1:8080 and inspects all TLS, with a CA of\n"
		"its own that is made at the first start.\n"
		"\n"
		"  -c, --config FILE   the configuration (YAML)\n"
		"\n"
		"Signals: HUP reads the file again and opens the log anew; what\n"
		"is under way goes on, and a file with mistakes changes nothing.\n"
		"TERM and INT stop it: no new connections, those under way may\n"
		"end (limits.drain-timeout); a second one stops it at once.\n"
		"USR1 prints a line of figures.\n"
		"\n"
		"The settings are in the manual, sallyport(8); \"sallyport check\"\n"
		"holds a file against them.\n",
	.run = run,
};
