#include <stdlib.h>

#include "proxy/cli/command.h"
#include "proxy/core/keeper_process.h"
#include "proxy/core/server.h"

static unsigned number(int argc, char **argv, int at)
{
	return argc > at ? (unsigned)strtoul(argv[at], NULL, 10) : 0;
}

static int worker(const struct command *self, int argc, char **argv)
{
	(void)self;
	return server_run(number(argc, argv, 0), number(argc, argv, 1));
}

static int keeper(const struct command *self, int argc, char **argv)
{
	(void)self;
	return keeper_process_run(number(argc, argv, 0),
		number(argc, argv, 1));
}

const struct command command_worker = {
	.name = "@worker",
	.summary = "what carries connections",
	.help = "",
	.run = worker,
};

const struct command command_keeper = {
	.name = "@keeper",
	.summary = "what has the private keys",
	.help = "",
	.run = keeper,
};
