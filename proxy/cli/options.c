#include "proxy/cli/options.h"

#include <stdio.h>
#include <string.h>

#include "proxy/config/mistakes.h"
#include "proxy/config/nearest.h"

static int wrong(const struct command *command, const char *what,
	const char *word)
{
	fprintf(stderr, "sallyport %s: %s%s; \"sallyport %s --help\" shows "
		"how\n", command->name, what, shown(word).text, command->name);
	return EXIT_WRONG;
}

/* find returns the row that word is an option of. *out_value is the value
 * within the same word ("-cFILE", "--config=FILE"), or NULL: the next word. */
static const struct option_row *find(const char *word,
	const struct option_row *rows, size_t num, const char **out_value)
{
	for (size_t i = 0; i < num; i++) {
		const struct option_row *row = &rows[i];
		size_t len = strlen(row->name);

		*out_value = NULL;
		if (strncmp(word, "--", 2) == 0 &&
			strncmp(word + 2, row->name, len) == 0 &&
			(word[2 + len] == '\0' || word[2 + len] == '=')) {
			if (word[2 + len] == '=')
				*out_value = word + 2 + len + 1;
			return row;
		}
		if (row->letter && word[0] == '-' && word[1] == row->letter) {
			if (word[2] != '\0')
				*out_value = word + 2;
			return row;
		}
	}
	return NULL;
}

static int check_needed(const struct command *command,
	const struct option_row *rows, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		if (rows[i].needed && !*rows[i].value)
			return wrong(command, "needs --", rows[i].name);
	}
	return OPTIONS_FINE;
}

/* no_such: word is no option; what was probably meant. */
static int no_such(const struct command *command, const char *word,
	const struct option_row *rows, size_t num)
{
	const char *names[8], *close = NULL;
	size_t i;

	for (i = 0; i < num && i < 8; i++)
		names[i] = rows[i].name;
	if (strncmp(word, "--", 2) == 0)
		close = nearest(word + 2, names, i);
	if (close)
		fprintf(stderr, "sallyport %s: there is no option %s; did you "
			"mean --%s?\n", command->name, shown(word).text,
			close);
	else if (word[0] == '-')
		return wrong(command, "there is no option ", word);
	else if (num == 1 && rows[0].letter == 'c')
		fprintf(stderr, "sallyport %s: does not take %s; use -c FILE\n",
			command->name, shown(word).text);
	else
		return wrong(command, "does not take ", word);
	return EXIT_WRONG;
}

int options_read(const struct command *command, int argc, char **argv,
	const struct option_row *rows, size_t num)
{
	for (int i = 0; i < argc; i++) {
		const struct option_row *row;
		const char *value;

		if (strcmp(argv[i], "--help") == 0 ||
			strcmp(argv[i], "-h") == 0) {
			fputs(command->help, stdout);
			return EXIT_DONE;
		}
		row = find(argv[i], rows, num, &value);
		if (!row)
			return no_such(command, argv[i], rows, num);
		if (!value && i + 1 < argc)
			value = argv[++i];
		if (!value || value[0] == '\0')
			return wrong(command, "a value is missing behind ",
				argv[i]);
		if (*row->value)
			return wrong(command, "given twice: --", row->name);
		*row->value = value;
	}
	return check_needed(command, rows, num);
}
