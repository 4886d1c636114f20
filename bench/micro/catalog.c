/* A million domains in fifty sets: how long they load, what they take, and how
 * long a look-up of all sets at once takes, where the host is in one and where it
 * is in none; beside a uthash of the whole strings, asked for each suffix. */
#include <malloc.h>
#include <stdint.h>
#include <string.h>

#include <uthash.h>

#include "bench/micro/micro.h"
#include "policy/catalog.h"
#include "policy/entry.h"

enum { ENTRIES = 1000000, SETS = 50, QUERIES = 1 << 18 };

struct name {
	UT_hash_handle hh;
	uint64_t sets; /* bits */
	char text[];
};

/* Lines and queries lie in a row: what is measured is the look-up, not how its
 * question comes from memory. */
struct text {
	char *bytes;
	size_t len;
};

struct queries {
	const struct catalog *catalog;
	struct name *names;
	struct text text;
	size_t at;
	bool wanted;
};

static uint64_t random_state = 88172645463325252;

static unsigned draw(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 20) % below);
}

static size_t add_label(char *out, unsigned least, unsigned most)
{
	static const char letters[] = "eeeaaiioourrttnnsslldcmphgbfywvkxzjq0123";
	size_t len = least + (draw(most - least + 1) + draw(most - least + 1)) / 2;

	for (size_t i = 0; i < len; i++)
		out[i] = letters[draw(sizeof(letters) - 1)];
	out[len] = '.';
	return len + 1;
}

/* "word.word.tld", the first not always: 19 bytes, more or less. */
static size_t make_name(char *out)
{
	static const char *const ends[] = {"com", "com", "com", "com", "net",
		"org", "de", "info", "co.uk", "xyz", "example", "io", "ru"};
	const char *end = ends[draw(sizeof(ends) / sizeof(ends[0]))];
	size_t len = 0;

	if (draw(5) < 2)
		len = add_label(out, 2, 9);
	len += add_label(out + len, 6, 18);
	memcpy(out + len, end, strlen(end) + 1);
	return len + strlen(end);
}

/* Every other line is a domain with all below it. */
static struct text make_list(void)
{
	struct text list = {malloc(ENTRIES * 64ul), 0};

	must(list.bytes != NULL, "memory");
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (i % 2)
			list.bytes[list.len++] = '.';
		list.len += make_name(list.bytes + list.len);
		list.bytes[list.len++] = '\n';
	}
	return list;
}

static const char *line_end(const char *line)
{
	return (const char *)rawmemchr(line, '\n');
}

/* Names of the list, in another order; behind each a NUL. With hit, some as a host
 * below what stands there. */
static struct text make_queries(struct text list, bool hit)
{
	const char **lines = calloc(ENTRIES, sizeof(*lines));
	struct text out = {malloc(QUERIES * 64ul), 0};
	const char *at = list.bytes;

	must(lines && out.bytes, "memory");
	for (unsigned i = 0; i < ENTRIES; i++, at = line_end(at) + 1)
		lines[i] = at;
	for (unsigned i = 0; i < QUERIES; i++) {
		const char *line = lines[draw(ENTRIES)];
		size_t len = (size_t)(line_end(line) - line);

		if (*line == '.') {
			memcpy(out.bytes + out.len, "www", 3);
			out.len += 3;
		}
		memcpy(out.bytes + out.len, line, len);
		/* "_" is in no name of the list. */
		if (!hit)
			out.bytes[out.len + len / 3] = '_';
		out.len += len;
		out.bytes[out.len++] = '\0';
	}
	free(lines);
	return out;
}

struct loading {
	struct catalog_builder *builder;
	unsigned set;
};

static void on_entry(void *arg, const struct entry *entry)
{
	struct loading *loading = arg;

	must(catalog_add(loading->builder, loading->set, entry) == 0, "full");
}

static struct catalog *load(struct text list)
{
	struct loading loading = {.builder = catalog_builder_new()};
	const char *at = list.bytes, *end = at + list.len, *next;
	struct catalog *catalog;
	unsigned n = 0;
	char err[200];

	for (; at < end; at = next + 1, n++) {
		next = line_end(at);
		loading.set = n / (ENTRIES / SETS);
		must(entry_each(at, (size_t)(next - at), on_entry, &loading,
			     err, sizeof(err)) == 0,
			err);
	}
	catalog = catalog_build(loading.builder, SETS);
	must(catalog != NULL, "memory");
	return catalog;
}

/* The same normalizing; "." before a domain makes it another string. */
static void on_name(void *arg, const struct entry *entry)
{
	struct queries *queries = arg;
	size_t len = strlen(entry->host);
	struct name *name = malloc(sizeof(*name) + len + 2), *there;

	must(name != NULL, "memory");
	name->text[0] = '.';
	memcpy(name->text + entry->below, entry->host, len + 1);
	name->sets = UINT64_C(1) << queries->at;
	HASH_FIND_STR(queries->names, name->text, there);
	if (!there) {
		HASH_ADD_STR(queries->names, text, name);
		return;
	}
	there->sets |= name->sets;
	free(name);
}

static struct name *load_names(struct text list)
{
	struct queries queries = {.names = NULL};
	const char *at = list.bytes, *end = at + list.len, *next;
	unsigned n = 0;
	char err[200];

	for (; at < end; at = next + 1, n++) {
		next = line_end(at);
		queries.at = n / (ENTRIES / SETS);
		must(entry_each(at, (size_t)(next - at), on_name, &queries,
			     err, sizeof(err)) == 0,
			err);
	}
	return queries.names;
}

static const char *next_query(struct queries *queries)
{
	const char *host = queries->text.bytes + queries->at;

	queries->at += strlen(host) + 1;
	if (queries->at >= queries->text.len)
		queries->at = 0;
	return host;
}

static void ask_catalog(void *arg)
{
	struct queries *queries = arg;
	uint64_t bits[CATALOG_WORDS(SETS)] = {0};

	catalog_find(queries->catalog, CATALOG_URLS, next_query(queries), 443,
		"/index.html", bits);
	must((bits[0] != 0) == queries->wanted, "another answer");
}

static void ask_names(void *arg)
{
	struct queries *queries = arg;
	const char *host = next_query(queries);
	struct name *name;
	uint64_t sets = 0;
	char text[300];

	text[0] = '.';
	memcpy(text + 1, host, strlen(host) + 1);
	HASH_FIND_STR(queries->names, host, name);
	if (name)
		sets |= name->sets;
	for (const char *dot = text; dot; dot = strchr(dot + 1, '.')) {
		HASH_FIND_STR(queries->names, dot, name);
		if (name)
			sets |= name->sets;
	}
	must((sets != 0) == queries->wanted, "another answer");
}

static double allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return (double)(info.uordblks + info.hblkhd);
}

int main(void)
{
	struct text list = make_list();
	struct queries hit = {.text = make_queries(list, true), .wanted = true};
	struct queries miss = {.text = make_queries(list, false)};
	double entries, before, begin = micro_cpu(CLOCK_THREAD_CPUTIME_ID);

	hit.catalog = miss.catalog = load(list);
	printf("catalog-load-1m %.0f ms\n",
		(micro_cpu(CLOCK_THREAD_CPUTIME_ID) - begin) * 1e3);
	entries = (double)catalog_num_entries(hit.catalog);
	printf("catalog-entry %.1f bytes\n",
		(double)catalog_bytes(hit.catalog) / entries);
	micro("catalog-hit", ask_catalog, &hit);
	micro("catalog-miss", ask_catalog, &miss);

	before = allocated();
	begin = micro_cpu(CLOCK_THREAD_CPUTIME_ID);
	hit.names = miss.names = load_names(list);
	printf("uthash-load-1m %.0f ms\n",
		(micro_cpu(CLOCK_THREAD_CPUTIME_ID) - begin) * 1e3);
	printf("uthash-entry %.1f bytes\n", (allocated() - before) / entries);
	micro("uthash-hit", ask_names, &hit);
	micro("uthash-miss", ask_names, &miss);
	printf("catalog-text-of-an-entry %.1f bytes\n",
		(double)list.len / ENTRIES - 1.5);
	return 0;
}
