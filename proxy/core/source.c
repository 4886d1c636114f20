#include "proxy/core/source.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/config/config.h"
#include "proxy/config/memory.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/yaml.h"

static char *copy_of(const char *text, size_t len)
{
	char *copy = must(malloc(len + 1));

	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

static int read_version(const char *state, struct source *out, FILE *errors)
{
	char err[1024];

	if (versions_current(state, &out->version, &out->policy,
		    &out->policy_len, err, sizeof(err)) >= 0)
		return 0;
	fprintf(errors, "the state folder's %s\n", err);
	return -1;
}

int source_read(const char *path, const char *state, struct source *out,
	FILE *errors)
{
	struct source now = {NULL};

	if (path && config_read(path, &now.text, &now.len, errors) != 0)
		return -1;
	if (path)
		now.name = copy_of(path, strlen(path));
	else
		now.text = copy_of("", 0);
	if (read_version(state, &now, errors) != 0) {
		source_clear(&now);
		return -1;
	}
	*out = now;
	return 0;
}

void source_with(const struct source *source, const struct version *version,
	const char *policy, size_t len, struct source *out)
{
	memset(out, 0, sizeof(*out));
	if (source->name)
		out->name = copy_of(source->name, strlen(source->name));
	out->text = copy_of(source->text, source->len);
	out->len = source->len;
	if (!policy)
		return;
	out->version = *version;
	out->policy = copy_of(policy, len);
	out->policy_len = len;
}

int source_load(const struct source *source, struct config **out,
	FILE *errors)
{
	struct config_source all = {
		.name = source->name,
		.text = source->text,
		.len = source->len,
		.policy = source->policy,
		.policy_len = source->policy_len,
		.to_look = source->to_look,
	};
	char name[40] = "policy";

	if (source->version.number > 0)
		snprintf(name, sizeof(name), "policy version %u",
			source->version.number);
	if (source->policy)
		all.policy_name = name;
	return config_load_source(&all, out, errors);
}

/* gives says whether the policy has a list of its own under key; a document that
 * is not well formed, which is told elsewhere, has none. */
static bool gives(const struct node *root, const char *key)
{
	const struct node *list = root && root->kind == NODE_MAP ?
		node_get(root, key) : NULL;

	return list && !node_is_null(list);
}

static void tell_lists(const struct source *source, char *out, size_t size)
{
	const char *files = source->name ? "the file's" : "none";
	struct node *root = NULL;
	unsigned line;
	char err[256];

	if (node_read(source->policy, source->policy_len, &root, &line, err,
		    sizeof(err)) != 0)
		root = NULL;
	snprintf(out, size, "ssl-rules are %s, url-rules are %s, categories "
		"are %s", gives(root, "ssl-rules") ? "the policy's" : files,
		gives(root, "url-rules") ? "the policy's" : files,
		!gives(root, "categories") ? files : source->name ?
		"the policy's, and the file's of other names" :
		"the policy's");
	node_free(root);
}

bool source_told(const struct source *source, char out[SOURCE_TOLD])
{
	const struct version *version = &source->version;
	time_t made = (time_t)version->made;
	char day[16] = "?", lists[160];
	struct tm tm;

	if (!source->policy)
		return false;
	if (localtime_r(&made, &tm))
		(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	tell_lists(source, lists, sizeof(lists));
	snprintf(out, SOURCE_TOLD, "policy version %u (by %s, %s) is in force: "
		"%s%s%s", version->number, shown(version->who).text, day,
		lists, source->name ? "; the file is " : "",
		source->name ? source->name : "");
	return true;
}

void source_tell_way_out(const struct source *source, const char *state,
	FILE *errors)
{
	if (source->policy)
		fprintf(errors, "sallyport: policy version %u, which came by "
			"the API, does not fit %s any more: mend that, or have "
			"its own policy used again: echo 0 >%s/policy/current\n",
			source->version.number,
			source->name ? source->name : "the configuration",
			state);
}

void source_clear(struct source *source)
{
	free(source->name);
	free(source->text);
	free(source->policy);
	memset(source, 0, sizeof(*source));
}
