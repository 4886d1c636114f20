/*
 * mistakes.h - what is wrong with a file, gathered and told in its order.
 *
 * Owns:    copies of all text but the files' names (borrowed).
 * Threads: one.
 */
#ifndef PROXY_CONFIG_MISTAKES_H
#define PROXY_CONFIG_MISTAKES_H

#include <stddef.h>
#include <stdio.h>

struct mistakes { /* zeroed but for file is empty */
	/* As in the messages; NULL: no file. It may change between them: each
	 * is about the one that stood here then. */
	const char *file;
	struct mistake *at;     /* owned, private */
	size_t num;
	size_t errors, warnings; /* all, also those beyond what is kept */
};

/* mistakes_in: what follows is about the file, or policy, from; NULL or "": none. */
void mistakes_in(struct mistakes *mistakes, const char *from);

/* Line 0: about the file as a whole. Of thousands of mistakes the first
 * hundred are kept, the rest counted. */
void mistakes_error(struct mistakes *mistakes, unsigned line,
	const char *format, ...) __attribute__((format(printf, 3, 4)));
void mistakes_warning(struct mistakes *mistakes, unsigned line,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* mistakes_print writes "file:line: what" for each, by file, in the order they
 * were first told of, and line. */
void mistakes_print(const struct mistakes *mistakes, FILE *out);
void mistakes_clear(struct mistakes *mistakes);

/* shown makes text fit to be shown in a message: short, without controls. */
struct shown {
	char text[72];
};
struct shown shown(const char *text);

/* shown_mask puts '?' in the place of what shown does not show. */
void shown_mask(char *text);

#endif
