#include "proxy/core/remarks_users.h"

#include <stdlib.h>
#include <string.h>

#include "policy/netset.h"
#include "proxy/config/config.h"
#include "proxy/config/htpasswd.h"
#include "proxy/config/memory.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/snapshot.h"

/* --- users whom nobody can be ------------------------------------------- */

bool remarks_can_be(const struct settings *settings, const char *name)
{
	const struct config *config = settings->config;

	if (settings->htpasswd && htpasswd_hash(settings->htpasswd, name))
		return true;
	for (size_t i = 0; i < config->users.num_sources; i++) {
		if (strcmp(config->users.sources[i].user, name) == 0)
			return true;
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	const struct named_user *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* check_named tells each once, where it is first named. */
static void check_named(const struct settings *settings,
	struct mistakes *mistakes)
{
	const struct config *config = settings->config;
	size_t num = config->users.num_named;
	struct named_user *all;

	if (num == 0 || config_has_certificates(config))
		return;
	all = must(calloc(num, sizeof(*all)));
	memcpy(all, config->users.named, num * sizeof(*all));
	qsort(all, num, sizeof(*all), by_name);
	for (size_t i = 0; i < num; i++) {
		if ((i > 0 && strcmp(all[i].name, all[i - 1].name) == 0) ||
		    remarks_can_be(settings, all[i].name))
			continue;
		mistakes_in(mistakes, all[i].from);
		mistakes_warning(mistakes, all[i].line, "nobody can be the "
			"user \"%s\": it is neither in users.htpasswd nor in "
			"users.sources", shown(all[i].name).text);
	}
	free(all);
}

/* --- networks behind others --------------------------------------------- */

static void check_source(const struct config *config, size_t i,
	struct mistakes *mistakes)
{
	const struct user_source *own = &config->users.sources[i];

	for (size_t j = 0; j < i; j++) {
		const struct user_source *before = &config->users.sources[j];

		if (!netset_within(own->network, before->network))
			continue;
		mistakes_warning(mistakes, own->line, "users.sources: %s never "
			"counts: %s in line %u comes first and holds it",
			shown(own->text).text, shown(before->text).text,
			before->line);
		return;
	}
}

void remarks_users(const struct settings *settings, struct mistakes *mistakes)
{
	const struct config *config = settings->config;

	mistakes->file = config->path;
	for (size_t i = 0; i < config->users.num_sources; i++)
		check_source(config, i, mistakes);
	check_named(settings, mistakes);
}
