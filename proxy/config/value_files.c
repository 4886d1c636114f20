/*
 * The readers of values that are files and folders.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/config/handed.h"
#include "proxy/config/memory.h"
#include "proxy/config/values.h"

/* plain takes out of path what says nothing, "./" and doubled slashes, so that one
 * file has one name: "./lists/x" is "lists/x". */
static char *plain(char *path)
{
	const char *from = path;
	char *to = path;

	while (*from) {
		if (from[0] == '/' && from[1] == '/')
			from++;
		else if (from[0] == '/' && from[1] == '.' && from[2] == '/')
			from += 2;
		else
			*to++ = *from++;
	}
	*to = '\0';
	return path;
}

/* absolute makes text absolute, by the folder of the file; owned. */
static char *absolute(const struct loader *loader, const char *text)
{
	char *path = NULL;

	if (text[0] == '/' || !loader->folder || !loader->folder[0])
		return plain(must(strdup(text)));
	if (asprintf(&path, "%s/%s", loader->folder, text) < 0)
		abort();
	return plain(path);
}

/* path_text is a scalar that can be a path, or NULL. */
static const char *path_text(struct loader *loader, const struct field *field,
	const struct node *node)
{
	const char *text = value_scalar(loader, field, node);

	if (!text)
		return NULL;
	if (text[0] == '~') {
		mistakes_error(&loader->mistakes, node->line,
			"%s: ~ does not stand for a home folder here; write "
			"the whole path", field->path);
		return NULL;
	}
	if (strlen(text) >= PATH_MAX / 2) {
		mistakes_error(&loader->mistakes, node->line,
			"%s: the path is too long", field->path);
		return NULL;
	}
	return text;
}

static void set_path(char **member, char *path)
{
	free(*member);
	*member = path;
}

void read_state(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	const char *text = path_text(loader, field, node);

	if (text)
		set_path(member, absolute(loader, text));
}

/* not_there: a list may well be empty at first, a password file may not. */
static const char *not_there(const char *key)
{
	if (strcmp(key, "users.htpasswd") == 0)
		return "is not there; make it by: htpasswd -cB FILE USER";
	if (strncmp(key, "categories", 10) == 0)
		return "is not there; make it (it may be empty), or take its "
			"line out";
	return "is not there; bring it, or take its line out";
}

/* there says whether path is a file that can be read, or tells. */
static bool there(struct loader *loader, const struct field *field,
	unsigned line, const char *path)
{
	const char *why;
	struct stat info;

	if (handed_over())
		return true;
	if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
		why = "is a folder";
	else if (access(path, R_OK) == 0 || (loader->to_look &&
			errno == EACCES))
		return true;
	else
		why = errno == EACCES ? "can't be read by this user" :
					not_there(field->path);
	mistakes_error(&loader->mistakes, line, "%s: %s %s", field->path,
		shown(path).text, why);
	return false;
}

/* read_path takes a path that will do. */
static void read_path(struct loader *loader, const struct field *field,
	const struct node *node, void *member,
	bool (*will_do)(struct loader *loader, const struct field *field,
		unsigned line, const char *path))
{
	const char *text = path_text(loader, field, node);
	char *path;

	if (!text)
		return;
	path = absolute(loader, text);
	if (will_do(loader, field, node->line, path))
		set_path(member, path);
	else
		free(path);
}

void read_file(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	read_path(loader, field, node, member, there);
}

/* can_write says whether the log can be written, or made where it is to be, or
 * tells. Who only looks writes nothing. */
static bool can_write(struct loader *loader, const struct field *field,
	unsigned line, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct stat info;

	if (handed_over() || loader->to_look)
		return true;
	snprintf(folder, sizeof(folder), "%.*s",
		slash ? (int)(slash - path + 1) : 2, slash ? path : "./");
	if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
		mistakes_error(&loader->mistakes, line, "%s: %s is a folder",
			field->path, shown(path).text);
	else if (access(access(path, F_OK) == 0 ? path : folder, W_OK) != 0)
		mistakes_error(&loader->mistakes, line,
			"%s: %s can't be written to: %s", field->path,
			shown(path).text, errno == ENOENT ? "its folder is "
			"not there; make it" : strerror(errno));
	else
		return true;
	return false;
}

void read_new_file(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	read_path(loader, field, node, member, can_write);
}

void read_log_target(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	const char *text = path_text(loader, field, node);
	char *path;

	if (!text)
		return;
	if (value_in(VALUE_LOG_WORDS, text) >= 0) {
		set_path(member, must(strdup(text)));
		return;
	}
	path = absolute(loader, text);
	if (can_write(loader, field, node->line, path))
		set_path(member, path);
	else
		free(path);
}

static void one_trust(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct config *config = member;
	struct trust_file *files;
	size_t num = config->origin.num_trust_files;
	const char *text;
	char *path;

	if (strcmp(item->text, "system") == 0) {
		config->origin.trust_system = true;
		config->origin.trust_system_line = item->line;
		return;
	}
	text = path_text(loader, field, item);
	path = text ? absolute(loader, text) : NULL;
	if (!path || !there(loader, field, item->line, path)) {
		free(path);
		return;
	}
	files = must(realloc(config->origin.trust_files,
		(num + 1) * sizeof(*files)));
	files[num] = (struct trust_file){path, item->line};
	config->origin.trust_files = files;
	config->origin.num_trust_files = num + 1;
}

void read_trust(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	(void)member;
	value_each(loader, field, node, one_trust, loader->config);
}

static void one_list_file(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct file_list *files = member;
	const char *text = path_text(loader, field, item);
	char *path = text ? absolute(loader, text) : NULL;

	if (!path || !there(loader, field, item->line, path)) {
		free(path);
		return;
	}
	files->at = grow(files->at, files->num, sizeof(*files->at));
	files->at[files->num++] = (struct category_file){path, item->line};
}

void read_list_files(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, one_list_file, member);
}
