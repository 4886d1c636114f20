#include "policy/rule.h"

#include <stdio.h>
#include <string.h>

enum { WHY_SIZE = 400 };

static int check_name(const char *name, char *err, size_t err_size)
{
	size_t len = strlen(name);

	if (len > 0 && len < RULE_NAME_SIZE)
		return 0;
	snprintf(err, err_size, "a rule's name has 1 to %d bytes, not %zu",
		RULE_NAME_SIZE - 1, len);
	return -1;
}

/* What is only seen in a request. */
static int check_kind(enum rule_kind kind, const struct criteria_spec *spec,
	char *err, size_t err_size)
{
	const char *what = spec->num_methods > 0 ? "methods" : "certificate";

	if (kind == RULE_URL ||
		(spec->num_methods == 0 && spec->certificates == 0))
		return 0;
	snprintf(err, err_size,
		"%s can't be asked for: not known when SSL rules decide", what);
	return -1;
}

static void set_kind(struct rule *rule, enum rule_kind kind)
{
	bool blocks = rule->options.action == ACTION_BLOCK;

	rule->lets_pass =
		kind == RULE_SSL ? !blocks : rule->url.action == URL_ALLOW;
	/* a rule that names no host is met by any: its name says all */
	rule->by_address = kind == RULE_SSL && blocks &&
		rule->match.given & (CRITERION_BIT(CRITERION_HOSTS) |
					    CRITERION_BIT(CRITERION_CATEGORIES));
}

static int make(struct rule *rule, enum rule_kind kind,
	const struct rule_spec *spec, struct terms *terms, char *err,
	size_t err_size)
{
	if (check_kind(kind, &spec->match, err, err_size) < 0 ||
		check_kind(kind, &spec->not, err, err_size) < 0 ||
		criteria_init(
			&rule->match, &spec->match, terms, err, err_size) < 0)
		return -1;
	return criteria_init(&rule->not, &spec->not, terms, err, err_size);
}

int rule_init(struct rule *rule, enum rule_kind kind,
	const struct rule_spec *spec, struct terms *terms, char *err,
	size_t err_size)
{
	char why[WHY_SIZE];

	*rule = (struct rule){
		.enabled = spec->enabled,
		.file = spec->file ? spec->file : "",
		.line = spec->line,
		.options = spec->options,
		.url = spec->url,
		.isolation = spec->isolation,
		.isolation_port = spec->isolation_port,
	};
	if (check_name(spec->name, err, err_size) < 0)
		return -1;
	if (make(rule, kind, spec, terms, why, sizeof(why)) < 0) {
		snprintf(err, err_size, "rule \"%s\": %s", spec->name, why);
		rule_clear(rule);
		return -1;
	}
	memcpy(rule->name, spec->name, strlen(spec->name) + 1);
	set_kind(rule, kind);
	criteria_take(&rule->match, &spec->match);
	criteria_take(&rule->not, &spec->not);
	return 0;
}

void rule_clear(struct rule *rule)
{
	criteria_clear(&rule->match);
	criteria_clear(&rule->not);
	*rule = (struct rule){0};
}

static bool meets(
	const struct rule *rule, const struct known *known, struct reason *why)
{
	why->part = PART_MATCH;
	if (!criteria_hold(&rule->match, known, &why->criterion, &why->truth))
		return false;
	why->part = PART_NOT;
	return !criteria_exclude(&rule->not, known, rule->lets_pass,
		&why->criterion, &why->truth);
}

bool rule_matches(const struct rule *rule, const struct known *name,
	const struct known *address, struct reason *why)
{
	struct reason of_address;

	if (!rule->enabled) {
		why->part = PART_ENABLED;
		return false;
	}
	if (rule->isolation && name->at_service) {
		why->part = PART_ISOLATION;
		return false;
	}
	return meets(rule, name, why) ||
		(rule->by_address && address &&
			meets(rule, address, &of_address));
}
