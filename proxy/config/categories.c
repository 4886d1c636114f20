#include "proxy/config/categories.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/config/intern.h"
#include "proxy/config/memory.h"
#include "proxy/config/nearest.h"
#include "proxy/config/values.h"

/* Each list file is handed to the worker open. */
enum { NAME_MAX_LEN = 63, LIST_FILES_MAX = 1000 };

/* --- one ---------------------------------------------------------------- */

static void clear_files(struct category_file *files, size_t num)
{
	for (size_t i = 0; i < num; i++)
		free(files[i].path);
	free(files);
}

static void category_clear(struct category *category)
{
	free(category->name);
	free(category->entries);
	free(category->spared);
	clear_files(category->files, category->num_files);
}

/* check_name: it goes to logs, too. */
static void check_name(struct loader *loader, const struct node *node,
	const char *what)
{
	if (node->key[0] == '\0' || strlen(node->key) > NAME_MAX_LEN ||
		!value_shows(node->key))
		mistakes_error(&loader->mistakes, node->line,
			"\"%s\" is no name for a %s; 1 to 63 bytes that "
			"can be shown", shown(node->key).text, what);
}

static void read_keys(struct loader *loader, const struct node *node,
	struct category_draft *draft)
{
	struct given given = {{0}};
	char written[128];

	snprintf(written, sizeof(written), "categories.%s",
		shown(node->key).text);
	fields_walk(loader, node, "categories.NAME", written, draft, &given);
	if (!fields_given(&given, "categories.NAME.hosts") &&
		!fields_given(&given, "categories.NAME.urls") &&
		!fields_given(&given, "categories.NAME.file"))
		mistakes_error(&loader->mistakes, node->line,
			"the category \"%s\" has nothing in it; give hosts, "
			"urls or file", shown(node->key).text);
}

static void read_category(struct loader *loader, const struct node *node,
	struct category *out)
{
	struct category_draft draft = {{NULL, 0, 0}, {NULL, 0}};

	check_name(loader, node, "category");
	if (node->kind == NODE_MAP)
		read_keys(loader, node, &draft);
	else
		mistakes_error(&loader->mistakes, node->line, "the category "
			"\"%s\" must have the keys hosts, urls or file below "
			"it", shown(node->key).text);
	*out = (struct category){
		.name = must(strdup(node->key)),
		.from = intern(loader->mistakes.file ?
			loader->mistakes.file : ""),
		.line = node->line,
		.entries = draft.entries.at,
		.entries_len = draft.entries.len,
		.files = draft.files.at,
		.num_files = draft.files.num,
	};
}

/* --- all ---------------------------------------------------------------- */

struct category_list {
	struct category *at; /* owned */
	size_t num;
};

static void read_document(struct loader *loader,
	const struct document *document, struct category_list *out)
{
	const struct node *all = document->categories;

	if (!all || node_is_null(all))
		return;
	loader->mistakes.file = document->name;
	if (all->kind != NODE_MAP) {
		mistakes_error(&loader->mistakes, all->line,
			"categories must have names of categories below it");
		return;
	}
	if (all->num > CATEGORIES_MAX) {
		mistakes_error(&loader->mistakes, all->line,
			"more than %d categories", CATEGORIES_MAX);
		return;
	}
	out->at = must(calloc(all->num + 1, sizeof(*out->at)));
	for (size_t i = 0; i < all->num; i++)
		read_category(loader, all->at[i], &out->at[out->num++]);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* paths_of gives the files of all categories, sorted; owned. */
static const char **paths_of(const struct category_list *list, size_t *out_num)
{
	const char **paths;
	size_t num = 0;

	for (size_t i = 0; i < list->num; i++)
		num += list->at[i].num_files;
	paths = must(calloc(num + 1, sizeof(*paths)));
	*out_num = 0;
	for (size_t i = 0; i < list->num; i++) {
		for (size_t j = 0; j < list->at[i].num_files; j++)
			paths[(*out_num)++] = list->at[i].files[j].path;
	}
	qsort(paths, num, sizeof(*paths), by_text);
	return paths;
}

static void check_category_files(struct loader *loader,
	const struct category *category, const char *const *paths, size_t num)
{
	for (size_t i = 0; i < category->num_files; i++) {
		const struct category_file *file = &category->files[i];

		if (!bsearch(&file->path, paths, num, sizeof(*paths), by_text))
			mistakes_error(&loader->mistakes, file->line,
				"categories.%s.file: %s is in no category of "
				"the configuration; name it there first",
				shown(category->name).text,
				shown(file->path).text);
	}
}

/* check_files: who may change the policy does not by that get to read files, nor
 * could a worker open them that has not been handed them. */
static void check_files(struct loader *loader,
	const struct category_list *base, const struct category_list *over)
{
	size_t num;
	const char **paths = paths_of(base, &num);

	for (size_t i = 0; i < over->num; i++)
		check_category_files(loader, &over->at[i], paths, num);
	free(paths);
}

static int by_name(const void *a, const void *b)
{
	const struct category *x = *(struct category *const *)a;
	const struct category *y = *(struct category *const *)b;

	return strcmp(x->name, y->name);
}

static struct category **sorted(const struct category_list *list)
{
	struct category **all = must(calloc(list->num + 1, sizeof(*all)));

	for (size_t i = 0; i < list->num; i++)
		all[i] = &list->at[i];
	qsort(all, list->num, sizeof(*all), by_name);
	return all;
}

/* lay_over moves what is in over to base, in the place of what has its name, else
 * behind it. No list has a name twice. */
static void lay_over(struct category_list *base, struct category_list *over)
{
	struct category **named = sorted(over);

	base->at = must(reallocarray(base->at, base->num + over->num + 1,
		sizeof(*base->at)));
	for (size_t i = 0; i < base->num; i++) {
		struct category *at = &base->at[i], **same = bsearch(&at,
			named, over->num, sizeof(*named), by_name);

		if (!same)
			continue;
		category_clear(at);
		*at = **same;
		(*same)->line = 0; /* moved; no line is the 0th */
	}
	for (size_t i = 0; i < over->num; i++) {
		if (over->at[i].line > 0)
			base->at[base->num++] = over->at[i];
	}
	free(named);
	free(over->at);
}

static void check_num_files(struct loader *loader)
{
	const struct config *config = loader->config;
	size_t num = 0;

	for (size_t i = 0; i < config->num_categories; i++)
		num += config->categories[i].num_files;
	if (num > LIST_FILES_MAX)
		mistakes_error(&loader->mistakes, 0, "the categories have more "
			"than %d list files", LIST_FILES_MAX);
}

/* tell_policy: rules are held against what it knows also where something is wrong,
 * which has been told then. */
static void tell_policy(struct loader *loader)
{
	bool fine = loader->mistakes.errors == 0;
	struct config *config = loader->config;
	char err[256];

	for (size_t i = 0; i < config->num_categories; i++) {
		if (policy_add_category(config->policy,
			config->categories[i].name, err, sizeof(err)) == 0 ||
			!fine)
			continue;
		mistakes_in(&loader->mistakes, config->categories[i].from);
		mistakes_error(&loader->mistakes, config->categories[i].line,
			"%s", err);
	}
}

void categories_load(struct loader *loader)
{
	struct category_list base = {NULL, 0}, over = {NULL, 0};

	read_document(loader, &loader->file, &base);
	read_document(loader, &loader->policy, &over);
	check_files(loader, &base, &over);
	lay_over(&base, &over);
	loader->config->categories = base.at;
	loader->config->num_categories = base.num;
	check_num_files(loader);
	tell_policy(loader);
}

void categories_free(struct config *config)
{
	for (size_t i = 0; i < config->num_categories; i++)
		category_clear(&config->categories[i]);
	free(config->categories);
}

struct category *categories_find(const struct config *config,
	const char *name)
{
	unsigned number;

	return policy_find_category(config->policy, name, &number) ?
		&config->categories[number] : NULL;
}

/* nearer is the nearer of two to what was written; best may be NULL. */
static const char *nearer(const char *written, const char *best,
	const char *next)
{
	const char *two[2] = {next, best};

	return nearest(written, two, best ? 2 : 1) == next ? next : best;
}

const char *categories_nearest(const struct config *config, const char *name)
{
	const char *best = NULL;

	for (size_t i = 0; i < config->num_categories; i++)
		best = nearer(name, best, config->categories[i].name);
	return best;
}

/* --- groups ------------------------------------------------------------- */

static void add_user(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	if (!value_user(loader, field, item->line, item->text))
		return;
	value_name(loader, field, item, member);
	config_note_user(loader->config, item->text,
		intern(loader->file.name), item->line);
}

static void load_group(struct loader *loader, const struct node *node)
{
	struct field field = {.low = "0", .high = "100000"};
	size_t errors = loader->mistakes.errors;
	struct name_list users = {NULL, 0};
	char path[128], err[256];

	snprintf(path, sizeof(path), "users.groups.%s", shown(node->key).text);
	field.path = path;
	check_name(loader, node, "group");
	value_each(loader, &field, node, add_user, &users);
	if (errors == loader->mistakes.errors &&
		policy_add_group(loader->config->policy, node->key, users.at,
			users.num, err, sizeof(err)) != 0)
		mistakes_error(&loader->mistakes, node->line, "%s", err);
	free(users.at);
}

void groups_load(struct loader *loader)
{
	loader->mistakes.file = loader->file.name;
	for (size_t i = 0; loader->groups && i < loader->groups->num; i++)
		load_group(loader, loader->groups->at[i]);
}

bool groups_find(const struct loader *loader, const char *name)
{
	return loader->groups && node_get(loader->groups, name);
}

const char *groups_nearest(const struct loader *loader, const char *name)
{
	const char *best = NULL;

	for (size_t i = 0; loader->groups && i < loader->groups->num; i++)
		best = nearer(name, best, loader->groups->at[i]->key);
	return best;
}
