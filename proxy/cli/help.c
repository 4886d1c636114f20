#include <stdio.h>

#include "proxy/cli/command.h"

void command_overview(FILE *out)
{
	fputs("usage: sallyport COMMAND ... [-c FILE]\n\n"
		"Sallyport is a forward proxy that inspects TLS.\n\n", out);
	for (size_t i = 0; commands[i]; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name,
			commands[i]->summary);
	fputs("\n\"sallyport help COMMAND\" says more; the manual, "
		"sallyport(8), has the settings.\n"
		"Exit codes: 0 done, 1 failed, 2 wrong use or wrong "
		"configuration.\n", out);
}

static int help(const struct command *self, int argc, char **argv)
{
	const struct command *command;

	(void)self;
	if (argc == 0) {
		command_overview(stdout);
		return EXIT_DONE;
	}
	command = command_find(argv[0]);
	if (!command)
		return command_unknown(argv[0]);
	return command_show_help(command, argc - 1, argv + 1);
}

const struct command command_help = {
	.name = "help",
	.summary = "this, or the help of a command",
	.help =
		"usage: sallyport help [COMMAND [WORD]]\n"
		"\n"
		"Lists the commands, or shows the help of one, as \"ca\", or of\n"
		"what stands behind it, as \"ca setup\".\n",
	.run = help,
};
