/*
 * main.c - the word behind "sallyport" picks the command.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "proxy/cli/command.h"

/* settle: who starts us may have closed what every program has, in whose place the next
 * file or socket would be written to by all that prints, or want to hear of no child's
 * end. What is put there fails as what is closed does, and is closed for who is started
 * by us. */
static void settle(void)
{
	(void)signal(SIGCHLD, SIG_DFL);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", O_CLOEXEC |
				(fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));
	}
}

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

	settle();
	if (argc < 2) {
		command_overview(stderr);
		return EXIT_WRONG;
	}
	command = command_find(argv[1]);
	if (!command)
		return command_unknown(argv[1]);
	return finish(command->run(command, argc - 2, argv + 2));
}
