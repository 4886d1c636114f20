/*
 * main.c - the word behind "sallyport" picks the command.
 */
#include <stdio.h>

#include "proxy/cli/command.h"

/* finish: what was printed has to arrive, whichever command has. */
static int finish(int code)
{
	if (code != EXIT_DONE || (fflush(stdout) == 0 && !ferror(stdout)))
		return code;
	fputs("sallyport: standard output does not take it all\n", stderr);
	return EXIT_FAILED;
}

int main(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		command_overview(stderr);
		return EXIT_WRONG;
	}
	command = command_find(argv[1]);
	if (!command)
		return command_unknown(argv[1]);
	return finish(command->run(command, argc - 2, argv + 2));
}
