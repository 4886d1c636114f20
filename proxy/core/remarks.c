#include "proxy/core/remarks.h"

#include <string.h>

#include "policy/catalog.h"
#include "policy/shadow.h"
#include "proxy/config/config.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/remarks_users.h"

static void on_shadowed(void *arg, const char *rule, unsigned line,
	const char *by, unsigned by_line)
{
	if (strcmp(rule, by) == 0)
		mistakes_warning(arg, line, "the rule \"%s\" never decides: "
			"its `not` leaves out all that its `match` takes",
			rule);
	else
		mistakes_warning(arg, line, "the rule \"%s\" never decides: "
			"\"%s\" in line %u takes all that it matches",
			rule, by, by_line);
}

static void check_categories(const struct settings *settings,
	struct mistakes *mistakes)
{
	const struct config *config = settings->config;

	for (unsigned i = 0; i < config->num_categories; i++) {
		const struct category *category = &config->categories[i];

		mistakes_in(mistakes, category->from);
		if (catalog_count(settings->catalog, i) == 0)
			mistakes_warning(mistakes, category->line,
				"the category \"%s\" is empty",
				category->name);
		if (!policy_category_used(config->policy, i))
			mistakes_warning(mistakes, category->line,
				"no rule that is on uses the category \"%s\"",
				category->name);
	}
}

void remarks_print(const struct settings *settings, FILE *out)
{
	const struct config *config = settings->config;
	struct mistakes mistakes = {.file = config->rules_from};

	shadow_each(config->policy, false, on_shadowed, &mistakes);
	mistakes.file = config->url_rules_from;
	shadow_each(config->policy, true, on_shadowed, &mistakes);
	check_categories(settings, &mistakes);
	remarks_users(settings, &mistakes);
	mistakes_print(&mistakes, out);
	mistakes_clear(&mistakes);
}
