#include "proxy/tools/tools.h"

#include <string.h>
#include <utstring.h>

static const struct tool table[] = {
#define TOOL(name, program, variables, ask, ...) \
	{name, program, variables, ask, {__VA_ARGS__}},
#include "proxy/tools/tools.def"
#undef TOOL
};

const struct tool *tools_all(size_t *out_num)
{
	*out_num = sizeof(table) / sizeof(*table);
	return table;
}

/* word_at is what stands for the word that line begins with; *out_len: of the word. */
static const char *word_at(const char *line, const struct tools_words *words,
	size_t *out_len)
{
	const struct {
		const char *word, *text;
	} all[] = {
		{"{bundle}", words->bundle}, {"{root}", words->root},
		{"{host}", words->host}, {"{port}", words->port},
		{"{proxy}", words->proxy},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		*out_len = strlen(all[i].word);
		if (all[i].text && strncmp(line, all[i].word, *out_len) == 0)
			return all[i].text;
	}
	return NULL;
}

char *tools_fill(const char *line, const struct tools_words *words)
{
	UT_string out;
	size_t len;

	utstring_init(&out);
	while (*line) {
		const char *text = word_at(line, words, &len);

		if (text) {
			utstring_bincpy(&out, text, strlen(text));
			line += len;
		} else {
			utstring_bincpy(&out, line++, 1);
		}
	}
	return utstring_body(&out);
}
