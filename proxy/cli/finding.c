#include "proxy/cli/finding.h"

#include <stdio.h>

static const struct {
	const char *word, *means;
} words[TOOL_ANSWERS] = {
	[TOOL_WORKS] = {"works", NULL},
	[TOOL_DISTRUSTS] = {"no trust", "it refuses the proxy's "
		"certificate; ones that its own settings name, as cacert in "
		"~/.curlrc, go first"},
	[TOOL_PASSES_BY] = {"no proxy", "it did not come to the proxy that it was "
		"told of; one that its own settings name, as proxy in "
		"~/.curlrc or pip.conf, goes first"},
	[TOOL_NOT_LET] = {"not let in", "the proxy answers with that status"},
	[TOOL_TOO_LONG] = {"too slow", "it had not asked after 30 seconds"},
	[TOOL_ABSENT] = {"absent", NULL},
	[TOOL_UNFIT] = {"does not run", NULL},
};

void finding_say(struct finding finding, char out[FINDING_WORDS])
{
	const char *word = words[finding.answer].word;

	if (finding.answer == TOOL_NOT_LET && finding.status != 0)
		snprintf(out, FINDING_WORDS, "%s: %u", word, finding.status);
	else
		snprintf(out, FINDING_WORDS, "%s", word);
}

bool finding_is_same(struct finding a, struct finding b)
{
	return a.answer == b.answer &&
		(a.answer != TOOL_NOT_LET || a.status == b.status);
}

const char *finding_means(enum tool_answer answer)
{
	return words[answer].means;
}
