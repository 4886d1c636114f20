#include "proxy/core/lists.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "policy/catalog.h"
#include "policy/entry.h"
#include "policy/policy.h"
#include "proxy/config/handed.h"
#include "proxy/config/memory.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/bad_lines.h"

/* One going through all lists. */
struct pass {
	const struct config *config;
	FILE *errors;
	SHA256_CTX digest;
	struct catalog_builder *builder; /* NULL: to see what has changed */
	struct mistakes mistakes;        /* of the configuration */
	bool full;                       /* the builder takes no more */

	/* where it is */
	unsigned set;
	struct bad_lines bad;            /* of the list's file */
	unsigned line;
	bool spared_told;                /* for this category */
};

/* --- entries ------------------------------------------------------------ */

/* tell_spared: a path in what an SSL rule leaves alone is not what it looks
 * like. */
static void tell_spared(struct pass *pass, const struct category *category,
	const struct entry *entry)
{
	fprintf(pass->bad.out, "%s:%u: warning: the rule \"%s\" leaves all of "
		"%s alone, not %s only: SSL rules see no path\n",
		pass->bad.path, pass->line, category->spared, shown(entry->host).text,
		shown(entry->path).text);
	pass->spared_told = true;
}

static void add_entry(void *arg, const struct entry *entry)
{
	struct pass *pass = arg;
	const struct category *category = &pass->config->categories[pass->set];

	if (pass->full)
		return;
	if (catalog_add(pass->builder, pass->set, entry) != 0)
		pass->full = true;
	if (category->spared && entry->path_len > 0 && !pass->spared_told)
		tell_spared(pass, category, entry);
}

static void add_line(struct pass *pass, const char *line, size_t len)
{
	char err[256];

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len > LIST_LINE_MAX)
		bad_lines_tell(&pass->bad, pass->line, "this line is longer "
			"than 4096 bytes; passed over");
	else if (entry_each(line, len, add_entry, pass, err, sizeof(err)) != 0)
		bad_lines_tell(&pass->bad, pass->line, err);
}

static void add_lines(struct pass *pass, const char *text, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf"; /* that it is UTF-8 */
	const char *end = text + len;

	if (len >= 3 && memcmp(text, mark, 3) == 0)
		text += 3;
	for (pass->line = 1; text < end; pass->line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));

		if (!stop)
			stop = end;
		add_line(pass, text, (size_t)(stop - text));
		text = stop + 1;
	}
	bad_lines_end(&pass->bad);
}

/* --- lists -------------------------------------------------------------- */

static void hash(struct pass *pass, const void *data, size_t len)
{
	uint64_t size = len;

	SHA256_Update(&pass->digest, &size, sizeof(size));
	SHA256_Update(&pass->digest, data, len);
}

static void use_file(struct pass *pass, const struct category *category,
	const struct category_file *file)
{
	char *text;
	size_t len;

	if (handed_read(file->path, LIST_FILE_MAX, &text, &len) != 0) {
		mistakes_error(&pass->mistakes, file->line,
			"categories.%s.file: %s: %s",
			shown(category->name).text, shown(file->path).text,
			errno == EFBIG ? "larger than 256 MB" :
			handed_why(errno));
		return;
	}
	hash(pass, text, len);
	pass->bad.path = file->path;
	pass->bad.num = 0;
	if (pass->builder)
		add_lines(pass, text, len);
	free(text);
}

/* use_inline: what stands in the configuration has been checked, and is never one
 * of the forms of public lists. */
static void use_inline(struct pass *pass, const struct category *category)
{
	const char *at = category->entries, *stop;
	struct entry entry;
	char err[256];

	hash(pass, at, category->entries_len);
	pass->bad.path = category->from[0] ? category->from : "configuration";
	pass->line = category->line;
	for (; pass->builder && at && *at; at = stop + 1) {
		stop = strchr(at, '\n');
		if (entry_parse(at, (size_t)(stop - at), &entry, err,
			sizeof(err)) == 0)
			add_entry(pass, &entry);
	}
}

static void use_category(struct pass *pass, const struct category *category)
{
	uint64_t num = category->num_files;

	mistakes_in(&pass->mistakes, category->from);
	pass->spared_told = false;
	hash(pass, category->name, strlen(category->name));
	if (category->spared) /* goes into what is told of its lines */
		hash(pass, category->spared, strlen(category->spared));
	hash(pass, &num, sizeof(num));
	use_inline(pass, category);
	for (size_t i = 0; i < category->num_files; i++)
		use_file(pass, category, &category->files[i]);
}

/* go_through gives the digest. -1: told. */
static int go_through(struct pass *pass, uint8_t digest[LIST_DIGEST_SIZE])
{
	const struct config *config = pass->config;
	int result;

	SHA256_Init(&pass->digest);
	for (pass->set = 0; pass->set < config->num_categories; pass->set++)
		use_category(pass, &config->categories[pass->set]);
	SHA256_Final(digest, &pass->digest);
	if (pass->full)
		mistakes_error(&pass->mistakes, 0, "the lists of the "
			"categories are more than fit in memory, or in 4 GB");
	mistakes_print(&pass->mistakes, pass->errors);
	result = pass->mistakes.errors > 0 ? -1 : 0;
	mistakes_clear(&pass->mistakes);
	return result;
}

static int build(struct pass *pass, struct catalog **out,
	uint8_t digest[LIST_DIGEST_SIZE])
{
	pass->builder = catalog_builder_new();
	if (go_through(pass, digest) != 0) {
		catalog_builder_free(pass->builder);
		return -1;
	}
	*out = catalog_build(pass->builder,
		(unsigned)pass->config->num_categories);
	if (!*out)
		fprintf(pass->errors, "sallyport: there is not memory enough "
			"for the lists of the categories\n");
	return *out ? 0 : -1;
}

/* build_telling: what is told of single lines is kept in *told, too. */
static int build_telling(const struct config *config, FILE *errors,
	struct catalog **out, uint8_t digest[LIST_DIGEST_SIZE], char **told)
{
	size_t len;
	FILE *lines = must(open_memstream(told, &len));
	struct pass read = {.config = config, .errors = errors,
		.bad = {.out = lines}};
	int result = build(&read, out, digest);

	if (fclose(lines) != 0)
		abort(); /* for want of memory */
	fputs(*told, errors);
	if (result == 0)
		return 0;
	free(*told);
	*told = NULL;
	return -1;
}

/* tell_emptied: a file that lost its entries may be one that was only half
 * written, and its rules now fit nothing. */
static void tell_emptied(const struct config *config,
	const struct catalog *now, const struct settings *before, FILE *errors)
{
	struct mistakes mistakes = {0};

	for (unsigned i = 0; i < config->num_categories; i++) {
		const struct category *category = &config->categories[i];
		unsigned was;

		if (category->num_files == 0 || catalog_count(now, i) > 0 ||
		    !policy_find_category(before->config->policy,
			    category->name, &was) ||
		    catalog_count(before->catalog, was) == 0)
			continue;
		mistakes_in(&mistakes, category->from);
		mistakes_warning(&mistakes, category->line,
			"categories.%s: there is no entry in it any more, "
			"after %zu; its rules fit nothing",
			shown(category->name).text,
			catalog_count(before->catalog, was));
	}
	mistakes_print(&mistakes, errors);
	mistakes_clear(&mistakes);
}

int lists_load(const struct config *config, const struct settings *before,
	FILE *errors, struct catalog **out, uint8_t digest[LIST_DIGEST_SIZE],
	char **told)
{
	struct pass look = {.config = config, .errors = errors};

	if (before && before->catalog) {
		if (go_through(&look, digest) != 0)
			return -1;
		if (memcmp(digest, before->catalog_digest,
			LIST_DIGEST_SIZE) == 0) {
			*out = catalog_ref(before->catalog);
			*told = must(strdup(before->lists_told));
			return 0;
		}
	}
	/* what was seen may have changed by now: the digest is of what is read */
	if (build_telling(config, errors, out, digest, told) != 0)
		return -1;
	if (before && before->catalog)
		tell_emptied(config, *out, before, errors);
	return 0;
}
