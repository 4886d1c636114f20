#include "proxy/cli/log_spare.h"

#include <string.h>
#include <sys/socket.h>

#include "proxy/logbook/filter.h"
#include "proxy/portal/portal.h"

enum { RULE_NAME_MAX = 63 };

bool log_spare_agent(const char *agent, char out[SPARE_AGENT_SIZE])
{
	static const char product[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strspn(agent, product);

	/* Every browser calls itself so. */
	if (len == 0 || len > SPARE_AGENT_SIZE - 3 ||
	    (len == 7 && memcmp(agent, "Mozilla", 7) == 0))
		return false;
	if (agent[len] != '\0' && agent[len] != '/')
		return false;
	snprintf(out, SPARE_AGENT_SIZE, "%.*s%s", (int)len, agent,
		agent[len] ? "/*" : "");
	return true;
}

static bool same_host(const struct verdict *one, const struct verdict *other)
{
	return one->kind == other->kind && strcmp(one->host, other->host) == 0;
}

/* source_of: what was seen on one client only is spared on that one alone. NULL:
 * on all. */
static const char *source_of(const struct verdict *of)
{
	return of->kind == VERDICT_PINNED && of->clients == 1 ? of->client :
		NULL;
}

bool log_spare_passes_others(const struct verdict *of)
{
	char agent[SPARE_AGENT_SIZE];

	if (of->kind != VERDICT_PINNED || source_of(of))
		return false;
	return log_spare_agent(of->agent, agent) ? of->namesake : of->anybody;
}

bool log_spare_fits(const struct verdict *of)
{
	struct sockaddr_storage address;
	const char *source = source_of(of);

	if (strcmp(of->host, MAGIC_HOST) == 0 || log_spare_passes_others(of) ||
	    (source && !filter_address(source, &address)))
		return false;
	return of->kind == VERDICT_WANTS ||
		(of->kind == VERDICT_PINNED && of->trusts);
}

/* agent_of: "", a rule can't tell it by that. */
static void agent_of(const struct verdict *of, char out[SPARE_AGENT_SIZE])
{
	if (of->kind != VERDICT_PINNED || !log_spare_agent(of->agent, out))
		out[0] = '\0';
}

/* is_covered: one of those before says the same. */
static bool is_covered(const struct verdict *from, const struct verdict *of)
{
	char agent[SPARE_AGENT_SIZE], other[SPARE_AGENT_SIZE];
	const char *source = source_of(of), *others;

	agent_of(of, agent);
	for (; from < of; from++) {
		others = source_of(from);
		agent_of(from, other);
		if (log_spare_fits(from) && strcmp(agent, other) == 0 &&
		    (!others || (source && strcmp(source, others) == 0)))
			return true;
	}
	return false;
}

/* put_name: one of a rule is short, and there are not two of the same. */
static void put_name(FILE *out, const struct verdict *of, bool again,
	size_t number)
{
	const char *what = of->kind == VERDICT_PINNED ? "Pinned" :
		"Wants client certificates";
	char nth[32] = "";
	size_t len = strlen(of->host), room;

	if (again)
		snprintf(nth, sizeof(nth), " (%zu)", number);
	room = RULE_NAME_MAX - strlen(what) - 2 - strlen(nth);
	if (len <= room)
		fprintf(out, "\"%s: %s%s\"", what, of->host, nth);
	else
		fprintf(out, "\"%s: %.24s... (%zu)\"", what, of->host, number);
}

static void put_rule(FILE *out, const struct verdict *of, bool again,
	size_t number)
{
	const char *source = source_of(of);
	char agent[SPARE_AGENT_SIZE];

	agent_of(of, agent);
	fputs("  - name: ", out);
	put_name(out, of, again, number);
	fprintf(out, "\n    match: {hosts: [\"%s\"]", of->host);
	if (source)
		fprintf(out, ", sources: [\"%s\"]", source);
	if (agent[0])
		fprintf(out, ", user-agents: [\"%s\"]", agent);
	fputs("}\n    action: do-not-inspect\n", out);
}

bool log_spare(FILE *out, const struct verdicts *verdicts)
{
	const struct verdict *from = verdicts->at, *at = from;
	size_t number = 0, before = 0;

	for (size_t i = 0; i < verdicts->num; i++, at++) {
		if (!same_host(from, at)) {
			from = at;
			before = number;
		}
		if (!log_spare_fits(at) || is_covered(from, at))
			continue;
		if (number++ == 0)
			fputs("ssl-rules:\n", out);
		put_rule(out, at, number > before + 1, number);
	}
	return number > 0;
}
