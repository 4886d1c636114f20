/*
 * text.h - a line of text in a buffer of one size. For this room.
 *
 * What does not fit is not there; the end says so with three dots.
 *
 * Owns:    nothing.
 * Threads: one.
 */
#ifndef POLICY_TEXT_H
#define POLICY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *at; /* borrowed */
	size_t len, size;
	bool cut;
};

/* text_begin empties out, which has size bytes, at least four. */
struct text text_begin(char *out, size_t size);

/* text_add adds words of ours. */
void text_add(struct text *text, const char *words);

/* text_add_name adds what the administrator wrote: controls become "\x1b". */
void text_add_name(struct text *text, const char *name);

/* text_add_fact adds what a peer said, who may have meant to confuse: of more
 * than 80 bytes the first; all that is not printable ASCII becomes "\x1b". With
 * anything in it that is not of hosts, addresses, users or paths it is in
 * quotes. */
void text_add_fact(struct text *text, const char *fact);

#endif
