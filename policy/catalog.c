#include "policy/catalog.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/catalog_private.h"

/* What is asked for, and what has been found. */
struct search {
	const struct catalog *catalog;
	enum catalog_by by;
	bool all_below; /* not the host alone: the host and all below it */
	uint16_t port;
	const char *path; /* NULL: unknown */
	uint64_t *bits;   /* NULL: only whether it is in set */
	unsigned set;
	bool found;
};

struct suffix {
	uint32_t hash;
	uint32_t begin; /* in the host */
};

struct catalog *catalog_ref(struct catalog *catalog)
{
	atomic_fetch_add_explicit(&catalog->refs, 1, memory_order_relaxed);
	return catalog;
}

void catalog_unref(struct catalog *catalog)
{
	if (!catalog || atomic_fetch_sub_explicit(&catalog->refs, 1,
				memory_order_acq_rel) != 1)
		return;
	free(catalog->buckets);
	free(catalog->filter);
	free(catalog->block);
	free(catalog->counts);
	free(catalog);
}

unsigned catalog_num_sets(const struct catalog *catalog)
{
	return catalog->num_sets;
}

size_t catalog_num_entries(const struct catalog *catalog)
{
	return catalog->num_entries;
}

size_t catalog_count(const struct catalog *catalog, unsigned set)
{
	return catalog->counts[set];
}

size_t catalog_bytes(const struct catalog *catalog)
{
	return sizeof(*catalog) + catalog->buckets[catalog->num_buckets] + 1 +
		((size_t)catalog->num_buckets + 1) * sizeof(uint32_t) +
		catalog->num_words * sizeof(uint64_t) +
		(catalog->num_sets + 1u) * sizeof(size_t);
}

size_t catalog_key_network(
	const struct network *network, char key[KEY_NETWORK_MAX])
{
	size_t len = network_bits(network->family) / 8;

	key[0] = network->family == AF_INET6 ? KEY_IPV6 : KEY_IPV4;
	key[1] = (char)network->bits;
	memcpy(key + 2, network->bytes, len);
	return len + 2;
}

/* Returns what is behind it. */
static const uint8_t *read_record(const uint8_t *at, struct record *out)
{
	uint32_t rest, more = 0;

	at = catalog_varint(at, &out->key_len);
	at = catalog_varint(at, &rest);
	out->key = at;
	out->details = at + out->key_len;
	out->end = out->details + (rest >> 1);
	if (rest & 1)
		out->details = catalog_varint(out->details, &more);
	out->num_segments = more >> 1;
	out->has_ports = more & 1;
	return out->end;
}

static bool may_have(const struct catalog *catalog, uint32_t hash)
{
	uint64_t bits = catalog_filter_bits(hash);

	return (catalog->filter[catalog_place(catalog->num_words, hash)] &
		       bits) == bits;
}

/* The other records of a bucket are gone past by their lengths. */
static bool find(const struct catalog *catalog, uint32_t hash, const char *key,
	size_t len, struct record *out)
{
	uint32_t bucket = catalog_place(catalog->num_buckets, hash);
	const uint8_t *at = catalog->block + catalog->buckets[bucket];
	const uint8_t *end = catalog->block + catalog->buckets[bucket + 1];

	while (at < end) {
		const uint8_t *record = at;
		uint32_t key_len, rest;

		at = catalog_varint(at, &key_len);
		at = catalog_varint(at, &rest);
		if (key_len == len && memcmp(at, key, len) == 0) {
			(void)read_record(record, out);
			return true;
		}
		at += key_len + (rest >> 1);
	}
	return false;
}

static void take(struct search *search, const struct record *record, bool below)
{
	uint32_t detail;

	for (const uint8_t *at = record->details; at < record->end;) {
		at = catalog_varint(at, &detail);
		if ((detail & DETAIL_INSIDE) && search->by == CATALOG_URLS)
			continue;
		if (below && !(detail & DETAIL_BELOW))
			continue;
		detail >>= DETAIL_BITS;
		if (search->bits)
			search->bits[detail / 64] |= UINT64_C(1)
				<< (detail % 64);
		else if (detail == search->set)
			search->found = true;
	}
}

/* Each beginning of the path that ends with a segment, up to so many of these. A
 * path that is not below any has not that much looked at. */
static void find_paths(struct search *search, char *key, size_t len,
	struct siphash s, uint32_t num_segments, bool below)
{
	const char *path = search->path;
	struct record record;
	uint32_t hash;
	size_t n = 0;

	while (num_segments-- > 0 && path[n] != '\0' && n < ENTRY_PATH_MAX) {
		size_t end = n + 1 + strcspn(path + n + 1, "/");

		if (end > ENTRY_PATH_MAX)
			return;
		memcpy(key + len + n, path + n, end - n);
		catalog_hash_more(&s, path + n, end - n);
		n = end;
		hash = catalog_hash_end(&s);
		if (may_have(search->catalog, hash) &&
			find(search->catalog, hash, key, len + n, &record))
			take(search, &record, below);
	}
}

/* What is behind the NUL of a host: at any port (port 0), or at one. */
static void find_more(struct search *search, const char *host, size_t host_len,
	uint16_t port, const struct record *of, bool below)
{
	size_t len = host_len + KEY_MORE;
	uint32_t num_segments = of->num_segments;
	struct record record;
	struct siphash s;
	char key[KEY_MAX];

	memcpy(key, host, host_len);
	catalog_key_more(key + host_len, port);
	s = catalog_hash_host(search->catalog->key, key, host_len);
	catalog_hash_more(&s, key + host_len, KEY_MORE);
	if (port != 0) {
		if (!find(search->catalog, catalog_hash_end(&s), key, len,
			    &record))
			return;
		take(search, &record, below);
		num_segments = record.num_segments;
	}
	if (search->by == CATALOG_URLS && search->path)
		find_paths(search, key, len, s, num_segments, below);
}

static void take_host(struct search *search, const char *host, size_t len,
	const struct record *record, bool below)
{
	take(search, record, below);
	if (record->num_segments > 0 && search->by == CATALOG_URLS &&
		search->path)
		find_more(search, host, len, 0, record, below);
	if (record->has_ports && search->port != 0)
		find_more(search, host, len, search->port, record, below);
}

static struct suffix new_suffix(
	const struct siphash *s, uint64_t word, size_t len, size_t begin)
{
	uint64_t hash = siphash_end_with(*s, word, len - begin);

	return (struct suffix){(uint32_t)(hash >> 32), (uint32_t)begin};
}

/* The highest bit of each byte of word that is a dot. */
static uint64_t find_dots(uint64_t word)
{
	static const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);

	word ^= UINT64_C(0x2e2e2e2e2e2e2e2e);
	return ~(((word & low) + low) | word | low);
}

/* From the shortest to the whole, eight bytes at once. */
static size_t hash_suffixes(const struct catalog *catalog, const char *host,
	size_t len, struct suffix suffixes[HOST_SIZE])
{
	struct siphash s = siphash_begin(catalog->key);
	size_t left = len, num = 0;

	for (;; left -= 8) {
		uint64_t word = catalog_backward(host, left, len);
		uint64_t dots = find_dots(word);

		for (; dots; dots &= dots - 1) {
			unsigned behind = (unsigned)__builtin_ctzll(dots) / 8;
			uint64_t mask = (UINT64_C(1) << (8 * behind)) - 1;

			suffixes[num++] = new_suffix(&s, word & mask,
				len, left - behind);
		}
		if (left < 8) {
			suffixes[num++] = new_suffix(&s, word, len, 0);
			return num;
		}
		siphash_absorb(&s, word);
	}
}

/* The suffixes that may have a record; few others pass. */
static size_t filter(
	const struct catalog *catalog, struct suffix *suffixes, size_t num)
{
	size_t kept = 0;

	for (size_t i = 0; i < num; i++)
		if (may_have(catalog, suffixes[i].hash))
			suffixes[kept++] = suffixes[i];
	return kept;
}

/* Each step waits for memory, so it is asked for all suffixes at once. */
static void find_suffixes(struct search *search, const char *host, size_t len)
{
	const struct catalog *catalog = search->catalog;
	struct suffix suffixes[HOST_SIZE];
	size_t num = hash_suffixes(catalog, host, len, suffixes);
	struct record record;

	for (size_t i = 0; i < num; i++) {
		uint32_t hash = suffixes[i].hash;

		__builtin_prefetch(&catalog->filter[catalog_place(
			catalog->num_words, hash)]);
		__builtin_prefetch(&catalog->buckets[catalog_place(
			catalog->num_buckets, hash)]);
	}
	num = filter(catalog, suffixes, num);
	for (size_t i = 0; i < num; i++) {
		const uint8_t *bucket = catalog->block +
			catalog->buckets[catalog_place(
				catalog->num_buckets, suffixes[i].hash)];

		__builtin_prefetch(bucket); /* about as long as a bucket is */
		__builtin_prefetch(bucket + 64);
	}
	for (size_t i = 0; i < num; i++) {
		const char *suffix = host + suffixes[i].begin;
		size_t suffix_len = len - suffixes[i].begin;

		if (find(catalog, suffixes[i].hash, suffix, suffix_len,
			    &record))
			take_host(search, suffix, suffix_len, &record,
				search->all_below || suffixes[i].begin > 0);
	}
}

/* All networks that hold network, which it changes. */
static void find_networks(struct search *search, struct network *network)
{
	const struct catalog *catalog = search->catalog;
	bool six = network->family == AF_INET6;
	struct record record;
	char key[KEY_NETWORK_MAX];

	if (!catalog->has_networks[six])
		return;
	for (unsigned bits = network->bits + 1u; bits-- > 0;) {
		struct siphash s;
		size_t len;

		if (!catalog->has_bits[six][bits])
			continue;
		(void)network_widen(network, bits);
		len = catalog_key_network(network, key);
		s = catalog_hash_host(catalog->key, key, len);
		if (find(catalog, catalog_hash_end(&s), key, len, &record))
			take(search, &record, false);
	}
}

/* No name ends with a label of digits alone (host.h), nor has a colon. */
static bool is_address(const char *host, size_t len, struct network *out)
{
	char last = host[len - 1];

	memset(out, 0, sizeof(*out));
	out->family = AF_INET;
	out->bits = 32;
	if (last >= '0' && last <= '9' &&
		inet_pton(AF_INET, host, out->bytes) == 1)
		return true;
	out->family = AF_INET6;
	out->bits = 128;
	return memchr(host, ':', len) &&
		inet_pton(AF_INET6, host, out->bytes) == 1;
}

static void find_host(struct search *search, const char *host)
{
	size_t len = strlen(host);
	struct network network;

	if (len == 0 || len >= HOST_SIZE) /* not normalized: in no set */
		return;
	find_suffixes(search, host, len);
	if ((search->catalog->has_networks[0] ||
		    search->catalog->has_networks[1]) &&
		is_address(host, len, &network))
		find_networks(search, &network);
}

void catalog_find(const struct catalog *catalog, enum catalog_by by,
	const char *host, uint16_t port, const char *path, uint64_t *bits)
{
	struct search search = {
		.catalog = catalog,
		.by = by,
		.port = port,
		.path = path,
		.bits = bits,
	};

	find_host(&search, host);
}

/* One entry of a set, by its key and detail, in set of another catalog. */
static bool holds(const struct catalog *other, unsigned set,
	const struct record *record, uint32_t detail)
{
	struct search search = {
		.catalog = other,
		.by = CATALOG_URLS,
		.all_below = detail & DETAIL_BELOW,
		.set = set,
	};
	char key[KEY_MAX + 1];
	size_t host_len;
	struct network network = {0};

	memcpy(key, record->key, record->key_len);
	key[record->key_len] = '\0';
	if (key[0] == KEY_IPV4 || key[0] == KEY_IPV6) {
		network.family = key[0] == KEY_IPV4 ? AF_INET : AF_INET6;
		network.bits = (uint8_t)key[1];
		memcpy(network.bytes, key + 2, record->key_len - 2);
		find_networks(&search, &network);
		return search.found;
	}
	host_len = strlen(key);
	if (record->key_len > host_len) {
		search.port = (uint16_t)((uint8_t)key[host_len + 1] << 8 |
			(uint8_t)key[host_len + 2]);
		search.path = key + host_len + KEY_MORE;
	}
	find_host(&search, key);
	return search.found;
}

bool catalog_within(const struct catalog *one, unsigned a,
	const struct catalog *other, unsigned b)
{
	const uint8_t *at = one->block;
	const uint8_t *end = at + one->buckets[one->num_buckets];
	struct record record;
	uint32_t detail;

	if (one->counts[a] == 0 || (one == other && a == b))
		return true;
	while (at < end) {
		at = read_record(at, &record);
		while (record.details < record.end) {
			record.details =
				catalog_varint(record.details, &detail);
			if (detail >> DETAIL_BITS != a ||
				(detail & DETAIL_INSIDE))
				continue;
			if (!holds(other, b, &record, detail))
				return false;
		}
	}
	return true;
}

static bool record_is_of_address(const struct record *record)
{
	char key[KEY_MAX + 1];
	struct network network;

	if (record->key[0] == KEY_IPV4 || record->key[0] == KEY_IPV6)
		return true;
	memcpy(key, record->key, record->key_len);
	key[record->key_len] = '\0';
	return is_address(key, strlen(key), &network);
}

static bool record_is_of_set(struct record record, unsigned set)
{
	uint32_t detail;

	while (record.details < record.end) {
		record.details = catalog_varint(record.details, &detail);
		if (detail >> DETAIL_BITS == set)
			return true;
	}
	return false;
}

bool catalog_has_address(const struct catalog *catalog, unsigned set)
{
	const uint8_t *at = catalog->block;
	const uint8_t *end = at + catalog->buckets[catalog->num_buckets];
	struct record record;

	while (at < end) {
		at = read_record(at, &record);
		if (record_is_of_set(record, set) &&
			record_is_of_address(&record))
			return true;
	}
	return false;
}
