#include "proxy/core/shared.h"

#include <stdlib.h>

#include "cache/flight.h"
#include "cache/shards.h"
#include "pki/leafkeys.h"
#include "proxy/config/config.h"
#include "proxy/report/rulebook.h"
#include "proxy/session/keylog.h"
#include "proxy/session/leaves.h"
#include "proxy/session/ledger.h"
#include "proxy/session/origin_tls.h"
#include "proxy/session/services.h"
#include "proxy/session/tickets.h"
#include "proxy/session/verifier.h"

enum {
	SHARDS = 16,
	VERDICTS = 8192,
	VERDICTS_BYTES = 8 * 1024 * 1024,
	UNDECRYPTABLE = 4096,
};

/* The cache of undecryptable sites holds no values, only that they are. */
static void *mark_ref(void *mark)
{
	return mark;
}

static void mark_unref(void *mark)
{
	(void)mark;
}

void shared_init(struct shared *shared, const struct config *config)
{
	static const struct shards_type sites = {
		site_ref_value, site_unref_value};
	static const struct shards_type opinions = {
		opinion_ref, opinion_unref};
	static const struct shards_type marks = {mark_ref, mark_unref};
	struct sockaddr_storage *at;
	size_t num = 0;

	shared->keys = leafkeys_new();
	shared->leaves = shards_new(SHARDS, config->limits.leaf_cache_entries,
		config->limits.leaf_cache_bytes, &sites);
	shared->flight = flight_new();
	shared->verdicts = shards_new(SHARDS, VERDICTS, VERDICTS_BYTES,
		&opinions);
	shared->undecryptable = shards_new(1, UNDECRYPTABLE, VERDICTS_BYTES,
		&marks);
	shared->tickets = tickets_new();
	shared->ledger = ledger_new();
	shared->verifier = verifier_new(verifier_threads());
	shared->rulebook = rulebook_new();
	shared->keylog = keylog_new();
	at = calloc(config->proxy.num + config->proxy_tls.num +
		config->transparent.num + config->admin.num + 1, sizeof(*at));
	if (!at)
		abort();
	for (size_t i = 0; i < config->proxy.num; i++)
		at[num++] = config->proxy.at[i].address;
	for (size_t i = 0; i < config->proxy_tls.num; i++)
		at[num++] = config->proxy_tls.at[i].address;
	for (size_t i = 0; i < config->transparent.num; i++)
		at[num++] = config->transparent.at[i].address;
	for (size_t i = 0; i < config->admin.num; i++)
		at[num++] = config->admin.at[i].address;
	own_listeners_init(&shared->own, at, num);
	free(at);
}

void shared_clear(struct shared *shared)
{
	if (shared->leaves)
		shards_free(shared->leaves);
	if (shared->verdicts)
		shards_free(shared->verdicts);
	if (shared->undecryptable)
		shards_free(shared->undecryptable);
	if (shared->flight)
		flight_free(shared->flight);
	tickets_free(shared->tickets);
	ledger_free(shared->ledger);
	verifier_free(shared->verifier);
	rulebook_free(shared->rulebook);
	keylog_free(shared->keylog);
	leafkeys_free(shared->keys);
	own_listeners_clear(&shared->own);
}
