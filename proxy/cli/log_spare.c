#include "proxy/cli/log_spare.h"

#include <string.h>

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

static bool same_rule(const struct verdict *one, const struct verdict *other)
{
	return one->kind == other->kind && strcmp(one->host, other->host) == 0;
}

/* put_agents: what is said twice is written once; they are in order. */
static void put_agents(FILE *out, const struct verdict *at, size_t num)
{
	char agent[SPARE_AGENT_SIZE], last[SPARE_AGENT_SIZE] = "";

	for (size_t i = 0; i < num; i++) {
		if (!log_spare_agent(at[i].agent, agent))
			return;
	}
	fputs(", user-agents: [", out);
	for (size_t i = 0; i < num; i++) {
		(void)log_spare_agent(at[i].agent, agent);
		if (strcmp(agent, last) != 0)
			fprintf(out, "%s\"%s\"", i > 0 ? ", " : "", agent);
		memcpy(last, agent, sizeof(last));
	}
	fputc(']', out);
}

/* put_name: one of a rule is short, and there are not two of the same. */
static void put_name(FILE *out, const struct verdict *of, size_t number)
{
	const char *what = of->kind == VERDICT_PINNED ? "Pinned" :
		"Wants client certificates";
	size_t len = strlen(of->host), room = RULE_NAME_MAX - strlen(what) - 2;

	if (len <= room)
		fprintf(out, "\"%s: %s\"", what, of->host);
	else
		fprintf(out, "\"%s: %.24s... (%zu)\"", what, of->host, number);
}

static void put_rule(FILE *out, const struct verdict *at, size_t num,
	size_t number)
{
	fputs("  - name: ", out);
	put_name(out, at, number);
	fprintf(out, "\n    match: {hosts: [\"%s\"]", at->host);
	if (at->kind == VERDICT_PINNED)
		put_agents(out, at, num);
	fputs("}\n    action: do-not-inspect\n", out);
}

bool log_spare(FILE *out, const struct verdicts *verdicts)
{
	size_t number = 0, end;

	for (size_t i = 0; i < verdicts->num; i = end) {
		end = i + 1;
		while (end < verdicts->num && same_rule(&verdicts->at[i],
				&verdicts->at[end]))
			end++;
		if (verdicts->at[i].kind == VERDICT_NO_TRUST)
			continue;
		if (number++ == 0)
			fputs("ssl-rules:\n", out);
		put_rule(out, &verdicts->at[i], end - i, number);
	}
	return number > 0;
}
