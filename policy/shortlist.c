#include "policy/shortlist.h"

#include <stdlib.h>

#include "policy/bits.h"
#include "policy/criteria.h"
#include "policy/memory.h"

/* The rules that name a set. */
struct named {
	unsigned *rules; /* owned */
	unsigned num;
};

/* Grown by whole words of bits, zeroed, so that each bit has a place. */
struct sets {
	struct named *at; /* owned */
	size_t words;
};

struct shortlist {
	struct sets categories, hosts;
	uint64_t *open; /* owned: bits */
	size_t open_words;
};

struct shortlist *shortlist_new(void)
{
	return memory_new(sizeof(struct shortlist));
}

static void clear(struct sets *sets)
{
	for (size_t i = 0; i < sets->words * 64; i++)
		free(sets->at[i].rules);
	free(sets->at);
}

void shortlist_free(struct shortlist *list)
{
	if (!list)
		return;
	clear(&list->categories);
	clear(&list->hosts);
	free(list->open);
	free(list);
}

/* grow makes num members of size zeroed bytes out of old ones. */
static void *grow(void *array, size_t old, size_t num, size_t size)
{
	array = reallocarray(array, num, size);
	if (!array)
		abort();
	memset((char *)array + old * size, 0, (num - old) * size);
	return array;
}

/* Doubled, as there may be ten thousand. */
static size_t words_for(size_t words, unsigned number)
{
	size_t needed = BITS_WORDS(number + 1);

	if (needed <= words)
		return words;
	return needed > 2 * words ? needed : 2 * words;
}

static void add_named(struct sets *sets, unsigned set, unsigned rule)
{
	size_t words = words_for(sets->words, set);
	struct named *named;

	if (words > sets->words)
		sets->at = grow(sets->at, sets->words * 64, words * 64,
			sizeof(*sets->at));
	sets->words = words;
	named = &sets->at[set];
	named->rules =
		memory_grow(named->rules, named->num, sizeof(*named->rules));
	named->rules[named->num++] = rule;
}

static void add_open(struct shortlist *list, unsigned rule)
{
	size_t words = words_for(list->open_words, rule);

	if (words > list->open_words)
		list->open = grow(list->open, list->open_words, words,
			sizeof(*list->open));
	list->open_words = words;
	bits_set(list->open, rule);
}

/* With hosts and categories given both must be met, so being in the hosts is what
 * it takes to be asked. */
void shortlist_add(
	struct shortlist *list, unsigned rule, const struct criteria *match)
{
	if (match->given & CRITERION_BIT(CRITERION_HOSTS))
		add_named(&list->hosts, match->hosts, rule);
	else if (match->given & CRITERION_BIT(CRITERION_CATEGORIES))
		for (size_t i = 0; i < match->num_categories; i++)
			add_named(
				&list->categories, match->categories[i], rule);
	else
		add_open(list, rule);
}

void shortlist_begin(
	const struct shortlist *list, uint64_t *rules, size_t words)
{
	size_t open = list->open_words < words ? list->open_words : words;

	if (open > 0)
		memcpy(rules, list->open, open * sizeof(*rules));
	bits_clear(rules + open, words - open);
}

static void find(const struct sets *sets, const uint64_t *bits, size_t words,
	uint64_t *rules)
{
	size_t most = sets->words < words ? sets->words : words;

	for (unsigned set = 0; bits_next(bits, most, &set); set++)
		for (unsigned i = 0; i < sets->at[set].num; i++)
			bits_set(rules, sets->at[set].rules[i]);
}

void shortlist_find(const struct shortlist *list, const uint64_t *categories,
	size_t category_words, const uint64_t *hosts, size_t host_words,
	uint64_t *rules)
{
	find(&list->categories, categories, category_words, rules);
	find(&list->hosts, hosts, host_words, rules);
}
