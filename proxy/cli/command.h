/*
 * command.h - what `sallyport WORD` does, a file a word.
 *
 * Owns:    nothing. Threads: the main one.
 * Errors:  the exit codes; what is wrong goes to standard error.
 */
#ifndef PROXY_CLI_COMMAND_H
#define PROXY_CLI_COMMAND_H

#include <stdio.h>

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_WRONG = 2, /* wrong use or wrong configuration */
};

struct command {
	const char *name;    /* "run", "ca root" */
	const char *summary; /* half a line */
	const char *help;    /* a screen at the most: 24 lines of 80 */
	/* run gets what stands behind the name and returns an exit_code; whether
	 * standard output takes what it prints is seen to behind it. */
	int (*run)(const struct command *self, int argc, char **argv);
};

extern const struct command command_run, command_check, command_explain,
	command_ca, command_token, command_sessions, command_log, command_exec,
	command_env, command_bundle, command_docker, command_trust,
	command_doctor, command_version, command_help;

/* What run starts: not for people, and not listed. */
extern const struct command command_worker, command_keeper;

/* The commands there are, ended by NULL. */
extern const struct command *const commands[];

/* What stands behind "ca", "token", "log" and "trust", each ended by one without a
 * name. */
extern const struct command ca_words[], ca_steps[], token_words[], log_words[],
	trust_words[];

/* command_word finds what is called so behind a command, without its name:
 * "root" of "ca root". NULL: no such. */
const struct command *command_word(const struct command *command,
	const char *word);

/* command_show_help shows the help of a command, or of what the words behind it
 * name. */
int command_show_help(const struct command *command, int argc, char **argv);

/* command_group runs the word that follows. */
int command_group(const struct command *self, int argc, char **argv);

/* command_find: "--help", "-h", "--version" are found too. NULL: no such. */
const struct command *command_find(const char *name);

/* command_unknown tells that there is no word, and the nearest that is. */
int command_unknown(const char *word);

/* command_overview lists the commands. */
void command_overview(FILE *out);

#endif
