/*
 * words.h - a sentence that mostly is not there.
 *
 * Why something went wrong is kept with a connection for its page and its line
 * in the log; most connections never have one, and pay a pointer for it.
 *
 * Threads: one.
 */
#ifndef PROXY_SESSION_WORDS_H
#define PROXY_SESSION_WORDS_H

#include <stdlib.h>
#include <string.h>

/* words_set keeps a copy of text, and lets go of what was there; NULL and ""
 * are none. */
static inline void words_set(char **words, const char *text)
{
	free(*words);
	*words = NULL;
	if (!text || !text[0])
		return;
	*words = strdup(text);
	if (!*words)
		abort();
}

/* words_of is what there is to read: "" where there are none. */
static inline const char *words_of(const char *words)
{
	return words ? words : "";
}

static inline void words_clear(char **words)
{
	words_set(words, NULL);
}

#endif
