#include "proxy/logbook/refusals.h"

#include <stdlib.h>
#include <string.h>

#include "policy/host.h"

enum { INDEX = 64 << 10, AGENT_MAX = 512, JA4_MAX = 64, CLIENT_MAX = 64 };

/* What marks are of. */
enum {
	HOST_BY_CLIENT_AND_TLS = 'a',
	HOST_BY_CLIENT_AND_AGENT,
	HOST_BY_BOTH,
	HOST_BY_TLS,
	ANY_BY_CLIENT_AND_TLS,
	ANY_BY_CLIENT_AND_AGENT,
	ANY_BY_BOTH,
	ANY_BY_TLS,
	HOST_BY_ANYBODY,
	HOST_BY_PRODUCT,
	ROW,
	CLIENT,
};

struct refusals_of {
	char *client; /* owned; NULL: free */
	unsigned rows;
};

static const char *const words[] = {
	[REFUSAL_BAD_CERTIFICATE] = "bad_certificate",
	[REFUSAL_CERTIFICATE_UNKNOWN] = "certificate_unknown",
	[REFUSAL_UNKNOWN_CA] = "unknown_ca",
	[REFUSAL_OTHER_ALERT] = "alert",
	[REFUSAL_RESET] = "reset",
	[REFUSAL_CLOSED] = "closed",
	[REFUSAL_UNUSED] = "unused",
};

const char *refusal_word(enum refusal_how how)
{
	return words[how];
}

static uint64_t sum(const uint64_t by[REFUSAL_HOWS], int from, int to)
{
	uint64_t all = 0;

	for (int i = from; i < to; i++)
		all += by[i];
	return all;
}

uint64_t refusals_sure(const uint64_t by[REFUSAL_HOWS])
{
	return sum(by, 0, REFUSAL_SURE);
}

uint64_t refusals_unsure(const uint64_t by[REFUSAL_HOWS])
{
	return sum(by, REFUSAL_SURE, REFUSAL_HOWS);
}

void refusals_open(struct refusals *refusals)
{
	*refusals = (struct refusals){.num = 0};
	refusals->at = calloc(REFUSALS_MAX, sizeof(*refusals->at));
	refusals->index = calloc(INDEX, sizeof(*refusals->index));
	refusals->of = calloc(INDEX, sizeof(*refusals->of));
	if (!refusals->at || !refusals->index || !refusals->of)
		abort();
	marks_open(&refusals->accepted);
}

void refusals_close(struct refusals *refusals)
{
	for (size_t i = 0; i < refusals->num; i++) {
		free(refusals->at[i].client);
		free(refusals->at[i].host);
		free(refusals->at[i].agent);
		free(refusals->at[i].ja4);
	}
	for (size_t i = 0; refusals->of && i < INDEX; i++)
		free(refusals->of[i].client);
	free(refusals->at);
	free(refusals->index);
	free(refusals->of);
	marks_close(&refusals->accepted);
	*refusals = (struct refusals){.num = 0};
}

/* --- whom a line is about ----------------------------------------------- */

struct about {
	char host[HOST_SIZE], agent[AGENT_MAX + 1], ja4[JA4_MAX + 1],
		client[CLIENT_MAX + 1];
};

static void copy(char *to, size_t max, const char *from)
{
	size_t len = strnlen(from, max);

	memcpy(to, from, len);
	to[len] = '\0';
}

/* about_of: false, there is no host that a rule could name. */
static bool about_of(const struct entry *entry, struct about *out)
{
	const char *host = entry_text(entry, ENTRY_host);

	copy(out->agent, AGENT_MAX, entry_text(entry, ENTRY_user_agent));
	copy(out->ja4, JA4_MAX, entry_text(entry, ENTRY_ja4));
	copy(out->client, CLIENT_MAX, entry_text(entry, ENTRY_client));
	return host_normalize(host, strlen(host), out->host) != HOST_BAD;
}

static bool is_row(const struct refusal *row, const struct about *about)
{
	return strcmp(row->host, about->host) == 0 &&
		strcmp(row->client, about->client) == 0 &&
		strcmp(row->agent, about->agent) == 0 &&
		strcmp(row->ja4, about->ja4) == 0;
}

static char *copy_of(const char *text)
{
	char *made = strdup(text);

	if (!made)
		abort();
	return made;
}

/* rows_of finds what is counted of a client: there are more places than rows. */
static struct refusals_of *rows_of(struct refusals *refusals,
	const char *client)
{
	size_t place = marks_hash(&refusals->accepted, CLIENT, client, NULL) %
		INDEX;

	while (refusals->of[place].client &&
	       strcmp(refusals->of[place].client, client) != 0)
		place = (place + 1) % INDEX;
	return &refusals->of[place];
}

/* add_row: NULL, there is no place. It is counted of by; rows of no client are of
 * hosts that want certificates, of the first who asked them. */
static struct refusal *add_row(struct refusals *refusals,
	const struct about *about, const char *by)
{
	struct refusals_of *of = rows_of(refusals, by);
	struct refusal *row;

	if (refusals->num == REFUSALS_MAX ||
	    (by[0] && of->rows == REFUSALS_OF_CLIENT)) {
		refusals->left_out++;
		return NULL;
	}
	row = &refusals->at[refusals->num++];
	*row = (struct refusal){.client = copy_of(about->client),
		.host = copy_of(about->host), .agent = copy_of(about->agent),
		.ja4 = copy_of(about->ja4)};
	if (!of->client)
		of->client = copy_of(by);
	of->rows++;
	return row;
}

/* row_of finds the row, or makes it: by that client's doing; NULL: it does not.
 * NULL: there is none, or no place for it. */
static struct refusal *row_of(struct refusals *refusals,
	const struct about *about, const char *by)
{
	size_t place = marks_hash(&refusals->accepted, ROW, about->client,
		about->host, about->agent, about->ja4, NULL) % INDEX;
	struct refusal *row;

	for (; refusals->index[place]; place = (place + 1) % INDEX) {
		row = &refusals->at[refusals->index[place] - 1];
		if (is_row(row, about))
			return row;
	}
	if (!by)
		return NULL;
	row = add_row(refusals, about, by);
	if (row)
		refusals->index[place] = (uint32_t)refusals->num;
	return row;
}

/* --- what a line says --------------------------------------------------- */

static void mark(struct refusals *refusals, uint64_t hash)
{
	if (!marks_put(&refusals->accepted, hash))
		refusals->blind = true;
}

/* product_of is what an agent begins with, without its version: rules name that. */
static void product_of(const char *agent, char out[AGENT_MAX + 1])
{
	copy(out, strcspn(agent, "/"), agent);
}

static void mark_accepted(struct refusals *refusals, const struct about *is)
{
	const struct marks *marks = &refusals->accepted;
	char product[AGENT_MAX + 1];

	mark(refusals, marks_hash(marks, HOST_BY_ANYBODY, is->host, NULL));
	mark(refusals, marks_hash(marks, HOST_BY_CLIENT_AND_TLS, is->client,
		is->host, is->ja4, NULL));
	mark(refusals, marks_hash(marks, HOST_BY_TLS, is->host, is->ja4, NULL));
	mark(refusals, marks_hash(marks, ANY_BY_CLIENT_AND_TLS, is->client,
		is->ja4, NULL));
	mark(refusals, marks_hash(marks, ANY_BY_TLS, is->ja4, NULL));
	if (is->agent[0] == '\0')
		return;
	product_of(is->agent, product);
	mark(refusals, marks_hash(marks, HOST_BY_PRODUCT, is->host, product,
		NULL));
	mark(refusals, marks_hash(marks, HOST_BY_CLIENT_AND_AGENT, is->client,
		is->host, is->agent, NULL));
	mark(refusals, marks_hash(marks, HOST_BY_BOTH, is->host, is->ja4,
		is->agent, NULL));
	mark(refusals, marks_hash(marks, ANY_BY_CLIENT_AND_AGENT, is->client,
		is->agent, NULL));
	mark(refusals, marks_hash(marks, ANY_BY_BOTH, is->ja4, is->agent,
		NULL));
}

bool refusals_accepted(const struct refusals *refusals,
	const struct refusal *row)
{
	const struct marks *marks = &refusals->accepted;

	if (row->agent[0] == '\0')
		return marks_has(marks, marks_hash(marks, HOST_BY_TLS,
			row->host, row->ja4, NULL));
	return marks_has(marks, marks_hash(marks, HOST_BY_CLIENT_AND_AGENT,
		       row->client, row->host, row->agent, NULL)) ||
		marks_has(marks, marks_hash(marks, HOST_BY_BOTH, row->host,
			row->ja4, row->agent, NULL));
}

bool refusals_maybe_accepted(const struct refusals *refusals,
	const struct refusal *row)
{
	const struct marks *marks = &refusals->accepted;

	return marks_has(marks, marks_hash(marks, HOST_BY_CLIENT_AND_TLS,
		row->client, row->host, row->ja4, NULL));
}

bool refusals_trusts(const struct refusals *refusals,
	const struct refusal *row)
{
	const struct marks *marks = &refusals->accepted;

	return marks_has(marks, row->agent[0] ?
		marks_hash(marks, ANY_BY_CLIENT_AND_AGENT, row->client,
			row->agent, NULL) :
		marks_hash(marks, ANY_BY_CLIENT_AND_TLS, row->client,
			row->ja4, NULL));
}

bool refusals_trusts_anywhere(const struct refusals *refusals,
	const struct refusal *row)
{
	const struct marks *marks = &refusals->accepted;

	if (refusals_trusts(refusals, row))
		return true;
	return marks_has(marks, row->agent[0] ?
		marks_hash(marks, ANY_BY_BOTH, row->ja4, row->agent, NULL) :
		marks_hash(marks, ANY_BY_TLS, row->ja4, NULL));
}

bool refusals_anybody_accepted(const struct refusals *refusals,
	const struct refusal *row)
{
	const struct marks *marks = &refusals->accepted;

	return marks_has(marks, marks_hash(marks, HOST_BY_ANYBODY, row->host,
		NULL));
}

bool refusals_namesake_accepted(const struct refusals *refusals,
	const struct refusal *row)
{
	const struct marks *marks = &refusals->accepted;
	char product[AGENT_MAX + 1];

	product_of(row->agent, product);
	return marks_has(marks, marks_hash(marks, HOST_BY_PRODUCT, row->host,
		product, NULL));
}

static void note_time(struct refusal *row, int64_t at_ms)
{
	if (row->first_ms == 0 || at_ms < row->first_ms)
		row->first_ms = at_ms;
	if (at_ms > row->last_ms)
		row->last_ms = at_ms;
	if (row->moments > 0 && at_ms < row->moment_ms + REFUSALS_APART_MS)
		return;
	row->moments++;
	row->moment_ms = at_ms;
}

static bool is_soon(const struct entry *entry)
{
	const char *ms = entry_text(entry, ENTRY_ms);
	const char *origin = entry_text(entry, ENTRY_ms_origin);

	return strtoll(ms, NULL, 10) - strtoll(origin, NULL, 10) <=
		REFUSALS_SOON_MS;
}

/* how_of: REFUSAL_HOWS where it is no refusal of the certificate. */
static enum refusal_how how_of(const struct entry *entry)
{
	const char *failure = entry_text(entry, ENTRY_client_failure);
	const char *alert = entry_text(entry, ENTRY_client_alert);

	if (!entry_is(entry, ENTRY_after_certificate, "true"))
		return REFUSAL_HOWS;
	for (int i = 0; i < REFUSAL_SURE; i++) {
		if (strcmp(alert, words[i]) == 0)
			return (enum refusal_how)i;
	}
	for (int i = REFUSAL_SURE; i < REFUSAL_HOWS; i++) {
		if (strcmp(failure, words[i]) == 0 && is_soon(entry))
			return (enum refusal_how)i;
	}
	return REFUSAL_HOWS;
}

/* is_sound: it was the host that a rule would name; else whoever sends a name to a
 * server of his own has a say about it. */
static bool is_sound(const struct entry *entry)
{
	return !entry->value[ENTRY_untrusted] &&
		!entry_is(entry, ENTRY_names, "differ");
}

/* counts: it is about us what the client thinks of the certificate. */
static bool counts(const struct entry *entry)
{
	return is_sound(entry) &&
		strncmp(entry_text(entry, ENTRY_reason), "origin-", 7) != 0;
}

/* note_accepted: refusals are by what a program calls itself in its CONNECT, which
 * need not be what its requests say. */
static void note_accepted(struct refusals *refusals, struct about *about,
	const struct entry *entry)
{
	const char *connect = entry_text(entry, ENTRY_connect_user_agent);

	mark_accepted(refusals, about);
	if (connect[0] == '\0')
		return;
	copy(about->agent, AGENT_MAX, connect);
	mark_accepted(refusals, about);
}

static void note_refused(struct refusals *refusals, const struct about *about,
	const struct entry *entry, bool asked)
{
	enum refusal_how how = how_of(entry);
	struct refusal *row = row_of(refusals, about,
		how != REFUSAL_HOWS ? about->client : NULL);

	if (!row)
		return;
	if (how == REFUSAL_HOWS) {
		row->otherwise++;
		return;
	}
	row->by[how]++;
	row->asked |= asked;
	note_time(row, entry->at_ms);
}

static void note_wants(struct refusals *refusals, const struct about *about,
	const struct entry *entry, bool asked)
{
	struct about host = {.agent = ""};
	struct refusal *row;

	if (!is_sound(entry))
		return;
	memcpy(host.host, about->host, sizeof(host.host));
	row = row_of(refusals, &host, about->client);
	if (!row)
		return;
	row->wants++;
	row->asked |= asked;
	note_time(row, entry->at_ms);
}

void refusals_add(struct refusals *refusals, const struct entry *entry,
	bool asked)
{
	bool is_request = entry_is(entry, ENTRY_kind, "exchange") ||
		entry_is(entry, ENTRY_kind, "relay");
	struct about about;

	if (!about_of(entry, &about))
		return;
	if (entry_is(entry, ENTRY_reason, "origin-wants-client-certificate"))
		note_wants(refusals, &about, entry, asked);
	if (is_request && entry_is(entry, ENTRY_decrypted, "true"))
		note_accepted(refusals, &about, entry);
	else if (entry_is(entry, ENTRY_kind, "refused") && counts(entry))
		note_refused(refusals, &about, entry, asked);
}
