/*
 * fuzz_entry.c - lines of lists, and paths, from any bytes.
 *
 * What entry_each gives is normalized: written out it is read as the same, and a
 * catalog of it finds it. What it refuses it refuses with printable text. Readings
 * of paths are their own readings, begin with a slash and have no dot segments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/catalog.h"
#include "policy/entry.h"
#include "policy/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* --- entries ---- */

/* What a path as it is would not be read as. */
static size_t write_path(const char *path, char *out)
{
	size_t len = 0;

	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (c <= ' ' || c == 0x7f || c == '*')
			len += (size_t)snprintf(out + len, 4, "%%%02x", c);
		else
			out[len++] = *path;
	}
	return len;
}

static size_t write_entry(const struct entry *entry, char *out, size_t size)
{
	bool six = strchr(entry->host, ':') != NULL;
	char port[8] = "", network[NETWORK_TEXT_SIZE];
	size_t len;

	if (entry->host[0] == '\0') {
		network_text(&entry->network, network);
		return (size_t)snprintf(out, size, "%s", network);
	}
	if (entry->port != 0)
		snprintf(port, sizeof(port), ":%u", entry->port);
	len = (size_t)snprintf(out, size, "https://%s%s%s%s%s",
		entry->below ? "*." : "", six ? "[" : "", entry->host,
		six ? "]" : "", port);
	return len + write_path(entry->path, out + len);
}

static void check_same(const struct entry *a, const struct entry *b)
{
	must(strcmp(a->host, b->host) == 0);
	must(a->path_len == b->path_len && strcmp(a->path, b->path) == 0);
	must(a->port == b->port && a->below == b->below);
	if (a->host[0] == '\0')
		must(memcmp(&a->network, &b->network, sizeof(a->network)) ==
			0);
}

static void check_found(const struct entry *entry)
{
	struct catalog_builder *builder = catalog_builder_new();
	struct catalog *catalog;
	uint64_t bits = 0;

	must(catalog_add(builder, 1, entry) == 0);
	catalog = catalog_build(builder, 2);
	must(catalog && catalog_num_entries(catalog) == 1);
	if (entry->host[0] != '\0') {
		catalog_find(catalog, CATALOG_URLS, entry->host, entry->port,
			entry->path, &bits);
		must(bits == 2);
	}
	catalog_unref(catalog);
}

static void check_entry(void *arg, const struct entry *entry)
{
	static struct entry again;
	static char text[4 * ENTRY_PATH_MAX + 400];
	char err[500];
	size_t len = strlen(entry->path);

	must(arg == NULL);
	must(entry->path_len == len);
	must(len == 0 || (entry->path[0] == '/' && entry->path[len - 1] != '/'));
	len = write_entry(entry, text, sizeof(text));
	if (len - strlen(entry->host) > ENTRY_PATH_MAX)
		return; /* written out, the path may be too long */
	must(entry_parse(text, len, &again, err, sizeof(err)) == 0);
	check_same(entry, &again);
	check_found(entry);
}

static void check_line(const char *line, size_t len)
{
	char err[500] = "";

	if (entry_each(line, len, check_entry, NULL, err, sizeof(err)) == 0)
		return;
	must(err[0] == '"' && err[strlen(err) - 1] != '"');
	for (const char *at = err; *at; at++)
		must(*at >= ' ' && *at < 0x7f);
}

/* --- paths ---- */

static void check_segments(const char *path)
{
	must(path[0] == '/');
	while (*path) {
		size_t len = strcspn(++path, "/");

		must(!(len == 1 && path[0] == '.'));
		must(!(len == 2 && memcmp(path, "..", 2) == 0));
		path += len;
	}
}

static void check_path(const char *path, size_t len,
	void (*reading)(const char *, size_t, char *))
{
	char *out = malloc(len + 2), *again = malloc(len + 3);

	must(out && again);
	reading(path, len, out);
	must(strlen(out) <= len + 1);
	check_segments(out);
	must(!strchr(out, '?') && !strchr(out, '#'));
	reading(out, strlen(out), again);
	must(strcmp(out, again) == 0);
	must(reading != path_lax ||
		(!strstr(out, "//") && !strpbrk(out, "\\;")));
	free(out);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_line((const char *)data, size);
	check_path((const char *)data, size, path_exact);
	check_path((const char *)data, size, path_lax);
	return 0;
}
