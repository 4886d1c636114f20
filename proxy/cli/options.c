#include "proxy/cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/config/mistakes.h"
#include "proxy/config/nearest.h"

enum { OPTIONS_MAX = 24 }; /* of one command */

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
	*out_value = NULL;
	for (size_t i = 0; i < num; i++) {
		const struct option_row *row = &rows[i];
		size_t len = strlen(row->name);

		if (row->operand)
			continue;
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
			return wrong(command, rows[i].operand ? "needs " :
				"needs --", rows[i].name);
	}
	return OPTIONS_FINE;
}

static bool has_operand(const struct option_row *rows, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		if (rows[i].operand)
			return true;
	}
	return false;
}

/* related: one of a pair begins with the other, as "org" with "o", or "desc", which
 * "description" begins with; the longest such. */
static const char *related(const char *word, const char *const *names,
	size_t num)
{
	const char *found = NULL;

	for (size_t i = 0; i < num; i++) {
		size_t len = strlen(names[i]), word_len = strcspn(word, "=");
		size_t least = len < word_len ? len : word_len;

		if (least > 0 && strncmp(word, names[i], least) == 0 &&
		    (!found || len > strlen(found)))
			found = names[i];
	}
	return found;
}

/* is_configuration: word looks like the file that -c wants, or can be nothing else. */
static bool is_configuration(const char *word, const struct option_row *rows,
	size_t num)
{
	const char *dot = strrchr(word, '.');

	return num > 0 && rows[0].letter == 'c' && (num == 1 || (dot &&
		(strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0)));
}

/* no_such: word is no option; what was probably meant. */
static int no_such(const struct command *command, const char *word,
	const struct option_row *rows, size_t num)
{
	const char *names[OPTIONS_MAX], *close = NULL;
	size_t options = 0;

	for (size_t i = 0; i < num && options < OPTIONS_MAX; i++) {
		if (!rows[i].operand)
			names[options++] = rows[i].name;
	}
	if (strncmp(word, "--", 2) == 0)
		close = nearest(word + 2, names, options);
	if (strncmp(word, "--", 2) == 0 && !close)
		close = related(word + 2, names, options);
	if (close)
		fprintf(stderr, "sallyport %s: there is no option %s; did you "
			"mean --%s?\n", command->name, shown(word).text,
			close);
	else if (word[0] == '-')
		return wrong(command, "there is no option ", word);
	else if (has_operand(rows, num))
		fprintf(stderr, "sallyport %s: does not take %s as "
			"well; a name with blanks goes in quotes\n",
			command->name, shown(word).text);
	else if (is_configuration(word, rows, num))
		fprintf(stderr, "sallyport %s: does not take %s; use -c FILE\n",
			command->name, shown(word).text);
	else
		return wrong(command, "does not take ", word);
	return EXIT_WRONG;
}

/* find_operand gives the next place for a word that is no option. */
static const struct option_row *find_operand(const char *word,
	const struct option_row *rows, size_t num)
{
	if (word[0] == '-' && word[1] != '\0')
		return NULL;
	for (size_t i = 0; i < num; i++) {
		if (rows[i].operand && !*rows[i].value)
			return &rows[i];
	}
	return NULL;
}

/* take heeds one word; *at goes on to its value where that is the next. */
static int take(const struct command *command, int argc, char **argv, int *at,
	const struct option_row *rows, size_t num)
{
	const char *word = argv[*at], *value;
	const struct option_row *row = find(word, rows, num, &value);

	if (!row) {
		value = word;
		row = find_operand(word, rows, num);
	}
	if (!row)
		return no_such(command, word, rows, num);
	if (row->flag && !value) {
		*row->flag = true;
		return OPTIONS_FINE;
	}
	if (row->flag)
		return wrong(command, "does not take a value: --", row->name);
	if (!value && *at + 1 < argc)
		value = argv[++*at];
	if (row->operand && value[0] == '\0')
		return wrong(command, "needs ", row->name);
	if (!value || value[0] == '\0')
		return wrong(command, "a value is missing behind ", word);
	if (row->list) {
		if (row->list->num == row->list->max)
			return wrong(command, "given too often: --", row->name);
		row->list->at[row->list->num++] = value;
		return OPTIONS_FINE;
	}
	if (*row->value)
		return wrong(command, "given twice: --", row->name);
	*row->value = value;
	return OPTIONS_FINE;
}

int options_read(const struct command *command, int argc, char **argv,
	const struct option_row *rows, size_t num)
{
	int code;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
			strcmp(argv[i], "-h") == 0) {
			fputs(command->help, stdout);
			return EXIT_DONE;
		}
		code = take(command, argc, argv, &i, rows, num);
		if (code != OPTIONS_FINE)
			return code;
	}
	return check_needed(command, rows, num);
}

int options_wrong(const struct command *command, const char *option,
	const char *value, const char *how)
{
	fprintf(stderr, "sallyport %s: --%s %s: %s\n", command->name, option,
		shown(value).text, how);
	return EXIT_WRONG;
}

int options_count(const struct command *command, const char *name,
	const char *text, unsigned max, unsigned *out)
{
	char how[64];

	if (!text)
		return OPTIONS_FINE;
	if (strlen(text) <= 9 && strspn(text, "0123456789") == strlen(text))
		*out = (unsigned)strtoul(text, NULL, 10);
	else
		*out = 0;
	if (*out >= 1 && *out <= max)
		return OPTIONS_FINE;
	snprintf(how, sizeof(how), "a count from 1 to %u goes here", max);
	return options_wrong(command, name, text, how);
}
