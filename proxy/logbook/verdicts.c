#include "proxy/logbook/verdicts.h"

#include <stdlib.h>
#include <string.h>

enum { MOMENTS_LEAST = 3, UNSURE_WEIGHT = 3, STRAY_PART = 4, NO_TRUST_HOSTS = 2 };

/* What is found on the way. */
struct search {
	const struct refusals *refusals;
	unsigned least;
	struct verdicts *out;
};

/* --- a verdict is put together from rows -------------------------------- */

static void add_row(struct verdict *verdict, const struct refusal *row)
{
	for (int i = 0; i < REFUSAL_HOWS; i++)
		verdict->by[i] += row->by[i];
	verdict->wants += row->wants;
	verdict->asked |= row->asked;
	if (verdict->first_ms == 0 || row->first_ms < verdict->first_ms)
		verdict->first_ms = row->first_ms;
	if (row->last_ms > verdict->last_ms)
		verdict->last_ms = row->last_ms;
}

static struct verdict begin(enum verdict_kind kind, const struct refusal *row)
{
	return (struct verdict){.kind = kind, .host = row->host,
		.agent = row->agent, .ja4 = row->ja4, .client = row->client};
}

static bool refused(const struct refusal *row)
{
	return refusals_sure(row->by) + refusals_unsure(row->by) > 0;
}

static void keep(struct search *search, const struct verdict *verdict)
{
	struct verdicts *out = search->out;

	if (!verdict->asked)
		return;
	if ((out->num & (out->num + 1)) == 0) { /* 0, 1, 3, 7 ... */
		out->at = realloc(out->at,
			(2 * out->num + 1) * sizeof(*out->at));
		if (!out->at)
			abort();
	}
	out->at[out->num++] = *verdict;
}

/* --- programs that do not trust the CA ---------------------------------- */

static int by_program(const void *one, const void *other)
{
	const struct refusal *a = one, *b = other;
	int order = strcmp(a->agent, b->agent);

	if (order == 0)
		order = strcmp(a->ja4, b->ja4);
	if (order == 0)
		order = strcmp(a->client, b->client);
	return order ? order : strcmp(a->host, b->host);
}

static bool same_program(const struct refusal *a, const struct refusal *b)
{
	return strcmp(a->agent, b->agent) == 0 && strcmp(a->ja4, b->ja4) == 0;
}

static bool same_client(const struct refusal *a, const struct refusal *b)
{
	return same_program(a, b) && strcmp(a->client, b->client) == 0;
}

static bool same_host(const struct refusal *a, const struct refusal *b)
{
	return same_program(a, b) && strcmp(a->host, b->host) == 0;
}

/* end_of is where the rows that are the same as the first end. */
static size_t end_of(const struct refusal *rows, size_t from, size_t num,
	bool (*same)(const struct refusal *, const struct refusal *))
{
	size_t to = from + 1;

	while (to < num && same(&rows[from], &rows[to]))
		to++;
	return to;
}

/* count_hosts: those that were refused for the certificate's sake, up to as many as
 * matter. */
static size_t count_hosts(const struct refusal *rows, size_t from, size_t to)
{
	const char *first = NULL;

	for (; from < to; from++) {
		if (refusals_sure(rows[from].by) == 0)
			continue;
		if (first && strcmp(first, rows[from].host) != 0)
			return NO_TRUST_HOSTS;
		first = rows[from].host;
	}
	return first ? 1 : 0;
}

/* spend: the rows have been judged, and say nothing any more. */
static void spend(struct refusal *rows, size_t from, size_t to)
{
	for (; from < to; from++) {
		memset(rows[from].by, 0, sizeof(rows[from].by));
		rows[from].moments = 0;
	}
}

static int by_text(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

static size_t distinct(const struct refusal *rows, size_t from, size_t to,
	bool hosts)
{
	const char **all = malloc((to - from) * sizeof(*all));
	size_t num = 0, found = 0;

	if (!all)
		abort();
	for (; from < to; from++) {
		if (refused(&rows[from]))
			all[num++] = hosts ? rows[from].host :
					     rows[from].client;
	}
	qsort(all, num, sizeof(*all), by_text);
	for (size_t i = 0; i < num; i++)
		found += i == 0 || strcmp(all[i - 1], all[i]) != 0;
	free(all);
	return found;
}

static void no_trust(struct search *search, struct refusal *rows, size_t from,
	size_t to)
{
	struct verdict verdict = begin(VERDICT_NO_TRUST, &rows[from]);

	for (size_t i = from; i < to; i++)
		add_row(&verdict, &rows[i]);
	verdict.hosts = distinct(rows, from, to, true);
	verdict.clients = distinct(rows, from, to, false);
	if (verdict.clients > 1)
		verdict.client = NULL;
	if (refusals_sure(verdict.by) >= search->least)
		keep(search, &verdict);
	spend(rows, from, to);
}

/* judge_program: rows of one program, by client. */
static void judge_program(struct search *search, struct refusal *rows,
	size_t from, size_t to)
{
	size_t end;
	bool trusted = false;

	for (size_t i = from; i < to; i++)
		trusted |= refusals_trusts_anywhere(search->refusals, &rows[i]);
	if (!trusted && count_hosts(rows, from, to) >= NO_TRUST_HOSTS) {
		no_trust(search, rows, from, to);
		return;
	}
	for (; from < to; from = end) {
		end = end_of(rows, from, to, same_client);
		if (!refusals_trusts(search->refusals, &rows[from]) &&
		    count_hosts(rows, from, end) >= NO_TRUST_HOSTS)
			no_trust(search, rows, from, end);
	}
}

/* --- programs that pin -------------------------------------------------- */

static int by_host(const void *one, const void *other)
{
	const struct refusal *a = one, *b = other;
	int order = strcmp(a->host, b->host);

	return order ? order : by_program(one, other);
}

/* says_much: closing alone is told from being closed. */
static bool says_much(const struct search *search, const struct refusal *row)
{
	uint64_t unsure = refusals_unsure(row->by);

	return refusals_trusts(search->refusals, row) &&
		!refusals_maybe_accepted(search->refusals, row) &&
		row->moments >= MOMENTS_LEAST &&
		row->otherwise * STRAY_PART <= unsure;
}

/* judge_host: rows of one program at one host, a client each. */
static void judge_host(struct search *search, const struct refusal *rows,
	size_t from, size_t to)
{
	struct verdict verdict = begin(VERDICT_PINNED, &rows[from]);
	uint64_t weight = 0;

	verdict.hosts = 1;
	for (; from < to; from++) {
		const struct refusal *row = &rows[from];

		if (refusals_accepted(search->refusals, row))
			return;
		if (!refused(row))
			continue;
		add_row(&verdict, row);
		verdict.client = verdict.clients++ ? NULL : row->client;
		verdict.trusts |= refusals_trusts(search->refusals, row);
		verdict.anybody |=
			refusals_anybody_accepted(search->refusals, row);
		verdict.namesake |=
			refusals_namesake_accepted(search->refusals, row);
		if (says_much(search, row))
			weight += refusals_unsure(row->by);
	}
	weight += refusals_sure(verdict.by) * UNSURE_WEIGHT;
	if (weight >= (uint64_t)search->least * UNSURE_WEIGHT &&
	    verdict.last_ms - verdict.first_ms >= REFUSALS_APART_MS)
		keep(search, &verdict);
}

static void judge_wants(struct search *search, const struct refusal *row)
{
	struct verdict verdict = begin(VERDICT_WANTS, row);

	if (row->wants < search->least)
		return;
	verdict.client = NULL;
	verdict.hosts = 1;
	add_row(&verdict, row);
	keep(search, &verdict);
}

static int by_kind(const void *one, const void *other)
{
	const struct verdict *a = one, *b = other;
	int order;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	order = strcmp(a->host, b->host);
	if (order == 0)
		order = strcmp(a->agent, b->agent);
	return order ? order : strcmp(a->ja4, b->ja4);
}

void verdicts_find(struct refusals *refusals, unsigned least,
	struct verdicts *out)
{
	struct search search = {refusals, least, out};
	struct refusal *rows = refusals->at;
	size_t num = refusals->num, end;

	*out = (struct verdicts){.num = 0};
	qsort(rows, num, sizeof(*rows), by_program);
	for (size_t i = 0; i < num; i = end) {
		end = end_of(rows, i, num, same_program);
		judge_program(&search, rows, i, end);
	}
	qsort(rows, num, sizeof(*rows), by_host);
	for (size_t i = 0; i < num; i = end) {
		end = end_of(rows, i, num, same_host);
		judge_host(&search, rows, i, end);
		judge_wants(&search, &rows[i]);
	}
	if (out->num > 0)
		qsort(out->at, out->num, sizeof(*out->at), by_kind);
}

void verdicts_clear(struct verdicts *verdicts)
{
	free(verdicts->at);
	*verdicts = (struct verdicts){.at = NULL};
}
