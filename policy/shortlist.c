#include "policy/shortlist.h"

#include <stdlib.h>
#include <string.h>

#include "policy/domains.h"
#include "policy/host.h"
#include "policy/memory.h"

/* An entry of a set; those with the same bucket hang together. */
struct link {
	const char *entry; /* the set's own */
	uint32_t hash, set;
	uint32_t next;     /* + 1; 0: the last */
};

struct set {
	const struct domains *domains;
	unsigned *rules; /* owned, ascending */
	unsigned num_rules;
};

struct shortlist {
	struct link *links; /* owned */
	uint32_t num_links;
	uint32_t *buckets;  /* owned: a link + 1 */
	uint32_t num_buckets; /* a power of two; 0: none yet */
	struct set *sets;   /* owned */
	unsigned num_sets;
	unsigned *open;     /* owned, ascending: rules that name no host */
	unsigned num_open, num_rules;
};

struct shortlist *shortlist_new(void)
{
	return memory_new(sizeof(struct shortlist));
}

void shortlist_free(struct shortlist *list)
{
	if (!list)
		return;
	for (unsigned i = 0; i < list->num_sets; i++)
		free(list->sets[i].rules);
	free(list->sets);
	free(list->links);
	free(list->buckets);
	free(list->open);
	free(list);
}

/* --- building ----------------------------------------------------------- */

/* Names are hashed from their end on (FNV-1a), so that one pass over a host
 * has the hash of every domain it is below on its way. */
static const uint32_t hash_start = 2166136261u;

static uint32_t hash_step(uint32_t hash, char c)
{
	return (hash ^ (unsigned char)c) * 16777619u;
}

static uint32_t hash_of(const char *text)
{
	uint32_t hash = hash_start;

	for (size_t i = strlen(text); i > 0; i--)
		hash = hash_step(hash, text[i - 1]);
	return hash;
}

/* The low bits of FNV are its worst. */
static uint32_t *bucket_of(const struct shortlist *list, uint32_t hash)
{
	return &list->buckets[(hash ^ hash >> 15) & (list->num_buckets - 1)];
}

static void hang(struct shortlist *list, uint32_t i)
{
	uint32_t *bucket = bucket_of(list, list->links[i].hash);

	list->links[i].next = *bucket;
	*bucket = i + 1;
}

/* make_room grows the table to hold num links, one a bucket at the most (on
 * average); false: no memory, and nothing changed. */
static bool make_room(struct shortlist *list, size_t num)
{
	size_t buckets = list->num_buckets ? list->num_buckets : 64;
	uint32_t *table;
	struct link *links;

	if (num > UINT32_MAX / 4)
		return false;
	while (buckets < num)
		buckets *= 2;
	links = reallocarray(list->links, buckets, sizeof(*links));
	if (!links)
		return false;
	list->links = links;
	if (buckets == list->num_buckets)
		return true;
	table = calloc(buckets, sizeof(*table));
	if (!table)
		return false;
	free(list->buckets);
	list->buckets = table;
	list->num_buckets = (uint32_t)buckets;
	for (uint32_t i = 0; i < list->num_links; i++)
		hang(list, i);
	return true;
}

static bool add_set(struct shortlist *list, const struct domains *domains)
{
	size_t num = domains_count(domains);

	if (!make_room(list, list->num_links + num))
		return false;
	for (size_t i = 0; i < num; i++) {
		const char *entry = domains_entry(domains, i);

		list->links[list->num_links] = (struct link){.entry = entry,
			.hash = hash_of(entry), .set = list->num_sets};
		hang(list, list->num_links++);
	}
	list->sets = memory_grow(list->sets, list->num_sets,
		sizeof(*list->sets));
	list->sets[list->num_sets++] = (struct set){.domains = domains};
	return true;
}

static struct set *find_or_add(struct shortlist *list,
	const struct domains *domains)
{
	for (unsigned i = list->num_sets; i > 0; i--)
		if (list->sets[i - 1].domains == domains)
			return &list->sets[i - 1];
	return add_set(list, domains) ? &list->sets[list->num_sets - 1] : NULL;
}

bool shortlist_add(struct shortlist *list, unsigned rule,
	const struct domains *const *sets, size_t num_sets)
{
	struct set *set;

	for (size_t i = 0; i < num_sets; i++)
		if (!find_or_add(list, sets[i]))
			return false;
	for (size_t i = 0; i < num_sets; i++) {
		set = find_or_add(list, sets[i]);
		set->rules = memory_grow(set->rules, set->num_rules,
			sizeof(*set->rules));
		set->rules[set->num_rules++] = rule;
	}
	list->num_rules = rule + 1;
	if (num_sets > 0)
		return true;
	list->open = memory_grow(list->open, list->num_open,
		sizeof(*list->open));
	list->open[list->num_open++] = rule;
	return true;
}

/* --- searching ---------------------------------------------------------- */

/* insert keeps what was found in order. */
static void insert(struct shortlist_search *search, unsigned rule)
{
	unsigned at = search->num_found;

	while (at > 0 && search->found[at - 1] > rule)
		at--;
	if (at > 0 && search->found[at - 1] == rule)
		return;
	if (search->num_found == SHORTLIST_MAX) {
		search->all = true;
		return;
	}
	memmove(&search->found[at + 1], &search->found[at],
		(search->num_found - at) * sizeof(search->found[0]));
	search->found[at] = rule;
	search->num_found++;
}

static void found(struct shortlist_search *search, const char *entry,
	uint32_t hash)
{
	const struct shortlist *list = search->list;
	const struct link *link;

	for (uint32_t i = *bucket_of(list, hash); i; i = link->next) {
		link = &list->links[i - 1];
		if (link->hash != hash || strcmp(link->entry, entry) != 0)
			continue;
		for (unsigned k = 0; k < list->sets[link->set].num_rules &&
			!search->all; k++)
			insert(search, list->sets[link->set].rules[k]);
	}
}

/* look_up asks for host itself, for ".host", and for ".domain" of each domain
 * it is below. */
static void look_up(struct shortlist_search *search, const char *host)
{
	size_t len = strlen(host);
	uint32_t hash = hash_start;
	char name[HOST_SIZE + 1] = ".";

	if (search->list->num_links == 0 || len >= HOST_SIZE)
		return;
	memcpy(name + 1, host, len + 1);
	for (size_t i = len; i > 0; i--) {
		hash = hash_step(hash, name[i]);
		if (i == 1 || name[i] == '.')
			found(search, name + i, hash);
	}
	found(search, name, hash_step(hash, '.'));
}

void shortlist_begin(const struct shortlist *list, const char *host,
	const char *address, struct shortlist_search *out)
{
	out->list = list;
	out->num_found = out->next_found = out->next_open = out->next = 0;
	out->all = false;
	look_up(out, host);
	if (address)
		look_up(out, address);
}

bool shortlist_next(struct shortlist_search *search, unsigned *out_rule)
{
	const struct shortlist *list = search->list;
	bool found = search->next_found < search->num_found;
	bool open = search->next_open < list->num_open;

	if (search->all) {
		*out_rule = search->next++;
		return *out_rule < list->num_rules;
	}
	if (found && (!open || search->found[search->next_found] <
				       list->open[search->next_open]))
		*out_rule = search->found[search->next_found++];
	else if (open)
		*out_rule = list->open[search->next_open++];
	return found || open;
}
