#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "policy/catalog.h"
#include "policy/entry.h"
#include "policy/path.h"

static void parse(const char *text, struct entry *entry)
{
	char err[400];

	if (entry_parse(text, strlen(text), entry, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void add(struct catalog_builder *builder, unsigned set, const char *text)
{
	struct entry entry;

	parse(text, &entry);
	assert_int_equal(catalog_add(builder, set, &entry), 0);
}

/* Each set is its entries with blanks between; NULL ends the sets. */
static struct catalog *build(const char *const *sets)
{
	struct catalog_builder *builder = catalog_builder_new();
	struct catalog *catalog;
	unsigned num = 0;

	for (; sets[num]; num++) {
		char text[500], *rest = text, *one;

		snprintf(text, sizeof(text), "%s", sets[num]);
		while ((one = strsep(&rest, " ")))
			if (*one)
				add(builder, num, one);
	}
	catalog = catalog_build(builder, num);
	assert_non_null(catalog);
	assert_int_equal(catalog_num_sets(catalog), num);
	return catalog;
}

/* The sets as letters: "ac" is 0 and 2. */
static void is_in(const struct catalog *catalog, enum catalog_by by,
	const char *host, uint16_t port, const char *path, const char *wanted)
{
	uint64_t bits[CATALOG_WORDS(100)] = {0};
	char found[100];
	size_t n = 0;

	catalog_find(catalog, by, host, port, path, bits);
	for (unsigned i = 0; i < catalog_num_sets(catalog); i++)
		if (bits[i / 64] >> (i % 64) & 1)
			found[n++] = (char)('a' + i);
	found[n] = '\0';
	if (strcmp(found, wanted) != 0)
		fail_msg("%s:%u %s is in \"%s\", not in \"%s\"", host, port,
			path ? path : "?", found, wanted);
}

static void host_in(
	const struct catalog *catalog, const char *host, const char *wanted)
{
	is_in(catalog, CATALOG_HOSTS, host, 443, NULL, wanted);
	is_in(catalog, CATALOG_URLS, host, 443, NULL, wanted);
	is_in(catalog, CATALOG_URLS, host, 443, "/a/b", wanted);
}

static void finds_hosts_and_what_is_below_domains(void **state)
{
	static const char *const sets[] = {"example.com b.example",
		".example.com .test", "www.example.com a.b.c.d.example.com",
		"", ".www.example.com example.com", NULL};
	struct catalog *catalog = build(sets);

	(void)state;
	host_in(catalog, "example.com", "abe");
	host_in(catalog, "www.example.com", "bce");
	host_in(catalog, "x.www.example.com", "be");
	host_in(catalog, "a.b.c.d.example.com", "bc");
	host_in(catalog, "b.c.d.example.com", "b");
	host_in(catalog, "b.example", "a");
	host_in(catalog, "a.b.example", "");
	host_in(catalog, "anexample.com", "");
	host_in(catalog, "com", "");
	host_in(catalog, "test", "b");
	host_in(catalog, "x.test", "b");
	host_in(catalog, "xtest", "");
	catalog_unref(catalog);
}

static void nothing_is_in_an_empty_one(void **state)
{
	static const char *const sets[] = {"", NULL}, *const none[] = {NULL};
	struct catalog *empty = build(sets), *no_sets = build(none);

	(void)state;
	host_in(empty, "example.com", "");
	host_in(empty, "192.0.2.7", "");
	host_in(no_sets, "example.com", "");
	assert_int_equal(catalog_num_entries(empty), 0);
	assert_int_equal(catalog_num_sets(no_sets), 0);
	catalog_unref(empty);
	catalog_unref(no_sets);
	catalog_unref(NULL);
	catalog_builder_free(NULL);
	catalog_builder_free(catalog_builder_new());
}

static void what_is_no_host_is_in_no_set(void **state)
{
	static const char *const sets[] = {".example.com", NULL};
	struct catalog *catalog = build(sets);
	char host[400];

	(void)state;
	memset(host, 'a', sizeof(host));
	memcpy(host + sizeof(host) - 13, ".example.com", 13);
	host_in(catalog, host, "");
	host_in(catalog, host + sizeof(host) - 255, "a");
	memset(host, '.', sizeof(host) - 13);
	host_in(catalog, host + sizeof(host) - 256, "a");
	host_in(catalog, "", "");
	catalog_unref(catalog);
}

static void finds_networks_of_all_lengths(void **state)
{
	static const char *const sets[] = {"10.0.0.0/8 192.0.2.7",
		"10.1.0.0/16 10.1.2.0/24", "0.0.0.0/0", "2001:db8::/32 ::1",
		"10.1.2.3 2001:db8:1::/48", "::/0", NULL};
	struct catalog *catalog = build(sets);

	(void)state;
	host_in(catalog, "10.1.2.3", "abce");
	host_in(catalog, "10.1.3.3", "abc");
	host_in(catalog, "10.2.2.3", "ac");
	host_in(catalog, "11.1.2.3", "c");
	host_in(catalog, "192.0.2.7", "ac");
	host_in(catalog, "192.0.2.8", "c");
	host_in(catalog, "2001:db8::1", "df");
	host_in(catalog, "2001:db8:1::1", "def");
	host_in(catalog, "2001:db9::1", "f");
	host_in(catalog, "::1", "df");
	host_in(catalog, "::0.1.4.67", "f");
	host_in(catalog, "example.com", "");
	host_in(catalog, "a.x7", "");
	catalog_unref(catalog);
}

static void ports_are_asked(void **state)
{
	static const char *const sets[] = {"example.com:443", "example.com",
		".example.com:8443", "192.0.2.7:443 [::1]:443",
		"example.com:443 example.com:8443", NULL};
	struct catalog *catalog = build(sets);

	(void)state;
	for (enum catalog_by by = CATALOG_HOSTS; by <= CATALOG_URLS; by++) {
		is_in(catalog, by, "example.com", 443, "/", "abe");
		is_in(catalog, by, "example.com", 8443, "/", "bce");
		is_in(catalog, by, "example.com", 80, "/", "b");
		is_in(catalog, by, "example.com", 443 - 256, "/", "b");
		is_in(catalog, by, "example.com", 0, "/", "b");
		is_in(catalog, by, "a.example.com", 8443, NULL, "c");
		is_in(catalog, by, "a.example.com", 443, NULL, "");
		is_in(catalog, by, "192.0.2.7", 443, NULL, "d");
		is_in(catalog, by, "192.0.2.7", 80, NULL, "");
		is_in(catalog, by, "::1", 443, NULL, "d");
	}
	catalog_unref(catalog);
}

static void urls_are_below_their_path(void **state)
{
	static const char *const sets[] = {"github.com/github-copilot",
		"github.com", "github.com/a/b/c .github.com/a",
		"github.com:443/a", "192.0.2.7/a", NULL};
	struct catalog *catalog = build(sets);
	enum catalog_by urls = CATALOG_URLS;

	(void)state;
	is_in(catalog, urls, "github.com", 443, "/github-copilot", "ab");
	is_in(catalog, urls, "github.com", 443, "/github-copilot/", "ab");
	is_in(catalog, urls, "github.com", 443, "/github-copilot/x", "ab");
	is_in(catalog, urls, "github.com", 443, "/github-copilots", "b");
	is_in(catalog, urls, "github.com", 443, "/github", "b");
	is_in(catalog, urls, "github.com", 443, "/", "b");
	is_in(catalog, urls, "github.com", 443, "/a", "bcd");
	is_in(catalog, urls, "github.com", 80, "/a/b", "bc");
	is_in(catalog, urls, "github.com", 443, "/a/b/c/d/e/f", "bcd");
	is_in(catalog, urls, "github.com", 443, "//a", "b");
	is_in(catalog, urls, "x.github.com", 443, "/a/b/c", "c");
	is_in(catalog, urls, "x.github.com", 443, "/github-copilot", "");
	is_in(catalog, urls, "192.0.2.7", 443, "/a/b", "e");
	is_in(catalog, urls, "192.0.2.7", 443, "/b", "");
	catalog_unref(catalog);
}

static void hosts_count_whatever_their_path(void **state)
{
	static const char *const sets[] = {"github.com/github-copilot",
		".github.com/a", "github.com:443/a", NULL};
	struct catalog *catalog = build(sets);
	enum catalog_by hosts = CATALOG_HOSTS, urls = CATALOG_URLS;

	(void)state;
	is_in(catalog, hosts, "github.com", 443, NULL, "abc");
	is_in(catalog, hosts, "github.com", 443, "/elsewhere", "abc");
	is_in(catalog, hosts, "github.com", 80, NULL, "ab");
	is_in(catalog, hosts, "x.github.com", 443, NULL, "b");
	is_in(catalog, urls, "github.com", 443, NULL, "");
	catalog_unref(catalog);
}

static void longest_paths(void **state)
{
	struct catalog_builder *builder = catalog_builder_new();
	static char path[4 * ENTRY_PATH_MAX];
	struct entry entry;
	struct catalog *catalog;

	(void)state;
	parse("example.com", &entry);
	for (size_t i = 0; i < ENTRY_PATH_MAX; i++)
		entry.path[i] = i % 2 ? 'a' : '/';
	entry.path_len = ENTRY_PATH_MAX;
	entry.path[ENTRY_PATH_MAX] = '\0';
	assert_int_equal(catalog_add(builder, 0, &entry), 0);
	catalog = catalog_build(builder, 1);
	assert_non_null(catalog);
	memcpy(path, entry.path, ENTRY_PATH_MAX + 1);
	is_in(catalog, CATALOG_URLS, "example.com", 1, path, "a");
	path[ENTRY_PATH_MAX] = 'b';
	is_in(catalog, CATALOG_URLS, "example.com", 1, path, "");
	memset(path + ENTRY_PATH_MAX, '/', 3 * ENTRY_PATH_MAX - 1);
	is_in(catalog, CATALOG_URLS, "example.com", 1, path, "a");
	memset(path, 'a', sizeof(path) - 1);
	is_in(catalog, CATALOG_URLS, "example.com", 1, path, "");
	path[0] = '/';
	is_in(catalog, CATALOG_URLS, "example.com", 1, path, "");
	catalog_unref(catalog);
}

static void same_entries_count_once(void **state)
{
	static const char *const sets[] = {
		"a.example A.example a.example. .a.example",
		"a.example/x a.example/x/ a.example/y a.example:1",
		"10.0.0.0/8 10.0.0.0/8 192.0.2.7/32 192.0.2.7", "", NULL};
	struct catalog *catalog = build(sets);

	(void)state;
	assert_int_equal(catalog_count(catalog, 0), 2);
	assert_int_equal(catalog_count(catalog, 1), 3);
	assert_int_equal(catalog_count(catalog, 2), 2);
	assert_int_equal(catalog_count(catalog, 3), 0);
	assert_int_equal(catalog_num_entries(catalog), 7);
	catalog_unref(catalog);
}

static void a_host_may_be_in_any_number_of_sets(void **state)
{
	enum { SETS = 10000 };
	struct catalog_builder *builder = catalog_builder_new();
	uint64_t bits[CATALOG_WORDS(SETS)] = {0};
	struct catalog *catalog;

	(void)state;
	for (unsigned i = 0; i < SETS; i++)
		if (i % 3 != 0)
			add(builder, i, "example.com");
	catalog = catalog_build(builder, SETS);
	assert_non_null(catalog);
	catalog_find(catalog, CATALOG_HOSTS, "example.com", 1, NULL, bits);
	for (unsigned i = 0; i < SETS; i++)
		assert_int_equal(bits[i / 64] >> (i % 64) & 1, i % 3 != 0);
	catalog_unref(catalog);
}

static void what_is_found_is_added_to_what_was(void **state)
{
	static const char *const sets[] = {"a.example", "b.example", NULL};
	struct catalog *catalog = build(sets);
	uint64_t bits = 0;

	(void)state;
	catalog_find(catalog, CATALOG_HOSTS, "a.example", 1, NULL, &bits);
	catalog_find(catalog, CATALOG_HOSTS, "b.example", 1, NULL, &bits);
	assert_int_equal(bits, 3);
	catalog_unref(catalog);
}

static void a_set_of_too_high_a_number_is_refused(void **state)
{
	struct catalog_builder *builder = catalog_builder_new();
	struct entry entry;

	(void)state;
	parse("example.com", &entry);
	assert_int_equal(catalog_add(builder, UINT32_MAX, &entry), -1);
	assert_int_equal(catalog_add(builder, UINT32_MAX / 4, &entry), -1);
	catalog_builder_free(builder);
}

static void lives_as_long_as_anybody_has_it(void **state)
{
	static const char *const sets[] = {"a.example", NULL};
	struct catalog *catalog = build(sets), *other = catalog_ref(catalog);

	(void)state;
	assert_ptr_equal(catalog, other);
	catalog_unref(catalog);
	host_in(other, "a.example", "a");
	catalog_unref(other);
}

/* Whether all of one is in other, both one set. */
static bool within(const char *one, const char *other)
{
	const char *const sets[] = {"unrelated.example", one, NULL};
	const char *const others[] = {other, "unrelated.example", NULL};
	struct catalog *a = build(sets), *b = build(others);
	bool result = catalog_within(a, 1, b, 0);

	catalog_unref(a);
	catalog_unref(b);
	return result;
}

static void within_another(void **state)
{
	(void)state;
	assert_true(within("", ""));
	assert_true(within("", "a.example"));
	assert_false(within("a.example", ""));
	assert_true(within("a.example b.example", ".example"));
	assert_true(within(".a.example", ".a.example"));
	assert_true(within(".a.example", ".example x.example"));
	assert_false(within(".a.example", "a.example"));
	assert_true(within("a.example", ".a.example"));
	assert_false(within(".example", ".a.example"));
	assert_false(within("a.example b.test", ".example"));
	assert_true(within("10.1.2.3 10.1.0.0/16", "10.0.0.0/8"));
	assert_true(within("10.0.0.0/8", "10.0.0.0/8"));
	assert_false(within("10.0.0.0/8", "10.1.0.0/16"));
	assert_false(within("10.0.0.0/8", "10.0.0.0/16"));
	assert_true(within("2001:db8::/48", "2001:db8::/32"));
	assert_false(within("10.0.0.0/8", "::/0"));
}

static void within_ports_and_paths(void **state)
{
	(void)state;
	assert_true(within("a.example:443", "a.example"));
	assert_true(within("a.example:443", "a.example:443"));
	assert_false(within("a.example:443", "a.example:80"));
	assert_false(within("a.example", "a.example:443"));
	assert_true(within("a.example/x/y", "a.example/x"));
	assert_true(within("a.example/x", ".example"));
	assert_false(within("a.example", "a.example/x"));
	assert_false(within("a.example/x", "a.example/x/y"));
	assert_false(within("a.example/xy", "a.example/x"));
	assert_true(within("a.example:443/x/y", "a.example/x"));
	assert_true(within("a.example:443/x/y", "a.example:443/x"));
	assert_false(within("a.example/x", "a.example:443/x"));
	assert_false(within(".a.example/x", "a.example/x"));
	assert_true(within(".a.example/x", ".example/x"));
}

static void within_itself(void **state)
{
	static const char *const sets[] = {
		"a.example 10.0.0.0/8", "b.example", "a.example", NULL};
	struct catalog *catalog = build(sets);

	(void)state;
	assert_true(catalog_within(catalog, 0, catalog, 0));
	assert_true(catalog_within(catalog, 2, catalog, 0));
	assert_false(catalog_within(catalog, 0, catalog, 2));
	assert_false(catalog_within(catalog, 0, catalog, 1));
	catalog_unref(catalog);
}

/* --- beside a look at each entry ---- */

enum { RANDOM_ENTRIES = 400, RANDOM_SETS = 70, RANDOM_LOOKS = 4000 };

static uint64_t random_state;

static unsigned draw(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state >> 20) % below);
}

/* From so few letters that much is the same or below another. */
static void draw_host(char *out, size_t size)
{
	static const char *const labels[] = {"a", "b", "ab", "c-d"};
	size_t len = 0;

	if (draw(5) == 0) {
		snprintf(out, size, "10.%u.0.%u", draw(3), draw(4));
		return;
	}
	for (unsigned i = 1 + draw(4); i > 0; i--)
		len += (size_t)snprintf(out + len, size - len, "%s.",
			labels[draw(4)]);
	out[len - 1] = '\0';
}

static void draw_path(char *out, size_t size)
{
	size_t len = 0;

	for (unsigned i = draw(4); i > 0; i--)
		len += (size_t)snprintf(
			out + len, size - len, "/%s", draw(2) ? "x" : "xy");
	out[len] = '\0';
}

static void draw_entry(struct entry *entry)
{
	char text[300], host[100], path[100], port[10] = "";

	draw_host(host, sizeof(host));
	draw_path(path, sizeof(path));
	if (draw(3) == 0)
		snprintf(port, sizeof(port), ":%u", 1 + draw(3));
	if (draw(8) == 0)
		snprintf(text, sizeof(text), "10.%u.0.0/%u", draw(3),
			16 + draw(17));
	else
		snprintf(text, sizeof(text), "%s%s%s%s",
			host[0] != '1' && draw(2) ? "." : "", host, port,
			draw(2) ? path : "");
	parse(text, entry);
}

static bool slow_host(const struct entry *entry, const char *host)
{
	size_t len = strlen(host), own = strlen(entry->host);
	struct network network;
	char err[300];

	if (own == 0)
		return network_parse(host, len, &network, err, sizeof(err)) ==
			0 &&
			network_contains(&entry->network, &network);
	if (strcmp(host, entry->host) == 0)
		return true;
	return entry->below && len > own && host[len - own - 1] == '.' &&
		strcmp(host + len - own, entry->host) == 0;
}

/* "/a/b" and "/a" are below "/a", "/ab" is not. */
static bool slow_path(const struct entry *entry, const char *path)
{
	size_t len = entry->path_len;

	return path && strncmp(path, entry->path, len) == 0 &&
		(path[len] == '\0' || path[len] == '/');
}

static bool slow(const struct entry *entry, enum catalog_by by,
	const char *host, uint16_t port, const char *path)
{
	if (!slow_host(entry, host))
		return false;
	if (entry->host[0] == '\0')
		return true;
	if (entry->port != 0 && entry->port != port)
		return false;
	if (by == CATALOG_HOSTS || entry->path_len == 0)
		return true;
	return slow_path(entry, path);
}

static void look(const struct catalog *catalog, const struct entry *entries,
	const unsigned *sets)
{
	enum catalog_by by = draw(2) ? CATALOG_HOSTS : CATALOG_URLS;
	uint64_t bits[CATALOG_WORDS(RANDOM_SETS)] = {0};
	uint64_t wanted[CATALOG_WORDS(RANDOM_SETS)] = {0};
	uint16_t port = (uint16_t)draw(5);
	char host[100], path[100];
	bool known = draw(4);

	draw_host(host, sizeof(host));
	draw_path(path, sizeof(path));
	if (path[0] == '\0')
		path[0] = '/', path[1] = '\0';
	for (unsigned i = 0; i < RANDOM_ENTRIES; i++)
		if (slow(&entries[i], by, host, port, known ? path : NULL))
			wanted[sets[i] / 64] |= UINT64_C(1) << (sets[i] % 64);
	catalog_find(catalog, by, host, port, known ? path : NULL, bits);
	if (memcmp(bits, wanted, sizeof(bits)) != 0)
		fail_msg("%s:%u%s is in others", host, port,
			known ? path : "?");
}

static void finds_what_a_look_at_each_entry_finds(void **state)
{
	struct entry *entries = calloc(RANDOM_ENTRIES, sizeof(*entries));
	unsigned sets[RANDOM_ENTRIES];

	(void)state;
	assert_non_null(entries);
	for (unsigned round = 0; round < 20; round++) {
		struct catalog_builder *builder = catalog_builder_new();
		struct catalog *catalog;

		random_state = round + 1;
		for (unsigned i = 0; i < RANDOM_ENTRIES; i++) {
			draw_entry(&entries[i]);
			sets[i] = draw(RANDOM_SETS);
			assert_int_equal(
				catalog_add(builder, sets[i], &entries[i]), 0);
		}
		catalog = catalog_build(builder, RANDOM_SETS);
		assert_non_null(catalog);
		for (unsigned i = 0; i < RANDOM_LOOKS; i++)
			look(catalog, entries, sets);
		catalog_unref(catalog);
	}
	free(entries);
}

static void takes_little_memory(void **state)
{
	enum { HOSTS = 100000 };
	struct catalog_builder *builder = catalog_builder_new();
	struct catalog *catalog;
	struct entry entry;
	uint64_t bits;

	(void)state;
	parse(".example.com", &entry);
	for (unsigned i = 0; i < HOSTS; i++) {
		snprintf(entry.host, sizeof(entry.host), "name%06u.example",
			i); /* 18 bytes */
		assert_int_equal(catalog_add(builder, i % 20, &entry), 0);
	}
	catalog = catalog_build(builder, 20);
	assert_non_null(catalog);
	assert_int_equal(catalog_num_entries(catalog), HOSTS);
	assert_in_range(catalog_bytes(catalog), 21 * HOSTS, 25 * HOSTS);
	for (unsigned i = 0; i < HOSTS; i++) {
		bits = 0;
		snprintf(entry.host, sizeof(entry.host), "x.name%06u.example",
			i);
		catalog_find(
			catalog, CATALOG_URLS, entry.host, 1, NULL, &bits);
		assert_int_equal(bits, UINT64_C(1) << (i % 20));
	}
	catalog_unref(catalog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_hosts_and_what_is_below_domains),
		cmocka_unit_test(nothing_is_in_an_empty_one),
		cmocka_unit_test(what_is_no_host_is_in_no_set),
		cmocka_unit_test(finds_networks_of_all_lengths),
		cmocka_unit_test(ports_are_asked),
		cmocka_unit_test(urls_are_below_their_path),
		cmocka_unit_test(hosts_count_whatever_their_path),
		cmocka_unit_test(longest_paths),
		cmocka_unit_test(same_entries_count_once),
		cmocka_unit_test(a_host_may_be_in_any_number_of_sets),
		cmocka_unit_test(what_is_found_is_added_to_what_was),
		cmocka_unit_test(a_set_of_too_high_a_number_is_refused),
		cmocka_unit_test(lives_as_long_as_anybody_has_it),
		cmocka_unit_test(within_another),
		cmocka_unit_test(within_ports_and_paths),
		cmocka_unit_test(within_itself),
		cmocka_unit_test(finds_what_a_look_at_each_entry_finds),
		cmocka_unit_test(takes_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
