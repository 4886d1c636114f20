/*
 * main.c - the word behind "sallyport" picks the command.
 */
#include <stdio.h>

#include "proxy/cli/command.h"

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
	return command->run(command, argc - 2, argv + 2);
}
