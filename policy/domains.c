#include "policy/domains.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/host.h"
#include "policy/memory.h"

/*
 * text:    "example.com\0" ".example.org\0" ...
 * entries: where each begins; sorted once the set is sealed
 *
 * A domain keeps its leading dot, so that one order and one search do for
 * both kinds.
 */
struct domains {
	char *text; /* owned */
	size_t text_len, text_cap;
	uint32_t *entries; /* owned */
	size_t count, cap;
	bool sealed;
};

enum { ENTRY_SIZE = HOST_SIZE + 1 }; /* with the leading dot */

struct domains *domains_new(void)
{
	return memory_new(sizeof(struct domains));
}

void domains_free(struct domains *domains)
{
	if (!domains)
		return;
	free(domains->text);
	free(domains->entries);
	free(domains);
}

static bool reserve_text(struct domains *domains, size_t len)
{
	size_t cap = domains->text_cap ? domains->text_cap : 1024;
	char *text;

	while (cap - domains->text_len < len)
		cap *= 2;
	if (cap > UINT32_MAX) /* entries are 32 bits */
		return false;
	if (cap == domains->text_cap)
		return true;
	text = realloc(domains->text, cap);
	if (!text)
		return false;
	domains->text = text;
	domains->text_cap = cap;
	return true;
}

static bool reserve_entry(struct domains *domains)
{
	size_t cap = domains->cap ? domains->cap * 2 : 16;
	uint32_t *entries;

	if (domains->count < domains->cap)
		return true;
	entries = reallocarray(domains->entries, cap, sizeof(*entries));
	if (!entries)
		return false;
	domains->entries = entries;
	domains->cap = cap;
	return true;
}

static bool append(struct domains *domains, const char *entry)
{
	size_t size = strlen(entry) + 1;

	if (!reserve_entry(domains) || !reserve_text(domains, size))
		return false;
	domains->entries[domains->count++] = (uint32_t)domains->text_len;
	memcpy(domains->text + domains->text_len, entry, size);
	domains->text_len += size;
	return true;
}

/* What the dot or "*." of a domain takes up; 0: a host. */
static size_t prefix_len(const char *entry)
{
	if (strncmp(entry, "*.", 2) == 0)
		return 2;
	return entry[0] == '.' ? 1 : 0;
}

static int refuse(
	const char *entry, const char *why, char *err, size_t err_size)
{
	snprintf(err, err_size, "\"%.300s\" %s", entry, why);
	return -1;
}

int domains_add(
	struct domains *domains, const char *entry, char *err, size_t err_size)
{
	size_t prefix = prefix_len(entry);
	const char *name = entry + prefix;
	char normal[ENTRY_SIZE] = ".";
	enum host_kind kind;

	if (domains->sealed)
		return refuse(
			entry, "comes after the set was sealed", err, err_size);
	kind = host_normalize(name, strlen(name), normal + 1);
	if (kind == HOST_BAD)
		return refuse(entry, "is not a host, a domain or an address",
			err, err_size);
	if (kind == HOST_ADDRESS && prefix > 0)
		return refuse(entry, "is an address, which has no hosts below",
			err, err_size);
	if (!append(domains, prefix > 0 ? normal : normal + 1))
		return refuse(entry, "is more than there is memory for", err,
			err_size);
	return 0;
}

static int compare_entries(const void *a, const void *b, void *text)
{
	const uint32_t *left = a, *right = b;

	return strcmp((char *)text + *left, (char *)text + *right);
}

static void drop_repeated(struct domains *domains)
{
	size_t kept = 0;

	for (size_t i = 0; i < domains->count; i++) {
		const char *entry = domains->text + domains->entries[i];

		if (kept > 0 &&
			strcmp(domains->text + domains->entries[kept - 1],
				entry) == 0)
			continue;
		domains->entries[kept++] = domains->entries[i];
	}
	domains->count = kept;
}

/* Text in the order of the entries, no larger than needed: neighbours in the
 * search are then neighbours in memory. Without memory for it the set stays
 * as it is, which is right as well. */
static void pack(struct domains *domains)
{
	char *text = malloc(domains->text_len);
	size_t end = 0;

	if (!text)
		return;
	for (size_t i = 0; i < domains->count; i++) {
		const char *entry = domains->text + domains->entries[i];
		size_t size = strlen(entry) + 1;

		memcpy(text + end, entry, size);
		domains->entries[i] = (uint32_t)end;
		end += size;
	}
	free(domains->text);
	domains->text = text;
	domains->text_len = domains->text_cap = end;
}

void domains_seal(struct domains *domains)
{
	if (domains->sealed)
		return;
	domains->sealed = true;
	if (domains->count == 0)
		return;
	qsort_r(domains->entries, domains->count, sizeof(*domains->entries),
		compare_entries, domains->text);
	drop_repeated(domains);
	pack(domains);
}

static bool find(const struct domains *domains, const char *name)
{
	size_t low = 0, high = domains->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order =
			strcmp(name, domains->text + domains->entries[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

bool domains_match(const struct domains *domains, const char *host)
{
	char name[ENTRY_SIZE] = ".";
	size_t len = strlen(host);

	assert(domains->sealed);
	if (len >= HOST_SIZE) /* not normalized: in no set */
		return false;
	memcpy(name + 1, host, len + 1);
	if (find(domains, host))
		return true;
	for (const char *dot = name; dot; dot = strchr(dot + 1, '.'))
		if (find(domains, dot))
			return true;
	return false;
}

size_t domains_count(const struct domains *domains)
{
	return domains->count;
}

const char *domains_entry(const struct domains *domains, size_t i)
{
	return domains->text + domains->entries[i];
}
