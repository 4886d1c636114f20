#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "policy/catalog_private.h"

/* A key and one detail of it. Its text is where that of the longest key of the
 * same entry is: the others are beginnings of that. */
struct item {
	uint32_t hash;
	uint32_t at;
	uint32_t detail; /* or DETAIL_PORTS */
	uint16_t len;
	uint16_t num_segments;
};

enum {
	ITEMS_AN_ENTRY = 3,
	/* What a record takes beside its key, with one detail: the lengths of
	 * key and rest, more, the detail. */
	RECORD_MAX = 2 + VARINT_MAX + 3 + VARINT_MAX,
};

/* Says no more of a key than that there are such with a port. */
static const uint32_t DETAIL_PORTS = UINT32_MAX;
static const uint32_t SET_MAX = (UINT32_MAX >> DETAIL_BITS) - 1;

struct catalog_builder {
	uint64_t key[2];
	char *text; /* owned */
	size_t text_len, text_cap;
	struct item *items; /* owned */
	size_t num_items, items_cap;
	size_t block_max; /* what the block takes at most */
	bool has_networks[2], has_bits[2][129];
};

/* 16 bytes come whole (getrandom(2): up to 256 are never cut short). */
struct catalog_builder *catalog_builder_new(void)
{
	struct catalog_builder *builder = calloc(1, sizeof(*builder));

	if (!builder)
		abort();
	if (getrandom(builder->key, sizeof(builder->key), 0) !=
		sizeof(builder->key))
		abort();
	return builder;
}

void catalog_builder_free(struct catalog_builder *builder)
{
	if (!builder)
		return;
	free(builder->text);
	free(builder->items);
	free(builder);
}

/* Room for more members behind count, each of size. */
static bool reserve(
	void **array, size_t count, size_t *cap, size_t more, size_t size)
{
	size_t wanted = *cap ? *cap : 64;
	void *grown;

	while (wanted - count < more)
		wanted *= 2;
	if (wanted == *cap)
		return true;
	grown = reallocarray(*array, wanted, size);
	if (!grown)
		return false;
	*array = grown;
	*cap = wanted;
	return true;
}

/* All numbers are of 32 bits. */
static bool has_room(struct catalog_builder *builder, size_t key_len)
{
	size_t most = ITEMS_AN_ENTRY * (RECORD_MAX + key_len);
	void *text = builder->text, *items = builder->items;
	bool room;

	if (builder->block_max + most > UINT32_MAX)
		return false;
	room = reserve(&text, builder->text_len, &builder->text_cap, key_len,
		1);
	builder->text = text;
	room = room &&
		reserve(&items, builder->num_items, &builder->items_cap,
			ITEMS_AN_ENTRY, sizeof(struct item));
	builder->items = items;
	return room;
}

static void push(struct catalog_builder *builder, const struct siphash *s,
	size_t len, uint32_t detail, size_t num_segments)
{
	builder->block_max += RECORD_MAX + len;
	builder->items[builder->num_items++] = (struct item){
		.hash = catalog_hash_end(s),
		.at = (uint32_t)builder->text_len,
		.detail = detail,
		.len = (uint16_t)len,
		.num_segments = (uint16_t)num_segments,
	};
}

static int add_network(struct catalog_builder *builder, uint32_t detail,
	const struct network *network)
{
	char key[KEY_NETWORK_MAX];
	size_t len = catalog_key_network(network, key);
	struct siphash s = catalog_hash_host(builder->key, key, len);
	bool six = network->family == AF_INET6;

	if (!has_room(builder, len))
		return -1;
	push(builder, &s, len, detail, 0);
	memcpy(builder->text + builder->text_len, key, len);
	builder->text_len += len;
	builder->has_networks[six] = true;
	builder->has_bits[six][network->bits] = true;
	return 0;
}

static size_t count_segments(const struct entry *entry)
{
	size_t n = 0;

	for (size_t i = 0; i < entry->path_len; i++)
		n += entry->path[i] == '/';
	return n;
}

/* The key of the entry, and before that those that announce it. */
static int add_host(struct catalog_builder *builder, uint32_t detail,
	const struct entry *entry)
{
	size_t host_len = strlen(entry->host), len = host_len, segments;
	uint32_t inside = detail | DETAIL_INSIDE;
	struct siphash s;
	char *key;

	if (!has_room(builder, host_len + KEY_MORE + entry->path_len))
		return -1;
	segments = count_segments(entry);
	key = builder->text + builder->text_len;
	memcpy(key, entry->host, host_len);
	s = catalog_hash_host(builder->key, key, len);
	if (entry->port != 0)
		push(builder, &s, len, DETAIL_PORTS, 0);
	else if (segments > 0)
		push(builder, &s, len, inside, segments);
	if (entry->port != 0 || segments > 0) {
		catalog_key_more(key + len, entry->port);
		catalog_hash_more(&s, key + len, KEY_MORE);
		len += KEY_MORE;
	}
	if (entry->port != 0 && segments > 0)
		push(builder, &s, len, inside, segments);
	memcpy(key + len, entry->path, entry->path_len);
	catalog_hash_more(&s, key + len, entry->path_len);
	len += entry->path_len;
	push(builder, &s, len, detail, 0);
	builder->text_len += len;
	return 0;
}

int catalog_add(struct catalog_builder *builder, unsigned set,
	const struct entry *entry)
{
	uint32_t detail = set << DETAIL_BITS;

	if (set > SET_MAX)
		return -1;
	if (entry->host[0] == '\0')
		return add_network(builder, detail, &entry->network);
	if (entry->below)
		detail |= DETAIL_BELOW;
	return add_host(builder, detail, entry);
}

/* The items in the order of their buckets, the end of each of which stands in
 * ends. NULL: no memory. */
static struct item *sort_by_bucket(const struct catalog_builder *builder,
	uint32_t *ends, uint32_t num_buckets)
{
	struct item *sorted = reallocarray(
		NULL, builder->num_items + 1, sizeof(struct item));
	uint32_t begin = 0;

	if (!sorted)
		return NULL;
	for (size_t i = 0; i < builder->num_items; i++)
		ends[catalog_place(num_buckets, builder->items[i].hash)]++;
	for (uint32_t i = 0; i < num_buckets; i++) {
		uint32_t count = ends[i];

		ends[i] = begin;
		begin += count;
	}
	for (size_t i = 0; i < builder->num_items; i++) {
		const struct item *item = &builder->items[i];

		sorted[ends[catalog_place(num_buckets, item->hash)]++] =
			*item;
	}
	return sorted;
}

static bool same_key(
	const struct item *a, const struct item *b, const char *text)
{
	return a->hash == b->hash && a->len == b->len &&
		memcmp(text + a->at, text + b->at, a->len) == 0;
}

static int compare_items(const void *one, const void *other, void *text)
{
	const struct item *a = one, *b = other;
	int order = 0;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	if (a->at != b->at)
		order = memcmp((char *)text + a->at, (char *)text + b->at,
			a->len);
	if (order != 0)
		return order;
	return (a->detail > b->detail) - (a->detail < b->detail);
}

static size_t varint_size(uint32_t value)
{
	size_t size = 1;

	for (; value > 0x7f; value >>= 7)
		size++;
	return size;
}

static uint8_t *put_varint(uint8_t *at, uint32_t value)
{
	for (; value > 0x7f; value >>= 7)
		*at++ = (uint8_t)(value | 0x80);
	*at++ = (uint8_t)value;
	return at;
}

/* What stands in the record; same details, which follow each other, but once. */
static bool is_kept(const struct item *items, size_t i)
{
	return items[i].detail != DETAIL_PORTS &&
		(i == 0 || items[i].detail != items[i - 1].detail);
}

static void count(struct catalog *catalog, uint32_t detail)
{
	unsigned set = detail >> DETAIL_BITS;

	assert(set < catalog->num_sets);
	if (detail & DETAIL_INSIDE)
		return;
	catalog->counts[set]++;
	catalog->num_entries++;
}

/* One record, of items that have the same key. */
static uint8_t *write_record(struct catalog *catalog, uint8_t *at,
	const struct item *items, size_t num, const char *text)
{
	uint32_t segments = 0, more, size = 0;
	bool has_ports = items[num - 1].detail == DETAIL_PORTS;

	for (size_t i = 0; i < num; i++) {
		if (items[i].num_segments > segments)
			segments = items[i].num_segments;
		if (is_kept(items, i))
			size += (uint32_t)varint_size(items[i].detail);
	}
	more = segments << 1 | has_ports;
	if (more)
		size += (uint32_t)varint_size(more);
	at = put_varint(at, items->len);
	at = put_varint(at, size << 1 | (more != 0));
	memcpy(at, text + items->at, items->len);
	at += items->len;
	if (more)
		at = put_varint(at, more);
	for (size_t i = 0; i < num; i++) {
		if (!is_kept(items, i))
			continue;
		at = put_varint(at, items[i].detail);
		count(catalog, items[i].detail);
	}
	return at;
}

static uint8_t *write_bucket(struct catalog *catalog, uint8_t *at,
	struct item *items, size_t num, char *text)
{
	size_t same;

	if (num > 1)
		qsort_r(items, num, sizeof(*items), compare_items, text);
	for (size_t i = 0; i < num; i += same) {
		for (same = 1; i + same < num; same++)
			if (!same_key(&items[i], &items[i + same], text))
				break;
		at = write_record(catalog, at, items + i, same, text);
	}
	return at;
}

/* Texts lie as they came and are needed in the order of the buckets: asked for
 * early, they are there in time. */
static void write_block(
	struct catalog *catalog, struct item *items, size_t num, char *text)
{
	enum { AHEAD = 16 };
	uint8_t *at = catalog->block;
	size_t begin = 0;

	for (uint32_t i = 0; i < catalog->num_buckets; i++) {
		size_t end = catalog->buckets[i];

		for (size_t k = begin; k < end && k + AHEAD < num; k++)
			__builtin_prefetch(text + items[k + AHEAD].at);
		catalog->buckets[i] = (uint32_t)(at - catalog->block);
		at = write_bucket(
			catalog, at, items + begin, end - begin, text);
		begin = end;
	}
	catalog->buckets[catalog->num_buckets] =
		(uint32_t)(at - catalog->block);
}

/* In pages of 2 MB, if the system has any: a look-up goes to a random place, and
 * would wait for the page's address as long as for what is on it. */
static void *new_memory(size_t size)
{
	enum { HUGE = 2 << 20 };
	void *memory;

	if (size < HUGE)
		return malloc(size);
	memory = aligned_alloc(HUGE, (size + HUGE - 1) & ~(size_t)(HUGE - 1));
	if (memory)
		(void)madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

static void *new_zeroed(size_t count, size_t size)
{
	void *memory = new_memory(count * size);

	return memory ? memset(memory, 0, count * size) : NULL;
}

/* Three items a bucket, eight a word of the filter: measured; with more buckets
 * they and not the records crowd the cache. */
static struct catalog *new_catalog(
	const struct catalog_builder *builder, unsigned num_sets)
{
	struct catalog *catalog = calloc(1, sizeof(*catalog));

	if (!catalog)
		return NULL;
	atomic_init(&catalog->refs, 1);
	catalog->num_sets = num_sets;
	memcpy(catalog->key, builder->key, sizeof(catalog->key));
	memcpy(catalog->has_networks, builder->has_networks,
		sizeof(catalog->has_networks));
	memcpy(catalog->has_bits, builder->has_bits,
		sizeof(catalog->has_bits));
	catalog->num_buckets = (uint32_t)(builder->num_items / 3 + 1);
	catalog->num_words = (uint32_t)(builder->num_items / 8 + 1);
	catalog->buckets = new_zeroed(
		(size_t)catalog->num_buckets + 1, sizeof(*catalog->buckets));
	catalog->filter =
		new_zeroed(catalog->num_words, sizeof(*catalog->filter));
	catalog->block = new_memory(builder->block_max + 1);
	catalog->counts = calloc(num_sets + 1u, sizeof(*catalog->counts));
	if (catalog->buckets && catalog->filter && catalog->block &&
		catalog->counts)
		return catalog;
	catalog_unref(catalog);
	return NULL;
}

static void fill_filter(
	struct catalog *catalog, const struct catalog_builder *builder)
{
	for (size_t i = 0; i < builder->num_items; i++) {
		uint32_t hash = builder->items[i].hash;

		catalog->filter[catalog_place(catalog->num_words, hash)] |=
			catalog_filter_bits(hash);
	}
}

/* What the block was thought to take at most and does not. */
static void give_back(struct catalog *catalog)
{
	size_t size = catalog->buckets[catalog->num_buckets];
	uint8_t *block = realloc(catalog->block, size + 1);

	if (block)
		catalog->block = block;
}

struct catalog *catalog_build(
	struct catalog_builder *builder, unsigned num_sets)
{
	struct catalog *catalog = new_catalog(builder, num_sets);
	struct item *items = NULL;

	if (catalog)
		items = sort_by_bucket(
			builder, catalog->buckets, catalog->num_buckets);
	if (!items) {
		catalog_unref(catalog);
		catalog_builder_free(builder);
		return NULL;
	}
	fill_filter(catalog, builder);
	free(builder->items); /* as large as the catalog is going to be */
	builder->items = NULL;
	write_block(catalog, items, builder->num_items, builder->text);
	free(items);
	catalog_builder_free(builder);
	give_back(catalog);
	return catalog;
}
