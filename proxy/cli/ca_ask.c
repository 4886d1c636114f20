#include "proxy/cli/ca_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pki/name.h"

enum line {
	LINE_ANSWER,
	LINE_EMPTY,
	LINE_NONSENSE, /* already told */
	LINE_OVER,     /* there are no more */
};

/* take: a line cut short would be another answer. */
static enum line take(char *line, char out[ASK_ANSWER])
{
	size_t len = strcspn(line, "\r\n"), letters;

	line[len] = '\0';
	if (len == 0)
		return LINE_EMPTY;
	if (len >= ASK_ANSWER || !name_text_ok(line, &letters)) {
		printf("That is no text (UTF-8), or too long.\n");
		return LINE_NONSENSE;
	}
	memcpy(out, line, len + 1);
	return LINE_ANSWER;
}

static enum line read_line(char out[ASK_ANSWER])
{
	char *line = NULL;
	size_t size = 0;
	enum line result = LINE_OVER;

	if (getline(&line, &size, stdin) >= 0)
		result = take(line, out);
	else
		putchar('\n');
	free(line);
	return result;
}

bool ask(const char *question, char inout[ASK_ANSWER])
{
	enum line result;

	do {
		if (inout[0])
			printf("%s [%s]: ", question, inout);
		else
			printf("%s: ", question);
		(void)fflush(stdout);
		result = read_line(inout);
	} while (result == LINE_NONSENSE);
	return result != LINE_OVER;
}

bool ask_yes(const char *question, bool *inout)
{
	static const struct {
		const char *word;
		bool means;
	} words[] = {{"yes", true}, {"y", true}, {"no", false}, {"n", false}};
	char answer[ASK_ANSWER];

	for (;;) {
		snprintf(answer, sizeof(answer), "%s", *inout ? "yes" : "no");
		if (!ask(question, answer))
			return false;
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
			if (strcasecmp(answer, words[i].word) == 0) {
				*inout = words[i].means;
				return true;
			}
		}
		printf("Say yes or no.\n");
	}
}
