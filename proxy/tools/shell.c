#include "proxy/tools/shell.h"

#include <string.h>

static const struct {
	const char *name;
	enum shell shell;
} names[] = {
	{"bash", SHELL_BASH}, {"sh", SHELL_BASH}, {"dash", SHELL_BASH},
	{"ash", SHELL_BASH}, {"ksh", SHELL_BASH}, {"mksh", SHELL_BASH},
	{"zsh", SHELL_ZSH}, {"fish", SHELL_FISH},
	{"powershell", SHELL_POWERSHELL}, {"pwsh", SHELL_POWERSHELL},
};

enum shell shell_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	if (slash)
		name = slash + 1;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(names[i].name, name) == 0)
			return names[i].shell;
	}
	return SHELL_UNKNOWN;
}

/* Between single quotes nothing has a meaning but the quote itself. */
static void quote_posix(FILE *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\'')
			fputs("'\\''", out);
		else
			putc(*value, out);
	}
}

/* ... and in fish the backslash. */
static void quote_fish(FILE *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			putc('\\', out);
		putc(*value, out);
	}
}

/* PowerShell takes U+2018 to U+201B for single quotes as well; each of them stands
 * for itself where it is there twice. */
static size_t powershell_quote(const char *at)
{
	if (at[0] == '\'')
		return 1;
	if (at[0] == '\xe2' && at[1] == '\x80' && at[2] >= '\x98' &&
	    at[2] <= '\x9b')
		return 3;
	return 0;
}

static void quote_powershell(FILE *out, const char *value)
{
	while (*value) {
		size_t len = powershell_quote(value);

		if (len > 0)
			fwrite(value, 1, len, out);
		else
			len = 1;
		fwrite(value, 1, len, out);
		value += len;
	}
}

static const struct {
	const char *set, *end, *unset, *unset_end;
	void (*quote)(FILE *out, const char *value);
} words[] = {
	[SHELL_BASH] = {"export %s='", "'\n", "unset %s", "\n", quote_posix},
	[SHELL_ZSH] = {"export %s='", "'\n", "unset %s", "\n", quote_posix},
	/* `eval (sallyport env)` has it all in one line. */
	[SHELL_FISH] = {"set -gx %s '", "';\n", "set -e %s", ";\n", quote_fish},
	[SHELL_POWERSHELL] = {"$env:%s = '", "'\n",
		"Remove-Item Env:%s", " -ErrorAction SilentlyContinue\n",
		quote_powershell},
};

static void print_name(FILE *out, const char *format, const char *name)
{
	const char *gap = strchr(format, '%');

	fwrite(format, 1, (size_t)(gap - format), out);
	fputs(name, out);
	fputs(gap + 2, out);
}

void shell_set(FILE *out, enum shell shell, const char *name,
	const char *value)
{
	print_name(out, words[shell].set, name);
	words[shell].quote(out, value);
	fputs(words[shell].end, out);
}

void shell_unset(FILE *out, enum shell shell, const char *name)
{
	print_name(out, words[shell].unset, name);
	fputs(words[shell].unset_end, out);
}
