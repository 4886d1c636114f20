/* words.c - commands that are groups of commands: `sallyport ca list`. */

#include <stdio.h>
#include <string.h>

#include "proxy/cli/command.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/nearest.h"

enum { WORDS_MAX = 40 }; /* of one group */

static const struct {
	const struct command *group;
	const struct command *words[2]; /* NULL: no more */
} groups[] = {
	{&command_ca, {ca_words, ca_steps}},
	{&command_token, {token_words}},
	{&command_log, {log_words}},
	{&command_trust, {trust_words}},
};

/* list gives all words of a group. */
static size_t list(const struct command *group,
	const struct command *out[WORDS_MAX])
{
	size_t num = 0;

	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		for (size_t j = 0; groups[i].group == group && j < 2; j++) {
			const struct command *at = groups[i].words[j];

			for (; at && at->name && num < WORDS_MAX; at++)
				out[num++] = at;
		}
	}
	return num;
}

/* last is the name of a word without its group's. */
static const char *last(const struct command *word)
{
	const char *blank = strrchr(word->name, ' ');

	return blank ? blank + 1 : word->name;
}

const struct command *command_word(const struct command *command,
	const char *word)
{
	const struct command *words[WORDS_MAX];
	size_t num = list(command, words);

	for (size_t i = 0; i < num; i++) {
		if (strcmp(last(words[i]), word) == 0)
			return words[i];
	}
	return NULL;
}

/* no_word tells that there is no such word, and the nearest that is. */
static int no_word(const struct command *command, const char *word)
{
	const struct command *words[WORDS_MAX];
	const char *names[WORDS_MAX], *close;
	size_t num = list(command, words);

	for (size_t i = 0; i < num; i++)
		names[i] = last(words[i]);
	close = nearest(word, names, num);
	fprintf(stderr, "sallyport %s: there is no \"%s\"; ", command->name,
		shown(word).text);
	if (close)
		fprintf(stderr, "did you mean \"%s\"?\n", close);
	else
		fprintf(stderr, "\"sallyport %s --help\" says what there is\n",
			command->name);
	return EXIT_WRONG;
}

int command_show_help(const struct command *command, int argc, char **argv)
{
	const struct command *word;

	for (int i = 0; i < argc; i++, command = word) {
		word = command_word(command, argv[i]);
		if (!word)
			return no_word(command, argv[i]);
	}
	fputs(command->help, stdout);
	return EXIT_DONE;
}

/* misplaced: an option stands where the word should. */
static int misplaced(const struct command *self, int argc, char **argv)
{
	const struct command *sub = NULL;

	for (int i = 1; i < argc && !sub; i++)
		sub = command_word(self, argv[i]);
	fprintf(stderr, "sallyport %s: %s goes behind the word, as in "
		"\"sallyport %s%s %s ...\"\n", self->name, shown(argv[0]).text,
		sub ? sub->name : self->name, sub ? "" : " WORD",
		shown(argv[0]).text);
	return EXIT_WRONG;
}

int command_group(const struct command *self, int argc, char **argv)
{
	const struct command *sub;

	if (argc == 0) {
		fputs(self->help, stderr);
		return EXIT_WRONG;
	}
	if (command_find(argv[0]) == &command_help)
		return command_show_help(self, argc - 1, argv + 1);
	sub = command_word(self, argv[0]);
	if (sub)
		return sub->run(sub, argc - 1, argv + 1);
	return argv[0][0] == '-' ? misplaced(self, argc, argv) :
				   no_word(self, argv[0]);
}
