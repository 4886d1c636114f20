/*
 * words.h - what mostly is not there, and costs a connection a pointer.
 *
 * Why something went wrong is kept with a connection for its page and its line
 * in the log; the ALPN names it was asked with, for its origin.
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

static inline void words_clear(char **words)
{
	words_set(words, NULL);
}

/* bytes_copy: a copy the caller frees; NULL of none. */
static inline void *bytes_copy(const void *bytes, size_t len)
{
	void *copy;

	if (len == 0)
		return NULL;
	copy = malloc(len);
	if (!copy)
		abort();
	return memcpy(copy, bytes, len);
}

#endif
