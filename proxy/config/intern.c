#include "proxy/config/intern.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct word {
	struct word *next;
	char text[];
};

static struct word *words;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct word *find(const char *text)
{
	struct word *word;

	LL_FOREACH(words, word) {
		if (strcmp(word->text, text) == 0)
			return word;
	}
	return NULL;
}

static struct word *add(const char *text)
{
	size_t size = strlen(text) + 1;
	struct word *word = malloc(sizeof(*word) + size);

	if (!word)
		abort();
	memcpy(word->text, text, size);
	LL_PREPEND(words, word);
	return word;
}

const char *intern(const char *text)
{
	struct word *word;

	if (!text)
		return NULL;
	pthread_mutex_lock(&lock);
	word = find(text);
	if (!word)
		word = add(text);
	pthread_mutex_unlock(&lock);
	return word->text;
}
