#include "proxy/report/rulebook.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "proxy/config/memory.h"
#include "proxy/net/count.h"

/* What a worker finds its line by. */
struct known {
	char key[RULEBOOK_NAME + 2]; /* list, the action's first letter, name */
	size_t line;
	UT_hash_handle hh;
};

struct rule_counts {
	struct rulebook *book;     /* borrowed */
	struct known *known;       /* owned */
	struct count *counts;      /* owned: RULEBOOK_MAX, by line */
	struct rule_counts *prev, *next;
};

struct rulebook {
	pthread_mutex_t lock;      /* over all that follows */
	struct rulebook_line *lines; /* owned: RULEBOOK_MAX */
	size_t num;
	struct rule_counts *all;
};

struct rulebook *rulebook_new(void)
{
	struct rulebook *book = must(calloc(1, sizeof(*book)));

	book->lines = must(calloc(RULEBOOK_MAX, sizeof(*book->lines)));
	pthread_mutex_init(&book->lock, NULL);
	return book;
}

void rulebook_free(struct rulebook *book)
{
	if (!book)
		return;
	pthread_mutex_destroy(&book->lock);
	free(book->lines);
	free(book);
}

struct rule_counts *rule_counts_new(struct rulebook *book)
{
	struct rule_counts *counts = must(calloc(1, sizeof(*counts)));

	counts->book = book;
	counts->counts = must(calloc(RULEBOOK_MAX,
		sizeof(*counts->counts)));
	pthread_mutex_lock(&book->lock);
	DL_APPEND(book->all, counts);
	pthread_mutex_unlock(&book->lock);
	return counts;
}

void rule_counts_free(struct rule_counts *counts)
{
	struct known *known, *tmp;

	if (!counts)
		return;
	pthread_mutex_lock(&counts->book->lock);
	DL_DELETE(counts->book->all, counts);
	pthread_mutex_unlock(&counts->book->lock);
	HASH_ITER(hh, counts->known, known, tmp) {
		HASH_DEL(counts->known, known);
		free(known);
	}
	free(counts->counts);
	free(counts);
}

/* --- lines -------------------------------------------------------------- */

static size_t find_line(const struct rulebook *book, enum rule_list list,
	const char *name, const char *action)
{
	size_t i = 0;

	for (; i < book->num; i++) {
		const struct rulebook_line *line = &book->lines[i];

		if (line->list == list && strcmp(line->name, name) == 0 &&
		    strcmp(line->action, action) == 0)
			break;
	}
	return i;
}

/* The last lines are for what finds no room: some for each list and action. */
enum { OTHERS = 16 };

static size_t take_line(struct rulebook *book, enum rule_list list,
	const char *name, const char *action)
{
	size_t at = find_line(book, list, name, action);
	struct rulebook_line *line;

	if (at == book->num && at >= RULEBOOK_MAX - OTHERS) {
		name = "(others)";
		at = find_line(book, list, name, action);
	}
	if (at < book->num || at == RULEBOOK_MAX)
		return at < RULEBOOK_MAX ? at : RULEBOOK_MAX - 1;
	line = &book->lines[book->num++];
	line->list = list;
	line->action = action;
	snprintf(line->name, sizeof(line->name), "%s", name);
	return at;
}

/* meet is the slow way, the first time. What shares the line of the others is
 * not remembered by its name: there may be any number of those. */
static size_t meet(struct rule_counts *counts, const char *key, size_t len,
	enum rule_list list, const char *action)
{
	struct rulebook *book = counts->book;
	struct known *known;
	size_t line;

	pthread_mutex_lock(&book->lock);
	line = take_line(book, list, key + 2, action);
	pthread_mutex_unlock(&book->lock);
	if (line >= RULEBOOK_MAX - OTHERS)
		return line;
	known = must(calloc(1, sizeof(*known)));
	memcpy(known->key, key, len);
	known->line = line;
	HASH_ADD(hh, counts->known, key, len, known);
	return line;
}

void rule_counts_add(struct rule_counts *counts, enum rule_list list,
	const char *name, const char *action)
{
	char key[RULEBOOK_NAME + 2];
	struct known *known;
	size_t len = strnlen(name, RULEBOOK_NAME - 1);

	if (!counts)
		return;
	key[0] = (char)('0' + list);
	key[1] = action[0];
	memcpy(key + 2, name, len);
	key[2 + len] = '\0';
	HASH_FIND(hh, counts->known, key, len + 2, known);
	count_add(&counts->counts[known ? known->line :
		meet(counts, key, len + 2, list, action)], 1);
}

struct rulebook_line *rulebook_read(struct rulebook *book, size_t *out_num)
{
	const struct rule_counts *counts;
	struct rulebook_line *lines;

	pthread_mutex_lock(&book->lock);
	lines = must(calloc(book->num + 1, sizeof(*lines)));
	memcpy(lines, book->lines, book->num * sizeof(*lines));
	for (size_t i = 0; i < book->num; i++) {
		DL_FOREACH(book->all, counts)
			lines[i].decided += count_read(&counts->counts[i]);
	}
	*out_num = book->num;
	pthread_mutex_unlock(&book->lock);
	return lines;
}
