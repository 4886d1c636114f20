/*
 * shell.h - a line that sets a variable, in the words of a shell.
 *
 * Whatever is in the value, it stays one word and nothing of it is run.
 *
 * Threads: any.
 */
#ifndef PROXY_TOOLS_SHELL_H
#define PROXY_TOOLS_SHELL_H

#include <stdio.h>

enum shell {
	SHELL_UNKNOWN = -1,
	SHELL_BASH, /* and sh, dash, ksh */
	SHELL_ZSH,
	SHELL_FISH,
	SHELL_POWERSHELL,
};

/* shell_of takes a name or a path: "zsh", "/usr/bin/fish", "pwsh". */
enum shell shell_of(const char *name);

void shell_set(FILE *out, enum shell shell, const char *name,
	const char *value);
void shell_unset(FILE *out, enum shell shell, const char *name);

#endif
