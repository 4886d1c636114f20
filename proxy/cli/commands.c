#include <stdio.h>
#include <string.h>

#include "proxy/cli/command.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/nearest.h"

const struct command *const commands[] = {
	&command_run, &command_check, &command_explain, &command_ca,
	&command_token, &command_sessions, &command_log, &command_exec,
	&command_env, &command_bundle, &command_docker, &command_trust,
	&command_doctor, &command_version, &command_help, NULL,
};

static const struct {
	const char *word;
	const struct command *command;
} also[] = {
	{"--help", &command_help},
	{"-h", &command_help},
	{"--version", &command_version},
	{"@worker", &command_worker},
	{"@keeper", &command_keeper},
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	for (size_t i = 0; i < sizeof(also) / sizeof(also[0]); i++) {
		if (strcmp(also[i].word, name) == 0)
			return also[i].command;
	}
	return NULL;
}

int command_unknown(const char *word)
{
	const char *names[sizeof(commands) / sizeof(commands[0])], *close;
	size_t num = 0;

	for (; commands[num]; num++)
		names[num] = commands[num]->name;
	close = nearest(word, names, num);
	fprintf(stderr, "sallyport: there is no command \"%s\"; ",
		shown(word).text);
	if (close)
		fprintf(stderr, "did you mean \"%s\"?\n", close);
	else
		fprintf(stderr, "\"sallyport help\" lists them\n");
	return EXIT_WRONG;
}
